/**
 * Starting and stopping of other programs, bounded in time.
 *
 * {@linkcode runPeer} runs one to its end; {@linkcode startPeer} keeps one running for a test.
 * None of them outlives the test that started it, nor its own time limit.
 */

import { delay } from "@std/async/delay";
import { LineReader } from "../bench/_support/line_reader.ts";
import { reportPeer } from "./report.ts";
import { interopEnabled } from "./interop.ts";

const DEFAULT_TIMEOUT_MS = 20_000;

/** How a program is run. */
export interface PeerOptions {
  /** Bytes or text for its standard input, which then ends; nothing by default. */
  readonly stdin?: Uint8Array | string;
  /** Environment variables beside the inherited ones. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Milliseconds after which the program is killed.
   *
   * @default {20000}
   */
  readonly timeoutMs?: number;
}

/** What a program that has ended left behind. */
export interface PeerResult {
  /** Exit code; 128 and more if it was killed. */
  readonly code: number;
  /** What it wrote to standard output. */
  readonly stdout: Uint8Array;
  /** The same as text. */
  readonly text: string;
  /** What it wrote to standard error, as text. */
  readonly stderr: string;
}

/** Runs a program to its end, or to its time limit: then it is killed and its code is not 0. */
export async function runPeer(
  command: string,
  args: readonly string[],
  options: PeerOptions = {},
): Promise<PeerResult> {
  const { stdin, env = {}, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const child = new Deno.Command(command, {
    args: [...args],
    env: { NO_COLOR: "1", ...env },
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => kill(child), timeoutMs);
  try {
    const [{ code, stdout, stderr }] = await Promise.all([
      child.output(),
      stdin === undefined ? undefined : feed(child, stdin),
    ]);
    const decoder = new TextDecoder();
    return { code, stdout, text: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } finally {
    clearTimeout(timer);
  }
}

async function feed(child: Deno.ChildProcess, input: Uint8Array | string): Promise<void> {
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input.slice();
  const writer = child.stdin.getWriter();
  try {
    await writer.write(bytes);
    await writer.close();
  } catch {
    // The program ended without reading it all: its exit code tells why.
  }
}

function kill(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** A program that runs until it is disposed of. */
export class Peer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: LineReader;
  readonly #timer: ReturnType<typeof setTimeout>;
  #draining: Promise<void> | undefined;

  constructor(command: string, args: readonly string[], timeoutMs: number) {
    this.#child = new Deno.Command(command, {
      args: [...args],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
    }).spawn();
    this.#lines = new LineReader(this.#child.stdout);
    this.#timer = setTimeout(() => kill(this.#child), timeoutMs);
  }

  /**
   * Waits for the line of standard output that says the program is ready; what follows is dropped.
   *
   * @throws {Error} If the program ends first, by itself or at its time limit.
   */
  async ready(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const line = await this.#lines.next();
      if (line === undefined) throw new Error(`Program ended without a line like ${pattern}`);
      const match = pattern.exec(line);
      if (match === null) continue;
      this.#draining = this.#drain();
      return match;
    }
  }

  /** Kills the program and waits until it has gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer);
    kill(this.#child);
    await this.#child.status;
    await this.#draining;
    await this.#lines.cancel();
  }

  /** A program whose log nobody reads stands still when the pipe is full. */
  async #drain(): Promise<void> {
    while (await this.#lines.next() !== undefined);
  }
}

/** Starts a program whose standard output is read line by line. */
export function startPeer(
  command: string,
  args: readonly string[],
  timeoutMs: number = DEFAULT_TIMEOUT_MS,
): Peer {
  return new Peer(command, args, timeoutMs);
}

/** A running example, and where it listens. */
export interface RunningExample extends AsyncDisposable {
  /** Port on 127.0.0.1. */
  readonly port: number;
}

/** Starts `examples/<name>.ts` on a free port, as its documentation says. */
export async function startExample(
  name: string,
  args: readonly string[] = ["--port=0"],
): Promise<RunningExample> {
  const path = new URL(`../../examples/${name}.ts`, import.meta.url).pathname;
  const peer = startPeer(Deno.execPath(), ["run", "--allow-net", path, ...args]);
  try {
    const match = await peer.ready(/^\w+ing on \S*:(\d+)\/?$/);
    return {
      port: Number(match[1]),
      [Symbol.asyncDispose]: () => peer[Symbol.asyncDispose](),
    };
  } catch (error) {
    await peer[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * The folder in which the npm package `name` is installed for tests, or `undefined` without it;
 * reports the peer as run or skipped.
 */
export function npmPeer(name: string): string | undefined {
  const folder = interopEnabled ? Deno.env.get("NBIO_NPM_PEERS") : undefined;
  const path = folder === undefined ? undefined : `${folder}/node_modules/${name}`;
  const isThere = path !== undefined && exists(`${path}/package.json`);
  const reason = interopEnabled ? "not in NBIO_NPM_PEERS" : "NBIO_INTEROP is not set";
  reportPeer(name, isThere ? "ran" : { skipped: reason });
  return isThere ? path : undefined;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * Waits until a condition holds that becomes true by itself and tells nobody, such as that the
 * server has noticed the end of a connection.
 *
 * @returns Whether it holds in time.
 */
export async function eventually(condition: () => boolean, timeoutMs = 5_000): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadlineMs) return false;
    await delay(2);
  }
  return true;
}
