import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { NetError } from "../../nbio/errors.ts";
import { type Certificate, parseCertificate, parseCertificates } from "../../tls/certificate.ts";
import { CertificateVerificationError } from "../../tls/certificate_verification_error.ts";
import { verifyChain, type VerifyChainOptions } from "../../tls/verify_chain.ts";
import { ca, type ChainCertificate, ed25519, leaf, NOW } from "./chain_certificates.ts";

const SIGNATURE_BYTES = 64;

/** A certificate and the key it is about. */
interface Issued {
  readonly certificate: Certificate;
  readonly privateKey: CryptoKey;
}

/** Makes a certificate whose signature is real: that of the issuer, or its own. */
async function issue(
  make: (description: ChainCertificate) => Certificate,
  description: ChainCertificate,
  issuer?: Issued,
): Promise<Issued> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const { publicKey, privateKey } = pair as CryptoKeyPair;
  const bytes = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
  const { raw, tbs } = make({ publicKey: ed25519(bytes), ...description });
  const signature = await crypto.subtle.sign("Ed25519", issuer?.privateKey ?? privateKey, tbs);
  // The signature of zeros is the end of the certificate.
  const signed = raw.slice();
  signed.set(new Uint8Array(signature), signed.length - SIGNATURE_BYTES);
  return { certificate: parseCertificate(signed), privateKey };
}

async function chain() {
  const root = await issue(ca, { name: "root" });
  const middle = await issue(ca, { name: "ca", by: "root" }, root);
  const end = await issue(leaf, { name: "leaf", by: "ca" }, middle);
  return { root: root.certificate, middle: middle.certificate, end: end.certificate };
}

async function codeOf(certificate: Certificate, options: VerifyChainOptions): Promise<string> {
  const error = await assertRejects(() => verifyChain(certificate, options), NetError);
  return error.code;
}

Deno.test("verifyChain() verifies a chain of three", async () => {
  const { root, middle, end } = await chain();
  const verified = await verifyChain(end, {
    roots: [root],
    intermediates: [middle],
    time: NOW,
    name: "leaf.example",
  });
  assertEquals(verified.chain, [end, middle, root]);
  assertEquals(verified.steps, { signatures: 2, nameComparisons: 0, pathSteps: 2 });
});

Deno.test("verifyChain() refuses whatever bit of it is changed", async () => {
  const { root, middle, end } = await chain();
  const options = { roots: [root], intermediates: [middle], time: NOW, name: "leaf.example" };
  let refusedCount = 0;
  for (let offset = 0; offset < end.raw.length; offset++) {
    const raw = end.raw.slice();
    raw[offset]! ^= 1 << offset % 8;
    await assertRejects(async () => {
      await verifyChain(parseCertificate(raw), options);
    }, NetError);
    refusedCount++;
  }
  assertEquals(refusedCount, end.raw.length);
});

Deno.test("verifyChain() refuses a signature of somebody else", async () => {
  const { root, middle, end } = await chain();
  const stranger = await issue(ca, { name: "root" });
  const options = { roots: [stranger.certificate], intermediates: [middle], time: NOW };
  assertEquals(await codeOf(end, options), "ERR_X509_BAD_SIGNATURE");
  const both = { ...options, roots: [stranger.certificate, root] };
  assertEquals((await verifyChain(end, both)).chain, [end, middle, root]);
});

Deno.test("verifyChain() takes the time of the clock unless one is given", async () => {
  const { root, middle, end } = await chain();
  const options = { roots: [root], intermediates: [middle] };
  const at = (time: number) => ({ wallNow: () => time });
  await verifyChain(end, { ...options, clock: at(NOW) });
  const late = { ...options, clock: at(end.notAfter + 1) };
  assertEquals(await codeOf(end, late), "ERR_X509_EXPIRED");
  await verifyChain(end, { ...late, time: NOW });
});

Deno.test("verifyChain() takes the time of the system by default", async () => {
  const [root] = parseCertificates(await Deno.readTextFile("tests/tls/ca.pem"));
  const [end] = parseCertificates(await Deno.readTextFile("tests/tls/leaf.pem"));
  const { chain } = await verifyChain(end!, { roots: [root!], name: "127.0.0.1" });
  assertEquals(chain.length, 2);
});

Deno.test("verifyChain() throws on options it does not know", async () => {
  const { root, end } = await chain();
  for (const name of ["crls", "ocsp", "checkRevocation", "trustAnchors"]) {
    const options = { roots: [root], time: NOW, [name]: [] };
    await assertRejects(() => verifyChain(end, options), TypeError);
  }
});

Deno.test("verifyChain() throws on wrong values", async () => {
  const { root, end } = await chain();
  const options = { roots: [root], time: NOW };
  await assertRejects(() => verifyChain(end, { ...options, maxDepth: -1 }), RangeError);
  await assertRejects(() => verifyChain(end, { ...options, time: NaN }), RangeError);
  await assertRejects(() => verifyChain(end, { ...options, name: "a b" }), TypeError);
});

Deno.test("verifyChain() gives the reason of an abort, before and between signatures", async () => {
  const { root, middle, end } = await chain();
  const options = { roots: [root], intermediates: [middle], time: NOW };
  const reason = new Error("enough");
  const aborted = verifyChain(end, { ...options, signal: AbortSignal.abort(reason) });
  assertStrictEquals(await assertRejects(() => aborted), reason);
  const controller = new AbortController();
  const pending = verifyChain(end, { ...options, signal: controller.signal });
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => pending), reason);
});

Deno.test("verifyChain() refuses a key that the runtime does not take", async () => {
  const root = await issue(ca, { name: "root" });
  // No point of the curve has this encoding.
  const bytes = new Uint8Array(32).fill(0xff);
  const broken = await issue(ca, { name: "ca", by: "root", publicKey: ed25519(bytes) }, root);
  const end = await issue(leaf, { name: "leaf", by: "ca" }, broken);
  const error = await assertRejects(
    () =>
      verifyChain(end.certificate, {
        roots: [root.certificate],
        intermediates: [broken.certificate],
        time: NOW,
      }),
    CertificateVerificationError,
  );
  assertEquals(["ERR_X509_BAD_SIGNATURE", "ERR_X509_UNSUPPORTED_KEY"].includes(error.code), true);
});
