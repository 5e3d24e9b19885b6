import {
  noTelemetry,
  type Telemetry,
  type TelemetryCounter,
  type TelemetryHistogram,
  type TelemetrySpan,
} from "./telemetry.ts";

/**
 * What a driver works with: to be called once, where its options are resolved, so that all that is
 * left to do where nobody listens is to look whether it is there.
 *
 * What the given one throws is written to the console and goes no further: whoever counts must not
 * break what is counted.
 *
 * @param telemetry What the caller gave.
 * @returns One that never throws; `undefined` where there is none, or it is
 * {@linkcode noTelemetry}.
 *
 * @example None is none
 * ```ts
 * import { noTelemetry, resolveTelemetry } from "@nbio/net/nbio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(resolveTelemetry(noTelemetry), undefined);
 * ```
 */
export function resolveTelemetry(telemetry: Telemetry | undefined): Telemetry | undefined {
  if (telemetry === undefined || telemetry === noTelemetry) return undefined;
  return {
    counter: (name, options) =>
      guardCounter(attempt(() => telemetry.counter(name, options)) ?? noTelemetry.counter(name)),
    upDownCounter: (name, options) =>
      guardCounter(
        attempt(() => telemetry.upDownCounter(name, options)) ?? noTelemetry.counter(name),
      ),
    histogram: (name, options) =>
      guardHistogram(
        attempt(() => telemetry.histogram(name, options)) ?? noTelemetry.histogram(name),
      ),
    startSpan: (name, options) =>
      new GuardedSpan(
        attempt(() => telemetry.startSpan(name, options)) ?? noTelemetry.startSpan(name),
      ),
  };
}

function guardCounter(counter: TelemetryCounter): TelemetryCounter {
  return { add: (delta, attributes) => void attempt(() => counter.add(delta, attributes)) };
}

function guardHistogram(histogram: TelemetryHistogram): TelemetryHistogram {
  return { record: (value, attributes) => void attempt(() => histogram.record(value, attributes)) };
}

class GuardedSpan implements TelemetrySpan {
  readonly isRecording: boolean;
  readonly #span: TelemetrySpan;

  constructor(span: TelemetrySpan) {
    this.#span = span;
    this.isRecording = attempt(() => span.isRecording) ?? false;
  }

  rename(name: string): void {
    attempt(() => this.#span.rename(name));
  }

  setAttributes(attributes: Parameters<TelemetrySpan["setAttributes"]>[0]): void {
    attempt(() => this.#span.setAttributes(attributes));
  }

  fail(error?: unknown): void {
    attempt(() => this.#span.fail(error));
  }

  /** Its own failure is told from the callback's, which is called once in any case. */
  run<T>(callback: () => T): T {
    let outcome: { value: T } | { error: unknown } | undefined;
    attempt(() =>
      this.#span.run(() => {
        if (outcome !== undefined) return;
        try {
          outcome = { value: callback() };
        } catch (error) {
          outcome = { error };
        }
      })
    );
    if (outcome === undefined) return callback();
    const settled = outcome as { value: T } | { error: unknown };
    if ("error" in settled) throw settled.error;
    return settled.value;
  }

  inject(set: (name: string, value: string) => void): void {
    attempt(() => this.#span.inject(set));
  }

  end(): void {
    attempt(() => this.#span.end());
  }
}

function attempt<T>(step: () => T): T | undefined {
  try {
    return step();
  } catch (error) {
    console.error(error);
    return undefined;
  }
}
