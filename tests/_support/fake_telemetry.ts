/** Telemetry that keeps what it is told, for tests to look at. */

import type {
  Telemetry,
  TelemetryAttributes,
  TelemetryInstrumentOptions,
  TelemetrySpan,
  TelemetrySpanOptions,
} from "../../nbio/telemetry.ts";

/** One call of an instrument. */
export interface Measured {
  readonly value: number;
  readonly attributes: Record<string, unknown>;
}

/** A span that keeps what becomes of it. */
export class FakeSpan implements TelemetrySpan {
  readonly isRecording = true;
  readonly options: TelemetrySpanOptions;
  readonly id: number;
  name: string;
  attributes: Record<string, unknown> = {};
  errors: unknown[] = [];
  endCount = 0;
  readonly #running: FakeSpan[];

  constructor(id: number, name: string, options: TelemetrySpanOptions, running: FakeSpan[]) {
    this.id = id;
    this.name = name;
    this.options = options;
    this.#running = running;
    this.setAttributes(options.attributes ?? {});
  }

  rename(name: string): void {
    this.name = name;
  }

  setAttributes(attributes: TelemetryAttributes): void {
    Object.assign(this.attributes, defined(attributes));
  }

  fail(error?: unknown): void {
    this.errors.push(error);
  }

  run<T>(callback: () => T): T {
    this.#running.push(this);
    try {
      return callback();
    } finally {
      this.#running.pop();
    }
  }

  inject(set: (name: string, value: string) => void): void {
    set("traceparent", `span-${this.id}`);
  }

  end(): void {
    this.endCount++;
  }
}

/** Keeps everything. */
export class FakeTelemetry implements Telemetry {
  /** Every instrument that was made, with what it was made for. */
  readonly instruments: Record<string, TelemetryInstrumentOptions> = {};
  /** Every measurement, by the name of its instrument. */
  readonly measured: Record<string, Measured[]> = {};
  /** Every span, in the order of their beginnings. */
  readonly spans: FakeSpan[] = [];
  /** Spans that run now, the innermost last. */
  readonly running: FakeSpan[] = [];

  readonly counter: Telemetry["counter"] = (name, options = {}) => ({
    add: this.#keep(name, options),
  });
  readonly upDownCounter: Telemetry["counter"] = this.counter;
  readonly histogram: Telemetry["histogram"] = (name, options = {}) => ({
    record: this.#keep(name, options),
  });
  readonly startSpan: (name: string, options?: TelemetrySpanOptions) => FakeSpan = (
    name,
    options = {},
  ) => {
    const span = new FakeSpan(this.spans.length + 1, name, options, this.running);
    this.spans.push(span);
    return span;
  };

  /** Measurements of an instrument, without their values. */
  attributesOf(name: string): Record<string, unknown>[] {
    return (this.measured[name] ?? []).map(({ attributes }) => attributes);
  }

  /** Values of an instrument. */
  valuesOf(name: string): number[] {
    return (this.measured[name] ?? []).map(({ value }) => value);
  }

  /** Sums of an instrument that are not zero. */
  sumsOf(name: string): Record<string, number> {
    const sums: Record<string, number> = {};
    for (const { value, attributes } of this.measured[name] ?? []) {
      const key = JSON.stringify(attributes);
      sums[key] = (sums[key] ?? 0) + value;
    }
    return Object.fromEntries(Object.entries(sums).filter(([, sum]) => sum !== 0));
  }

  #keep(
    name: string,
    options: TelemetryInstrumentOptions,
  ): (value: number, attributes?: TelemetryAttributes) => void {
    this.instruments[name] = options;
    const measured = this.measured[name] ??= [];
    return (value: number, attributes: TelemetryAttributes = {}): void => {
      measured.push({ value, attributes: defined(attributes) });
    };
  }
}

function defined(attributes: TelemetryAttributes): Record<string, unknown> {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined));
}
