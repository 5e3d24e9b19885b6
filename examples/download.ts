/**
 * Downloads a file; goes on where it stopped, whether the connection broke or the program ended.
 *
 * ```sh
 * deno run --allow-net --allow-read=. --allow-write=. examples/download.ts https://example.com/big.iso
 * deno run --allow-net --allow-read=. --allow-write=. examples/download.ts \
 *   --sha256=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 URL FILE
 * ```
 *
 * Options: `--sha256=HEX` checks what came, and deletes it if it is something else; `--tries=N`, 5 by
 * default, in a row without a byte; `--quiet` shows no progress. FILE is by default the last segment
 * of the URL, in this folder.
 *
 * What has come is in `FILE.part`, and `FILE.part.json` says of which version of the file: only the
 * strong validator that a server gives (RFC 9110 section 8.8.1) makes sure that both halves are of
 * the same one. Without it a download begins anew.
 *
 * The exit code is 0 when FILE is there, 1 if it could not be had, 2 for wrong arguments.
 */

import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import { delay } from "@std/async/delay";
import { Client, type ClientResponse, safeFilename } from "@nbio/net/http";
import {
  Backoff,
  ConnectError,
  ConnectionClosedError,
  NetError,
  PositionalFile,
  TimeoutError,
} from "@nbio/net/nbio";

/** Of which file the part is that has come. */
interface PartNote {
  readonly url: string;
  readonly etag: string;
}

/** What a download is about. */
export interface DownloadOptions {
  /** SHA-256 of the file in lower-case hexadecimal. */
  readonly sha256?: string | undefined;
  /** Attempts in a row that bring nothing. */
  readonly tries?: number;
  /** Upper end of the first pause between two attempts, in milliseconds. */
  readonly baseDelayMs?: number;
  /** Told how far it is, in bytes. */
  readonly onProgress?: (bytes: number, totalBytes: number | undefined) => void;
}

/** The server, or what it sent, is not what was wanted; trying again is of no use. */
export class DownloadError extends Error {
  override readonly name = "DownloadError";
}

const READ_BYTES = 1024 * 1024;

/** Downloads a file to a path, however often it takes. */
export async function download(
  client: Client,
  url: URL,
  path: string,
  options: DownloadOptions = {},
): Promise<void> {
  const { sha256, tries = 5, baseDelayMs = 500, onProgress = () => {} } = options;
  const part = `${path}.part`;
  {
    await using file = await PositionalFile.open(part, { write: true, create: true });
    const transfer = new Transfer(client, url, file, `${part}.json`, onProgress);
    const backoff = new Backoff(Math.random, { baseDelayMs, maxRetries: tries - 1 });
    while (!await transfer.tryOnce(backoff));
    if (sha256 !== undefined && await hashOf(file) !== sha256) {
      await removeIfThere(`${part}.json`);
      await Deno.remove(part);
      throw new DownloadError(`${url.origin} has sent another file than expected: SHA-256 differs`);
    }
  }
  await Deno.rename(part, path);
  await removeIfThere(`${part}.json`);
}

/** One file on its way. */
class Transfer {
  readonly #client: Client;
  readonly #url: URL;
  readonly #file: PositionalFile;
  readonly #notePath: string;
  readonly #onProgress: (bytes: number, totalBytes: number | undefined) => void;
  /** Bytes that came in this attempt. */
  #freshBytes = 0;

  constructor(
    client: Client,
    url: URL,
    file: PositionalFile,
    notePath: string,
    onProgress: (bytes: number, totalBytes: number | undefined) => void,
  ) {
    this.#client = client;
    this.#url = url;
    this.#file = file;
    this.#notePath = notePath;
    this.#onProgress = onProgress;
  }

  /** Whether all has come; waits before it gives `false`, and throws when it is no use. */
  async tryOnce(backoff: Backoff): Promise<boolean> {
    this.#freshBytes = 0;
    try {
      return await this.#fetchRest();
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (this.#freshBytes > 0) backoff.reset();
      const delayMs = backoff.next();
      if (delayMs === undefined) throw error;
      await delay(delayMs);
      return false;
    }
  }

  async #fetchRest(): Promise<boolean> {
    const etag = await this.#readNote();
    const haveBytes = etag === undefined ? 0 : await this.#file.size();
    // As it lies there: a range of something compressed is of no use.
    const headers: [string, string][] = [["accept-encoding", "identity"]];
    if (etag !== undefined && haveBytes > 0) {
      headers.push(["range", `bytes=${haveBytes}-`], ["if-range", etag]);
    }
    await using response = await this.#client.get(this.#url, { headers, decompress: false });
    switch (response.status) {
      case 200:
        await this.#file.truncate(0);
        await this.#writeNote(response);
        await this.#take(response, 0, response.contentLength);
        return true;
      case 206: {
        const { start, totalBytes } = parseContentRange(response);
        if (start !== haveBytes) throw new DownloadError("The server has sent another range");
        await this.#take(response, start, totalBytes);
        return true;
      }
      case 416:
        // There is nothing behind what we have, or less than that.
        if (response.headers.get("content-range") === `bytes */${haveBytes}`) return true;
        if (haveBytes === 0) throw new DownloadError("The server refuses what it was not asked");
        await this.#file.truncate(0);
        return false;
      default:
        throw new DownloadError(`The server has answered ${response.status}`);
    }
  }

  async #take(
    response: ClientResponse,
    start: number,
    totalBytes: number | undefined,
  ): Promise<void> {
    let at = start;
    this.#onProgress(at, totalBytes);
    for await (const chunk of response) {
      await this.#file.writeAt(chunk, at);
      at += chunk.length;
      this.#freshBytes += chunk.length;
      this.#onProgress(at, totalBytes);
    }
  }

  /** The version of what has come, if it is known and of this file. */
  async #readNote(): Promise<string | undefined> {
    try {
      const note = JSON.parse(await Deno.readTextFile(this.#notePath)) as Partial<PartNote>;
      return note.url === this.#name() && typeof note.etag === "string" ? note.etag : undefined;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }

  async #writeNote({ headers }: ClientResponse): Promise<void> {
    const etag = headers.get("etag");
    // A weak one says that it means the same, not that its bytes are.
    if (etag === undefined || etag.startsWith("W/")) return await removeIfThere(this.#notePath);
    const note: PartNote = { url: this.#name(), etag };
    await Deno.writeTextFile(this.#notePath, JSON.stringify(note));
  }

  /** The URL without what may be secret. */
  #name(): string {
    return this.#url.origin + this.#url.pathname + this.#url.search;
  }
}

/** Whether it may go better the next time. */
function isPassing(error: unknown): boolean {
  return error instanceof ConnectionClosedError || error instanceof ConnectError ||
    error instanceof TimeoutError ||
    (error instanceof NetError && error.code === "ERR_HTTP_TRUNCATED_MESSAGE");
}

function parseContentRange(
  { headers }: ClientResponse,
): { start: number; totalBytes: number | undefined } {
  const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get("content-range") ?? "");
  if (match === null) throw new DownloadError("The server does not say which range it has sent");
  return { start: Number(match[1]), totalBytes: match[2] === "*" ? undefined : Number(match[2]) };
}

async function hashOf(file: PositionalFile): Promise<string> {
  const hash = createHash("sha256");
  const room = new Uint8Array(READ_BYTES);
  for (let at = 0;;) {
    const count = await file.readAt(room, at);
    if (count === 0) return hash.digest("hex");
    hash.update(room.subarray(0, count));
    at += count;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** A line that is written over and over: `[#####-----]  50 %  5.0 of 10.0 MiB, 2.5 MiB/s`. */
export class ProgressBar {
  readonly #write: (text: string) => void;
  readonly #now: () => number;
  #startMs: number | undefined;
  #startBytes = 0;
  #shownMs = -Infinity;
  #line = "";

  constructor(write: (text: string) => void, now: () => number = () => performance.now()) {
    this.#write = write;
    this.#now = now;
  }

  update(bytes: number, totalBytes: number | undefined): void {
    const nowMs = this.#now();
    if (this.#startMs === undefined) {
      this.#startMs = nowMs;
      // What was there before does not count as quick.
      this.#startBytes = bytes;
    }
    const seconds = (nowMs - this.#startMs) / 1000;
    const speed = seconds === 0 ? 0 : Math.max(0, bytes - this.#startBytes) / seconds;
    this.#line = `${formatShare(bytes, totalBytes)}, ${inMiB(speed)} MiB/s`;
    if (nowMs - this.#shownMs < 100) return;
    this.#shownMs = nowMs;
    this.#write(`\r${this.#line}\x1b[K`);
  }

  end(): void {
    if (this.#line !== "") this.#write(`\r${this.#line}\x1b[K\n`);
  }
}

function formatShare(bytes: number, totalBytes: number | undefined): string {
  if (totalBytes === undefined) return `${inMiB(bytes)} MiB`;
  const share = totalBytes === 0 ? 1 : Math.min(1, bytes / totalBytes);
  const bar = "#".repeat(Math.floor(share * 30)).padEnd(30, "-");
  const percent = String(Math.floor(share * 100)).padStart(3);
  return `[${bar}] ${percent} %  ${inMiB(bytes)} of ${inMiB(totalBytes)} MiB`;
}

function inMiB(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}

/** What the command line says; `undefined` if that cannot be understood. */
function readArguments(
  args: readonly string[],
):
  | { url: URL; path: string; sha256: string | undefined; tries: number; quiet: boolean }
  | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        "sha256": { type: "string" },
        "tries": { type: "string", default: "5" },
        "quiet": { type: "boolean", default: false },
      },
    });
    const url = URL.parse(positionals[0] ?? "");
    const sha256 = values.sha256?.toLowerCase();
    const tries = Number(values.tries);
    const isBad = url === null || positionals.length > 2 || !/^https?:$/.test(url.protocol) ||
      !(Number.isInteger(tries) && tries > 0) ||
      (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256));
    if (isBad) return undefined;
    const path = positionals[1] ?? safeFilename(url.pathname, { fallback: "index.html" });
    return { url, path, sha256, tries, quiet: values.quiet };
  } catch {
    return undefined;
  }
}

/** Runs the program; gives the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const wanted = readArguments(args);
  if (wanted === undefined) {
    console.error("Usage: download.ts [--sha256=HEX] [--tries=N] [--quiet] URL [FILE]");
    return 2;
  }
  const { url, path, quiet, ...options } = wanted;
  const encoder = new TextEncoder();
  const bar = new ProgressBar((text) => void Deno.stderr.writeSync(encoder.encode(text)));
  await using client = new Client();
  try {
    await download(client, url, path, {
      ...options,
      onProgress: (bytes, totalBytes) => quiet || bar.update(bytes, totalBytes),
    });
    bar.end();
    console.log(path);
    return 0;
  } catch (error) {
    bar.end();
    if (!(error instanceof NetError || error instanceof DownloadError)) throw error;
    console.error(`Cannot download: ${error.message}`);
    return 1;
  }
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
