/**
 * Trust on first use, as SSH does it: whatever key a server shows first is written down, and from
 * then on it has to show the same one. For servers with certificates that nobody has signed: devices
 * in a house, Gemini, a tool between two machines of one's own.
 *
 * ```sh
 * deno run --allow-net --allow-read=. --allow-write=. examples/tofu.ts localhost:8443
 * ```
 *
 * The first connection is taken on trust: who stands between at that moment is believed for good.
 * `--file` names another file than `known_keys.json`. The exit code is 0 if the key is known, or now
 * is, 1 if it is another one, 2 if there is no connection.
 */

import { parseArgs } from "node:util";
import { connectTls, parseCertificate, publicKeyPin, TlsError } from "@nbio/net/tls";

/** Pins by host and port, in a file. */
export class KnownKeys {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** The pin that was written down for a server; `undefined` if it is new. */
  async find(server: string): Promise<string | undefined> {
    return (await this.#read())[server];
  }

  /** Writes a pin down. The file is replaced as a whole: half of it would forget servers. */
  async add(server: string, pin: string): Promise<void> {
    const keys = { ...await this.#read(), [server]: pin };
    await Deno.writeTextFile(`${this.#path}.new`, JSON.stringify(keys, undefined, 2) + "\n");
    await Deno.rename(`${this.#path}.new`, this.#path);
  }

  async #read(): Promise<Record<string, string>> {
    try {
      return JSON.parse(await Deno.readTextFile(this.#path));
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return {};
      throw error;
    }
  }
}

/**
 * Connects to a server and holds its key against the one that is known.
 *
 * @returns Whether the server was known.
 * @throws {TlsError} If it shows another key: its code is `ERR_TLS_REFUSED`.
 */
export async function visit(hostname: string, port: number, known: KnownKeys): Promise<boolean> {
  const server = `${hostname}:${port}`;
  const expected = await known.find(server);
  let shown = "";
  const transport = await connectTls({
    hostname,
    port,
    tls: {
      // Nobody vouches for the certificate; the key below is all there is to go by.
      dangerous: { skipVerification: true },
      async verifyPeer({ certificate }): Promise<void> {
        shown = await publicKeyPin(parseCertificate(certificate).subjectPublicKeyInfo);
        if (expected !== undefined && shown !== expected) {
          throw new Error(`${server} shows the key ${shown}, and not ${expected}`);
        }
      },
    },
  });
  transport.close();
  // Written down only now: the server has proved that it has the key.
  if (expected === undefined) await known.add(server, shown);
  return expected !== undefined;
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { file: { type: "string", default: "known_keys.json" } },
    allowPositionals: true,
  });
  const match = /^\[?(.+?)\]?:(\d+)$/.exec(positionals[0] ?? "");
  if (match === null) {
    console.error("Usage: tofu.ts HOST:PORT [--file=known_keys.json]");
    return 2;
  }
  try {
    const isKnown = await visit(match[1]!, Number(match[2]), new KnownKeys(values.file));
    console.log(isKnown ? "The key is the one that is known" : "New: the key is written down");
    return 0;
  } catch (error) {
    const isOther = error instanceof TlsError && error.code === "ERR_TLS_REFUSED";
    console.error(isOther ? `Refused: ${(error.cause as Error).message}` : `${error}`);
    return isOther ? 1 : 2;
  }
}

if (import.meta.main) Deno.exitCode = await main();
