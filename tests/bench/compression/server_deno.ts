// Serves JSON with the compression of `Deno.serve`: `deno run -A server_deno.ts` prints its port.
import { rowsOfTenKib } from "./payload.ts";

const rows = rowsOfTenKib();
const options = { port: 0, hostname: "127.0.0.1", automaticCompression: true, onListen() {} };
const server = Deno.serve(options, () => Response.json(rows));
console.log(server.addr.port);
