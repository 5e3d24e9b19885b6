/** Targets for addresses, and for conversations kept in files. */

import { IpRangeSet } from "../../http/ip_range.ts";
import { formatIpAddress, parseIpAddress } from "../../nbio/ip_address.ts";
import { parseTranscript, TranscriptSyntaxError } from "../../nbio/testing_parse_transcript.ts";
import { demandSame, type InputTarget, textTarget } from "./input_target.ts";

const address = textTarget({
  name: "nbio/address",
  drives: ["nbio/ip_address.ts", "http/ip_range.ts"],
  pieces: [
    ".",
    ":",
    "::",
    "0",
    "255",
    "256",
    "ffff",
    "%eth0",
    "%",
    "[",
    "]",
    "/",
    "/8",
    "::ffff:1.2.3.4",
    "-",
    "\xff",
  ],
  throws: [RangeError],
  run(text) {
    const parsed = parseIpAddress(text);
    if (parsed !== undefined) {
      const written = formatIpAddress(parsed);
      demandSame(formatIpAddress(parseIpAddress(written)!), written, "an address has one form");
      demandSame([...parseIpAddress(written)!.bytes], [...parsed.bytes], "it reads back");
    }
    return new IpRangeSet([text]).has(parsed === undefined ? "10.0.0.1" : parsed);
  },
});

const transcript = textTarget({
  name: "nbio/transcript",
  drives: ["nbio/testing_parse_transcript.ts"],
  pieces: [
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    '"',
    "\\",
    "\n",
    '"type"',
    '"send"',
    '"expect"',
    '"bytes"',
    '"hex"',
    "0g",
    "null",
    "1e9",
    "\xff",
  ],
  throws: [TranscriptSyntaxError],
  run: (text) => parseTranscript(text),
});

/** All of them. */
export const NBIO_TARGETS: readonly InputTarget[] = [address, transcript];
