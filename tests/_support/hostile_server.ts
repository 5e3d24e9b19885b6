/**
 * A server in a process of its own, so that its memory can be measured: what hostile clients do to
 * it must not show there. Prints its port.
 */

import { type Context, serve } from "../../http/mod.ts";

const PIECE = new Uint8Array(64 * 1024);
const STREAM_BYTES = 100_000_000;
let streamedBytes = 0;
let receivedBytes = 0;

function* pieces(): Generator<Uint8Array> {
  for (let left = STREAM_BYTES; left > 0; left -= PIECE.length) {
    const piece = PIECE.subarray(0, Math.min(left, PIECE.length));
    streamedBytes += piece.length;
    yield piece;
  }
}

async function answer(ctx: Context): Promise<void> {
  switch (ctx.path) {
    case "/stream":
      ctx.set("content-length", String(STREAM_BYTES));
      return ctx.stream(ReadableStream.from(pieces()));
    case "/count":
      for await (const chunk of ctx.body) receivedBytes += chunk.length;
      return ctx.json(receivedBytes);
    case "/stats":
      return ctx.json({
        streamedBytes,
        receivedBytes,
        rssBytes: Deno.memoryUsage().rss,
        ...server.stats(),
      });
    default:
      return ctx.text("hello");
  }
}

const server = serve((ctx) => ctx.path === "/" ? ctx.text("hello") : answer(ctx), {
  hostname: "127.0.0.1",
  port: 0,
  headTimeoutMs: 1_000,
  bodyTimeoutMs: 1_000,
});
console.log((server.addr as Deno.NetAddr).port);
