// The server behind all proxies: `deno run -A upstream.ts` prints its port. All its responses to a
// path have one length, whichever connection they go by; ours have a field more on the first.
import { type AnswerPath, ANSWERS, bodyOf } from "./payloads.ts";

const bodies = new Map<string, Uint8Array<ArrayBuffer>>();
for (const path of Object.keys(ANSWERS)) bodies.set(path, bodyOf(path as AnswerPath));

Deno.serve({
  port: 0,
  hostname: "127.0.0.1",
  onListen: ({ port }) => console.log(port),
}, ({ url }) => new Response(bodies.get(new URL(url).pathname)));
