/** Both ends of WebSocket connections for tests of the drivers. */

import { assertEquals } from "@std/assert";
import type { HttpServer } from "../../http/serve.ts";
import type { ServeOptions } from "../../http/server_options.ts";
import type { Transport } from "../../nbio/transport.ts";
import { upgrade, type UpgradeOptions } from "../../websocket/upgrade.ts";
import { WebSocketConnection } from "../../websocket/websocket_connection.ts";
import {
  resolveWebSocketOptions,
  type WebSocketOptions,
} from "../../websocket/websocket_options.ts";
import { connect, serve } from "./tls_switch.ts";
import { frame, type FrameParts, KEY } from "./websocket_frames.ts";

/** A handshake as a client sends it. */
export const HANDSHAKE: string =
  "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n" +
  "Upgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/** Serves WebSockets on a port of 127.0.0.1. */
export function serveWebSocket(
  handler: (ws: WebSocketConnection) => void | Promise<void>,
  options: UpgradeOptions = {},
  serveOptions: ServeOptions = {},
): HttpServer {
  return serve(async (ctx) => handler(await upgrade(ctx, options)), {
    hostname: "127.0.0.1",
    port: 0,
    onError: () => {},
    ...serveOptions,
  });
}

/** The port of a server. */
export function portOf(server: HttpServer): number {
  return (server.addr as Deno.NetAddr).port;
}

/** Sends back all that comes, and closes. */
export async function echo(ws: WebSocketConnection): Promise<void> {
  await using _ = ws;
  for await (const { data } of ws) await ws.send(data);
}

/** The server's end of a connection whose handshake is done. */
export function serverEnd(
  transport: Transport,
  options: WebSocketOptions = {},
  more: { readonly bytes?: Uint8Array; readonly shutdownSignal?: AbortSignal } = {},
): WebSocketConnection {
  return new WebSocketConnection({
    ...{ role: "server", transport, subprotocol: "", extensions: "" },
    ...{ compression: undefined, randomMaskKey: undefined },
    bytes: more.bytes ?? new Uint8Array(),
    shutdownSignal: more.shutdownSignal,
  }, resolveWebSocketOptions(options));
}

/** A client that sees frames, and nothing else. */
export class FrameClient implements Disposable {
  readonly #transport: Transport;
  #bytes = new Uint8Array();

  /** @param transport The connection, handshake or not. */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Connects, and makes a handshake with further fields, and bytes right behind it. */
  static async connect(
    server: HttpServer,
    fields = "",
    first: Uint8Array = new Uint8Array(),
  ): Promise<{ client: FrameClient; head: string }> {
    const conn = await connect({ hostname: "127.0.0.1", port: portOf(server) });
    const client = new FrameClient(conn);
    const head = new TextEncoder().encode(`${HANDSHAKE}${fields}\r\n`);
    await client.write(new Uint8Array([...head, ...first]));
    return { client, head: await client.readHead() };
  }

  /** Writes bytes as they are. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#transport.write(bytes.subarray(at));
  }

  /** Sends frames in one write, masked. */
  async send(...frames: readonly FrameParts[]): Promise<void> {
    const chunks = frames.map((parts) => frame({ key: KEY, ...parts }));
    await this.write(new Uint8Array(await new Blob(chunks).arrayBuffer()));
  }

  /** Reads a frame that is not masked. */
  async read(): Promise<{ opcode: number; isFinal: boolean; payload: Uint8Array; text: string }> {
    const [first, second] = await this.#take(2);
    let length = second! & 0x7f;
    if (length === 126) length = new DataView((await this.#take(2)).buffer).getUint16(0);
    else if (length === 127) {
      length = Number(new DataView((await this.#take(8)).buffer).getBigUint64(0));
    }
    const payload = await this.#take(length);
    const text = new TextDecoder().decode(payload);
    return { opcode: first! & 0x0f, isFinal: first! >= 0x80, payload, text };
  }

  /** Reads a Close frame, and gives its code. */
  async readClose(): Promise<number> {
    const { opcode, payload } = await this.read();
    assertEquals(opcode, 8);
    return payload.length === 0 ? 1005 : payload[0]! << 8 | payload[1]!;
  }

  /** Reads up to the end of an HTTP head. */
  async readHead(): Promise<string> {
    let text = "";
    while (!text.endsWith("\r\n\r\n")) text += String.fromCharCode((await this.#take(1))[0]!);
    return text;
  }

  /** Whether the stream ends here. */
  async isEnded(): Promise<boolean> {
    return this.#bytes.length === 0 && await this.#transport.read(new Uint8Array(1)) === null;
  }

  /** Ends our direction. */
  async end(): Promise<void> {
    await this.#transport.closeWrite();
  }

  [Symbol.dispose](): void {
    try {
      this.#transport.close();
    } catch {
      // It is closed.
    }
  }

  async #take(count: number): Promise<Uint8Array<ArrayBuffer>> {
    const buffer = new Uint8Array(65_536);
    while (this.#bytes.length < count) {
      const read = await this.#transport.read(buffer);
      if (read === null) throw new Error("The stream ended");
      const joined = new Uint8Array(this.#bytes.length + read);
      joined.set(this.#bytes);
      joined.set(buffer.subarray(0, read), this.#bytes.length);
      this.#bytes = joined;
    }
    const taken = this.#bytes.slice(0, count);
    this.#bytes = this.#bytes.slice(count);
    return taken;
  }
}
