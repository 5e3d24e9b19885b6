// A server in a process of its own: everybody is sent the same events, and whoever comes to `/deaf`
// one more before them that is larger than what the sockets of a connection take, and with each one
// of its own, whose memory nobody shares. A line on standard input says how many of them and how
// large; the answer is what came of it, as JSON.
import { SseBroadcaster } from "../../http/sse_broadcaster.ts";
import { encodeServerSentEvent } from "../../http/sse_encoder.ts";
import { serve } from "../../http/serve.ts";
import type { SseStream } from "../../http/sse_stream.ts";
import { LineReader } from "../bench/_support/line_reader.ts";

const news = new SseBroadcaster({
  overflow: Deno.args[0] === "drop-oldest" ? "drop-oldest" : "drop-client",
  maxQueuedEvents: Number(Deno.args[1]),
});
const OWN_EVENT_BYTES = 4_096;
const deaf: SseStream[] = [];
const large = encodeServerSentEvent({ data: "x".repeat(8 * 1024 * 1024) });
const server = serve((ctx) => {
  const stream = news.subscribe(ctx);
  if (ctx.path !== "/deaf") return;
  stream.sendEncoded(large);
  deaf.push(stream);
}, {
  hostname: "127.0.0.1",
  port: 0,
  onError() {},
});
console.log((server.addr as Deno.NetAddr).port);

const lines = new LineReader(Deno.stdin.readable);
for (let line; (line = await lines.next()) !== undefined;) {
  const [count = 0, size = 0] = line.split(" ").map(Number);
  let maxRssBytes = 0;
  for (let id = 0; id < count; id++) {
    news.publish({ id: `${id}`, data: `${id} `.padEnd(size, String.fromCharCode(97 + id % 26)) });
    for (const [index, stream] of deaf.entries()) {
      stream.send({ data: `${id} ${index} `.padEnd(OWN_EVENT_BYTES, "x") });
    }
    await new Promise((resolve) => setTimeout(resolve, 0));
    if (id % 5 === 0) maxRssBytes = Math.max(maxRssBytes, Deno.memoryUsage().rss);
  }
  const { clientCount, droppedClientCount } = news;
  const maxQueuedCount = Math.max(...deaf.map(({ queuedCount }) => queuedCount));
  const droppedCount = deaf.reduce((sum, { droppedCount }) => sum + droppedCount, 0);
  // What is left when nothing is left over: how much of that there is, is not ours to say.
  (globalThis as { gc?: () => void }).gc!();
  const { heapUsed, external } = Deno.memoryUsage();
  const memory = { maxRssBytes, heldBytes: heapUsed + external };
  const counts = { clientCount, droppedClientCount, maxQueuedCount, droppedCount };
  console.log(JSON.stringify({ ...memory, ...counts }));
}
