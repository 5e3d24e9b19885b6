// Serves the clients with this package: prints its ports, the first of which stands for all.
import { serve } from "@nbio/net/http";
import { GREETING, HOST_COUNT, LARGE_BYTES } from "./payloads.ts";

const large = new Uint8Array(LARGE_BYTES).fill(0x61);
const listeners = Array.from(
  { length: HOST_COUNT },
  () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
);

serve(async (ctx) => {
  if (ctx.method === "POST") ctx.text(String((await ctx.body.bytes()).length));
  else if (ctx.path === "/large") ctx.bytes(large);
  else ctx.text(GREETING);
}, { listeners });
console.log(JSON.stringify(listeners.map(({ addr }) => addr.port)));
