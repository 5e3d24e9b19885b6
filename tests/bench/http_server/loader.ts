import { Child } from "../_support/child.ts";
import { LOADER_CORE } from "../_support/pinning.ts";
import type { LoaderCommand, LoaderReply } from "./loader_process.ts";

/** What one run of load did. */
export interface LoadResult {
  /** Requests that were answered. */
  readonly requests: number;
  /** Wall-clock time it took. */
  readonly elapsedMs: number;
}

/** The loader process, on a core of its own. */
export class Loader implements AsyncDisposable {
  readonly #child: Child;

  constructor() {
    this.#child = new Child("loader", {
      command: Deno.execPath(),
      args: ["run", "-A", "--no-check", new URL("loader_process.ts", import.meta.url).pathname],
      core: LOADER_CORE,
    });
  }

  /** Process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Opens connections until there are `count`; each new one carries one checked request. */
  async open(scenario: string, port: number, count: number): Promise<void> {
    await this.#command({ type: "open", scenario, port, count });
  }

  /** Sends `count` requests over the open connections. */
  async run(count: number): Promise<LoadResult> {
    return await this.#command({ type: "run", count });
  }

  /** Sends one checked request on each open connection. */
  async ask(): Promise<void> {
    await this.#command({ type: "ask" });
  }

  /** Closes the connections. */
  async close(): Promise<void> {
    await this.#command({ type: "close" });
  }

  async #command(command: LoaderCommand): Promise<LoadResult> {
    await this.#child.writeLine(JSON.stringify(command));
    const reply: LoaderReply = JSON.parse(await this.#child.readLine());
    if (!reply.ok) throw new Error(`Loader failed: ${reply.message}`);
    return reply;
  }

  /** Kills the process. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}
