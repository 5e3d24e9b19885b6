import { serve } from "@nbio/net/http";
import v8 from "node:v8";
const server = serve((ctx) => ctx.text("Hello"), { hostname: "127.0.0.1", port: 8129 });
setTimeout(() => { v8.writeHeapSnapshot("/tmp/w/mem/" + (Deno.args[0] ?? "a") + ".heapsnapshot"); }, 5500);
setTimeout(() => Deno.exit(), 12000);
