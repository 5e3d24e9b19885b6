// A proxy by this package: `deno run -A server_ours.ts UPSTREAM` prints its port.
import { reverseProxy, serve } from "@nbio/net/http";

const proxy = reverseProxy(`http://127.0.0.1:${Deno.args[0]}`);
const server = serve(proxy, { port: 0, hostname: "127.0.0.1" });
console.log((server.addr as Deno.NetAddr).port);
