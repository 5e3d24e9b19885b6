// Clients that read events: `PORT COUNT` on its input opens connections, any other line prints how
// many events have come on all of them since it started.
import { LineReader } from "../_support/line_reader.ts";

const MAX_AT_ONCE = 50;
const request = new TextEncoder().encode(
  "GET / HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n",
);
const counts = new Map<string, number>();

async function readEvents(port: string, connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(16_384);
  for (let count; (count = await connection.read(buffer)) !== null;) {
    let events = 0;
    // Each has one line that begins with "id".
    for (let at = 0; (at = buffer.indexOf(0x69, at)) >= 0 && at < count; at++) {
      if (buffer[at + 1] === 0x64 && buffer[at + 2] === 0x3a) events++;
    }
    counts.set(port, (counts.get(port) ?? 0) + events);
  }
}

async function open(port: string): Promise<void> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  await connection.write(request);
  // The head has to be here before anything is broadcast.
  await connection.read(new Uint8Array(4_096));
  void readEvents(port, connection);
}

const lines = new LineReader(Deno.stdin.readable);
for (let line; (line = await lines.next()) !== undefined;) {
  const [port = "", count] = line.split(" ");
  for (let left = Number(count ?? 0); left > 0; left -= MAX_AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(left, MAX_AT_ONCE) }, () => open(port)));
  }
  console.log(counts.get(port) ?? 0);
}
