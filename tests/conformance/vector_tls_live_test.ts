import tls from "node:tls";
import { assertEquals } from "@std/assert";
import type { TlsClientOptions, TlsProvider } from "../../nbio/tls_provider.ts";
import { closeQuietly } from "../../nbio/transport.ts";
import { parseCertificates } from "../../tls/certificate.ts";
import { denoProvider } from "../../tls/deno_provider.ts";
import { nodeProvider } from "../../tls/node_provider.ts";
import { transportDuplex } from "../../tls/transport_duplex.ts";
import { verifyChain } from "../../tls/verify_chain.ts";
import { tcpPair } from "../_support/tls_pki.ts";
import { loadTlsCases } from "./vector_tls.ts";

/** A case of x509-limbo, some of which carry the key of the server. */
interface LimboCase {
  readonly id: string;
  readonly peer_certificate: string;
  readonly peer_certificate_key: string | null;
  readonly untrusted_intermediates: readonly string[];
  readonly trusted_certs: readonly string[];
  readonly validation_kind: "SERVER" | "CLIENT";
  readonly expected_peer_name: { readonly value: string } | null;
}

/** What can be played by a server: with its key, and somebody to expect. */
function isPlayable(item: LimboCase): boolean {
  return item.peer_certificate_key !== null && item.validation_kind === "SERVER" &&
    item.expected_peer_name?.value !== undefined && item.trusted_certs.length > 0;
}

/** What this package thinks of the server, now: the runtime knows no other time. */
async function isGood(item: LimboCase): Promise<boolean> {
  try {
    const [leaf, ...intermediates] = parseCertificates(chainOf(item));
    const roots = item.trusted_certs.flatMap((pem) => parseCertificates(pem));
    const name = item.expected_peer_name!.value;
    await verifyChain(leaf!, { roots, intermediates, name, purpose: "serverAuth" });
    return true;
  } catch {
    return false;
  }
}

function chainOf(item: LimboCase): string {
  return [item.peer_certificate, ...item.untrusted_intermediates].join("\n");
}

/** Whether a provider takes the server of a case; `undefined` where the runtime cannot play it. */
async function isTaken(item: LimboCase, provider: TlsProvider): Promise<boolean | undefined> {
  const options: TlsClientOptions = {
    hostname: item.expected_peer_name!.value,
    caCerts: item.trusted_certs,
    ...provider === nodeProvider && { exclusiveCas: true },
  };
  const [near, far] = await tcpPair();
  const raw = await transportDuplex(far);
  raw.on("error", () => {});
  try {
    const server = tls.createServer({ cert: chainOf(item), key: item.peer_certificate_key! });
    server.on("secureConnection", (socket) => socket.on("error", () => {}));
    server.on("tlsClientError", () => {});
    server.emit("connection", raw);
  } catch {
    closeQuietly(near);
    raw.destroy();
    return undefined;
  }
  const closed = new Promise((resolve) => raw.once("close", resolve));
  try {
    (await provider.client(near, options)).close();
    return true;
  } catch {
    return false;
  } finally {
    raw.destroy();
    await closed;
  }
}

/**
 * Where the runtime is less strict than we are, and has the say: all of it in certificates above the
 * server's own, which it shows to nobody. Each is a rule on how a CA writes certificates, and breaking
 * it gives nobody a name that a trusted CA has not given him. Who wants the rules held takes the node
 * provider. What is wrong with the server's own certificate is refused by us, not listed here.
 */
const LAX: Readonly<Record<string, string>> = {
  "rfc5280::aki::critical-aki": "a root is trusted for its key and name; its form is not looked at",
  "rfc5280::aki::intermediate-missing-aki":
    "a key identifier helps to find the issuer; the signature decides who it is",
  "rfc5280::root-missing-basic-constraints":
    "that a root may sign is said by whoever configured it, not by the root",
  "rfc5280::ski::intermediate-missing-ski":
    "a key identifier helps to find the issuer; the signature decides who it is",
  "rfc5280::unknown-critical-extension-root":
    "what a root says of itself binds nobody: RFC 5280 section 6.1 takes its key and name only",
  "webpki::aki::root-with-aki-ski-mismatch":
    "a rule of the CA/Browser Forum for a root's own form, which is not looked at",
  "webpki::forbidden-rsa-not-divisible-by-8-in-root":
    "a rule of the CA/Browser Forum for lengths of keys; 2,052 bits are no weaker than 2,048",
  "webpki::nc::intermediate-permitted-excluded-subtrees-both-empty-sequences":
    "a constraint without a name in it, which the forum forbids, constrains nothing",
};

const cases = loadTlsCases<LimboCase>("chain-limbo")?.filter(isPlayable);

Deno.test({
  name: "nodeProvider takes of x509-limbo's servers those that verifyChain() takes, and no other",
  ignore: cases === undefined,
  async fn() {
    const wrong: string[] = [];
    let playedCount = 0;
    for (const item of cases!) {
      const taken = await isTaken(item, nodeProvider);
      if (taken === undefined) continue;
      playedCount++;
      if (taken !== await isGood(item)) wrong.push(`${item.id}: ${taken}`);
    }
    assertEquals(wrong, []);
    // Six have a chain or key with which the runtime cannot serve.
    assertEquals(playedCount, 87);
  },
});

Deno.test({
  name: "denoProvider takes of x509-limbo's servers what verifyChain() refuses in known cases only",
  ignore: cases === undefined,
  async fn() {
    const lax: string[] = [];
    for (const item of cases!) {
      if (await isTaken(item, denoProvider) && !await isGood(item)) lax.push(item.id);
    }
    assertEquals(lax.sort(), Object.keys(LAX));
  },
});
