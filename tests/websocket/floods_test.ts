import { assert, assertEquals } from "@std/assert";
import { deflateRawSync } from "node:zlib";
import { Child } from "../bench/_support/child.ts";
import { residentBytes } from "../bench/_support/process_stats.ts";
import { frame, type FrameParts, join, KEY } from "../_support/websocket_frames.ts";
import { HANDSHAKE } from "../_support/websocket_harness.ts";

const MIB = 1024 * 1024;
const MAX_GROWTH_BYTES = 16 * MIB;
const WRITE_BYTES = 256 * 1024;
const WARM_UP_COUNT = 300;
const MAX_CLOSE_BYTES = 127;
const SERVER = new URL("../_support/websocket_flood_server.ts", import.meta.url).pathname;
const COMPRESSED = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
/** Resident memory is read from `/proc`. */
const ignore = Deno.build.os !== "linux";

/** A server in a process of its own, which has served before. */
class FloodedServer implements AsyncDisposable {
  readonly #child: Child;
  #port = 0;
  #restBytes = 0;

  private constructor(writeTimeoutMs: number) {
    this.#child = new Child("flooded server", {
      command: Deno.execPath(),
      args: ["run", "-A", SERVER, `${writeTimeoutMs}`],
    });
  }

  static async start(writeTimeoutMs: number): Promise<FloodedServer> {
    const server = new FloodedServer(writeTimeoutMs);
    try {
      server.#port = Number(await server.#child.readLine());
      await server.#warmUp();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** By how much more memory it has held at once than before its first flood. */
  growth(): number {
    return peakBytes(this.#child.pid) - this.#restBytes;
  }

  /** The code with which the next connection ends. */
  async closeCode(): Promise<number> {
    return Number(await this.#child.readLine());
  }

  /** Opens a connection with further fields in its handshake. */
  async connect(fields = ""): Promise<Deno.TcpConn> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
    await write(conn, new TextEncoder().encode(`${HANDSHAKE}${fields}\r\n`));
    let head = "";
    while (!head.endsWith("\r\n\r\n")) {
      const byte = new Uint8Array(1);
      if (await conn.read(byte) === null) throw new Error(`Refused: ${head}`);
      head += String.fromCharCode(byte[0]!);
    }
    return conn;
  }

  async #warmUp(): Promise<void> {
    using conn = await this.connect(COMPRESSED);
    const messages = repeated({ opcode: 2, payload: new Uint8Array(60_000) }, WARM_UP_COUNT);
    const deflated = deflateRawSync(new Uint8Array(60_000), { finishFlush: 2 }).subarray(0, -4);
    const compressed = { opcode: 2, payload: deflated, reserved: 4 };
    const writing = writeAll(conn, [messages, repeated(compressed, WARM_UP_COUNT), CLOSE]);
    await readClose(conn);
    await writing;
    await this.closeCode();
    // The peak begins anew here.
    Deno.writeTextFileSync(`/proc/${this.#child.pid}/clear_refs`, "5");
    this.#restBytes = residentBytes(this.#child.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}

const CLOSE = frame({ opcode: 8, payload: new Uint8Array([0x03, 0xe8]), key: KEY });

/** The most resident memory at once since `clear_refs` (`VmHWM`). */
function peakBytes(pid: number): number {
  const match = /^VmHWM:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`));
  if (match === null) throw new Error(`Cannot read resident memory: process ${pid} has ended`);
  return Number(match[1]) * 1024;
}

function repeated(parts: FrameParts, count: number): Uint8Array<ArrayBuffer> {
  return join(...Array<Uint8Array>(count).fill(frame({ ...parts, key: KEY })));
}

/** As many frames as go into one write. */
function batch(parts: FrameParts): Uint8Array<ArrayBuffer> {
  const { length } = frame({ ...parts, key: KEY });
  return repeated(parts, Math.max(1, Math.floor(WRITE_BYTES / length)));
}

async function write(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

async function writeAll(conn: Deno.TcpConn, chunks: readonly Uint8Array[]): Promise<void> {
  for (const chunk of chunks) await write(conn, chunk);
}

/** Writes the same again and again; gives the bytes that the peer took before it left. */
async function flood(conn: Deno.TcpConn, chunk: Uint8Array, totalBytes: number): Promise<number> {
  let sentBytes = 0;
  try {
    for (; sentBytes < totalBytes; sentBytes += chunk.length) await write(conn, chunk);
  } catch {
    // It left.
  }
  return sentBytes;
}

/** Reads to the end, of which a Close frame is the last thing; gives its code. */
async function readClose(conn: Deno.TcpConn): Promise<number> {
  const buffer = new Uint8Array(WRITE_BYTES);
  let last = new Uint8Array();
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) break;
    last = join(last, buffer.subarray(0, count)).slice(-MAX_CLOSE_BYTES);
  }
  const start = last.findIndex((byte, at) =>
    byte === 0x88 && at + 2 + last[at + 1]! === last.length
  );
  assert(start >= 0, "no Close frame");
  return last[start + 2]! << 8 | last[start + 3]!;
}

function floodTest(
  name: string,
  action: (server: FloodedServer) => Promise<void>,
  writeTimeoutMs = 30_000,
): void {
  Deno.test({
    name: `${name} does not take more than 16 MiB`,
    ignore,
    async fn() {
      await using server = await FloodedServer.start(writeTimeoutMs);
      await action(server);
      const growth = server.growth();
      assert(growth <= MAX_GROWTH_BYTES, `${(growth / MIB).toFixed(1)} MiB`);
    },
  });
}

floodTest("400 MiB of messages from a client that reads no answer", async (server) => {
  using conn = await server.connect();
  const chunk = batch({ opcode: 2, payload: new Uint8Array(65_000) });
  assert(await flood(conn, chunk, 400 * MIB) < 100 * MIB);
  // Nobody would have read a Close frame.
  assertEquals(await server.closeCode(), 1006);
}, 1_000);

floodTest("60 MiB of pings from a client that reads no answer", async (server) => {
  using conn = await server.connect();
  const chunk = batch({ opcode: 9, payload: new Uint8Array(125) });
  assert(await flood(conn, chunk, 60 * MIB) >= 60 * MIB);
  await write(conn, CLOSE);
  assertEquals(await readClose(conn), 1000);
  assertEquals(await server.closeCode(), 1000);
});

floodTest("1 GiB of fragments without an end", async (server) => {
  using conn = await server.connect();
  const begin = frame({ opcode: 2, isFinal: false, key: KEY });
  await write(conn, begin);
  const chunk = batch({ opcode: 0, payload: new Uint8Array(16_000), isFinal: false });
  const code = readClose(conn);
  await flood(conn, chunk, 1024 * MIB);
  assertEquals(await code, 1009);
  conn.close();
  assertEquals(await server.closeCode(), 1009);
});

for (const [size, totalMib] of [[0, 12], [1, 14]] as const) {
  floodTest(`two million fragments of ${size} bytes`, async (server) => {
    using conn = await server.connect();
    const fragment = { opcode: 0, payload: new Uint8Array(size), isFinal: false };
    const chunk = batch(fragment);
    await write(conn, frame({ opcode: 2, isFinal: false, key: KEY }));
    const code = readClose(conn);
    await flood(conn, chunk, totalMib * 1_000_000);
    // One byte each is more than 1 MiB in all.
    await writeAll(conn, [frame({ opcode: 0, key: KEY }), CLOSE]);
    const expected = size === 0 ? 1000 : 1009;
    assertEquals(await code, expected);
    conn.close();
    assertEquals(await server.closeCode(), expected);
  });
}

floodTest("256 MiB of zeros in 254 KiB", async (server) => {
  using conn = await server.connect(COMPRESSED);
  const zeros = new Uint8Array(256 * MIB);
  const payload = deflateRawSync(zeros, { level: 9, memLevel: 9, finishFlush: 2 }).subarray(0, -4);
  assert(payload.length < 262_144);
  const code = readClose(conn);
  await write(conn, frame({ opcode: 2, payload, reserved: 4, key: KEY }));
  assertEquals(await code, 1009);
  conn.close();
  assertEquals(await server.closeCode(), 1009);
});
