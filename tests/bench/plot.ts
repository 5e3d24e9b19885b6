/**
 * Draws the results as SVG: for every comparison the ratio of ours to the rival, median and range
 * of all rounds on a logarithmic axis, and the budget beside it.
 *
 * `deno run -A tests/bench/plot.ts [--from tests/bench/results.json] [--to tests/bench/results.svg]
 * [--only http-server,dns]`
 *
 * The colours follow the reader's light or dark mode, and what they say is said by shapes as well.
 */
import { parseArgs } from "node:util";
import { escapeHtml } from "../../http/escape_html.ts";
import type { BoundRecord, VerdictRecord } from "./_support/record.ts";
import type { Results, SuiteResult } from "./results.ts";
import { suitesOf } from "./suites.ts";

const WIDTH = 960;
const MARGIN = 24;
/** Where the axis begins and ends, and what it shows there. */
const AXIS_LEFT = 430;
const AXIS_RIGHT = 800;
const AXIS_LOWEST = 0.01;
const AXIS_HIGHEST = 10;
const AXIS_MARKS = [0.01, 0.1, 1, 10];
const ROW_HEIGHT = 18;
const HEADING_HEIGHT = 28;
const LINE_HEIGHT = 16;
/** Most characters in a line of the text at the top. */
const MAX_LINE_LENGTH = 132;

const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #24292f; }
  .title { font-size: 18px; font-weight: 600; }
  .heading { font-weight: 600; }
  .faint { fill: #57606a; font-size: 11px; }
  .back { fill: #ffffff; }
  .grid { stroke: #d0d7de; }
  .parity { stroke: #57606a; stroke-dasharray: 3 3; }
  .met { stroke: #1a7f37; fill: #1a7f37; }
  .missed { stroke: #cf222e; fill: #cf222e; }
  .compared { stroke: #0969da; fill: none; }
  .budget { stroke: #24292f; stroke-width: 2; }
  text.met, text.missed { stroke: none; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .faint { fill: #9198a1; }
    .back { fill: #0d1117; }
    .grid { stroke: #30363d; }
    .parity { stroke: #9198a1; }
    .met { stroke: #3fb950; fill: #3fb950; }
    .missed { stroke: #f85149; fill: #f85149; }
    .compared { stroke: #58a6ff; }
    .budget { stroke: #e6edf3; }
  }
`;

/** Lines of SVG from the top to the bottom. */
class Sheet {
  readonly #lines: string[] = [];
  /** Where the next thing goes. */
  y = MARGIN;

  text(x: number, y: number, text: string, className = "", anchor = "start"): void {
    const attributes = [`x="${x}"`, `y="${y}"`];
    if (className !== "") attributes.push(`class="${className}"`);
    if (anchor !== "start") attributes.push(`text-anchor="${anchor}"`);
    this.#lines.push(`<text ${attributes.join(" ")}>${escapeHtml(text)}</text>`);
  }

  line(x1: number, y1: number, x2: number, y2: number, className: string): void {
    this.#lines.push(`<path class="${className}" d="M${x1} ${y1}L${x2} ${y2}"/>`);
  }

  /** A circle, or a cross for what is missed. */
  mark(x: number, y: number, className: string): void {
    this.#lines.push(
      className === "missed"
        ? `<path class="missed" stroke-width="2" d="M${x - 4} ${y - 4}l8 8m-8 0l8 -8"/>`
        : `<circle class="${className}" cx="${x}" cy="${y}" r="4"/>`,
    );
  }

  toString(): string {
    const height = this.y + MARGIN;
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ` +
      `width="${WIDTH}" height="${height}" role="img" aria-label="Ratios of @nbio/net to rivals">`,
      `<style>${STYLE}</style>`,
      `<rect class="back" width="${WIDTH}" height="${height}"/>`,
      ...this.#lines,
      "</svg>\n",
    ].join("\n");
  }
}

/** Where a ratio is on the axis; what is beyond an end is put there. */
function xOf(ratio: number): number {
  const position = Math.log(ratio / AXIS_LOWEST) / Math.log(AXIS_HIGHEST / AXIS_LOWEST);
  const x = AXIS_LEFT + Math.min(1, Math.max(0, position)) * (AXIS_RIGHT - AXIS_LEFT);
  return Math.round(x * 10) / 10;
}

/** Cuts a text into lines of whole words. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < MAX_LINE_LENGTH) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(word);
    }
  }
  return lines;
}

function drawTop(sheet: Sheet, results: Results): void {
  const { machine, versions, missing, note, startedAt, rounds } = results;
  sheet.text(MARGIN, sheet.y += 12, "@nbio/net beside its rivals: less is better", "title");
  sheet.y += 6;
  const pinned = machine.pinned ? "server and loader on a core each" : "not pinned";
  const absent = Object.keys(missing);
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.kernel}, ${pinned}; ` +
    `${startedAt.slice(0, 10)}, ${rounds} interleaved rounds`,
    Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", ") +
    (absent.length === 0 ? "" : `; without ${absent.join(", ")}`),
    note,
  ];
  for (const line of lines.flatMap(wrap)) {
    sheet.text(MARGIN, sheet.y += LINE_HEIGHT, line, "faint");
  }
  sheet.y += 24;
  drawLegend(sheet);
}

function drawLegend(sheet: Sheet): void {
  const { y } = sheet;
  let x = MARGIN + 4;
  for (
    const [className, text, width] of [
      ["met", "budget met", 94],
      ["missed", "budget missed", 114],
      ["compared", "no budget", 94],
    ] as const
  ) {
    sheet.mark(x, y - 4, className);
    sheet.text(x + 10, y, text);
    x += width;
  }
  sheet.line(x, y - 10, x, y + 2, "budget");
  sheet.text(x + 8, y, "budget");
  for (const mark of AXIS_MARKS) sheet.text(xOf(mark), y, `${mark} x`, "faint", "middle");
  sheet.text(WIDTH - MARGIN, y, "ratio, budget", "faint", "end");
  sheet.y += 4;
}

function drawVerdict(sheet: Sheet, verdict: Omit<VerdictRecord, "type">): void {
  const { name, ratio, max, met } = verdict;
  const y = sheet.y += ROW_HEIGHT;
  const middle = y - 4;
  const className = max === null ? "compared" : met ? "met" : "missed";
  sheet.text(MARGIN + 12, y, name);
  sheet.line(xOf(ratio.lowest), middle, xOf(ratio.highest), middle, className);
  if (max !== null) sheet.line(xOf(max), middle - 6, xOf(max), middle + 6, "budget");
  sheet.mark(xOf(ratio.median), middle, className);
  const found = numberOf(ratio.median);
  if (max === null) return sheet.text(WIDTH - MARGIN, y, found, "", "end");
  sheet.text(WIDTH - MARGIN, y, `${found} ${met ? "≤" : ">"} ${numberOf(max)}`, className, "end");
}

function drawBound(sheet: Sheet, bound: Omit<BoundRecord, "type">): void {
  const { name, value, max, unit, met } = bound;
  const y = sheet.y += ROW_HEIGHT;
  const className = met ? "met" : "missed";
  sheet.text(MARGIN + 12, y, name);
  // No ratio, so no place on the axis.
  sheet.mark(AXIS_RIGHT - 24, y - 4, className);
  const text = `${numberOf(value)} ${met ? "≤" : ">"} ${numberOf(max)} ${unit}`;
  sheet.text(WIDTH - MARGIN, y, text, className, "end");
}

function numberOf(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value < 0.1 ? 3 : 2);
}

function drawSuite(sheet: Sheet, { claim, unit, verdicts, bounds, failure }: SuiteResult): void {
  const y = sheet.y += HEADING_HEIGHT;
  sheet.text(MARGIN, y, `${claim[0]!.toUpperCase()}${claim.slice(1)} (${unit})`, "heading");
  const top = y + 4;
  const before = sheet.y;
  if (failure !== undefined) sheet.text(MARGIN + 12, sheet.y += ROW_HEIGHT, failure, "missed");
  const bottom = before + verdicts.length * ROW_HEIGHT + 4;
  for (const mark of verdicts.length === 0 ? [] : AXIS_MARKS) {
    sheet.line(xOf(mark), top, xOf(mark), bottom, mark === 1 ? "parity" : "grid");
  }
  for (const verdict of verdicts) drawVerdict(sheet, verdict);
  for (const bound of bounds) drawBound(sheet, bound);
}

/** Draws what there is of some suites, or of all, as the text of an SVG file. */
export function drawResults(results: Results, names?: readonly string[]): string {
  const chosen = names && new Set(suitesOf(names).map(({ name }) => name));
  const sheet = new Sheet();
  drawTop(sheet, results);
  for (const suite of results.suites) {
    if (chosen !== undefined && !chosen.has(suite.name)) continue;
    const { verdicts, bounds, failure } = suite;
    if (verdicts.length + bounds.length > 0 || failure !== undefined) drawSuite(sheet, suite);
  }
  return sheet.toString();
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      from: { type: "string", default: new URL("results.json", import.meta.url).pathname },
      to: { type: "string", default: new URL("results.svg", import.meta.url).pathname },
      only: { type: "string" },
    },
  });
  const results: Results = JSON.parse(await Deno.readTextFile(values.from));
  await Deno.writeTextFile(values.to, drawResults(results, values.only?.split(",")));
}
