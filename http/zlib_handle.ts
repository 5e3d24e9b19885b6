import type zlib from "node:zlib";

/** The module `node:zlib`. */
export type Zlib = typeof zlib;

/**
 * What is below a stream of `node:zlib`: a synchronous call on one context. It is documented
 * nowhere, and the same in every Node since version 11 and in Deno; whoever uses it tries it first.
 */
export interface ZlibHandle {
  /** Told of what is wrong with the input. */
  onerror: (message: string) => void;
  /** Works; output space and input left over come out in the `_writeState` of the stream. */
  writeSync(
    flush: number,
    input: Uint8Array,
    inputStart: number,
    inputLength: number,
    output: Uint8Array,
    outputStart: number,
    outputLength: number,
  ): void;
}

/** What is used of a stream of `node:zlib` that is worked by its handle. */
export interface ZlibHandleStream {
  /** The handle. */
  readonly _handle: ZlibHandle;
  /** Output space and input left over. */
  readonly _writeState: Uint32Array;
  /** Begins anew, as if nothing had ever gone in. */
  reset(): void;
  /** Frees the memory. */
  close(): void;
}
