import type {
  Telemetry,
  TelemetryCounter,
  TelemetryHistogram,
  TelemetryInstrumentOptions,
} from "../nbio/telemetry.ts";

/**
 * What the semantic conventions of OpenTelemetry for HTTP say about both roles.
 * https://opentelemetry.io/docs/specs/semconv/http/
 */

/** RFC 9110 section 9 and RFC 5789; every other name is the peer's to invent. */
const KNOWN_METHODS: ReadonlySet<string> = new Set([
  "CONNECT",
  "DELETE",
  "GET",
  "HEAD",
  "OPTIONS",
  "PATCH",
  "POST",
  "PUT",
  "TRACE",
]);

/** In place of whatever is not among a small number of values. */
const OTHER = "_OTHER";

/** Advice for durations in seconds. */
const SECONDS: TelemetryInstrumentOptions = {
  unit: "s",
  boundaries: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
};

/** Advice for how long connections live, in seconds. */
export const CONNECTION_SECONDS: TelemetryInstrumentOptions = {
  unit: "s",
  boundaries: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300],
};

/** The conventions leave the buckets of sizes to whoever counts, whose defaults end at 10 kB. */
const BYTES: TelemetryInstrumentOptions = {
  unit: "By",
  boundaries: [0, 128, 1024, 8192, 65_536, 524_288, 4_194_304, 33_554_432, 268_435_456],
};

/** What is measured of the requests of either role. */
export interface RequestInstruments {
  /** How long each took. */
  readonly duration: TelemetryHistogram;
  /** How many are under way. */
  readonly active: TelemetryCounter;
  /** Bytes of their bodies. */
  readonly requestSize: TelemetryHistogram;
  /** Bytes of the bodies of their responses. */
  readonly responseSize: TelemetryHistogram;
}

/**
 * Makes the instruments of a role.
 *
 * @param telemetry Who counts.
 * @param role Which end this is.
 */
export function requestInstruments(
  telemetry: Telemetry,
  role: "client" | "server",
): RequestInstruments {
  const size = (part: "request" | "response"): TelemetryHistogram =>
    telemetry.histogram(`http.${role}.${part}.body.size`, {
      description: `Size of HTTP ${role} ${part} bodies.`,
      ...BYTES,
    });
  return {
    duration: telemetry.histogram(`http.${role}.request.duration`, {
      description: `Duration of HTTP ${role} requests.`,
      ...SECONDS,
    }),
    active: telemetry.upDownCounter(`http.${role}.active_requests`, {
      description: `Number of active HTTP ${role} requests.`,
      unit: "{request}",
    }),
    requestSize: size("request"),
    responseSize: size("response"),
  };
}

/** A method as it is measured and named. */
export interface MethodName {
  /** Value of `http.request.method`. */
  readonly attribute: string;
  /** First word of the name of a span. */
  readonly word: string;
  /** Value of `http.request.method_original`; `undefined` where nothing was replaced. */
  readonly original: string | undefined;
}

/**
 * What a method is called: an unknown one may be anything, and names must not.
 *
 * @param method As it was sent; case matters (RFC 9110 section 9.1).
 */
export function nameMethod(method: string): MethodName {
  return KNOWN_METHODS.has(method)
    ? { attribute: method, word: method, original: undefined }
    : { attribute: OTHER, word: "HTTP", original: method };
}

/** Host and port of an address; neither for a Unix socket. */
export function hostOf(addr: Deno.Addr): { hostname: string; port: number } | undefined {
  return "hostname" in addr ? addr : undefined;
}
