/** The suites' own handshakes, without any code of the package. */

import { createHash } from "node:crypto";
import { textOf } from "../_support/raw_bytes.ts";
import { join } from "../_support/websocket_frames.ts";
import type { WebSocketCase } from "./websocket_case.ts";
import { agreedOn, answerTo, offerOf, RawDeflate } from "./websocket_deflate.ts";

/** A connection behind its handshake. */
export interface Opened {
  /** Compression; `undefined` where the case wants none or the peer has declined. */
  readonly deflate: RawDeflate | undefined;
  /** What came behind the head. */
  readonly bytes: Uint8Array;
}

interface Head {
  readonly firstLine: string;
  readonly fields: ReadonlyMap<string, string>;
  readonly bytes: Uint8Array;
}

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const MAX_HEAD_BYTES = 16_384;

/**
 * Opens a WebSocket as a client.
 *
 * @throws {Error} If the server answers as it must not.
 */
export async function openAsClient(
  conn: Deno.TcpConn,
  host: string,
  path: string,
  { deflate }: WebSocketCase,
): Promise<Opened> {
  const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  await write(conn, [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${key}`,
    ...deflate === undefined ? [] : [`Sec-WebSocket-Extensions: ${offerOf(deflate)}`],
  ]);
  const { firstLine, fields, bytes } = await readHead(conn);
  if (!firstLine.startsWith("HTTP/1.1 101 ")) throw new Error(`Refused: ${firstLine}`);
  if (fields.get("sec-websocket-accept") !== acceptOf(key)) throw new Error("Bad Accept");
  const answer = fields.get("sec-websocket-extensions");
  if (answer === undefined) return { deflate: undefined, bytes };
  if (deflate === undefined) throw new Error(`Nobody offered ${answer}`);
  const { server, client } = agreedOn(answer, deflate);
  return { deflate: new RawDeflate(client, server), bytes };
}

/**
 * Opens a WebSocket as a server.
 *
 * @throws {Error} If what comes is no handshake.
 */
export async function openAsServer(
  conn: Deno.TcpConn,
  { deflate }: WebSocketCase,
): Promise<Opened> {
  const { fields, bytes } = await readHead(conn);
  const key = fields.get("sec-websocket-key");
  if (key === undefined) throw new Error("No Sec-WebSocket-Key");
  const offer = fields.get("sec-websocket-extensions") ?? "";
  const agreed = deflate && answerTo(offer, deflate);
  await write(conn, [
    "HTTP/1.1 101 Switching Protocols",
    "Connection: Upgrade",
    "Upgrade: websocket",
    `Sec-WebSocket-Accept: ${acceptOf(key)}`,
    ...agreed === undefined ? [] : [`Sec-WebSocket-Extensions: ${agreed.answer}`],
  ]);
  if (agreed === undefined) return { deflate: undefined, bytes };
  const { server, client } = agreed.agreement;
  return { deflate: new RawDeflate(server, client), bytes };
}

function acceptOf(key: string): string {
  return createHash("sha1").update(key + GUID).digest("base64");
}

async function write(conn: Deno.TcpConn, lines: readonly string[]): Promise<void> {
  const bytes = new TextEncoder().encode([...lines, "", ""].join("\r\n"));
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

async function readHead(conn: Deno.TcpConn): Promise<Head> {
  let bytes = new Uint8Array();
  const chunk = new Uint8Array(4096);
  while (bytes.length < MAX_HEAD_BYTES) {
    const count = await conn.read(chunk);
    if (count === null) throw new Error("The connection ended in the handshake");
    bytes = join(bytes, chunk.subarray(0, count));
    const end = textOf(bytes).indexOf("\r\n\r\n");
    if (end === -1) continue;
    const [firstLine, ...lines] = textOf(bytes.subarray(0, end)).split("\r\n");
    const fields = new Map<string, string>();
    for (const line of lines) {
      const [name, ...value] = line.split(":");
      const before = fields.get(name!.toLowerCase());
      const text = value.join(":").trim();
      fields.set(name!.toLowerCase(), before === undefined ? text : `${before}, ${text}`);
    }
    return { firstLine: firstLine!, fields, bytes: bytes.slice(end + 4) };
  }
  throw new Error("The head is too long");
}
