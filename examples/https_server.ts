/**
 * A server of HTTP and WebSocket over TLS, whose certificate may be renewed while it runs.
 *
 * ```sh
 * deno run --allow-read=certs --allow-write=certs examples/devcert.ts --folder=certs
 * deno run --allow-net --allow-read=certs examples/https_server.ts --folder=certs
 * curl --cacert certs/ca.pem https://localhost:8443/
 * deno run --allow-net --allow-read=certs examples/https_server.ts --folder=certs --redirect=8080
 * ```
 *
 * In a browser that trusts the CA (`devcert.ts` says how), the page connects to `wss://`, and shows
 * what comes back.
 *
 * Options: `--hostname` (default 127.0.0.1), `--port` (default 8443, 0 for any), `--folder` and
 * `--prefix` of the files of `devcert.ts` (default the current folder and `leaf`), or `--cert` and
 * `--key` for others; `--redirect=PORT` listens there in the clear too, and sends everybody to TLS.
 *
 * The files are looked at again by the first client of each second. Who is connected stays; if the
 * new files are not good, the certificate stays too, and the console says why.
 */

import { parseArgs } from "node:util";
import { type Context, HttpError, type HttpServer, serve } from "@nbio/net/http";
import { shutdownSignal } from "@nbio/net/nbio";
import { CertificateFiles } from "@nbio/net/tls";
import { upgrade } from "@nbio/net/websocket";

const RELOAD_AFTER_MS = 1_000;

const PAGE = `<!doctype html>
<title>HTTPS</title>
<h1>Over TLS</h1>
<p id="answer">Connecting</p>
<script>
const answer = document.querySelector("#answer");
const ws = new WebSocket("wss://" + location.host + "/echo");
ws.onopen = () => ws.send("Hello over wss");
ws.onmessage = ({ data }) => answer.textContent = data;
ws.onerror = () => answer.textContent = "No connection";
</script>
`;

/** Sends every message back. Only pages of this very server may connect, as is the default. */
async function echo(ctx: Context): Promise<void> {
  await using ws = await upgrade(ctx);
  try {
    for await (const { data } of ws) await ws.send(data);
  } catch {
    // The peer left: `ws.closed` has the code.
  }
}

/** Answers whatever comes over TLS. */
function answer(ctx: Context): void | Promise<void> {
  if (ctx.path === "/echo") return echo(ctx);
  if (ctx.path === "/info") {
    const { version, cipher, serverName } = ctx.tlsInfo ?? {};
    return ctx.json({ version, cipher, serverName });
  }
  // Whoever came once comes by https for a day, whatever a link says (RFC 6797).
  ctx.set("strict-transport-security", "max-age=86400");
  ctx.html(PAGE);
}

/** Sends who comes in the clear to the same place over TLS. */
function redirectTo(port: number): (ctx: Context) => void {
  return (ctx) => {
    const url = URL.parse(ctx.url, `http://${ctx.headers.get("host")}`);
    if (url === null) throw new HttpError(400, "The request names no host");
    url.protocol = "https:";
    url.port = `${port}`;
    ctx.redirect(url.href, 308);
  };
}

function reportError(error: unknown): void {
  // A request that is refused has got its answer.
  if (!(error instanceof HttpError)) console.error(String(error));
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      hostname: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: "8443" },
      folder: { type: "string", default: "." },
      prefix: { type: "string", default: "leaf" },
      cert: { type: "string" },
      key: { type: "string" },
      redirect: { type: "string" },
    },
  });
  const { hostname, folder, prefix, redirect } = values;
  const { cert = `${folder}/${prefix}.pem`, key = `${folder}/${prefix}_key.pem` } = values;
  const certificates = await CertificateFiles.open(cert, key, {
    maxAgeMs: RELOAD_AFTER_MS,
    onReloadError: (error) => console.error(`The certificate stays what it was: ${error}`),
  });
  const server = serve(answer, {
    hostname,
    port: Number(values.port),
    tls: { certificates },
    onError: reportError,
  });
  const { port } = server.addr as Deno.NetAddr;
  const servers: HttpServer[] = [server];
  if (redirect !== undefined) {
    const options = { hostname, port: Number(redirect), onError: reportError };
    servers.push(serve(redirectTo(port), options));
  }
  console.log(`Listening on https://${hostname}:${port}/`);
  await shutdownSignal();
  await Promise.all(servers.map((each) => each.shutdown({ graceMs: 5_000 })));
}

if (import.meta.main) await main();
