import type { BodySource } from "../../http/body_incoming.ts";
import type { HeaderList } from "../../http/header_list.ts";
import { bytesOf } from "./raw_bytes.ts";

/** What a {@linkcode ScriptedBody} tells beside its bytes. */
export interface ScriptOptions {
  readonly length?: number;
  readonly type?: string;
  readonly coding?: string;
  readonly trailers?: HeaderList;
  /** Pieces that come past the buffer, where the reader offers room. */
  readonly isPast?: boolean;
}

/** A source that gives one piece per wait, in memory it uses again. */
export class ScriptedBody implements BodySource {
  readonly bodyLength: number | undefined;
  readonly bodyType: string | undefined;
  readonly bodyCoding: string | undefined;
  readonly bodyTrailers: HeaderList | undefined;
  /** How often was waited for more. */
  waitCount = 0;
  /** What waiting fails with. */
  failure: Error | undefined;
  readonly #pieces: Uint8Array[];
  readonly #isPast: boolean;
  readonly #memory = new Uint8Array(1_000_000);
  #held: Uint8Array | undefined;

  constructor(pieces: readonly (string | Uint8Array)[], options: ScriptOptions = {}) {
    this.#pieces = pieces.map((piece) => typeof piece === "string" ? bytesOf(piece) : piece);
    this.bodyLength = options.length;
    this.bodyType = options.type;
    this.bodyCoding = options.coding;
    this.bodyTrailers = options.trailers;
    this.#isPast = options.isPast ?? false;
  }

  get isBodyDone(): boolean {
    return this.#held === undefined && this.#pieces.length === 0;
  }

  peekBody(): number {
    return this.bodyLength === undefined ? 0 : this.#held?.length ?? 0;
  }

  takeBody(): Uint8Array | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  awaitBody(): Promise<void> {
    this.waitCount++;
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const piece = this.#pieces.shift()!;
    this.#memory.fill(0x2a);
    this.#memory.set(piece);
    this.#held = this.#memory.subarray(0, piece.length);
    return Promise.resolve();
  }

  async readBodyInto(destination: Uint8Array): Promise<number> {
    const piece = this.#pieces[0]!;
    if (!this.#isPast || piece.length > destination.length) {
      await this.awaitBody();
      return 0;
    }
    this.waitCount++;
    this.#pieces.shift();
    destination.set(piece);
    return piece.length;
  }
}
