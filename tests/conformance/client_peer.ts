/**
 * Clients under test, as commands. A command that goes on reads a task from each line of its
 * standard input and writes one line of JSON for it, `{"ok": RESULT}` or `{"error": TEXT}`; one that
 * does not is started for each task, and what it says is turned into that.
 */

/** What became of a task. */
export type PeerAnswer =
  | { readonly ok: unknown }
  | { readonly error: string }
  /** The program left, was silent, or said something else. */
  | { readonly fault: string };

/** A client under test. */
export interface ClientPeer extends AsyncDisposable {
  readonly name: string;
  /** Gives it a task. */
  ask(task: readonly string[]): Promise<PeerAnswer>;
}

/** Longest time for one task: whoever takes longer hangs. */
const TASK_TIMEOUT_MS = 8_000;

/** A command that goes on. */
export class LinePeer implements ClientPeer {
  readonly name: string;
  readonly #command: readonly string[];
  #child: Deno.ChildProcess | undefined;
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  #lines: ReadableStreamDefaultReader<string> | undefined;
  #rest = "";

  /**
   * Starts nothing yet.
   *
   * @param name What the column is called.
   * @param command The program and its arguments.
   */
  constructor(name: string, command: readonly string[]) {
    this.name = name;
    this.#command = command;
  }

  async ask(task: readonly string[]): Promise<PeerAnswer> {
    this.#start();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<PeerAnswer>((resolve) => {
      timer = setTimeout(() => resolve({ fault: "it hangs" }), TASK_TIMEOUT_MS);
    });
    try {
      const answer = await Promise.race([this.#exchange(task), late]);
      // What it says later would be taken for the answer to something else.
      if ("fault" in answer) await this.#stop();
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }

  #start(): void {
    if (this.#child !== undefined) return;
    const [program, ...args] = this.#command;
    const options = { args, stdin: "piped", stdout: "piped", stderr: "null" } as const;
    this.#child = new Deno.Command(program!, options).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#rest = "";
  }

  async #exchange(task: readonly string[]): Promise<PeerAnswer> {
    try {
      await this.#writer!.write(new TextEncoder().encode(`${task.join(" ")}\n`));
      while (!this.#rest.includes("\n")) {
        const { value, done } = await this.#lines!.read();
        if (done) return { fault: "it has left" };
        this.#rest += value;
      }
      const end = this.#rest.indexOf("\n");
      const line = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + 1);
      return JSON.parse(line) as PeerAnswer;
    } catch (error) {
      return { fault: `${error}` };
    }
  }

  async #stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    await this.#writer!.abort().catch(() => {});
    try {
      child.kill("SIGKILL");
    } catch {
      // It has left already.
    }
    await this.#lines!.cancel().catch(() => {});
    await child.status;
  }
}

/** How a program is started for a task, and what its words mean. */
export interface OncePeerInit {
  readonly name: string;
  readonly program: string;
  readonly args: (task: readonly string[]) => readonly string[];
  readonly read: (code: number, stdout: string) => PeerAnswer;
}

/** A command that is started for each task. */
export function oncePeer({ name, program, args, read }: OncePeerInit): ClientPeer {
  return {
    name,
    async ask(task) {
      const signal = AbortSignal.timeout(TASK_TIMEOUT_MS);
      const options: Deno.CommandOptions = {
        args: [...args(task)],
        stdin: "null",
        stderr: "null",
        signal,
      };
      const { code, stdout } = await new Deno.Command(program, options).output();
      if (signal.aborted) return { fault: "it hangs" };
      return read(code, new TextDecoder("latin1").decode(stdout));
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** What became of a case. */
export interface ClientCaseResult {
  readonly name: string;
  readonly clause: string;
  /** Why the case failed; `undefined` if it passed. */
  readonly failure: string | undefined;
  /** Why that is known and cannot be helped; `undefined` if it is not. */
  readonly gap?: string | undefined;
}

/** What a case of a client suite has in common with those of the others. */
export interface ClientCase {
  readonly name: string;
  /** The rule, for example `RFC 9112 section 6.3`. */
  readonly clause: string;
  /** All results that are right; `"error"` if the client has to fail. */
  readonly expect: readonly unknown[];
  /** Why a client of ours cannot pass it, by the name of its column. */
  readonly knownGaps?: Readonly<Record<string, string>>;
}

/** What became of a case, whose client has given that answer. */
export function resultOf(item: ClientCase, peer: ClientPeer, answer: PeerAnswer): ClientCaseResult {
  const { name, clause, knownGaps = {} } = item;
  return { name, clause, failure: judgeAnswer(item, answer), gap: knownGaps[peer.name] };
}

/** Compares an answer with what a case expects; gives why it is wrong. */
function judgeAnswer({ expect }: ClientCase, answer: PeerAnswer): string | undefined {
  if ("fault" in answer) return answer.fault;
  const shown = "error" in answer ? '"error"' : JSON.stringify(answer.ok);
  const wanted = expect.map((result) => JSON.stringify(result));
  if (wanted.includes(shown)) return undefined;
  const got = "error" in answer ? `error (${answer.error.slice(0, 80)})` : shown.slice(0, 80);
  return `${got}, wanted ${wanted.join(" or ").slice(0, 120)}`;
}
