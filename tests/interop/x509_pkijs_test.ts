import { createDevelopmentCa, createDevelopmentCertificate } from "@nbio/net/tls";
import { type Certificate, type GeneralName, parseCertificate } from "@nbio/net/tls/x509";
import { decodeBase64 } from "@std/encoding";
import { assert, assertEquals } from "@std/assert";
import { createRequire } from "node:module";
import { NetError } from "@nbio/net/nbio";
import { npmPeer } from "../_support/peer.ts";
import { loadVectors } from "../_support/vectors.ts";

const folder = npmPeer("pkijs");
const vectors = loadVectors<{ cases: { id: string; der: string }[] }>("tls-parse");

/** As much of a PKI.js certificate as is read here. */
interface Theirs {
  readonly version: number;
  readonly serialNumber: { readonly valueBlock: { readonly valueHexView: Uint8Array } };
  readonly issuer: { readonly valueBeforeDecode: ArrayBuffer };
  readonly subject: { readonly valueBeforeDecode: ArrayBuffer };
  readonly notBefore: { readonly value: Date };
  readonly notAfter: { readonly value: Date };
  readonly tbsView: Uint8Array;
  readonly subjectPublicKeyInfo: {
    readonly algorithm: { readonly algorithmId: string };
    readonly subjectPublicKey: { readonly valueBlock: { readonly valueHexView: Uint8Array } };
  };
  readonly signatureAlgorithm: { readonly algorithmId: string };
  readonly signatureValue: { readonly valueBlock: { readonly valueHexView: Uint8Array } };
  readonly extensions?: readonly {
    readonly extnID: string;
    readonly critical: boolean;
    readonly extnValue: { readonly valueBlock: { readonly valueHexView: Uint8Array } };
    readonly parsedValue?: {
      readonly altNames?: readonly { readonly type: number; readonly value: unknown }[];
    };
  }[];
}

interface PkiJs {
  readonly Certificate: { fromBER(der: Uint8Array): Theirs };
  readonly CertificateChainValidationEngine: new (options: {
    trustedCerts: Theirs[];
    certs: Theirs[];
    checkDate: Date;
  }) => { verify(): Promise<{ readonly result: boolean }> };
  readonly CryptoEngine: new (options: { name: string; crypto: Crypto }) => unknown;
  setEngine(name: string, engine: unknown): void;
}

function loadPkiJs(): PkiJs {
  const pkijs: PkiJs = createRequire(`${folder}/`)(folder!);
  pkijs.setEngine("deno", new pkijs.CryptoEngine({ name: "deno", crypto }));
  return pkijs;
}

const bytesOf = (buffer: ArrayBuffer | Uint8Array): string => new Uint8Array(buffer).toHex();

/** What both read; bytes as digits. */
function readTheirs(certificate: Theirs) {
  const { subjectPublicKeyInfo: key, extensions = [] } = certificate;
  return {
    version: certificate.version + 1,
    serial: bytesOf(certificate.serialNumber.valueBlock.valueHexView),
    issuer: bytesOf(certificate.issuer.valueBeforeDecode),
    subject: bytesOf(certificate.subject.valueBeforeDecode),
    notBefore: certificate.notBefore.value.getTime(),
    notAfter: certificate.notAfter.value.getTime(),
    tbs: bytesOf(certificate.tbsView),
    algorithm: certificate.signatureAlgorithm.algorithmId,
    signature: bytesOf(certificate.signatureValue.valueBlock.valueHexView),
    keyAlgorithm: key.algorithm.algorithmId,
    key: bytesOf(key.subjectPublicKey.valueBlock.valueHexView),
    extensions: extensions.map(({ extnID, critical, extnValue }) => [
      extnID,
      critical,
      bytesOf(extnValue.valueBlock.valueHexView),
    ]),
    names: extensions.find(({ extnID }) => extnID === "2.5.29.17")?.parsedValue?.altNames
      ?.map(({ type, value }) => [type, typeof value === "string" ? value : ""]),
  };
}

/** They take the years 0 to 99 for those of the twentieth century, as `Date.UTC` does. */
function toTheirTime(ms: number): number {
  const time = new Date(ms);
  const year = time.getUTCFullYear();
  return year < 100 ? time.setUTCFullYear(1900 + year) : ms;
}

const NAME_TYPES: Readonly<Record<GeneralName["type"], number>> = {
  other: 0,
  email: 1,
  dns: 2,
  x400: 3,
  directory: 4,
  ediParty: 5,
  uri: 6,
  ip: 7,
  registeredId: 8,
};

function readOurs(certificate: Certificate): ReturnType<typeof readTheirs> {
  const { subjectPublicKeyInfo: key, signatureAlgorithm, subjectAltName } = certificate;
  return {
    version: certificate.version,
    serial: certificate.serialHex,
    issuer: bytesOf(certificate.issuer.raw),
    subject: bytesOf(certificate.subject.raw),
    notBefore: toTheirTime(certificate.notBefore),
    notAfter: toTheirTime(certificate.notAfter),
    tbs: bytesOf(certificate.tbs),
    algorithm: signatureAlgorithm.oid,
    signature: bytesOf(certificate.signature),
    keyAlgorithm: key.algorithm.oid,
    key: bytesOf(key.publicKey),
    extensions: certificate.extensions.map(({ oid, critical, value }) => [
      oid,
      critical,
      bytesOf(value),
    ]),
    names: subjectAltName?.map((name) => [
      NAME_TYPES[name.type],
      "value" in name && typeof name.value === "string" ? name.value : "",
    ]),
  };
}

Deno.test({
  name: "parseCertificate() reads what PKI.js reads",
  ignore: folder === undefined || vectors === undefined,
  fn() {
    const pkijs = loadPkiJs();
    let count = 0;
    for (const { id, der } of vectors!.cases) {
      const bytes = decodeBase64(der);
      let ours: Certificate;
      let theirs: Theirs;
      try {
        ours = parseCertificate(bytes);
      } catch (error) {
        // What is refused, and why, is the business of the test of these vectors.
        if (!(error instanceof NetError)) throw error;
        continue;
      }
      try {
        theirs = pkijs.Certificate.fromBER(bytes);
      } catch {
        continue;
      }
      assertEquals({ id, ...readOurs(ours) }, { id, ...readTheirs(theirs) });
      count++;
    }
    assert(count > 300, `${count} were compared`);
  },
});

for (const keyType of ["P-256", "P-384", "RSA"] as const) {
  Deno.test({
    name: `PKI.js verifies what createDevelopmentCertificate() makes of ${keyType}`,
    ignore: folder === undefined,
    async fn() {
      const pkijs = loadPkiJs();
      const { leaf, ca } = await createDevelopmentCertificate(["a.test", "::1"], { keyType });
      const other = await createDevelopmentCa({ keyType });
      const verify = (root: Certificate): Promise<{ readonly result: boolean }> =>
        new pkijs.CertificateChainValidationEngine({
          trustedCerts: [pkijs.Certificate.fromBER(root.raw)],
          certs: [pkijs.Certificate.fromBER(leaf.certificate.raw)],
          checkDate: new Date(),
        }).verify();
      assertEquals((await verify(ca.certificate)).result, true);
      assertEquals((await verify(other.certificate)).result, false);
    },
  });
}
