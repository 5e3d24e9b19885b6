// Source and sink in one process. It takes `PORT BYTES` on each line of stdin, moves as many bytes
// through the process that listens there, and answers with the milliseconds it took.
import { LineReader } from "../_support/line_reader.ts";

const CHUNK_BYTES = 65_536;

async function send(port: number, byteCount: number, source: Deno.TcpConn): Promise<void> {
  const chunk = new Uint8Array(CHUNK_BYTES).fill(port);
  let left = byteCount;
  while (left > 0) left -= await source.write(left < CHUNK_BYTES ? chunk.subarray(0, left) : chunk);
  await source.closeWrite();
}

async function receive(byteCount: number, sink: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(4 * CHUNK_BYTES);
  let received = 0;
  for (let count; (count = await sink.read(buffer)) !== null;) received += count;
  if (received !== byteCount) throw new Error(`Cannot use copy: ${received} of ${byteCount} bytes`);
}

/** Milliseconds in which `byteCount` bytes went from one connection to the other. */
async function move(port: number, byteCount: number): Promise<number> {
  using source = await Deno.connect({ port, hostname: "127.0.0.1" });
  using sink = await Deno.connect({ port, hostname: "127.0.0.1" });
  const start = performance.now();
  await Promise.all([send(port, byteCount, source), receive(byteCount, sink)]);
  return performance.now() - start;
}

if (import.meta.main) {
  const lines = new LineReader(Deno.stdin.readable);
  for (let line = await lines.next(); line !== undefined; line = await lines.next()) {
    const [port, byteCount] = line.split(" ").map(Number);
    console.log(await move(port!, byteCount!));
  }
}
