import type { Transport } from "../../nbio/transport.ts";

/** What the calls of a {@linkcode ScriptedTransport} do, in order. */
export interface Script {
  /** Bytes to bring, a number to claim without bringing any, or an error. Then the end. */
  readonly reads?: readonly (Uint8Array | number | Error)[];
  /** A number of bytes to take, or an error. Then everything is taken. */
  readonly writes?: readonly (number | Error)[];
}

/** A transport that does what a list says, however wrong that is, and counts. */
export class ScriptedTransport implements Transport {
  readonly localAddr: Deno.Addr = { transport: "tcp", hostname: "127.0.0.1", port: 1 };
  readonly remoteAddr: Deno.Addr = { transport: "tcp", hostname: "127.0.0.1", port: 2 };
  /** What reads were given. */
  readonly spaces: Uint8Array[] = [];
  /** What writes were given, the very arrays. */
  readonly written: Uint8Array[] = [];
  /** Calls of `close`; all but the first throw. */
  closedCount = 0;
  /** Whether `closeWrite` was called. */
  isWriteClosed = false;
  readonly #reads: (Uint8Array | number | Error)[];
  readonly #writes: (number | Error)[];

  constructor({ reads = [], writes = [] }: Script = {}) {
    this.#reads = [...reads];
    this.#writes = [...writes];
  }

  read(p: Uint8Array): Promise<number | null> {
    this.spaces.push(p);
    const result = this.#reads.shift();
    if (result instanceof Error) return Promise.reject(result);
    if (!(result instanceof Uint8Array)) return Promise.resolve(result ?? null);
    p.set(result.subarray(0, p.length));
    if (result.length > p.length) this.#reads.unshift(result.subarray(p.length));
    return Promise.resolve(Math.min(p.length, result.length));
  }

  write(p: Uint8Array): Promise<number> {
    this.written.push(p);
    const result = this.#writes.shift() ?? p.length;
    return result instanceof Error ? Promise.reject(result) : Promise.resolve(result);
  }

  closeWrite(): Promise<void> {
    this.isWriteClosed = true;
    return Promise.resolve();
  }

  close(): void {
    if (this.closedCount++ > 0) throw new Deno.errors.BadResource("Already closed");
  }
}
