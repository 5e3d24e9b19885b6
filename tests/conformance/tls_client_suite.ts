/**
 * The cases for any TLS client: chains of certificates, most of which have to be refused. A task is
 * the port, the name the server is to have and a file with the one root that is trusted; the result
 * is `secure`.
 */

import {
  extendedKeyUsageExtension,
  keyUsageExtension,
  nameConstraintsExtension,
} from "../../tls/certificate_extension_encoder.ts";
import type { CertifiedKey } from "../../tls/certified_key.ts";
import { closeQuietly } from "../../nbio/transport.ts";
import {
  type ClientCase,
  type ClientCaseResult,
  type ClientPeer,
  resultOf,
} from "./client_peer.ts";
import { type CertificateWish, certify } from "./tls_client_pki.ts";

/** What a server presents. */
export interface TlsChain {
  readonly leaf: CertifiedKey;
  /** Behind the leaf. */
  readonly intermediates: readonly CertifiedKey[];
  readonly root: CertifiedKey;
}

/** One case. */
export interface TlsClientCase extends ClientCase {
  /** Makes what the server presents. */
  readonly chain: () => Promise<TlsChain>;
}

const NAME = "www.example.com";
const NAMES = [{ type: "dns", value: NAME }] as const;
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const PATH = "RFC 5280 section 6.1";
const IDENTITY = "RFC 9525 section 6";

/** A chain of three, with what differs. */
async function chainOf(
  leaf: Partial<CertificateWish> = {},
  intermediate: Partial<CertificateWish> = {},
  root: Partial<CertificateWish> = {},
): Promise<TlsChain> {
  const top = await certify({ name: "Test root", ca: {}, ...root });
  const middle = await certify({ name: "Test intermediate", ca: {}, issuer: top, ...intermediate });
  const bottom = await certify({ name: NAME, names: NAMES, issuer: middle, ...leaf });
  return { leaf: bottom, intermediates: [middle], root: top };
}

function trusted(
  name: string,
  clause: string,
  chain: () => Promise<TlsChain>,
): TlsClientCase {
  return { name, clause, expect: ["secure"], chain };
}

function refused(
  name: string,
  clause: string,
  chain: () => Promise<TlsChain>,
): TlsClientCase {
  return { ...trusted(name, clause, chain), expect: ["error"] };
}

/** Two intermediates, of which the upper allows none below it. */
async function tooLong(): Promise<TlsChain> {
  const root = await certify({ name: "Test root", ca: {} });
  const upper = await certify({ name: "Upper", ca: { pathLength: 0 }, issuer: root });
  const lower = await certify({ name: "Lower", ca: {}, issuer: upper });
  const leaf = await certify({ name: NAME, names: NAMES, issuer: lower });
  return { leaf, intermediates: [lower, upper], root };
}

async function selfSigned(): Promise<TlsChain> {
  const { root } = await chainOf();
  return { leaf: await certify({ name: NAME, names: NAMES }), intermediates: [], root };
}

async function strangerRoot(): Promise<TlsChain> {
  const { root } = await chainOf();
  return { ...await chainOf(), root };
}

/** A leaf that has signed another leaf. */
async function leafAsIssuer(): Promise<TlsChain> {
  const { leaf: issuer, intermediates, root } = await chainOf();
  const leaf = await certify({ name: NAME, names: NAMES, issuer });
  return { leaf, intermediates: [issuer, ...intermediates], root };
}

async function forgedSignature(): Promise<TlsChain> {
  const chain = await chainOf();
  const signer = await certify({ name: "Other" });
  return {
    ...chain,
    leaf: await certify({ name: NAME, names: NAMES, issuer: chain.intermediates[0], signer }),
  };
}

const wildcard = (value: string) => () => chainOf({ names: [{ type: "dns", value }] });
const unknownCritical = {
  oid: "1.3.6.1.4.1.55555.1",
  critical: true,
  value: new Uint8Array([5, 0]),
};
const permitted = (
  value: string,
) => [nameConstraintsExtension({ permitted: [{ type: "dns", value }] })];
const excluded = (
  value: string,
) => [nameConstraintsExtension({ excluded: [{ type: "dns", value }] })];

/** All cases. */
export const TLS_CLIENT_CASES: readonly TlsClientCase[] = [
  trusted("a chain of three", PATH, () => chainOf()),
  trusted(
    "keys of RSA",
    PATH,
    () => chainOf({ rsaBits: 2048 }, { rsaBits: 2048 }, { rsaBits: 2048 }),
  ),
  trusted("a wildcard for one label", IDENTITY, wildcard("*.example.com")),
  trusted("a name in capitals", IDENTITY, wildcard("WWW.EXAMPLE.COM")),
  trusted(
    "a name that is permitted",
    "RFC 5280 section 4.2.1.10",
    () => chainOf({}, { extensions: permitted("example.com") }),
  ),
  refused("another name", IDENTITY, wildcard("www.example.org")),
  refused("a wildcard for two labels", IDENTITY, wildcard("*.com")),
  refused("a wildcard for none", IDENTITY, wildcard("*.www.example.com")),
  refused("a name that has the right one inside", IDENTITY, wildcard("www.example.com.evil.test")),
  refused(
    "a name in the subject alone",
    "RFC 9525 section 2",
    () => chainOf({ names: [{ type: "dns", value: "a.test" }] }),
  ),
  refused("an expired leaf", PATH, () => chainOf({ validity: [-30, -1] })),
  refused("a leaf of tomorrow", PATH, () => chainOf({ validity: [1, 30] })),
  refused("an expired intermediate", PATH, () => chainOf({}, { validity: [-30, -1] })),
  refused("a leaf that signed itself", PATH, selfSigned),
  refused("a root nobody trusts", PATH, strangerRoot),
  refused("no intermediate", PATH, async () => ({ ...await chainOf(), intermediates: [] })),
  refused("a signature of somebody else", PATH, forgedSignature),
  refused(
    "an intermediate that is no CA",
    "RFC 5280 section 4.2.1.9",
    () => chainOf({}, { ca: undefined } as never),
  ),
  refused("a leaf that signs", "RFC 5280 section 4.2.1.9", leafAsIssuer),
  refused("a path that is too long", "RFC 5280 section 4.2.1.9", tooLong),
  {
    ...refused(
      "an intermediate that may not sign certificates",
      "RFC 5280 section 4.2.1.3",
      () => chainOf({}, { keyUsage: keyUsageExtension("digitalSignature") }),
    ),
    knownGaps: { ours: "the verifier of the runtime does not look at the key usage of issuers" },
  },
  refused(
    "a leaf for clients only",
    "RFC 5280 section 4.2.1.12",
    () => chainOf({ extendedKeyUsage: extendedKeyUsageExtension(CLIENT_AUTH) }),
  ),
  refused(
    "a name that is not permitted",
    "RFC 5280 section 4.2.1.10",
    () => chainOf({}, { extensions: permitted("example.org") }),
  ),
  refused(
    "a name that is excluded",
    "RFC 5280 section 4.2.1.10",
    () => chainOf({}, { extensions: excluded("example.com") }),
  ),
  refused(
    "an intermediate with a critical extension nobody knows",
    "RFC 5280 section 4.2",
    () => chainOf({}, { extensions: [unknownCritical] }),
  ),
  refused(
    "an intermediate whose RSA key has 1,024 bits",
    "RFC 9325 section 4.5",
    () => chainOf({}, { rsaBits: 1024 }),
  ),
];

/** Chains are the same for every client of one run: keys of RSA take their time. */
const made = new WeakMap<TlsClientCase, Promise<TlsChain>>();

function chainFor(item: TlsClientCase): Promise<TlsChain> {
  const chain = made.get(item) ?? item.chain();
  made.set(item, chain);
  return chain;
}

/** Runs cases against a client, one after the other. */
export async function runTlsClientSuite(
  peer: ClientPeer,
  cases: readonly TlsClientCase[] = TLS_CLIENT_CASES,
): Promise<ClientCaseResult[]> {
  const results: ClientCaseResult[] = [];
  const file = await Deno.makeTempFile({ prefix: "nbio_root_", suffix: ".pem" });
  try {
    for (const item of cases) {
      const { leaf, intermediates, root } = await chainFor(item);
      await Deno.writeTextFile(file, root.certificatePem);
      await using server = new ChainServer([leaf, ...intermediates]);
      const answer = await peer.ask([`${server.port}`, NAME, file]);
      results.push(resultOf(item, peer, answer));
    }
    return results;
  } finally {
    await Deno.remove(file);
  }
}

/** Shakes hands with everybody, and says one byte to those who agree. */
class ChainServer implements AsyncDisposable {
  readonly #listener: Deno.TlsListener;
  readonly #tasks: Promise<void>[] = [];

  constructor(chain: readonly CertifiedKey[]) {
    this.#listener = Deno.listenTls({
      hostname: "127.0.0.1",
      port: 0,
      cert: chain.map(({ certificatePem }) => certificatePem).join(""),
      key: chain[0]!.privateKeyPem,
    });
    this.#tasks.push(this.#accept());
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await Promise.allSettled(this.#tasks);
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) this.#tasks.push(greet(connection));
  }
}

async function greet(connection: Deno.TlsConn): Promise<void> {
  try {
    await connection.handshake();
    await connection.write(new Uint8Array([0x21]));
    await connection.closeWrite();
    while (await connection.read(new Uint8Array(64)) !== null);
  } catch {
    // It has not agreed.
  } finally {
    closeQuietly(connection);
  }
}
