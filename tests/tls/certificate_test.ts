import { assertEquals, assertThrows } from "@std/assert";
import { LimitExceededError, NetError } from "../../nbio/errors.ts";
import { parseCertificate, parseCertificates } from "../../tls/certificate.ts";
import { CertificateError } from "../../tls/certificate_errors.ts";
import type { DerWriter } from "../../tls/der_writer.ts";
import { formatPem } from "../../tls/pem.ts";
import {
  buildCertificate,
  buildWithExtension,
  type BuiltCertificate,
  type BuiltExtension,
  commonName,
  writeExtension,
} from "./certificate_builder.ts";
import { everythingCertificate } from "./certificate_samples.ts";

/** Tests are also run without permissions: then files cannot be read. */
function readIfPresent(path: string | URL): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) {
      return undefined;
    }
    throw error;
  }
}

const codeOf = (der: Uint8Array): string =>
  assertThrows(() => parseCertificate(der), CertificateError).code;

const SKI = "2.5.29.14";

/** Writes a key of an algorithm. */
function keyOf(
  oid: string,
  parameters: (writer: DerWriter) => void,
  bits: Uint8Array | ((writer: DerWriter) => void),
): (writer: DerWriter) => void {
  return (writer) =>
    writer.writeSequence(() => {
      writer.writeSequence(() => {
        writer.writeObjectIdentifier(oid);
        parameters(writer);
      });
      if (typeof bits === "function") bits(writer);
      else writer.writeBitString(bits);
    });
}

const none = (): void => {};
const RSA = "1.2.840.113549.1.1.1";
const EC = "1.2.840.10045.2.1";
const p256 = (writer: DerWriter): void => writer.writeObjectIdentifier("1.2.840.10045.3.1.7");
const point = (length: number, form: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  bytes[0] = form;
  return bytes;
};
/** SEQUENCE { INTEGER modulus, INTEGER exponent } in a handful of bytes. */
const rsaBits = (modulus: number[], exponent: number[]): Uint8Array =>
  new Uint8Array([
    0x30,
    4 + modulus.length + exponent.length,
    2,
    modulus.length,
    ...modulus,
    2,
    exponent.length,
    ...exponent,
  ]);
const nullParameters = (writer: DerWriter): void => writer.writeNull();
const ski: BuiltExtension = {
  oid: SKI,
  value: (writer) => writer.writeOctetString(new Uint8Array(1)),
};

const INVALID: readonly { name: string; built: BuiltCertificate; code: string }[] = [
  { name: "a version 4", built: { version: 4 }, code: "ERR_X509_BAD_CERTIFICATE" },
  { name: "a negative version", built: { version: 0 }, code: "ERR_X509_BAD_DER" },
  {
    name: "unique identifiers in version 1",
    built: {
      version: 1,
      uniqueIds: (writer) => writer.writeContextPrimitive(1, new Uint8Array(1)),
    },
    code: "ERR_X509_BAD_DER",
  },
  {
    name: "extensions in version 2",
    built: { version: 2, extensions: [ski] },
    code: "ERR_X509_BAD_DER",
  },
  {
    name: "extensions in version 1",
    built: { version: 1, extensions: [ski] },
    code: "ERR_X509_BAD_DER",
  },
  {
    name: "unique identifiers in the wrong order",
    built: {
      uniqueIds: (writer) => {
        writer.writeContextPrimitive(2, new Uint8Array(1));
        writer.writeContextPrimitive(1, new Uint8Array(1));
      },
    },
    code: "ERR_X509_BAD_DER",
  },
  {
    name: "an empty list of extensions",
    built: { rawExtensions: (writer) => writer.writeContext(3, () => writer.writeSequence(none)) },
    code: "ERR_X509_BAD_DER",
  },
  {
    name: "something behind the extensions",
    built: {
      rawExtensions: (writer) =>
        writer.writeContext(3, () => {
          writer.writeSequence(() => writeExtension(writer, ski));
          writer.writeNull();
        }),
    },
    code: "ERR_X509_BAD_DER",
  },
  {
    name: "a criticality that is an encoded default",
    built: {
      rawExtensions: (writer) =>
        writer.writeContext(3, () =>
          writer.writeSequence(() =>
            writer.writeSequence(() => {
              writer.writeObjectIdentifier(SKI);
              writer.writeBoolean(false);
              writer.writeOctetString(new Uint8Array([4, 0]));
            })
          )),
    },
    code: "ERR_X509_BAD_DER",
  },
  {
    name: "an extension twice",
    built: { extensions: [ski, ski] },
    code: "ERR_X509_DUPLICATE_EXTENSION",
  },
  {
    name: "an unknown extension twice",
    built: { extensions: [1, 2].map(() => ({ oid: "1.2.3", value: nullParameters })) },
    code: "ERR_X509_DUPLICATE_EXTENSION",
  },
  {
    name: "two signature algorithms",
    built: { outerAlgorithm: "1.3.101.113" },
    code: "ERR_X509_BAD_CERTIFICATE",
  },
  {
    name: "a signature with unused bits",
    built: { signature: (writer) => writer.writeBitString(new Uint8Array(2), 3) },
    code: "ERR_X509_BAD_CERTIFICATE",
  },
  {
    name: "a validity of one time",
    built: { validity: (writer) => writer.writeSequence(() => writer.writeTime(0)) },
    code: "ERR_X509_BAD_DER",
  },
  {
    name: "a validity of texts",
    built: { validity: (writer) => writer.writeSequence(() => writer.writeUtf8String("now")) },
    code: "ERR_X509_BAD_TIME",
  },
  {
    name: "a key with unused bits",
    built: {
      publicKey: keyOf("1.2.3", none, (writer) => writer.writeBitString(new Uint8Array(2), 1)),
    },
    code: "ERR_X509_BAD_PUBLIC_KEY",
  },
  {
    name: "an RSA key without NULL",
    built: { publicKey: keyOf(RSA, none, rsaBits([3], [3])) },
    code: "ERR_X509_BAD_PUBLIC_KEY",
  },
  {
    name: "an RSA key with a negative modulus",
    built: { publicKey: keyOf(RSA, nullParameters, rsaBits([0x80], [3])) },
    code: "ERR_X509_BAD_PUBLIC_KEY",
  },
  {
    name: "an RSA key with an exponent of zero",
    built: { publicKey: keyOf(RSA, nullParameters, rsaBits([3], [0])) },
    code: "ERR_X509_BAD_PUBLIC_KEY",
  },
  {
    name: "an RSA key that is no DER",
    built: { publicKey: keyOf(RSA, nullParameters, new Uint8Array(9)) },
    code: "ERR_X509_BAD_PUBLIC_KEY",
  },
  {
    name: "an RSA key with something behind it",
    built: {
      publicKey: keyOf(RSA, nullParameters, new Uint8Array([...rsaBits([3], [3]), 5, 0])),
    },
    code: "ERR_X509_BAD_PUBLIC_KEY",
  },
  {
    name: "an elliptic key without a curve",
    built: { publicKey: keyOf(EC, none, point(65, 4)) },
    code: "ERR_X509_BAD_PUBLIC_KEY",
  },
  {
    name: "an elliptic key with spelled-out parameters",
    built: { publicKey: keyOf(EC, (writer) => writer.writeSequence(none), point(65, 4)) },
    code: "ERR_X509_BAD_PUBLIC_KEY",
  },
  ...[[64, 4], [66, 4], [33, 4], [65, 2], [65, 6], [1, 0]].map(([length, form]) => ({
    name: `a point of P-256 with ${length} bytes and form ${form}`,
    built: { publicKey: keyOf(EC, p256, point(length!, form!)) },
    code: "ERR_X509_BAD_PUBLIC_KEY",
  })),
  {
    name: "a key of Ed25519 that is too short",
    built: { publicKey: keyOf("1.3.101.112", none, new Uint8Array(31)) },
    code: "ERR_X509_BAD_PUBLIC_KEY",
  },
  {
    name: "a key of Ed25519 with parameters",
    built: { publicKey: keyOf("1.3.101.112", nullParameters, new Uint8Array(32)) },
    code: "ERR_X509_BAD_PUBLIC_KEY",
  },
];

for (const { name, built, code } of INVALID) {
  Deno.test(`parseCertificate() throws on ${name}`, () => {
    assertEquals(codeOf(buildCertificate(built)), code);
  });
}

Deno.test("parseCertificate() throws on an encoded version 1", () => {
  const der = buildCertificate({ version: 2 });
  const at = der.findIndex((byte, index) => byte === 0xa0 && der[index + 2] === 2);
  der[at + 4] = 0;
  assertEquals(codeOf(der), "ERR_X509_BAD_CERTIFICATE");
});

Deno.test("parseCertificate() reads every part", () => {
  const der = everythingCertificate();
  const certificate = parseCertificate(der);
  assertEquals(certificate.raw, der);
  assertEquals(certificate.tbs[0], 0x30);
  assertEquals(certificate.version, 3);
  assertEquals(certificate.serialHex, "01");
  assertEquals(certificate.signatureAlgorithm, {
    oid: "1.3.101.112",
    name: "ED25519",
    parameters: undefined,
  });
  assertEquals(certificate.signature, new Uint8Array(64));
  assertEquals(certificate.issuer.toString(), "CN=issuer");
  assertEquals(certificate.subject.toString(), "CN=second,CN=subject");
  assertEquals([certificate.notBefore, certificate.notAfter], [
    1_735_689_600_000,
    1_767_225_600_000,
  ]);
  assertEquals(certificate.subjectPublicKeyInfo.publicKey, new Uint8Array(32).fill(7));
  assertEquals(certificate.extensions.length, 18);
  assertEquals(certificate.extensions.at(-1)?.oid, "1.2.3.4.5");
  assertEquals(certificate.isSelfIssued, false);
});

Deno.test("parseCertificate() keeps the exact bytes of what is signed", () => {
  const { raw, tbs } = parseCertificate(everythingCertificate());
  assertEquals(raw.subarray(4, 4 + tbs.length), tbs);
  assertEquals(tbs.buffer, raw.buffer);
});

Deno.test("parseCertificate() copies its input", () => {
  const der = buildCertificate();
  const certificate = parseCertificate(der);
  der.fill(0);
  assertEquals(certificate.subject.toString(), "CN=test");
  assertEquals(certificate.serialHex, "01");
});

Deno.test("parseCertificate() reads a view into a larger buffer", () => {
  const der = buildCertificate();
  const larger = new Uint8Array(der.length + 20);
  larger.set(der, 10);
  assertEquals(parseCertificate(larger.subarray(10, 10 + der.length)).raw, der);
});

for (const version of [1, 2, 3] as const) {
  Deno.test(`parseCertificate() reads version ${version} without extensions`, () => {
    const certificate = parseCertificate(buildCertificate({ version }));
    assertEquals([certificate.version, certificate.extensions], [version, []]);
    assertEquals(certificate.subjectAltName, undefined);
  });
}

Deno.test("parseCertificate() passes over unique identifiers of version 2", () => {
  const certificate = parseCertificate(buildCertificate({
    version: 2,
    uniqueIds: (writer) => {
      writer.writeContextPrimitive(1, new Uint8Array([0, 1]));
      writer.writeContextPrimitive(2, new Uint8Array([0, 2]));
    },
  }));
  assertEquals(certificate.version, 2);
});

for (
  const { name, serialNumber, hex } of [
    { name: "zero", serialNumber: 0, hex: "00" },
    { name: "negative", serialNumber: -1, hex: "ff" },
    { name: "long", serialNumber: new Uint8Array(40).fill(1), hex: "01".repeat(40) },
  ]
) {
  Deno.test(`parseCertificate() reads a serial number that is ${name}`, () => {
    assertEquals(parseCertificate(buildCertificate({ serialNumber })).serialHex, hex);
  });
}

Deno.test("parseCertificate() reads keys of every kind", () => {
  const read = (publicKey: (writer: DerWriter) => void) =>
    parseCertificate(buildCertificate({ publicKey })).subjectPublicKeyInfo;
  const rsa = read(keyOf(RSA, nullParameters, rsaBits([0, 0xc1, 1], [1, 0, 1])));
  assertEquals([rsa.modulusBits, rsa.publicExponent], [16, new Uint8Array([1, 0, 1])]);
  assertEquals(read(keyOf(RSA, nullParameters, rsaBits([1], [3]))).modulusBits, 1);
  assertEquals(read(keyOf(EC, p256, point(65, 4))).namedCurve, "P-256");
  assertEquals(read(keyOf(EC, p256, point(33, 3))).namedCurve, "P-256");
  const unknown = (writer: DerWriter): void => writer.writeObjectIdentifier("1.3.132.0.10");
  assertEquals(read(keyOf(EC, unknown, point(5, 4))).namedCurve, "secp256k1");
  assertEquals(read(keyOf("1.2.3", none, new Uint8Array(3))).namedCurve, undefined);
});

Deno.test("Certificate.isSelfIssued compares names, not their spelling", () => {
  const subject = commonName("  TEST ");
  assertEquals(parseCertificate(buildCertificate({ subject })).isSelfIssued, true);
  assertEquals(parseCertificate(buildCertificate()).isSelfIssued, true);
  const other = commonName("other");
  assertEquals(parseCertificate(buildCertificate({ subject: other })).isSelfIssued, false);
});

Deno.test("parseCertificate() throws on anything behind the certificate", () => {
  const der = buildCertificate();
  const longer = new Uint8Array(der.length + 1);
  longer.set(der);
  assertEquals(codeOf(longer), "ERR_X509_BAD_DER");
});

Deno.test("parseCertificate() throws on every strict prefix", () => {
  const der = everythingCertificate();
  for (let length = 0; length < der.length; length++) {
    assertEquals(codeOf(der.subarray(0, length)), "ERR_X509_BAD_DER");
  }
});

Deno.test("parseCertificate() gives a certificate or a documented error for every spoilt byte", () => {
  const der = everythingCertificate();
  for (let i = 0; i < der.length; i++) {
    for (const change of [1, 0x20, 0x80, 0xff]) {
      const spoilt = der.slice();
      spoilt[i]! ^= change;
      try {
        parseCertificate(spoilt);
      } catch (error) {
        if (!(error instanceof NetError)) throw error;
      }
    }
  }
});

Deno.test("parseCertificate() takes at most one step for two bytes", () => {
  for (const count of [100, 1_000, 10_000]) {
    const { stepCount, raw } = parseCertificate(
      buildWithExtension("2.5.29.17", (writer) =>
        writer.writeSequence(() => {
          for (let i = 0; i < count; i++) writer.writeContextPrimitive(2, new Uint8Array());
        })),
    );
    assertEquals(stepCount * 2 <= raw.length, true);
  }
});

Deno.test("parseCertificate() holds its bounds", () => {
  const der = everythingCertificate();
  const maxCertificateBytes = der.length;
  assertEquals(parseCertificate(der, { maxCertificateBytes }).raw, der);
  assertEquals(parseCertificate(der, { maxExtensionCount: 18 }).extensions.length, 18);
  const limits = [{ maxCertificateBytes: der.length - 1 }, { maxExtensionCount: 17 }];
  for (const options of limits) {
    const error = assertThrows(() => parseCertificate(der, options), LimitExceededError);
    assertEquals([error.limit, error.max], Object.entries(options)[0]);
  }
});

for (const value of [0, -1, 1.5, NaN, 2 ** 24 + 1]) {
  Deno.test(`parseCertificate() throws on options of ${value}`, () => {
    const der = buildCertificate();
    assertThrows(() => parseCertificate(der, { maxCertificateBytes: value }), RangeError);
    assertThrows(() => parseCertificate(der, { maxExtensionCount: value }), RangeError);
    assertThrows(() => parseCertificates("", { maxCertificateCount: value }), RangeError);
  });
}

Deno.test("parseCertificates() reads all certificates and passes over the rest", () => {
  const [first, second] = [1, 2].map((serialNumber) => buildCertificate({ serialNumber }));
  const pem = [
    "a word",
    formatPem("CERTIFICATE", first!),
    formatPem("EC PRIVATE KEY", new Uint8Array([1])),
    formatPem("CERTIFICATE", second!),
  ].join("\n");
  assertEquals(parseCertificates(pem).map(({ serialHex }) => serialHex), ["01", "02"]);
  assertEquals(parseCertificates(""), []);
  assertEquals(parseCertificates(pem, { maxCertificateCount: 2 }).length, 2);
  const error = assertThrows(
    () => parseCertificates(pem, { maxCertificateCount: 1 }),
    LimitExceededError,
  );
  assertEquals(error.limit, "maxCertificateCount");
});

Deno.test("parseCertificates() throws on a certificate that is none", () => {
  const pem = formatPem("CERTIFICATE", new Uint8Array([0x30, 0]));
  assertEquals(
    assertThrows(() => parseCertificates(pem), CertificateError).code,
    "ERR_X509_BAD_DER",
  );
});

const roots = readIfPresent("/etc/ssl/certs/ca-certificates.crt");

Deno.test({
  name: "parseCertificates() reads the roots of the system (where they are readable)",
  ignore: roots === undefined,
  fn() {
    const certificates = parseCertificates(roots!);
    assertEquals(certificates.length, roots!.split("-----BEGIN CERTIFICATE-----").length - 1);
    assertEquals(certificates.every(({ isSelfIssued }) => isSelfIssued), true);
  },
});
