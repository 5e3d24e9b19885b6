import type { Duplex } from "node:stream";
import { ConnectionClosedError } from "../nbio/errors.ts";
import { sendAll } from "../nbio/send_all.ts";
import { closeQuietly, type Transport } from "../nbio/transport.ts";

/** What an idle connection holds. */
const MIN_SLAB_BYTES = 4_096;
/** Enough for three records at a time where much comes. */
const MAX_SLAB_BYTES = 65_536;
/** With less room left a new slab is begun: small reads share one. */
const MIN_READ_BYTES = 1_024;
/** A transport may give a few; for ever it would be a loop without end. */
const MAX_EMPTY_READS = 1_000;

/**
 * Makes a stream of Node of a transport, for those who take nothing else.
 *
 * Nothing is read before somebody reads from the stream, and no more than it has room for. The end
 * of the peer leaves our direction open. The transport belongs to the stream from now on, and is
 * closed when the stream is destroyed.
 *
 * @param transport The transport.
 * @param firstBytes What was read from it already.
 * @returns The stream.
 */
export async function transportDuplex(
  transport: Transport,
  firstBytes: Uint8Array = new Uint8Array(0),
): Promise<Duplex> {
  const { Duplex } = await import("node:stream");
  const source = new SlabReader(transport);
  let first: Uint8Array | undefined = firstBytes.length > 0 ? firstBytes : undefined;
  const stream: Duplex = new Duplex({
    allowHalfOpen: true,
    read(): void {
      if (first !== undefined) {
        stream.push(first);
        first = undefined;
        return;
      }
      source.read().then((chunk) => stream.push(chunk), (error) => stream.destroy(error));
    },
    write(chunk: Uint8Array, _encoding, callback): void {
      sendAll(transport, chunk).then(() => callback(), callback);
    },
    final(callback): void {
      transport.closeWrite().then(() => callback(), callback);
    },
    destroy(error, callback): void {
      closeQuietly(transport);
      callback(error);
    },
  });
  return stream;
}

/**
 * Reads into pieces of memory, each byte of which is used once: the stream keeps views. They are as
 * large as what comes: bulk is not cut up, and silence costs little.
 */
class SlabReader {
  readonly #transport: Transport;
  #slabBytes = MIN_SLAB_BYTES;
  #slab: Uint8Array = new Uint8Array(0);

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Resolves with what has come, which is never empty, or `null` at the end. */
  async read(): Promise<Uint8Array | null> {
    for (let emptyCount = 0; emptyCount < MAX_EMPTY_READS; emptyCount++) {
      if (this.#slab.length < MIN_READ_BYTES) this.#slab = new Uint8Array(this.#slabBytes);
      const count = await this.#transport.read(this.#slab);
      if (count === null) return null;
      this.#adapt(count);
      const chunk = this.#slab.subarray(0, count);
      this.#slab = this.#slab.subarray(count);
      if (count > 0) return chunk;
    }
    throw new ConnectionClosedError("Cannot read: the transport gives empty reads only");
  }

  #adapt(count: number): void {
    if (count === this.#slab.length) {
      this.#slabBytes = Math.min(this.#slabBytes * 4, MAX_SLAB_BYTES);
    } else if (count * 8 < this.#slabBytes) {
      this.#slabBytes = Math.max(this.#slabBytes / 2, MIN_SLAB_BYTES);
    }
  }
}
