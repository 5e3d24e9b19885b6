/**
 * Mutual TLS: a server that lets in only who has a certificate of its own CA, and greets them by the
 * name in it; and a client that has one.
 *
 * ```sh
 * deno run --allow-read=certs --allow-write=certs examples/devcert.ts --folder=certs
 * deno run --allow-read=certs --allow-write=certs examples/devcert.ts --folder=certs \
 *   --client --prefix=alice alice.test
 * deno run --allow-net --allow-read=certs examples/mtls.ts serve --folder=certs
 * deno run --allow-net --allow-read=certs examples/mtls.ts get https://localhost:8443/ \
 *   --folder=certs --as=alice
 * ```
 *
 * Options: `--folder` with the files of `devcert.ts` (default the current one); of the server
 * `--hostname` (default 127.0.0.1), `--port` (default 8443, 0 for any), `--optional` to let those in
 * as strangers that have no certificate; of the client `--as=PREFIX`, without which it has none.
 *
 * The exit code of `get` is 0 for an answer below 400, 1 for another one, 2 if there is none: as when
 * the server refuses the certificate.
 */

import { parseArgs } from "node:util";
import { Client, type Context, serve } from "@nbio/net/http";
import { NetError, shutdownSignal } from "@nbio/net/nbio";
import { parseCertificate, TlsError } from "@nbio/net/tls";

const USAGE = "Usage: mtls.ts serve [--folder=F] [--port=N] [--optional]\n" +
  "       mtls.ts get URL [--folder=F] [--as=PREFIX]";

/** A certificate and its key, as both sides take them. */
async function readPair(folder: string, prefix: string): Promise<{ cert: string; key: string }> {
  const [cert, key] = await Promise.all([
    Deno.readTextFile(`${folder}/${prefix}.pem`),
    Deno.readTextFile(`${folder}/${prefix}_key.pem`),
  ]);
  return { cert, key };
}

/**
 * Who the client is, by the first DNS name of its certificate. The names are those that the CA has
 * put in; that the client has the key, and the chain is good, was verified in the handshake.
 */
export function clientName(ctx: Context): string | undefined {
  const { peerCertificate, verifiedBy } = ctx.tlsInfo ?? {};
  if (peerCertificate === undefined || verifiedBy === "nobody") return undefined;
  const { subjectAltName = [] } = parseCertificate(peerCertificate);
  return subjectAltName.find((name) => name.type === "dns")?.value;
}

async function runServer(folder: string, options: ServerFlags): Promise<number> {
  const server = serve((ctx) => ctx.text(`Hello, ${clientName(ctx) ?? "stranger"}!\n`), {
    hostname: options.hostname,
    port: Number(options.port),
    tls: {
      ...await readPair(folder, "leaf"),
      clientCertificates: options.optional ? "optional" : "required",
      clientCaCerts: [await Deno.readTextFile(`${folder}/ca.pem`)],
      onHandshakeError: (error) => console.error(String(error)),
    },
  });
  const { hostname, port } = server.addr as Deno.NetAddr;
  console.log(`Listening on https://${hostname}:${port}/`);
  await shutdownSignal();
  await server.shutdown({ graceMs: 5_000 });
  return 0;
}

interface ServerFlags {
  readonly hostname: string;
  readonly port: string;
  readonly optional: boolean;
}

async function runClient(url: string, folder: string, as: string | undefined): Promise<number> {
  try {
    await using client = new Client({
      tls: {
        // This CA and no other: the system's have nothing to say about who our server is.
        caCerts: [await Deno.readTextFile(`${folder}/ca.pem`)],
        exclusiveCas: true,
        ...as !== undefined && await readPair(folder, as),
      },
    });
    const response = await client.get(url);
    console.log((await response.text()).trimEnd());
    return response.ok ? 0 : 1;
  } catch (error) {
    if (!(error instanceof NetError)) throw error;
    const alert = error instanceof TlsError && error.alert !== undefined ? ` (${error.alert})` : "";
    console.error(`${error.message}${alert}`);
    return 2;
  }
}

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      hostname: { type: "string", default: "127.0.0.1" },
      port: { type: "string", default: "8443" },
      folder: { type: "string", default: "." },
      optional: { type: "boolean", default: false },
      as: { type: "string" },
    },
  });
  const [command, url] = positionals;
  if (command === "serve" && url === undefined) return await runServer(values.folder, values);
  if (command === "get" && url !== undefined) return await runClient(url, values.folder, values.as);
  console.error(USAGE);
  return 2;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
