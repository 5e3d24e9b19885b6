/**
 * Proxies for tests: one that keeps to the rules of HTTP and of SOCKS 5 on real sockets, at the
 * same port, written without any code of the package.
 */

import { closeQuietly } from "../../nbio/transport.ts";
import { Accepting } from "./accepting.ts";

/** How a {@linkcode ProxyPeer} behaves. */
export interface ProxyPeerOptions {
  /** `name:password` that it wants. */
  readonly login?: string;
  /** Over which connections it accepts; TCP on 127.0.0.1 by default. */
  readonly listener?: Deno.Listener<Deno.Conn>;
}

/** A request that a proxy was sent. */
export interface ProxiedRequest {
  /** `CONNECT`, `SOCKS` or the method. */
  readonly method: string;
  /** What was asked for. */
  readonly target: string;
  /** The head of an HTTP request; empty for SOCKS. */
  readonly head: string;
}

/** A proxy that connects to whatever it is told. */
export class ProxyPeer implements AsyncDisposable {
  /** What it was asked. */
  readonly requests: ProxiedRequest[] = [];
  readonly #login: string | undefined;
  readonly #server: Accepting<Deno.Conn>;

  constructor(options: ProxyPeerOptions = {}) {
    const { login, listener = Deno.listen({ hostname: "127.0.0.1", port: 0 }) } = options;
    this.#login = login;
    this.#server = new Accepting(listener, (connection) => this.#serve(connection));
  }

  /** The port on 127.0.0.1. */
  get port(): number {
    return this.#server.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }

  async #serve(connection: Deno.Conn): Promise<void> {
    const start = new Uint8Array(4_096);
    const count = await connection.read(start);
    if (count === null) return;
    if (start[0] === 5) await this.#serveSocks(connection, start.subarray(0, count));
    else await this.#serveHttp(connection, latin1(start.subarray(0, count)));
  }

  async #serveHttp(connection: Deno.Conn, start: string): Promise<void> {
    let text = start;
    const space = new Uint8Array(4_096);
    while (!text.includes("\r\n\r\n")) {
      const count = await connection.read(space);
      if (count === null) return;
      text += latin1(space.subarray(0, count));
    }
    const end = text.indexOf("\r\n\r\n") + 4;
    const head = text.slice(0, end);
    const [method = "", target = ""] = head.split(" ");
    this.requests.push({ method, target, head });
    const wanted = this.#login && `\r\nproxy-authorization: basic ${btoa(this.#login)}\r\n`;
    if (wanted !== undefined && !head.toLowerCase().includes(wanted.toLowerCase())) {
      await say(
        connection,
        'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="p"\r\nContent-Length: 0\r\n\r\n',
      );
      return;
    }
    if (method === "CONNECT") {
      const port = target.slice(target.lastIndexOf(":") + 1);
      const host = target.slice(0, target.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
      const far = await this.#connect(host, Number(port));
      if (far === undefined) return await say(connection, "HTTP/1.1 502 No\r\n\r\n");
      await say(connection, "HTTP/1.1 200 Connected\r\nVia: 1.1 test\r\n\r\n");
      return await this.#join(connection, far);
    }
    const url = new URL(target);
    const far = await this.#connect(url.hostname, Number(url.port || 80));
    if (far === undefined) {
      return await say(connection, "HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n");
    }
    // One request per connection is all that its tests need.
    const own = head.replace(target, url.pathname + url.search)
      .replace(/\r\n(proxy-authorization|connection):[^\r]*/gi, "")
      .replace("\r\n\r\n", "\r\nVia: 1.1 test\r\nConnection: close\r\n\r\n");
    await say(far, own + text.slice(end));
    await this.#join(connection, far);
  }

  async #serveSocks(connection: Deno.Conn, greeting: Uint8Array): Promise<void> {
    const wants = this.#login === undefined ? 0 : 2;
    if (!greeting.subarray(2).includes(wants)) {
      await connection.write(new Uint8Array([5, 0xff]));
      return;
    }
    await connection.write(new Uint8Array([5, wants]));
    const space = new Uint8Array(4_096);
    if (wants === 2) {
      const count = await connection.read(space) ?? 0;
      const length = space[1]!;
      const name = latin1(space.subarray(2, 2 + length));
      const password = latin1(space.subarray(3 + length, count));
      const isRight = `${name}:${password}` === this.#login;
      await connection.write(new Uint8Array([1, isRight ? 0 : 1]));
      if (!isRight) return;
    }
    const count = await connection.read(space) ?? 0;
    const type = space[3];
    const address = space.subarray(4, count - 2);
    const host = type === 3
      ? latin1(address.subarray(1))
      : type === 1
      ? address.join(".")
      : Array.from({ length: 8 }, (_, at) => (address[2 * at]! << 8 | address[2 * at + 1]!))
        .map((group) => group.toString(16)).join(":");
    const port = space[count - 2]! << 8 | space[count - 1]!;
    this.requests.push({ method: "SOCKS", target: `${host}:${port}`, head: "" });
    const far = await this.#connect(host, port);
    const reply = far === undefined ? 5 : 0;
    await connection.write(new Uint8Array([5, reply, 0, 1, 0, 0, 0, 0, 0, 0]));
    if (far !== undefined) await this.#join(connection, far);
  }

  async #connect(hostname: string, port: number): Promise<Deno.Conn | undefined> {
    try {
      // Names of tests are those of this machine.
      const isName = /[g-z]/.test(hostname);
      const far = await Deno.connect({ hostname: isName ? "127.0.0.1" : hostname, port });
      this.#server.own(far);
      return far;
    } catch {
      return undefined;
    }
  }

  async #join(near: Deno.Conn, far: Deno.Conn): Promise<void> {
    await Promise.all([pipe(near, far), pipe(far, near)]);
    closeQuietly(far);
  }
}

async function pipe(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const space = new Uint8Array(16_384);
  try {
    for (let count; (count = await from.read(space)) !== null;) {
      for (let at = 0; at < count;) at += await to.write(space.subarray(at, count));
    }
    await to.closeWrite();
  } catch {
    closeQuietly(from);
    closeQuietly(to);
  }
}

async function say(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
