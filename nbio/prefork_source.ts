/**
 * {@linkcode openPreforkSource}: the port that the workers share, at once.
 *
 * @module
 */

import type { AcceptSource } from "./accept_source.ts";
import { bindReusePort, type BindReusePortOptions } from "./bind_reuse_port.ts";
import {
  bindTcp,
  canReusePort,
  checkListenAddress,
  checkReusePort,
  resolveTcpAddress,
} from "./listen_bind.ts";
import type { Transport } from "./transport.ts";

/** A port that is shared, and when. */
export interface PreforkSource {
  /** Where connections come from. */
  readonly source: AcceptSource;
  /** Resolves once the port is bound; rejects if it cannot be. */
  readonly bound: Promise<void>;
}

/**
 * Listens on a port that all workers listen on.
 *
 * @param address Which port.
 * @returns Where connections come from; where `node:net` has to listen, before it does.
 * @throws {RangeError} If a number is out of its range, or the port is 0: every worker would have
 * another one.
 * @throws {Deno.errors.NotSupported} If the system is not Linux.
 * @throws {Error} What the runtime says, where `Deno.listen` can share a port.
 */
export function openPreforkSource(address: Omit<BindReusePortOptions, "signal">): PreforkSource {
  checkListenAddress(address);
  checkReusePort();
  const tcp = resolveTcpAddress(address);
  if (tcp.port === 0) throw new RangeError("Cannot listen: port is 0, which cannot be shared");
  if (canReusePort()) {
    return { source: bindTcp(tcp, { reusePort: true }), bound: Promise.resolve() };
  }
  const { hostname, port } = tcp;
  const source = new LateSource(bindReusePort(address), { transport: "tcp", hostname, port });
  return { source, bound: source.bound };
}

/** A source that is still being opened. One that cannot be is as good as closed. */
class LateSource implements AcceptSource {
  readonly addr: Deno.Addr;
  readonly bound: Promise<void>;
  readonly #opening: Promise<AcceptSource>;
  #source: AcceptSource | undefined;
  #closed = false;
  #isRef = true;

  constructor(opening: Promise<AcceptSource>, addr: Deno.Addr) {
    this.addr = addr;
    this.#opening = opening;
    this.bound = opening.then((source) => {
      this.#source = source;
      if (this.#closed) source.close();
      else if (!this.#isRef) source.unref?.();
    });
  }

  async accept(): Promise<Transport> {
    const source = this.#source ?? await this.#opening.catch(() => undefined);
    if (source === undefined || this.#closed) {
      throw new Deno.errors.BadResource("The listener is closed");
    }
    return await source.accept();
  }

  close(): void {
    this.#closed = true;
    this.#source?.close();
  }

  ref(): void {
    this.#isRef = true;
    this.#source?.ref?.();
  }

  unref(): void {
    this.#isRef = false;
    this.#source?.unref?.();
  }
}
