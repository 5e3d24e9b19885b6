/**
 * The server of the client's soak, in a process of its own: answers with what it is asked for, or
 * does the harm it is asked for. Prints its port; tells `GET /stats` how many connections it has.
 */

import { createHash } from "node:crypto";
import { type Context, serve } from "@nbio/net/http";
import { closeQuietly } from "@nbio/net/nbio";
import { patternBytes } from "./http_client_soak_pattern.ts";

const HEAD = "HTTP/1.1 200 OK\r\n";

/** What is said raw, before the connection is closed or left alone. */
const HARMS: Readonly<Record<string, { readonly says: string; readonly isLeft?: boolean }>> = {
  "leaves": { says: "" },
  "garbage": { says: "\x00\x01 what is that?\r\n\r\n" },
  "cut": { says: `${HEAD}Content-Length: 1000\r\n\r\nabc` },
  "cut-chunk": { says: `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nab` },
  "bad-chunk": { says: `${HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\nab` },
  "both": { says: `${HEAD}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n` },
  "silent": { says: "", isLeft: true },
  "stalls": { says: `${HEAD}Content-Length: 1000\r\n\r\nabc`, isLeft: true },
  "extra": { says: `${HEAD}Content-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n`, isLeft: true },
};

let maxConnectionCount = 0;

async function harm(ctx: Context, name: string): Promise<void> {
  const { says, isLeft = false } = HARMS[name]!;
  const { transport } = await ctx.hijack();
  try {
    const bytes = Uint8Array.from(says, (char) => char.charCodeAt(0));
    for (let at = 0; at < bytes.length;) at += await transport.write(bytes.subarray(at));
    const space = new Uint8Array(1_024);
    if (isLeft) { while (await transport.read(space) !== null); }
  } catch {
    // The client was faster.
  }
  closeQuietly(transport);
}

const server = serve(async (ctx) => {
  maxConnectionCount = Math.max(maxConnectionCount, server.stats().connectionCount);
  const fault = ctx.query.get("fault");
  if (ctx.path === "/stats") return ctx.json({ maxConnectionCount });
  if (fault !== null && fault in HARMS) return await harm(ctx, fault);
  if (fault === "close") ctx.set("connection", "close");
  const id = Number(ctx.query.get("id"));
  const received = createHash("sha256");
  if (ctx.method === "POST") { for await (const chunk of ctx.body) received.update(chunk); }
  ctx.set("x-id", String(id));
  ctx.set("x-received", received.digest("hex"));
  const bytes = patternBytes(id, Number(ctx.query.get("size")));
  ctx.set("x-sent", createHash("sha256").update(bytes).digest("hex"));
  if (ctx.query.get("chunked") === null) return ctx.bytes(bytes);
  ctx.stream(ReadableStream.from([bytes.subarray(0, 100), bytes.subarray(100)]));
}, { hostname: "127.0.0.1", port: 0, onError: () => {}, abortOnHalfClose: true });

console.log((server.addr as Deno.NetAddr).port);
