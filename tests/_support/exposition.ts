/** A strict reader of the text format of Prometheus, version 0.0.4. */

/** One line with a value. */
export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One metric with its lines. */
export interface Family {
  readonly name: string;
  readonly type: string;
  readonly samples: Sample[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const HEAD = new RegExp(`^# (HELP|TYPE) (${NAME}) ?(.*)$`);
const SAMPLE = new RegExp(
  `^(${NAME})(?:\\{([^}]*(?:"(?:[^"\\\\]|\\\\.)*"[^}]*)*)\\})? ([^ ]+)$`,
);
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y;
const TYPES: readonly string[] = ["counter", "gauge", "histogram"];
const VALUE = /^(?:[+-]Inf|NaN|[+-]?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/;

/**
 * Reads what a scrape gives.
 *
 * @throws {Error} If a line is malformed or in the wrong place, a series comes twice, or a
 * histogram contradicts itself.
 */
export function parseExposition(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  const series = new Set<string>();
  let current: Family | undefined;
  if (text !== "" && !text.endsWith("\n")) throw new Error("The last line has no end");
  for (const line of text.split("\n").slice(0, -1)) {
    const head = HEAD.exec(line);
    if (head?.[1] === "HELP") continue;
    if (head !== null) {
      const [, , name = "", type = ""] = head;
      if (families.has(name) || !TYPES.includes(type)) throw new Error(`Bad type: ${line}`);
      families.set(name, current = { name, type, samples: [] });
      continue;
    }
    const sample = parseSample(line);
    const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
    if (series.has(key)) throw new Error(`Twice: ${line}`);
    series.add(key);
    if (current === undefined || !belongs(sample.name, current)) {
      throw new Error(`Not in its group: ${line}`);
    }
    current.samples.push(sample);
  }
  for (const family of families.values()) if (family.type === "histogram") checkHistogram(family);
  return families;
}

function parseSample(line: string): Sample {
  const match = SAMPLE.exec(line);
  if (match === null || !VALUE.test(match[3]!)) throw new Error(`Malformed: ${line}`);
  const labels: Record<string, string> = {};
  const text = match[2] ?? "";
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const label = LABEL.exec(text);
    if (label === null || Object.hasOwn(labels, label[1]!)) throw new Error(`Bad label: ${line}`);
    labels[label[1]!] = label[2]!.replace(/\\(.)/g, (_, next) => next === "n" ? "\n" : next);
  }
  return { name: match[1]!, labels, value: Number(match[3]!.replace("Inf", "Infinity")) };
}

function belongs(name: string, { name: family, type }: Family): boolean {
  if (type !== "histogram") return name === family;
  return ["_bucket", "_sum", "_count"].some((suffix) => name === family + suffix);
}

/** Buckets grow, the last is `+Inf`, and it is the count. */
function checkHistogram({ name, samples }: Family): void {
  const groups = Map.groupBy(samples, ({ labels: { le: _, ...rest } }) => JSON.stringify(rest));
  for (const group of groups.values()) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => Number(labels.le!.replace("Inf", "Infinity")));
    const counts = buckets.map(({ value }) => value);
    const isGrowing = (values: number[], least: number) =>
      values.every((value, index) => index === 0 || value - values[index - 1]! >= least);
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    const hasSum = group.some((sample) => sample.name === `${name}_sum`);
    const isWhole = bounds.at(-1) === Infinity && counts.at(-1) === count && hasSum;
    if (!isWhole || !isGrowing(bounds, Number.MIN_VALUE) || !isGrowing(counts, 0)) {
      throw new Error(`Contradictory histogram: ${name}`);
    }
  }
}
