import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import type { TlsPeer } from "../../nbio/tls_provider.ts";
import { parseCertificates } from "../../tls/certificate.ts";
import { CertificateVerificationError } from "../../tls/certificate_verification_error.ts";
import { TlsError } from "../../tls/errors.ts";
import {
  checkPeer,
  hasPeerChecks,
  verifyPeerChain,
  verifyPeerLeaf,
} from "../../tls/peer_checks.ts";
import { resolveClientOptions, type TlsClientSettings } from "../../tls/tls_options.ts";
import { ca, client, issue, otherCa, server } from "../_support/tls_pki.ts";

const leaf = parseCertificates(server.cert)[0]!;
const never = new AbortController().signal;
const WRONG_PIN = `${"A".repeat(43)}=`;

function settingsOf(
  options: Pick<Parameters<typeof resolveClientOptions>[1], "pins" | "verifyPeer">,
): TlsClientSettings {
  return resolveClientOptions("test", { hostname: "localhost", ...options });
}

Deno.test("hasPeerChecks() is true with pins or a hook", () => {
  assertEquals(hasPeerChecks(settingsOf({})), false);
  assertEquals(hasPeerChecks(settingsOf({ pins: { keys: [WRONG_PIN] } })), true);
  assertEquals(hasPeerChecks(settingsOf({ verifyPeer: () => {} })), true);
});

Deno.test("checkPeer() shows the hook the chain, its bytes and who it is for", async () => {
  const seen: TlsPeer[] = [];
  const settings = settingsOf({ verifyPeer: (peer) => void seen.push(peer) });
  await checkPeer([leaf, ca.certificate], settings, never);
  const { hostname, certificate, chain, signal } = seen[0]!;
  assertEquals([hostname, certificate], ["localhost", leaf.raw]);
  assertEquals(chain, [leaf.raw, ca.certificate.raw]);
  assertStrictEquals(signal, never);
});

Deno.test("checkPeer() refuses with what the hook throws or rejects with as the cause", async () => {
  const reason = new Error("no");
  const throwing = () => {
    throw reason;
  };
  for (const verifyPeer of [throwing, () => Promise.reject(reason)]) {
    const error = await assertRejects(
      () => checkPeer([leaf], settingsOf({ verifyPeer }), never),
      TlsError,
    );
    assertEquals([error.code, error.phase], ["ERR_TLS_REFUSED", "verify"]);
    assertStrictEquals(error.cause, reason);
  }
});

Deno.test("checkPeer() asks no hook about a key that is not pinned", async () => {
  let askedCount = 0;
  const settings = settingsOf({
    pins: { keys: [WRONG_PIN] },
    verifyPeer: () => void askedCount++,
  });
  const { code } = await assertRejects(() => checkPeer([leaf], settings, never), TlsError);
  assertEquals([code, askedCount], ["ERR_TLS_PIN", 0]);
});

Deno.test("checkPeer() waits for no hook when there is no time left", async () => {
  const controller = new AbortController();
  const settings = settingsOf({ verifyPeer: () => new Promise(() => {}) });
  const checking = assertRejects(() => checkPeer([leaf], settings, controller.signal), TlsError);
  const reason = new Error("late");
  controller.abort(reason);
  assertStrictEquals((await checking).cause, reason);
  // Nor does it begin.
  await assertRejects(() => checkPeer([leaf], settings, controller.signal), TlsError);
});

Deno.test("verifyPeerChain() gives the chain up to the root", async () => {
  const options = { roots: [otherCa.certificate, ca.certificate], name: "localhost" };
  const chain = await verifyPeerChain([leaf], "Cannot test", options);
  assertEquals(chain, [leaf, ca.certificate]);
});

Deno.test("verifyPeerChain() says why it refuses in reason and cause", async () => {
  for (
    const { options, code } of [
      { options: { roots: [otherCa.certificate] }, code: "ERR_X509_UNKNOWN_ISSUER" },
      { options: { roots: [ca.certificate], name: "other.test" }, code: "ERR_X509_NAME_MISMATCH" },
    ]
  ) {
    const error = await assertRejects(
      () => verifyPeerChain([leaf], "Cannot test", options),
      TlsError,
    );
    assertEquals([error.code, error.phase, error.reason], ["ERR_TLS_CERTIFICATE", "verify", code]);
    assertEquals(error.cause instanceof CertificateVerificationError, true);
  }
});

Deno.test("verifyPeerChain() rethrows the reason of an abort untouched", async () => {
  const reason = new Error("enough");
  const options = { roots: [ca.certificate], signal: AbortSignal.abort(reason) };
  const error = await assertRejects(() => verifyPeerChain([leaf], "Cannot test", options));
  assertStrictEquals(error, reason);
});

Deno.test("verifyPeerLeaf() gives the certificate if it is good and for the name", async () => {
  const settings = { hostname: "localhost", skipHostname: false };
  assertEquals(verifyPeerLeaf(leaf.raw, settings), leaf);
  verifyPeerLeaf(leaf.raw, { hostname: "127.0.0.1", skipHostname: false });
  verifyPeerLeaf(leaf.raw, { hostname: "other.test", skipHostname: true });
  const mixed = await issue(["localhost"], { allowClientAuth: true });
  verifyPeerLeaf(parseCertificates(mixed.cert)[0]!.raw, settings);
});

Deno.test("verifyPeerLeaf() refuses what cannot be read, breaks a rule or names somebody else", () => {
  const named = parseCertificates(client.cert)[0]!;
  for (
    const { raw, hostname, reason } of [
      { raw: leaf.raw, hostname: "other.test", reason: "ERR_X509_NAME_MISMATCH" },
      { raw: leaf.raw.subarray(0, -1), hostname: "localhost", reason: "ERR_X509_BAD_DER" },
      { raw: named.raw, hostname: "localhost", reason: "ERR_X509_NAME_MISMATCH" },
      { raw: ca.certificate.raw, hostname: "localhost", reason: "ERR_X509_KEY_USAGE" },
    ]
  ) {
    const error = assertThrows(
      () => verifyPeerLeaf(raw, { hostname, skipHostname: false }),
      TlsError,
    );
    assertEquals([error.code, error.phase, error.reason], [
      "ERR_TLS_CERTIFICATE",
      "verify",
      reason,
    ]);
  }
});
