/** Counts what drivers tell, and writes it in the text format of Prometheus. */

import {
  noTelemetry,
  type Telemetry,
  type TelemetryAttributes,
  type TelemetryCounter,
  type TelemetryHistogram,
  type TelemetryInstrumentOptions,
} from "@nbio/net/nbio";

/** Options of {@linkcode MetricsRegistry}. */
export interface MetricsRegistryOptions {
  /**
   * Sets of labels of one metric, 1 to 1,000,000. What comes beyond them goes into one set
   * `{overflow="true"}`, so that no client can fill the memory.
   *
   * @default {1_000}
   */
  readonly maxSeries?: number;
  /**
   * Metrics, 1 to 1,000,000.
   *
   * @default {1_000}
   */
  readonly maxMetrics?: number;
}

type Kind = "counter" | "gauge" | "histogram";

/** Advice for durations in seconds: what a histogram has that is made without any. */
const DEFAULT_BOUNDARIES: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const MOST = 1_000_000;
/** Units of UCUM by the names that Prometheus has for them. */
const UNITS: Readonly<Record<string, string>> = { s: "seconds", By: "bytes", ms: "milliseconds" };
const OVERFLOW = 'overflow="true"';

/**
 * The counters, gauges and histograms of a process, under a bound. It traces nothing.
 *
 * The names are those of OpenTelemetry as Prometheus writes them:
 * `http.server.request.duration` in `s` is `http_server_request_duration_seconds`.
 */
export class MetricsRegistry implements Telemetry {
  readonly startSpan: Telemetry["startSpan"] = noTelemetry.startSpan;
  readonly counter: Telemetry["counter"] = (name, options) => this.#sum(name, "counter", options);
  readonly upDownCounter: Telemetry["upDownCounter"] = (name, options) =>
    this.#sum(name, "gauge", options);
  readonly histogram: Telemetry["histogram"] = (name, options) => this.#histogram(name, options);

  readonly #metrics = new Map<string, Metric>();
  readonly #maxSeries: number;
  readonly #maxMetrics: number;

  /**
   * @param options Bounds.
   * @throws {RangeError} If one is out of its range.
   */
  constructor(options: MetricsRegistryOptions = {}) {
    this.#maxSeries = checkBound("maxSeries", options.maxSeries ?? 1_000);
    this.#maxMetrics = checkBound("maxMetrics", options.maxMetrics ?? 1_000);
  }

  /**
   * Adds a value that is looked up when somebody asks for the metrics.
   *
   * @param name Name, with dots.
   * @param kind Whether it only goes up.
   * @param read Gives it.
   * @param options Unit and description.
   */
  watch(
    name: string,
    kind: "counter" | "gauge",
    read: () => number,
    options?: TelemetryInstrumentOptions,
  ): void {
    this.#open(name, kind, options).read = read;
  }

  /** All metrics, in the text format, version 0.0.4. */
  expose(): string {
    let text = "";
    for (const metric of this.#metrics.values()) text += metric.expose();
    return text;
  }

  #sum(name: string, kind: Kind, options?: TelemetryInstrumentOptions): TelemetryCounter {
    const metric = this.#open(name, kind, options);
    return { add: (delta, attributes) => metric.seriesOf(attributes).add(delta) };
  }

  #histogram(name: string, options?: TelemetryInstrumentOptions): TelemetryHistogram {
    const metric = this.#open(name, "histogram", options);
    return { record: (value, attributes) => metric.seriesOf(attributes).record(value) };
  }

  /** Two servers count into the same metric. */
  #open(name: string, kind: Kind, options: TelemetryInstrumentOptions = {}): Metric {
    const fullName = metricName(name, kind, options.unit);
    const known = this.#metrics.get(fullName);
    if (known?.kind === kind) return known;
    if (known !== undefined || this.#metrics.size >= this.#maxMetrics) {
      throw new RangeError(`Cannot add metric ${fullName}: it is taken, or there are too many`);
    }
    const metric = new Metric(fullName, kind, options, this.#maxSeries);
    this.#metrics.set(fullName, metric);
    return metric;
  }
}

/** One metric with its sets of labels. */
class Metric {
  readonly kind: Kind;
  /** Looks the value up, where nobody adds to it. */
  read: (() => number) | undefined;
  readonly #name: string;
  readonly #help: string;
  readonly #boundaries: readonly number[];
  readonly #maxSeries: number;
  readonly #series = new Map<string, Series>();

  constructor(name: string, kind: Kind, options: TelemetryInstrumentOptions, maxSeries: number) {
    this.#name = name;
    this.kind = kind;
    this.#help = options.description ?? "";
    this.#boundaries = options.boundaries ?? DEFAULT_BOUNDARIES;
    this.#maxSeries = maxSeries;
  }

  seriesOf(attributes: TelemetryAttributes = {}): Series {
    const labels = formatLabels(attributes);
    const known = this.#series.get(labels);
    if (known !== undefined) return known;
    const key = this.#series.size < this.#maxSeries ? labels : OVERFLOW;
    let series = this.#series.get(key);
    if (series === undefined) {
      this.#series.set(key, series = new Series(this.kind === "histogram" ? this.#boundaries : []));
    }
    return series;
  }

  expose(): string {
    const name = this.#name;
    const help = this.#help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
    let text = `# HELP ${name} ${help}\n# TYPE ${name} ${this.kind}\n`;
    if (this.read !== undefined) return `${text}${name} ${formatValue(this.read())}\n`;
    for (const [labels, series] of this.#series) {
      text += this.kind === "histogram"
        ? series.exposeHistogram(name, labels)
        : sample(name, labels, series.sum);
    }
    return text;
  }
}

/** A sum, and how the values were distributed that led to it. */
class Series {
  sum = 0;
  #count = 0;
  readonly #boundaries: readonly number[];
  /** How many values were at most as large as each boundary, and larger than the one before. */
  readonly #buckets: number[];

  constructor(boundaries: readonly number[]) {
    this.#boundaries = boundaries;
    this.#buckets = boundaries.map(() => 0);
  }

  add(delta: number): void {
    this.sum += delta;
  }

  record(value: number): void {
    this.sum += value;
    this.#count++;
    const index = this.#boundaries.findIndex((boundary) => value <= boundary);
    if (index >= 0) this.#buckets[index]!++;
  }

  exposeHistogram(name: string, labels: string): string {
    let text = "";
    let count = 0;
    const comma = labels === "" ? "" : ",";
    for (const [index, boundary] of this.#boundaries.entries()) {
      count += this.#buckets[index]!;
      text += sample(`${name}_bucket`, `${labels}${comma}le="${formatValue(boundary)}"`, count);
    }
    text += sample(`${name}_bucket`, `${labels}${comma}le="+Inf"`, this.#count);
    text += sample(`${name}_sum`, labels, this.sum);
    return text + sample(`${name}_count`, labels, this.#count);
  }
}

function sample(name: string, labels: string, value: number): string {
  return `${name}${labels === "" ? "" : `{${labels}}`} ${formatValue(value)}\n`;
}

function formatLabels(attributes: TelemetryAttributes): string {
  const labels: string[] = [];
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    const escaped = `${value}`.toWellFormed().replace(
      /[\\"\n]/g,
      (character) => character === "\n" ? "\\n" : `\\${character}`,
    );
    labels.push(`${name.replace(/[^a-zA-Z0-9_]/g, "_")}="${escaped}"`);
  }
  return labels.join(",");
}

function formatValue(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : `${value}`;
}

/** Every character that a name cannot have becomes `_`; the unit is the last word but `total`. */
function metricName(name: string, kind: Kind, unit: string = ""): string {
  const word = UNITS[unit];
  const plain = name.replace(/[^a-zA-Z0-9_:]/g, "_").replace(/^(?=[0-9])/, "_");
  const withUnit = word === undefined || plain.endsWith(`_${word}`) ? plain : `${plain}_${word}`;
  return kind === "counter" && !withUnit.endsWith("_total") ? `${withUnit}_total` : withUnit;
}

function checkBound(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= MOST) return value;
  throw new RangeError(`Cannot use option ${name}: ${value} is not an integer from 1 to ${MOST}`);
}
