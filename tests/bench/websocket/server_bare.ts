// The floor: a read/write loop that unmasks and echoes the frames it reads, without a check, a
// limit or a message. `deno run -A server_bare.ts plain` prints its port.
import { applyMask } from "../../../websocket/mask.ts";

/** RFC 6455 section 1.3: the answer to the one key of the loader. */
const ANSWER = new TextEncoder().encode(
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
);
const FIRST_BYTES = 16_384;

/** Where the frame at `start` has its payload and ends; undefined before its head is whole. */
function frameAt(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly payload: number; readonly end: number } | undefined {
  if (end - start < 14) return undefined;
  const view = new DataView(bytes.buffer, start);
  const short = view.getUint8(1) & 0x7f;
  const headBytes = short < 126 ? 2 : short === 126 ? 4 : 10;
  const length = short < 126
    ? short
    : short === 126
    ? view.getUint16(2)
    : Number(view.getBigUint64(2));
  const payload = start + headBytes + 4;
  return { payload, end: payload + length };
}

/** Turns masked frames into unmasked ones, in place; gives where the bytes that are not begin. */
function echo(bytes: Uint8Array<ArrayBuffer>, end: number): { used: number; written: number } {
  let used = 0;
  let written = 0;
  const view = new DataView(bytes.buffer);
  for (let at; (at = frameAt(bytes, used, end)) !== undefined && at.end <= end; used = at.end) {
    applyMask(bytes, at.payload, at.end, view.getUint32(at.payload - 4));
    const headBytes = at.payload - 4 - used;
    bytes.copyWithin(written, used, used + headBytes);
    bytes[written + 1]! &= 0x7f;
    bytes.copyWithin(written + headBytes, at.payload, at.end);
    written += headBytes + at.end - at.payload;
  }
  return { used, written };
}

async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

async function serve(conn: Deno.TcpConn): Promise<void> {
  let bytes = new Uint8Array(FIRST_BYTES);
  let length = 0;
  try {
    // The handshake comes in one piece.
    await conn.read(bytes);
    await writeAll(conn, ANSWER);
    for (;;) {
      if (length === bytes.length) {
        const larger = new Uint8Array(2 * length);
        larger.set(bytes);
        bytes = larger;
      }
      const count = await conn.read(bytes.subarray(length));
      if (count === null) break;
      length += count;
      const { used, written } = echo(bytes, length);
      await writeAll(conn, bytes.subarray(0, written));
      bytes.copyWithin(0, used, length);
      length -= used;
    }
  } catch (error) {
    // The loader closes where it pleases.
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  } finally {
    conn.close();
  }
}

const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
console.log(listener.addr.port);
for await (const conn of listener) {
  conn.setNoDelay(true);
  void serve(conn);
}
