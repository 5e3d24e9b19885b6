/**
 * Crawls a site: follows its links as long as they stay there, many at a time but not more than
 * allowed, and tells which of them lead nowhere.
 *
 * ```sh
 * deno run --allow-net=127.0.0.1 examples/crawl.ts http://127.0.0.1:8080/
 * deno run --allow-net=127.0.0.1 examples/crawl.ts --concurrency=4 --max-pages=500 http://127.0.0.1:8080/
 * ```
 *
 * Options: `--concurrency=N` requests at a time (default 8), `--max-pages=N` in all (default 1000),
 * `--quiet` prints only what is broken. Meant for a site of your own: it asks for no `robots.txt`.
 *
 * A line for each page has its status, its size and its URL; a last one counts. The exit code is 0
 * if every link leads somewhere, 1 if not, 2 for wrong arguments.
 */

import { parseArgs } from "node:util";
import { Client, type ClientResponse } from "@nbio/net/http";
import { NetError } from "@nbio/net/nbio";

/** A page that was asked for. */
export interface CrawledPage {
  readonly url: string;
  /** A page that has a link to it; `undefined` for the first. */
  readonly from: string | undefined;
  /** What the server said; `undefined` if it said nothing. */
  readonly status: number | undefined;
  /** Bytes of its content, decoded. */
  readonly byteCount: number;
  /** Why there is none. */
  readonly failure: string | undefined;
}

/** What a crawl is about. */
export interface CrawlOptions {
  /** Requests at a time. */
  readonly concurrency: number;
  /** Pages in all. */
  readonly maxPages: number;
}

/** Of a page more is not looked through for links. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024;
const MAX_URL_LENGTH = 2_000;
/** Links, well enough. Bounded, so that no page takes more than linear time. */
const LINK =
  /<(?:a|area|link|script|img|iframe)\s[^<>]{0,1000}?\b(?:href|src)\s*=\s*(?:"([^"]{0,2000})"|'([^']{0,2000})')/gi;
const ENTITIES: Readonly<Record<string, string>> = { "&amp;": "&", "&quot;": '"', "&#39;": "'" };

/** Crawls a site, and gives each page as soon as it has come. */
export class Crawler {
  readonly #client: Client;
  readonly #options: CrawlOptions;
  readonly #origin: string;
  /** Pages that were found, each once. */
  readonly #known = new Set<string>();
  readonly #waiting: { url: string; from: string | undefined }[] = [];

  constructor(client: Client, start: URL, options: CrawlOptions) {
    this.#client = client;
    this.#options = options;
    this.#origin = start.origin;
    this.#find(start.href, start, undefined);
  }

  /** Visits page after page; what is under way when the loop ends is let go of. */
  async *pages(): AsyncGenerator<CrawledPage, void> {
    const stop = new AbortController();
    const running = new Map<string, Promise<CrawledPage>>();
    try {
      for (;;) {
        while (running.size < this.#options.concurrency && this.#waiting.length > 0) {
          const { url, from } = this.#waiting.shift()!;
          running.set(url, this.#visit(url, from, stop.signal));
        }
        if (running.size === 0) return;
        const page = await Promise.race(running.values());
        running.delete(page.url);
        yield page;
      }
    } finally {
      stop.abort();
      await Promise.allSettled(running.values());
    }
  }

  async #visit(url: string, from: string | undefined, signal: AbortSignal): Promise<CrawledPage> {
    let status: number | undefined;
    try {
      // A redirect is a link like others: it may lead away.
      await using response = await this.#client.get(url, { redirect: "manual", signal });
      status = response.status;
      const byteCount = await this.#read(response, new URL(url));
      return { url, from, status, byteCount, failure: undefined };
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
      return { url, from, status, byteCount: 0, failure: error.message };
    }
  }

  /** Reads a page to its end and notes its links; gives its size. */
  async #read(response: ClientResponse, url: URL): Promise<number> {
    const location = response.headers.get("location");
    if (location !== undefined) this.#find(location, url, url.href);
    if (!/^text\/html\b/i.test(response.headers.get("content-type") ?? "")) {
      let byteCount = 0;
      for await (const chunk of response) byteCount += chunk.length;
      return byteCount;
    }
    const bytes = await response.bytes({ maxBytes: MAX_PAGE_BYTES });
    if (response.status < 300) {
      const html = new TextDecoder().decode(bytes);
      for (const [, quoted, single] of html.matchAll(LINK)) {
        this.#find(unescape(quoted ?? single!), url, url.href);
      }
    }
    return bytes.length;
  }

  /** Notes a link, if it is new and stays on the site. */
  #find(link: string, base: URL, from: string | undefined): void {
    const url = URL.parse(link, base);
    if (url === null || url.origin !== this.#origin || url.href.length > MAX_URL_LENGTH) return;
    url.hash = "";
    if (this.#known.has(url.href) || this.#known.size >= this.#options.maxPages) return;
    this.#known.add(url.href);
    this.#waiting.push({ url: url.href, from });
  }
}

function unescape(text: string): string {
  return text.replace(/&(?:amp|quot|#39);/g, (entity) => ENTITIES[entity]!);
}

/** Whether a link to it is of no use. */
export function isBroken({ status, failure }: CrawledPage): boolean {
  return failure !== undefined || status === undefined || status >= 400;
}

function format({ url, from, status, byteCount, failure }: CrawledPage): string {
  const source = from === undefined ? "" : `  (from ${from})`;
  if (failure !== undefined) return `${status ?? "---"} ${url}${source}: ${failure}`;
  return `${status} ${String(byteCount).padStart(9)} ${url}${status! >= 400 ? source : ""}`;
}

/** What the command line says; `undefined` if that cannot be understood. */
function readArguments(
  args: readonly string[],
): CrawlOptions & { url: URL; quiet: boolean } | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        "concurrency": { type: "string", default: "8" },
        "max-pages": { type: "string", default: "1000" },
        "quiet": { type: "boolean", default: false },
      },
    });
    const url = URL.parse(positionals[0] ?? "");
    const concurrency = Number(values.concurrency);
    const maxPages = Number(values["max-pages"]);
    const isCount = (value: number): boolean => Number.isInteger(value) && value > 0;
    const isBad = url === null || positionals.length > 1 || !/^https?:$/.test(url.protocol) ||
      !isCount(concurrency) || !isCount(maxPages);
    return isBad ? undefined : { url, concurrency, maxPages, quiet: values.quiet };
  } catch {
    return undefined;
  }
}

/** Runs the program; gives the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const wanted = readArguments(args);
  if (wanted === undefined) {
    console.error("Usage: crawl.ts [--concurrency=N] [--max-pages=N] [--quiet] URL");
    return 2;
  }
  const { url, quiet, ...options } = wanted;
  await using client = new Client({ maxConnectionsPerHost: options.concurrency });
  let pageCount = 0;
  let brokenCount = 0;
  for await (const page of new Crawler(client, url, options).pages()) {
    pageCount++;
    if (isBroken(page)) brokenCount++;
    if (!quiet || isBroken(page)) console.log(format(page));
  }
  console.log(`${pageCount} pages, ${brokenCount} broken`);
  return brokenCount === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
