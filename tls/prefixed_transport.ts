import type { Transport } from "../nbio/transport.ts";

/** A transport with bytes in front that were read from it already. */
export class PrefixedTransport implements Transport {
  readonly #transport: Transport;
  #prefix: Uint8Array;
  #isClosed = false;

  /**
   * Puts bytes back.
   *
   * @param transport The transport; it belongs to this one.
   * @param prefix The bytes.
   */
  constructor(transport: Transport, prefix: Uint8Array) {
    this.#transport = transport;
    this.#prefix = prefix;
  }

  get localAddr(): Deno.Addr {
    return this.#transport.localAddr;
  }

  get remoteAddr(): Deno.Addr {
    return this.#transport.remoteAddr;
  }

  read(p: Uint8Array): Promise<number | null> {
    if (this.#prefix.length === 0 || this.#isClosed) return this.#transport.read(p);
    const count = Math.min(p.length, this.#prefix.length);
    p.set(this.#prefix.subarray(0, count));
    this.#prefix = this.#prefix.subarray(count);
    return Promise.resolve(count);
  }

  write(p: Uint8Array): Promise<number> {
    return this.#transport.write(p);
  }

  closeWrite(): Promise<void> {
    return this.#transport.closeWrite();
  }

  close(): void {
    this.#isClosed = true;
    this.#transport.close();
  }
}
