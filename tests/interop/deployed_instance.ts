/** Instances of `examples/deploy/app.ts`, and a load that counts what fails. */

import { delay } from "@std/async/delay";
import { assertEquals } from "@std/assert";
import { Client } from "@nbio/net/http";
import { CA_CERT } from "../_support/tls_server.ts";

const APP = new URL("../../examples/deploy/app.ts", import.meta.url).pathname;
const START_TIMEOUT_MS = 20_000;
/** An instance that a test forgets, or that hangs, goes by itself. */
const LIFE_MS = 120_000;

/** One instance at a port, in one process after the other. */
export class DeployedInstance implements AsyncDisposable {
  /** The port, the same for all of them. */
  readonly port: number;
  readonly #drainMs: number;
  #child: Deno.ChildProcess | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param port One that is free.
   * @param drainMs Milliseconds for which it still serves when it is to stop.
   */
  constructor(port: number, drainMs: number) {
    this.port = port;
    this.#drainMs = drainMs;
  }

  /** How it calls itself. */
  get name(): string {
    return `process ${this.#child?.pid}`;
  }

  /** Starts a process, and waits until it is ready. */
  async start(): Promise<void> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-prompt", `--allow-net=127.0.0.1:${this.port}`, APP],
        ...[`--port=${this.port}`, `--drain-ms=${this.#drainMs}`],
      ],
      stdin: "null",
      stdout: "null",
    }).spawn();
    this.#child = child;
    this.#timer = setTimeout(() => child.kill("SIGKILL"), LIFE_MS);
    try {
      await untilOk(`http://127.0.0.1:${this.port}/readyz`);
    } catch (error) {
      await this.#end("SIGKILL");
      throw error;
    }
  }

  /** Asks it to stop, and waits until it has ended in order. */
  async stop(): Promise<void> {
    assertEquals(await this.#end("SIGTERM"), 0);
  }

  /** Ends it in the middle of what it does. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async #end(signal: Deno.Signal): Promise<number | undefined> {
    const child = this.#child;
    this.#child = undefined;
    child?.kill(signal);
    const status = await child?.status;
    clearTimeout(this.#timer);
    return status?.code;
  }

  /** Replaces the process by another, as a new version would be. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("SIGKILL");
  }
}

/** Waits until a URL answers with 200. */
export async function untilOk(
  url: string,
  init: RequestInit & { client?: Deno.HttpClient } = {},
): Promise<void> {
  const deadlineMs = performance.now() + START_TIMEOUT_MS;
  let last: unknown;
  while (performance.now() < deadlineMs) {
    try {
      const response = await fetch(url, init);
      await response.body?.cancel();
      if (response.status === 200) return;
      last = response.status;
    } catch (error) {
      last = error;
    }
    await delay(5);
  }
  throw new Error(`In vain waited for ${url}`, { cause: last });
}

/** Pieces of a body, and milliseconds between them: uploads that are under way when it matters. */
const PIECE_COUNT = 5;
const PIECE_MS = 10;

async function* slowBody(): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < PIECE_COUNT; index++) {
    await delay(PIECE_MS);
    yield new Uint8Array(1_000);
  }
}

/** Requests of several clients, one after the other each, over HTTP/1.1 and HTTP/2. */
export class Load {
  /** What was answered as it has to be. */
  okCount = 0;
  /** Everything else, by what it was. */
  readonly failures: string[] = [];
  /** The instances that have answered. */
  readonly names: Set<string> = new Set();
  readonly #workers: Promise<void>[];
  #isOver = false;

  /**
   * @param url Of the proxy in front.
   * @param clientCount Half of them speak HTTP/1.1, the others what the proxy prefers.
   */
  constructor(url: string, clientCount: number) {
    this.#workers = Array.from(
      { length: clientCount },
      (_, index) => index % 2 === 0 ? this.#useClient(url) : this.#useFetch(url),
    );
  }

  /** Ends it, once every request has its answer. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#workers);
  }

  /** Nothing is tried twice: each failure is one. */
  async #useClient(baseUrl: string): Promise<void> {
    await using client = new Client({ baseUrl, tls: { caCerts: [CA_CERT] }, retry: false });
    while (!this.#isOver) {
      await this.#count(async () => this.#checkName(await (await client.get("/")).text()));
      await this.#count(async () => {
        const response = await client.post("/bytes", { body: slowBody() });
        checkCount(await response.json());
      });
    }
  }

  async #useFetch(url: string): Promise<void> {
    using client = Deno.createHttpClient({ caCerts: [CA_CERT] });
    while (!this.#isOver) {
      await this.#count(async () => this.#checkName(await (await fetch(url, { client })).text()));
      await this.#count(async () => {
        const body = ReadableStream.from(slowBody());
        const response = await fetch(new URL("/bytes", url), { method: "POST", body, client });
        checkCount(await response.json());
      });
    }
  }

  async #count(request: () => Promise<void>): Promise<void> {
    try {
      await request();
      this.okCount++;
    } catch (error) {
      this.failures.push(String(error));
    }
  }

  #checkName(text: string): void {
    const name = /^process \d+/.exec(text)?.[0];
    if (name === undefined) throw new Error(`Answered with ${text}`);
    this.names.add(name);
  }
}

function checkCount(answer: unknown): void {
  assertEquals(answer, { count: PIECE_COUNT * 1_000 });
}
