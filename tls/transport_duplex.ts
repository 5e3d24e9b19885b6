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
  const source = new SlabReader(transport, {
    done: (chunk) => void stream.push(chunk),
    failed: (error) => void stream.destroy(error),
  });
  let first: Uint8Array | undefined = firstBytes.length > 0 ? firstBytes : undefined;
  const stream: Duplex = new Duplex({
    allowHalfOpen: true,
    read(): void {
      if (first !== undefined) {
        stream.push(first);
        first = undefined;
        return;
      }
      source.read();
    },
    write(chunk: Uint8Array, _encoding, callback): void {
      if (chunk.length === 0) return callback();
      const goOn = (written: number): void => {
        if (written === chunk.length) return callback();
        sendAll(transport, chunk.subarray(written)).then(() => callback(), callback);
      };
      // A kernel with room takes everything at once.
      transport.write(chunk).then(goOn, callback);
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

/** Whom a {@linkcode SlabReader} tells. */
interface ReadObserver {
  /** Something has come, never nothing; `null` at the end. */
  done(chunk: Uint8Array | null): void;
  failed(error: Error): void;
}

/**
 * Reads into pieces of memory, each byte of which is used once: the stream keeps views. They are as
 * large as what comes: bulk is not cut up, and silence costs little. No promise of its own: each read
 * of a small exchange passes here.
 */
class SlabReader {
  readonly #transport: Transport;
  readonly #observer: ReadObserver;
  #slabBytes = MIN_SLAB_BYTES;
  #slab: Uint8Array = new Uint8Array(0);
  #emptyCount = 0;

  constructor(transport: Transport, observer: ReadObserver) {
    this.#transport = transport;
    this.#observer = observer;
  }

  /** Tells the observer, once, what has come. */
  read(): void {
    if (this.#slab.length < MIN_READ_BYTES) this.#slab = new Uint8Array(this.#slabBytes);
    this.#transport.read(this.#slab).then(this.#onCount, this.#observer.failed);
  }

  readonly #onCount = (count: number | null): void => {
    if (count === null) return this.#observer.done(null);
    if (count === 0) return this.#retry();
    this.#emptyCount = 0;
    const slab = this.#slab;
    if (count === slab.length) {
      this.#slabBytes = Math.min(this.#slabBytes * 4, MAX_SLAB_BYTES);
    } else if (count * 8 < this.#slabBytes) {
      this.#slabBytes = Math.max(this.#slabBytes / 2, MIN_SLAB_BYTES);
    }
    this.#slab = slab.subarray(count);
    this.#observer.done(slab.subarray(0, count));
  };

  #retry(): void {
    if (++this.#emptyCount < MAX_EMPTY_READS) return this.read();
    const message = "Cannot read: the transport gives empty reads only";
    this.#observer.failed(new ConnectionClosedError(message));
  }
}
