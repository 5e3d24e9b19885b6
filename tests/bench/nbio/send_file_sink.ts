// Takes `PORT BYTES` on each line of stdin, reads a connection to that port to its end, and answers
// with the milliseconds it took.
import { LineReader } from "../_support/line_reader.ts";

async function receive(port: number, byteCount: number): Promise<number> {
  using sink = await Deno.connect({ port, hostname: "127.0.0.1" });
  const start = performance.now();
  const buffer = new Uint8Array(1_048_576);
  let received = 0;
  for (let count; (count = await sink.read(buffer)) !== null;) received += count;
  if (received !== byteCount) throw new Error(`Cannot use file: ${received} of ${byteCount} bytes`);
  return performance.now() - start;
}

if (import.meta.main) {
  const lines = new LineReader(Deno.stdin.readable);
  for (let line = await lines.next(); line !== undefined; line = await lines.next()) {
    const [port, byteCount] = line.split(" ").map(Number);
    console.log(await receive(port!, byteCount!));
  }
}
