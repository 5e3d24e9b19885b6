import { checkFieldName, checkMethod } from "./field_text.ts";
import type { HeaderList } from "./header_list.ts";
import type { CorsOptions, CorsOrigin } from "./middleware_cors.ts";
import type { Context } from "./server_context.ts";

/** {@linkcode CorsOptions} as requests are measured by them. */
export interface CorsPolicy {
  /** Whether every origin may read, so that the answer does not depend on it. */
  readonly isOpen: boolean;
  readonly allows: (origin: string, ctx: Context) => boolean | Promise<boolean>;
  readonly methods: string;
  /** Names in lower case, or whatever is requested. */
  readonly allowedHeaders: string | undefined;
  readonly exposedHeaders: string;
  readonly credentials: boolean;
  readonly maxAgeSeconds: number;
  readonly privateNetwork: boolean;
  readonly vary: readonly string[];
  readonly preflightVary: readonly string[];
}

const MAX_ORIGINS = 1_000;
const MAX_REQUESTED_NAMES = 64;
/** A scheme, a host of 253 characters and a port: no expression has to bear more. */
const MAX_ORIGIN_LENGTH = 512;
const DEFAULT_METHODS = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"];

/**
 * Fills in the defaults and checks the values.
 *
 * @throws {RangeError} If an option is out of its range, or credentials meet `*`.
 */
export function resolveCorsPolicy(options: CorsOptions): CorsPolicy {
  const { origin = "*", methods = DEFAULT_METHODS, allowedHeaders = ["content-type"] } = options;
  const { exposedHeaders = [], credentials = false, maxAgeSeconds = 600 } = options;
  const { privateNetwork = false } = options;
  const isOpen = origin === "*";
  const lists = {
    methods,
    exposedHeaders,
    ...allowedHeaders !== "requested" && { allowedHeaders },
  };
  for (const [name, list] of Object.entries(lists)) checkList(name, list, credentials);
  if (isOpen && credentials) {
    // Browsers refuse the two together: a list of origins is what is meant.
    throw new RangeError('Cannot use credentials with origin "*": name the origins');
  }
  if (!Number.isSafeInteger(maxAgeSeconds) || maxAgeSeconds < 0) {
    throw new RangeError(
      `Cannot use option maxAgeSeconds: ${maxAgeSeconds} is not a whole number of at least 0`,
    );
  }
  const vary = isOpen ? [] : ["origin"];
  return {
    isOpen,
    allows: originTest(origin),
    methods: methods.join(", "),
    allowedHeaders: allowedHeaders === "requested"
      ? undefined
      : allowedHeaders.map((name) => name.toLowerCase()).join(", "),
    exposedHeaders: exposedHeaders.join(", "),
    credentials,
    maxAgeSeconds,
    privateNetwork,
    vary,
    preflightVary: [
      ...vary,
      ...allowedHeaders === "requested" ? ["access-control-request-headers"] : [],
      ...privateNetwork ? ["access-control-request-private-network"] : [],
    ],
  };
}

/** Whether an answer may be read by a page of this origin. */
export function allowsOrigin(
  policy: CorsPolicy,
  origin: string | undefined,
  ctx: Context,
): boolean | Promise<boolean> {
  // Caches may give an answer made for no origin to a page of some other.
  if (policy.isOpen) return true;
  return origin !== undefined && origin.length <= MAX_ORIGIN_LENGTH && policy.allows(origin, ctx);
}

/** The fields that tell a browser what the request may be like. */
export function decidePreflight(
  policy: CorsPolicy,
  headers: HeaderList,
): (readonly [name: string, value: string])[] {
  const names = policy.allowedHeaders ??
    requestedNames(headers.get("access-control-request-headers"));
  const fields: [string, string][] = [
    ["access-control-allow-methods", policy.methods],
    ["access-control-allow-headers", names],
    ["access-control-max-age", String(policy.maxAgeSeconds)],
  ];
  if (policy.privateNetwork && headers.get("access-control-request-private-network") === "true") {
    fields.push(["access-control-allow-private-network", "true"]);
  }
  return fields.filter(([, value]) => value !== "");
}

/** The names that were asked for; none if any of them is no name. */
function requestedNames(value: string | undefined): string {
  const names = value?.split(",", MAX_REQUESTED_NAMES + 1).map((name) => name.trim()) ?? [];
  if (names.length > MAX_REQUESTED_NAMES) return "";
  try {
    for (const name of names) checkFieldName(name);
  } catch {
    return "";
  }
  return names.join(", ").toLowerCase();
}

function originTest(origin: CorsOrigin): CorsPolicy["allows"] {
  if (typeof origin === "function") return origin;
  const listed = typeof origin === "string" || origin instanceof RegExp ? [origin] : origin;
  if (listed.length > MAX_ORIGINS) {
    throw new RangeError(`Cannot use option origin: ${listed.length} exceed ${MAX_ORIGINS}`);
  }
  const exact = new Set<string>();
  const patterns: RegExp[] = [];
  for (const entry of listed) {
    if (entry instanceof RegExp) patterns.push(wholeMatch(entry));
    else if (entry !== "*") exact.add(checkOrigin(entry));
  }
  if (origin !== "*" && listed.includes("*")) {
    throw new RangeError('Cannot use option origin: "*" stands alone, not in a list');
  }
  return (sent) => exact.has(sent) || patterns.some((pattern) => pattern.test(sent));
}

/**
 * An expression that has to match from end to end: one for `https://example.com`
 * must not let `https://example.com.evil.example` in. Without the flags `g` and
 * `y`, whose expressions remember where they stopped.
 */
function wholeMatch(pattern: RegExp): RegExp {
  return new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gmy]/g, ""));
}

function checkOrigin(origin: string): string {
  if (origin === "null" || isSerialised(origin)) return origin;
  throw new RangeError(
    `Cannot use option origin: ${JSON.stringify(origin)} is not of the form "https://host:port"`,
  );
}

/** Whether text is an origin as browsers write it; those of extensions are opaque to `URL`. */
function isSerialised(origin: string): boolean {
  const url = URL.parse(origin);
  return url !== null &&
    (url.origin === origin ||
      /^[a-z][a-z0-9+\-.]*:\/\/[^/?#]+$/.test(origin) && url.origin === "null");
}

function checkList(option: string, names: readonly string[], credentials: boolean): void {
  const check = option === "methods" ? checkMethod : checkFieldName;
  for (const name of names) {
    try {
      check(name);
    } catch (cause) {
      throw new RangeError(`Cannot use option ${option}: it holds what is no name`, { cause });
    }
    // With credentials browsers take the asterisk for a name like any other.
    if (credentials && name === "*") {
      throw new RangeError(`Cannot use credentials with "*" in option ${option}`);
    }
  }
}
