/**
 * Every target there is. `registry_test.ts` holds that every parser of the product has one, and
 * runs each for a moment; `main.ts` runs them at length.
 *
 * To add one: an {@linkcode inputTarget} in the file of its family, with a corpus file, and its
 * name in the list at the end of that file.
 */

import { COOKIE_JAR_TARGET } from "./cookie_fuzz.ts";
import { MESSAGE_TARGET } from "./dns_fuzz.ts";
import { DNS_TARGETS } from "./dns_targets.ts";
import { ZONE_TARGET } from "./dns_zone_fuzz.ts";
import { COOKIE_LIVE_TARGET, FIELD_VALUE_TARGET } from "./field_value_fuzz.ts";
import type { FuzzTarget } from "./fuzz_target.ts";
import { HTTP_TARGETS } from "./http_fuzz.ts";
import type { InputTarget } from "./input_target.ts";
import { NBIO_TARGETS } from "./nbio_targets.ts";
import { PEER_TARGETS } from "./peer_targets.ts";
import { PATH_LIVE_TARGET, PATH_TARGET } from "./route_path_fuzz.ts";
import { TLS_TARGETS } from "./tls_targets.ts";
import { VALUE_TARGETS } from "./value_targets.ts";
import { FRAME_TARGET } from "./websocket_fuzz.ts";
import { WEBSOCKET_TARGETS } from "./websocket_targets.ts";
import { CERTIFICATE_TARGET } from "./x509_fuzz.ts";

/** Those that take one input, whose corpus is a file with an input on each line. */
export const INPUT_TARGETS: readonly InputTarget[] = [
  ...[...VALUE_TARGETS, ...PEER_TARGETS, ...DNS_TARGETS],
  ...[...TLS_TARGETS, ...WEBSOCKET_TARGETS, ...NBIO_TARGETS],
];

/** All of them. */
export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  ...HTTP_TARGETS,
  ...[FIELD_VALUE_TARGET, COOKIE_JAR_TARGET, PATH_TARGET, COOKIE_LIVE_TARGET, PATH_LIVE_TARGET],
  ...[MESSAGE_TARGET, ZONE_TARGET, CERTIFICATE_TARGET, FRAME_TARGET],
  ...INPUT_TARGETS,
];
