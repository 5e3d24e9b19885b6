/**
 * {@linkcode openDenoHandle}: datagrams through `Deno.listenDatagram`, where the
 * process runs with `--unstable-net`.
 *
 * @module
 */

import type { DatagramBinding, DatagramHandle, DatagramSink } from "./datagram_handle.ts";
import { formatIpAddress } from "./ip_address.ts";

/** What this file uses of a `Deno.DatagramConn`, whose type has no `ref` and `unref`. */
interface DatagramConn {
  readonly addr: Deno.NetAddr;
  send(bytes: Uint8Array, to: Deno.NetAddr): Promise<number>;
  receive(buffer: Uint8Array<ArrayBuffer>): Promise<[Uint8Array<ArrayBuffer>, Deno.NetAddr]>;
  ref(): void;
  unref(): void;
  close(): void;
}

type ListenDatagram = (
  options: {
    readonly transport: "udp";
    readonly hostname: string;
    readonly port: number;
    readonly reuseAddress: boolean;
    readonly loopback: boolean;
  },
) => DatagramConn;

/** Larger than any datagram. */
const BUFFER_BYTES = 65_536;

/** `Deno.listenDatagram`, where it is. */
function findListenDatagram(): ListenDatagram | undefined {
  return (Deno as unknown as { readonly listenDatagram?: ListenDatagram }).listenDatagram;
}

/**
 * Whether {@linkcode openDenoHandle} can be called in this process.
 *
 * @returns Whether it can.
 */
export function hasDenoHandle(): boolean {
  return findListenDatagram() !== undefined;
}

/**
 * Binds a socket.
 *
 * @param binding Address and port.
 * @returns The handle.
 * @throws {Deno.errors.NotCapable} If there is no permission for the address.
 * @throws {Deno.errors.AddrInUse} If the port is taken.
 * @throws {Error} What else the system says.
 */
export function openDenoHandle(binding: DatagramBinding): DatagramHandle {
  const { address, port, reuseAddress } = binding;
  const hostname = formatIpAddress(address);
  // Without `loopback` nobody on this machine gets what is sent to a group.
  const options = { transport: "udp", hostname, port, reuseAddress, loopback: true } as const;
  return new DenoHandle(findListenDatagram()!(options));
}

class DenoHandle implements DatagramHandle {
  readonly hostname: string;
  readonly port: number;
  readonly #conn: DatagramConn;
  #closed = false;

  constructor(conn: DatagramConn) {
    this.hostname = conn.addr.hostname;
    this.port = conn.addr.port;
    this.#conn = conn;
  }

  start(sink: DatagramSink): void {
    this.#receive(sink);
  }

  send(bytes: Uint8Array, hostname: string, port: number): Promise<unknown> {
    return this.#conn.send(bytes, { transport: "udp", hostname, port });
  }

  ref(): void {
    this.#conn.ref();
  }

  unref(): void {
    this.#conn.unref();
  }

  close(): void {
    this.#closed = true;
    this.#conn.close();
  }

  /** Receives whether or not anybody waits, as that of `node:dgram` does: what is dropped is counted. */
  async #receive(sink: DatagramSink): Promise<void> {
    const buffer = new Uint8Array(BUFFER_BYTES);
    while (!this.#closed) {
      try {
        const [bytes, { hostname, port }] = await this.#conn.receive(buffer);
        sink.onDatagram(bytes.slice(), hostname, port);
      } catch (error) {
        if (!this.#closed) sink.onReceiveError(error);
      }
    }
  }
}
