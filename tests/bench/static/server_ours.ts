// Serves a folder with this package: `deno run -A server_ours.ts FOLDER` prints its port.
import { serve, serveDir } from "@nbio/net/http";

const server = serve(serveDir(Deno.args[0]!), { port: 0, hostname: "127.0.0.1" });
console.log((server.addr as Deno.NetAddr).port);
