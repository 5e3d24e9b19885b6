/**
 * {@linkcode Telemetry}: what a driver tells about its work, to whoever counts and traces.
 *
 * A driver takes it as an option, so that two servers of one process can be told apart, and
 * neither a test nor a second copy of this package meets what another one has registered.
 *
 * @module
 */

/**
 * What is known about a measurement or a span. What is `undefined` is not there. The names and
 * values are few for measurements: each set of them is a time series.
 */
export type TelemetryAttributes = Readonly<
  Record<string, string | number | boolean | undefined>
>;

/** What an instrument measures. */
export interface TelemetryInstrumentOptions {
  /**
   * One sentence.
   *
   * @default {""}
   */
  readonly description?: string;
  /**
   * Unit in the notation of UCUM: `s`, `By`, `{request}`.
   *
   * @default {""}
   */
  readonly unit?: string;
  /**
   * Upper bounds of the buckets of a histogram, ascending, each inclusive.
   *
   * @default those of whoever counts
   */
  readonly boundaries?: readonly number[];
}

/** A sum that is added to. */
export interface TelemetryCounter {
  /**
   * Adds to the sum.
   *
   * @param delta How much; negative only where the sum may go down.
   * @param attributes Which of the sums; none by default.
   */
  add(delta: number, attributes?: TelemetryAttributes): void;
}

/** How values are distributed. */
export interface TelemetryHistogram {
  /**
   * Takes note of a value.
   *
   * @param value In the unit of the instrument, 0 and more.
   * @param attributes Which of the distributions; none by default.
   */
  record(value: number, attributes?: TelemetryAttributes): void;
}

/** How a span begins. */
export interface TelemetrySpanOptions {
  /**
   * Which side of a call it is.
   *
   * @default {"internal"}
   */
  readonly kind?: "internal" | "server" | "client";
  /**
   * What is known at the beginning; by it is decided whether the span is kept.
   *
   * @default {{}}
   */
  readonly attributes?: TelemetryAttributes;
  /**
   * Reads a header field of the peer, lines of one name joined by commas: its trace goes on in
   * this span. Without it the parent is the span that runs.
   *
   * @default {undefined}
   */
  readonly remote?: (name: string) => string | undefined;
}

/** One piece of work, from its beginning to its end. */
export interface TelemetrySpan {
  /** Whether somebody wants to know more about it. */
  readonly isRecording: boolean;
  /** Changes the name. */
  rename(name: string): void;
  /** Adds attributes, in place of those of the same names. */
  setAttributes(attributes: TelemetryAttributes): void;
  /**
   * Says that the work has failed.
   *
   * @param error Why, where there is an object that tells.
   */
  fail(error?: unknown): void;
  /**
   * Calls a function whose own spans, and those of all that it waits for, become children.
   *
   * @param callback What to call, once and at once.
   * @returns What it returns.
   */
  run<T>(callback: () => T): T;
  /**
   * Writes the header fields by which a peer goes on with the trace.
   *
   * @param set Takes each name and value.
   */
  inject(set: (name: string, value: string) => void): void;
  /** Ends it, once. */
  end(): void;
}

/**
 * Who counts and traces. The methods are called on the path of every request where it is set:
 * they return at once. What they throw is written to the console, and changes nothing.
 *
 * @example Counting requests by status
 * ```ts
 * import { noTelemetry, type Telemetry, type TelemetryAttributes } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * const seen: unknown[] = [];
 * const telemetry: Telemetry = {
 *   ...noTelemetry,
 *   histogram: (name) => ({
 *     record: (_value: number, attributes?: TelemetryAttributes) =>
 *       seen.push([name, attributes?.["http.response.status_code"]]),
 *   }),
 * };
 * telemetry.histogram("http.server.request.duration").record(0.2, {
 *   "http.response.status_code": 200,
 * });
 * assertEquals(seen, [["http.server.request.duration", 200]]);
 * ```
 */
export interface Telemetry {
  /** Makes a sum that only goes up. */
  readonly counter: (name: string, options?: TelemetryInstrumentOptions) => TelemetryCounter;
  /** Makes a sum that goes up and down, of things that are there now. */
  readonly upDownCounter: (name: string, options?: TelemetryInstrumentOptions) => TelemetryCounter;
  /** Makes a distribution. */
  readonly histogram: (name: string, options?: TelemetryInstrumentOptions) => TelemetryHistogram;
  /** Begins a span. */
  readonly startSpan: (name: string, options?: TelemetrySpanOptions) => TelemetrySpan;
}

const NO_COUNTER: TelemetryCounter = Object.freeze({ add: () => {} });
const NO_HISTOGRAM: TelemetryHistogram = Object.freeze({ record: () => {} });
const NO_SPAN: TelemetrySpan = Object.freeze({
  isRecording: false,
  rename: () => {},
  setAttributes: () => {},
  fail: () => {},
  run: <T>(callback: () => T): T => callback(),
  inject: () => {},
  end: () => {},
});

/**
 * Nobody counts and traces. To spread into one that only does a part of it; a driver that is given
 * it as it is does what it does without.
 */
export const noTelemetry: Telemetry = Object.freeze({
  counter: () => NO_COUNTER,
  upDownCounter: () => NO_COUNTER,
  histogram: () => NO_HISTOGRAM,
  startSpan: () => NO_SPAN,
});
