import { LineReader } from "./line_reader.ts";
import { pinned } from "./pinning.ts";

const encoder = new TextEncoder();
const live = new Set<Child>();

function killAll(): void {
  for (const child of live) child.kill();
  Deno.exit(130);
}

function enlist(child: Child): void {
  if (live.size === 0) {
    Deno.addSignalListener("SIGINT", killAll);
    Deno.addSignalListener("SIGTERM", killAll);
  }
  live.add(child);
}

function discharge(child: Child): void {
  if (!live.delete(child) || live.size > 0) return;
  Deno.removeSignalListener("SIGINT", killAll);
  Deno.removeSignalListener("SIGTERM", killAll);
}

/** What to start and where. */
export interface ChildOptions {
  /** Program to run. */
  readonly command: string;
  /** Its arguments. @default [] */
  readonly args?: readonly string[];
  /** Core it is pinned to. @default undefined (any) */
  readonly core?: number;
  /** Milliseconds one line of answer may take. @default 60_000 */
  readonly lineTimeoutMs?: number;
}

/**
 * A process of the benchmark that is spoken to in lines: stdin and stdout are pipes, stderr is
 * the terminal's. It is killed when it is disposed of, and when the benchmark is interrupted.
 */
export class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: LineReader;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #name: string;
  readonly #lineTimeoutMs: number;

  constructor(name: string, options: ChildOptions) {
    const { command, args } = pinned(options.command, options.args ?? [], options.core);
    this.#process = new Deno.Command(command, {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#lines = new LineReader(this.#process.stdout);
    this.#writer = this.#process.stdin.getWriter();
    this.#name = name;
    this.#lineTimeoutMs = options.lineTimeoutMs ?? 60_000;
    enlist(this);
  }

  /** Process id; the same with and without pinning, because `taskset` becomes the program. */
  get pid(): number {
    return this.#process.pid;
  }

  /**
   * Waits for the next line the process prints.
   *
   * @throws {Error} If it ends or stays silent for `lineTimeoutMs`.
   */
  async readLine(): Promise<string> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => late.reject(new Error(`Cannot go on: ${this.#name} was silent for too long`)),
      this.#lineTimeoutMs,
    );
    try {
      const line = await Promise.race([this.#lines.next(), late.promise]);
      if (line === undefined) throw new Error(`Cannot go on: ${this.#name} has ended`);
      return line;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends one line to the process. */
  async writeLine(line: string): Promise<void> {
    await this.#writer.write(encoder.encode(`${line}\n`));
  }

  /** Kills the process without waiting for its end. */
  kill(): void {
    try {
      this.#process.kill("SIGKILL");
    } catch (error) {
      // It has ended by itself.
      if (!(error instanceof TypeError)) throw error;
    }
  }

  /** Kills the process and waits until it has gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.#process.status;
    await this.#lines.cancel();
    // The pipe is broken by now, which is no news.
    await this.#writer.abort().catch(() => {});
    discharge(this);
  }
}
