import type { ZlibContext } from "./_zlib_context.ts";

/** Makes contexts that are all alike, and so may take each other's place. */
export interface ContextKind {
  create(): ZlibContext;
}

/** Somebody who can do without its context at any time between two calls. */
export interface ContextHolder {
  /** Gives the context up. */
  revokeContext(): ZlibContext;
}

/** Idle contexts are kept for the next connection, but not many. */
const MAX_IDLE = 4;

/**
 * Contexts that compress, of which there are never more than a given number. One can be taken away
 * from who has not used it for the longest time: who compresses may start afresh with any block,
 * and only loses what the messages before have in common with the next.
 *
 * The bound is needed as a context can be large: zlib-rs sets 128 KiB aside for each, whatever
 * window and memory level it is made with.
 */
export class ContextPool {
  readonly #maxCount: number;
  /** Who holds a context, the least recent first. */
  readonly #holders = new Map<ContextHolder, ContextKind>();
  readonly #idle: { readonly kind: ContextKind; readonly context: ZlibContext }[] = [];

  /** @param maxCount Most contexts, held or idle; at least 1. */
  constructor(maxCount: number) {
    this.#maxCount = maxCount;
  }

  /** How many contexts there are. */
  get count(): number {
    return this.#holders.size + this.#idle.length;
  }

  /** Gives `holder`, who has none, a context that is as new. */
  acquire(holder: ContextHolder, kind: ContextKind): ZlibContext {
    const context = this.#takeIdle(kind) ?? this.#revokeOldest(kind) ?? kind.create();
    this.#holders.set(holder, kind);
    return context;
  }

  /** Notes that `holder` uses its context now. */
  touch(holder: ContextHolder): void {
    const kind = this.#holders.get(holder)!;
    this.#holders.delete(holder);
    this.#holders.set(holder, kind);
  }

  /** Takes the context back that `holder` has no more use for. */
  release(holder: ContextHolder, context: ZlibContext): void {
    const kind = this.#holders.get(holder)!;
    this.#holders.delete(holder);
    this.#idle.push({ kind, context });
    if (this.#idle.length > MAX_IDLE) this.#idle.shift()!.context.close();
  }

  /** Frees what is idle. */
  close(): void {
    for (const { context } of this.#idle) context.close();
    this.#idle.length = 0;
  }

  #takeIdle(kind: ContextKind): ZlibContext | undefined {
    const index = this.#idle.findLastIndex((idle) => idle.kind === kind);
    if (index === -1) return undefined;
    const { context } = this.#idle[index]!;
    this.#idle.splice(index, 1);
    context.reset();
    return context;
  }

  /** Makes room where there is none. */
  #revokeOldest(kind: ContextKind): ZlibContext | undefined {
    if (this.count < this.#maxCount) return undefined;
    const idle = this.#idle.shift();
    if (idle !== undefined) {
      idle.context.close();
      return undefined;
    }
    const [holder, oldKind] = this.#holders.entries().next().value!;
    this.#holders.delete(holder);
    const context = holder.revokeContext();
    if (oldKind === kind) {
      context.reset();
      return context;
    }
    context.close();
    return undefined;
  }
}
