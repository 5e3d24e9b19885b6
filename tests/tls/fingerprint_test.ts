import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { X509Certificate } from "node:crypto";
import { parseCertificate, parseCertificates } from "../../tls/certificate.ts";
import { certificateFingerprint, publicKeyPin } from "../../tls/fingerprint.ts";
import { buildCertificate, commonName } from "./certificate_builder.ts";

Deno.test({
  name: "certificateFingerprint() and publicKeyPin() agree with node:crypto",
  ignore: (await Deno.permissions.query({ name: "read" })).state !== "granted",
  async fn() {
    for (const name of ["ca.pem", "leaf.pem"]) {
      const pem = await Deno.readTextFile(new URL(name, import.meta.url));
      const [certificate] = parseCertificates(pem);
      const node = new X509Certificate(pem);
      const show = (bytes: Uint8Array): string =>
        Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(":");
      assertEquals(show(await certificateFingerprint(certificate!)), node.fingerprint256);
      assertEquals(
        show(await certificateFingerprint(certificate!, { hash: "SHA-1" })),
        node.fingerprint,
      );
      const spki = node.publicKey.export({ type: "spki", format: "der" });
      const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(spki));
      const { subjectPublicKeyInfo } = certificate!;
      assertEquals(await publicKeyPin(subjectPublicKeyInfo), new Uint8Array(digest).toBase64());
    }
  },
});

Deno.test("certificateFingerprint() throws on a hash that is none", async () => {
  const certificate = parseCertificate(buildCertificate());
  const options = { hash: "MD5" } as unknown as { hash: "SHA-1" };
  await assertRejects(() => certificateFingerprint(certificate, options), RangeError);
});

Deno.test("publicKeyPin() is the same for every certificate of a key, a fingerprint is not", async () => {
  const [one, other] = ["one", "other"].map((name) =>
    parseCertificate(buildCertificate({ issuer: commonName(name) }))
  );
  const pins = [one!, other!].map(({ subjectPublicKeyInfo }) => publicKeyPin(subjectPublicKeyInfo));
  assertEquals(await pins[0], await pins[1]);
  assertNotEquals(await certificateFingerprint(one!), await certificateFingerprint(other!));
});

for (
  const [hash, length] of [
    ["SHA-1", 20],
    ["SHA-256", 32],
    ["SHA-384", 48],
    ["SHA-512", 64],
  ] as const
) {
  Deno.test(`certificateFingerprint() hashes the whole certificate by ${hash}`, async () => {
    const certificate = parseCertificate(buildCertificate());
    const bytes = await certificateFingerprint(certificate, { hash });
    assertEquals(bytes.length, length);
    assertEquals(bytes, new Uint8Array(await crypto.subtle.digest(hash, certificate.raw)));
  });
}
