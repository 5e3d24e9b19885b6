import { assertEquals, assertThrows } from "@std/assert";
import {
  createDevelopmentCa,
  createDevelopmentCertificate,
} from "../../tls/development_certificate.ts";
import { formatPem } from "../../tls/pem.ts";
import { checkOwnCertificate } from "../../tls/own_certificate.ts";
import { ca, client, issue, pems, server } from "../_support/tls_pki.ts";

const DAY_MS = 86_400_000;

Deno.test("checkOwnCertificate() takes every kind of key", async () => {
  for (const keyType of ["P-256", "P-384", "Ed25519", "RSA"] as const) {
    const own = await issue(["a.test"], { keyType });
    assertEquals(checkOwnCertificate(own, "server").cert, own.cert);
  }
});

Deno.test("checkOwnCertificate() takes a chain, and text around it", () => {
  const cert = `Mine:\r\n${server.cert}\nThe CA's:\n${ca.certificatePem}`;
  assertEquals(checkOwnCertificate({ cert, key: server.key }, "server").chain.length, 2);
});

Deno.test("checkOwnCertificate() throws on the key of another certificate", () => {
  assertThrows(
    () => checkOwnCertificate({ cert: server.cert, key: client.key }, "server"),
    RangeError,
  );
  // The own certificate comes first.
  const cert = ca.certificatePem + server.cert;
  assertThrows(() => checkOwnCertificate({ cert, key: server.key }, "server"), RangeError);
});

Deno.test("checkOwnCertificate() throws on a certificate that is not valid now", async () => {
  for (const time of [Date.now() - 30 * DAY_MS, Date.now() + 30 * DAY_MS]) {
    const of = await createDevelopmentCa({ time });
    const { leaf } = await createDevelopmentCertificate(["a.test"], {
      ca: of,
      time,
      validityDays: 10,
    });
    assertThrows(() => checkOwnCertificate(pems(leaf), "server"), RangeError);
  }
});

Deno.test("checkOwnCertificate() throws on a certificate of the wrong kind", () => {
  assertThrows(() => checkOwnCertificate(pems(ca), "server"), RangeError);
  assertThrows(() => checkOwnCertificate(server, "client"), RangeError);
  checkOwnCertificate(client, "client");
});

const KEY = server.key;
const TEXTS: readonly { name: string; cert?: string; key?: string }[] = [
  { name: "no certificate", cert: "" },
  { name: "a certificate that is cut", cert: server.cert.slice(0, -40) },
  {
    name: "a certificate with a bit that is wrong",
    cert: formatPem("CERTIFICATE", new Uint8Array(9)),
  },
  { name: "a key among the certificates", cert: server.cert + KEY },
  { name: "no key", key: "" },
  { name: "a certificate for a key", key: server.cert },
  { name: "two keys", key: KEY + KEY },
  { name: "a key that is none", key: formatPem("PRIVATE KEY", new Uint8Array(9)) },
  { name: "an encrypted key", key: KEY.replaceAll("PRIVATE KEY", "ENCRYPTED PRIVATE KEY") },
  {
    name: "a key that is encrypted the old way",
    key: "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n" +
      "AAAA\n-----END RSA PRIVATE KEY-----\n",
  },
];

for (const { name, cert = server.cert, key = KEY } of TEXTS) {
  Deno.test(`checkOwnCertificate() throws on ${name}`, () => {
    assertThrows(() => checkOwnCertificate({ cert, key }, "server"), TypeError);
  });
}
