// This module is sans-I/O.

import { escapeHtml } from "./escape_html.ts";
import { formatHttpDate } from "./date.ts";

/** A file or folder in a listing. */
export interface ListingItem {
  /** Its name. */
  readonly name: string;
  /** Whether it is a folder. */
  readonly isFolder: boolean;
  /** Bytes of a file. */
  readonly size: number;
  /** When it was changed, in milliseconds since 1970-01-01T00:00:00Z, if that is known. */
  readonly modifiedMs: number | undefined;
}

/** What a listing is sorted by. Folders come first. */
export interface ListingOrder {
  /** The column. */
  readonly by: "name" | "size" | "modified";
  /** Whether the last comes first. */
  readonly isDescending: boolean;
}

/** A folder and what lies in it. */
export interface Listing {
  /** Names from the root down to the folder; none for the root. */
  readonly names: readonly string[];
  /** What lies in it, in order. */
  readonly items: readonly ListingItem[];
  /** Whether more lies in it. */
  readonly isTruncated: boolean;
  /** The order it is in. */
  readonly order: ListingOrder;
}

const COLUMNS = [
  { by: "name", title: "Name" },
  { by: "size", title: "Size" },
  { by: "modified", title: "Modified" },
] as const;

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;
const MAX_TIME_MS = 253_402_300_799_999;

const STYLES = `
:root { color-scheme: light dark; --line: #8883; --soft: #777; --link: #0b5cad; --hover: #0b5cad12; }
@media (prefers-color-scheme: dark) {
  :root { --soft: #9a9a9a; --link: #8ab8f0; --hover: #8ab8f014; }
  body { background: #16181c; color: #e4e6ea; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1rem 3rem; font: 1rem/1.5 system-ui, sans-serif; }
h1 { margin: 0 0 1.25rem; font-size: 1.25rem; font-weight: 600; overflow-wrap: anywhere; }
h1 span { color: var(--soft); font-weight: 400; padding: 0 .15rem; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 3px; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .4rem .75rem; text-align: left; border-bottom: 1px solid var(--line); }
th { font-size: .8125rem; font-weight: 600; white-space: nowrap; }
th a { color: var(--soft); }
th[aria-sort] a { color: inherit; }
td { font-variant-numeric: tabular-nums; }
tbody tr:hover { background: var(--hover); }
td:first-child { width: 100%; overflow-wrap: anywhere; }
td:first-child a { display: flex; gap: .6rem; align-items: center; }
td:nth-child(n + 2) { color: var(--soft); white-space: nowrap; font-size: .875rem; }
th:nth-child(2), td:nth-child(2) { text-align: right; }
svg { flex: none; width: 1.05rem; height: 1.05rem; fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linejoin: round; }
.folder svg { fill: currentColor; fill-opacity: .18; }
.file svg { color: var(--soft); }
p { margin: 1rem .75rem 0; color: var(--soft); font-size: .875rem; }
@media (max-width: 34rem) { th:nth-child(3), td:nth-child(3) { display: none; } }
`;

const FOLDER_ICON =
  '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M2 5.5v10h16v-8H9.5l-2-2z"/></svg>';
const FILE_ICON =
  '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M4.5 2.5h7l4 4v11h-11zM11.5 2.5v4h4"/></svg>';

/**
 * Reads from the query of a listing how it is to be sorted: `sort` is `name`, `size` or
 * `modified`, `order` is `asc` or `desc`; anything else is the order by name.
 *
 * @param query The query.
 * @returns The order.
 */
export function parseListingOrder(query: { get(name: string): string | null }): ListingOrder {
  const by = COLUMNS.find((column) => column.by === query.get("sort"))?.by ?? "name";
  return { by, isDescending: query.get("order") === "desc" };
}

/**
 * Sorts what lies in a folder: folders first, then by the column, then by name, where
 * numbers count as such.
 *
 * @param items What lies in it.
 * @param order The order.
 * @returns The same in order.
 */
export function sortItems(items: readonly ListingItem[], order: ListingOrder): ListingItem[] {
  const names = new Intl.Collator("en", { numeric: true });
  const direction = order.isDescending ? -1 : 1;
  return [...items].sort((a, b) => {
    if (a.isFolder !== b.isFolder) return a.isFolder ? -1 : 1;
    return direction * compare(a, b, order.by) || names.compare(a.name, b.name) * (
          order.by === "name" ? direction : 1
        );
  });
}

function compare(a: ListingItem, b: ListingItem, by: ListingOrder["by"]): number {
  if (by === "size") return a.isFolder ? 0 : a.size - b.size;
  return by === "modified" ? (a.modifiedMs ?? 0) - (b.modifiedMs ?? 0) : 0;
}

/**
 * Makes the page of a listing: it needs no script and no other file, follows the
 * system to dark colours, and nothing in a name can become markup.
 *
 * @param listing What to show.
 * @returns HTML.
 */
export function formatListing(listing: Listing): string {
  const { names, items, isTruncated, order } = listing;
  const title = `/${names.map((name) => `${name}/`).join("")}`;
  const rows = items.map(formatRow);
  if (names.length > 0) {
    rows.unshift(
      `<tr class="folder"><td><a href="../">${FOLDER_ICON}..</a></td><td></td><td></td></tr>`,
    );
  }
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)}</title>
<style>${STYLES}</style>
</head>
<body>
<h1>${formatTrail(names)}</h1>
<table>
<thead><tr>${COLUMNS.map((column) => formatHeading(column, order)).join("")}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>
<p>${escapeHtml(formatSummary(items, isTruncated))}</p>
</body>
</html>
`;
}

/** The way from the root, each step of it a link. */
function formatTrail(names: readonly string[]): string {
  const steps = ["/", ...names].map((name, index) => {
    const up = names.length - index;
    const text = index === 0 ? "Home" : `<bdi>${escapeHtml(name)}</bdi>`;
    return up === 0 ? text : `<a href="${"../".repeat(up)}">${text}</a>`;
  });
  return steps.join("<span>/</span>");
}

function formatHeading({ by, title }: typeof COLUMNS[number], order: ListingOrder): string {
  const isCurrent = by === order.by;
  const next = isCurrent && !order.isDescending ? "desc" : "asc";
  const arrow = !isCurrent ? "" : order.isDescending ? " \u2193" : " \u2191";
  const sort = isCurrent ? ` aria-sort="${order.isDescending ? "descending" : "ascending"}"` : "";
  return `<th scope="col"${sort}><a href="?sort=${by}&amp;order=${next}">${title}${arrow}</a></th>`;
}

function formatRow({ name, isFolder, size, modifiedMs }: ListingItem): string {
  // The dot keeps a name with a colon from being taken for a scheme.
  const href = `./${encodeURIComponent(name.toWellFormed())}${isFolder ? "/" : ""}`;
  const icon = isFolder ? FOLDER_ICON : FILE_ICON;
  const label = `<bdi>${escapeHtml(name)}</bdi>${isFolder ? "/" : ""}`;
  const sizeCell = isFolder ? "" : `<span title="${size} bytes">${formatSize(size)}</span>`;
  return `<tr class="${isFolder ? "folder" : "file"}"><td><a href="${escapeHtml(href)}">${icon}` +
    `<span>${label}</span></a></td><td>${sizeCell}</td><td>${formatTime(modifiedMs)}</td></tr>`;
}

function formatSummary(items: readonly ListingItem[], isTruncated: boolean): string {
  const folderCount = items.filter(({ isFolder }) => isFolder).length;
  const fileCount = items.length - folderCount;
  const totalBytes = items.reduce((sum, { isFolder, size }) => sum + (isFolder ? 0 : size), 0);
  const parts = [
    plural(folderCount, "folder"),
    `${plural(fileCount, "file")}, ${formatSize(totalBytes)}`,
  ];
  if (isTruncated) parts.push("and more that is not shown");
  return parts.join(" \u00b7 ");
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** Three significant digits in the largest unit that is not too large. */
function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** In UTC: the server does not know where the reader is. */
function formatTime(ms: number | undefined): string {
  if (ms === undefined || ms < 0 || ms > MAX_TIME_MS) return "";
  const [, day, month, year, time] = formatHttpDate(ms).split(" ");
  return `<time>${day} ${month} ${year}, ${time!.slice(0, 5)}</time>`;
}
