/** A server behind a proxy that says exactly what it is told, and nothing of the package. */

import { textOf } from "./raw_bytes.ts";

/** One connection that a {@linkcode RawUpstream} has taken. */
export interface RawUpstreamConnection {
  /** The connection, closed when the script has ended. */
  readonly conn: Deno.TcpConn;
  /** Which one it is, from 0. */
  readonly index: number;
  /** Reads up to a text, or the end; gives all of it. */
  until(text: string): Promise<string>;
  /** Sends text with one byte per character. */
  send(text: string): Promise<void>;
}

/** Takes connections, and runs a script on each. */
export class RawUpstream implements AsyncDisposable {
  /** Heads of the requests that `until` has read, in order. */
  readonly seen: string[] = [];
  /** Connections taken so far. */
  count = 0;
  readonly #listener: Deno.TcpListener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #conns = new Set<Deno.TcpConn>();
  readonly #running: Promise<void>;

  constructor(script: (connection: RawUpstreamConnection) => Promise<void>) {
    this.#running = this.#run(script);
  }

  /** Its port on 127.0.0.1. */
  get port(): number {
    return this.#listener.addr.port;
  }

  /** Where it is. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) close(conn);
    await this.#running;
  }

  async #run(script: (connection: RawUpstreamConnection) => Promise<void>): Promise<void> {
    const scripts: Promise<void>[] = [];
    try {
      for await (const conn of this.#listener) scripts.push(this.#serve(conn, script));
    } catch {
      // Closed.
    }
    await Promise.all(scripts);
  }

  async #serve(
    conn: Deno.TcpConn,
    script: (connection: RawUpstreamConnection) => Promise<void>,
  ): Promise<void> {
    this.#conns.add(conn);
    const index = this.count++;
    try {
      await script({
        conn,
        index,
        until: (text) => this.#until(conn, text),
        send: (text) => sendText(conn, text),
      });
    } catch {
      // The proxy has left: what it makes of that is seen elsewhere.
    }
    this.#conns.delete(conn);
    close(conn);
  }

  async #until(conn: Deno.TcpConn, end: string): Promise<string> {
    const p = new Uint8Array(16 * 1024);
    let text = "";
    while (!text.includes(end)) {
      const count = await conn.read(p);
      if (count === null) break;
      text += textOf(p.subarray(0, count));
    }
    if (text !== "") this.seen.push(text);
    return text;
  }
}

async function sendText(conn: Deno.TcpConn, text: string): Promise<void> {
  const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // It was closed before.
  }
}
