import { assertEquals, assertThrows } from "@std/assert";
import { type Certificate, parseCertificate } from "../../tls/certificate.ts";
import { CertificateError } from "../../tls/certificate_errors.ts";
import { decodeExtension } from "../../tls/certificate_extension_decoder.ts";
import { DerReader } from "../../tls/der_reader.ts";
import type { DerWriter } from "../../tls/der_writer.ts";
import { buildWithExtension } from "./certificate_builder.ts";
import { everythingCertificate, timestampList } from "./certificate_samples.ts";

const everything: Certificate = parseCertificate(everythingCertificate());

const readWith = (oid: string, hex: string): Certificate =>
  parseCertificate(
    buildWithExtension(oid, (writer: DerWriter) => writer.writeRaw(Uint8Array.fromHex(hex))),
  );

Deno.test("Certificate decodes every extension", () => {
  assertEquals(everything.basicConstraints, { ca: true, pathLength: 3 });
  assertEquals(Object.values(everything.keyUsage!), new Array(9).fill(true));
  assertEquals(everything.extendedKeyUsage, ["1.3.6.1.5.5.7.3.1"]);
  assertEquals(everything.subjectKeyIdentifier, new Uint8Array([1, 2, 3]));
  assertEquals(everything.policyMappings, [
    { issuerDomainPolicy: "1.2.3", subjectDomainPolicy: "1.2.5" },
  ]);
  assertEquals(everything.policyConstraints, { requireExplicitPolicy: 1, inhibitPolicyMapping: 2 });
  assertEquals(everything.inhibitAnyPolicy, 4);
  assertEquals(everything.authorityInfoAccess, [
    { method: "1.3.6.1.5.5.7.48.1", location: { type: "uri", value: "http://ocsp.example.com" } },
    {
      method: "1.3.6.1.5.5.7.48.2",
      location: { type: "uri", value: "http://ca.example.com/ca.cer" },
    },
  ]);
  assertEquals(everything.subjectInfoAccess, everything.authorityInfoAccess);
  assertEquals(everything.nameConstraints, {
    permitted: [{ base: { type: "dns", value: "example.com" } }],
    excluded: [{ base: { type: "ip", value: new Uint8Array([192, 0, 2, 0, 255, 255, 255, 0]) } }],
  });
});

Deno.test("Certificate decodes names of every kind", () => {
  const names = everything.subjectAltName!;
  assertEquals(names.map(({ type }) => type), [
    "other",
    "email",
    "dns",
    "x400",
    "directory",
    "ediParty",
    "uri",
    "ip",
    "ip",
    "registeredId",
  ]);
  const [other, email, , , directory] = names;
  assertEquals(other?.type === "other" && [other.oid, other.value[0]], [
    "1.3.6.1.4.1.311.20.2.3",
    0x0c,
  ]);
  assertEquals(email, { type: "email", value: "user@example.com" });
  assertEquals(directory?.type === "directory" && `${directory.value}`, "CN=directory");
  assertEquals(names.at(-1), { type: "registeredId", value: "1.2.3" });
  assertEquals(everything.issuerAltName?.length, names.length);
});

Deno.test("Certificate decodes the key of the authority", () => {
  const { keyIdentifier, authorityCertIssuer, authorityCertSerialNumber } = everything
    .authorityKeyIdentifier!;
  assertEquals(keyIdentifier, new Uint8Array([1, 2, 3]));
  assertEquals(authorityCertIssuer?.[0]?.type, "directory");
  assertEquals(authorityCertSerialNumber, new Uint8Array([0x7f]));
});

Deno.test("Certificate decodes policies and their qualifiers", () => {
  const [any, policy] = everything.certificatePolicies!;
  assertEquals(any, { oid: "2.5.29.32.0", qualifiers: [] });
  const [cps, notice, unknown] = policy!.qualifiers;
  assertEquals(cps?.cpsUri, "https://example.com");
  assertEquals(notice?.explicitText, "Read this");
  assertEquals([unknown?.oid, unknown?.raw], ["1.2.4", new Uint8Array([5, 0])]);
});

Deno.test("Certificate decodes distribution points", () => {
  const [full, relative] = everything.crlDistributionPoints!;
  assertEquals(full, {
    fullName: [{ type: "uri", value: "http://a/" }],
    reasons: ["keyCompromise"],
  });
  assertEquals(relative?.nameRelativeToCrlIssuer?.[0]?.value, "relative");
  assertEquals(relative?.crlIssuer?.[0]?.type, "directory");
  assertEquals(everything.freshestCrl?.length, 2);
});

Deno.test("Certificate decodes timestamps of logs and leaves out other versions", () => {
  const [timestamp, ...rest] = everything.signedCertificateTimestamps!;
  assertEquals(rest, []);
  assertEquals(timestamp, {
    version: 1,
    logId: new Uint8Array(32).fill(9),
    timestamp: 0x194_0000_0001,
    extensions: new Uint8Array(),
    hashAlgorithm: 4,
    signatureAlgorithm: 3,
    signature: new Uint8Array([0xaa, 0xbb]),
  });
});

Deno.test("Certificate decodes small and missing values", () => {
  assertEquals(readWith("2.5.29.19", "3000").basicConstraints, { ca: false });
  assertEquals(readWith("2.5.29.19", "30030101ff").basicConstraints, { ca: true });
  assertEquals(readWith("2.5.29.19", "30060101ff020100").basicConstraints?.pathLength, 0);
  assertEquals(readWith("2.5.29.35", "3000").authorityKeyIdentifier, {});
  assertEquals(readWith("2.5.29.36", "3003800100").policyConstraints, {
    requireExplicitPolicy: 0,
  });
  assertEquals(readWith("2.5.29.36", "3003810100").policyConstraints, { inhibitPolicyMapping: 0 });
  assertEquals(readWith("2.5.29.17", "30028200").subjectAltName, [{ type: "dns", value: "" }]);
  assertEquals(everything.extensions.at(-1)?.value[0], 0x0c);
});

Deno.test("Certificate reads a key usage with zeros behind its last bit, which roots have", () => {
  assertEquals(readWith("2.5.29.15", "03020106").keyUsage?.keyCertSign, true);
  assertEquals(readWith("2.5.29.15", "03020006").keyUsage?.cRLSign, true);
  assertEquals(readWith("2.5.29.15", "0303070080").keyUsage?.decipherOnly, true);
});

const SAN = "2.5.29.17";
const list = timestampList();
const octets = (bytes: Uint8Array): string =>
  `04${bytes.length.toString(16).padStart(2, "0")}${bytes.toHex()}`;
const changed = (index: number, value: number): Uint8Array => list.with(index, value);

const INVALID: readonly (readonly [name: string, oid: string, hex: string])[] = [
  ["an empty list of names", SAN, "3000"],
  ["something behind the names", SAN, "300282000500"],
  ["a name of no kind", SAN, "30028900"],
  ["a name that is constructed", SAN, "3004a2028200"],
  ["a name with a high byte", SAN, "30038201e9"],
  ["an address of 3 bytes", SAN, "30058703010203"],
  ["an address of 5 bytes", SAN, "300787050102030405"],
  ["an address with a mask", SAN, "300a87080102030405060708"],
  ["an empty address", SAN, "30028700"],
  ["an empty registered identifier", SAN, "30028800"],
  ["another name without a value", SAN, "3006a00406022a03"],
  ["a directory name without its own tag", SAN, "3004a4023100"],
  ["a path length without a CA", "2.5.29.19", "3003020100"],
  ["an encoded default", "2.5.29.19", "3003010100"],
  ["a negative path length", "2.5.29.19", "30060101ff0201ff"],
  ["a path length of 2^31", "2.5.29.19", "300a0101ff02050080000000"],
  ["basic constraints with more", "2.5.29.19", "30050101ff0500"],
  ["no bit of a key usage", "2.5.29.15", "030100"],
  ["zeros of a key usage", "2.5.29.15", "03020000"],
  ["a tenth bit of a key usage", "2.5.29.15", "0303068040"],
  ["three bytes of a key usage", "2.5.29.15", "030400800000"],
  ["no purpose", "2.5.29.37", "3000"],
  ["a key identifier that is none", "2.5.29.14", "0500"],
  ["an issuer without a serial number", "2.5.29.35", "3006a104820161"],
  ["a serial number without an issuer", "2.5.29.35", "3003820101"],
  ["an authority in the wrong order", "2.5.29.35", "3006820101800101"],
  ["empty name constraints", "2.5.29.30", "3000"],
  ["an empty list of trees", "2.5.29.30", "3002a000"],
  ["an encoded minimum of zero", "2.5.29.30", "3009a00730058200800100"],
  ["a maximum", "2.5.29.30", "3009a00730058200810105"],
  ["an address without a mask", "2.5.29.30", "300aa0083006870401020304"],
  ["no policy", "2.5.29.32", "3000"],
  ["a policy twice", "2.5.29.32", "300c300406022a03300406022a03"],
  ["an empty list of qualifiers", "2.5.29.32", "3008300606022a033000"],
  ["no mapping", "2.5.29.33", "3000"],
  ["empty policy constraints", "2.5.29.36", "3000"],
  ["a negative number of certificates", "2.5.29.54", "0201ff"],
  ["no distribution point", "2.5.29.31", "3000"],
  ["a distribution point that names nothing", "2.5.29.31", "30023000"],
  ["a distribution point of reasons", "2.5.29.31", "3006300481020640"],
  ["no access", "1.3.6.1.5.5.7.1.1", "3000"],
  ...([
    ["of no bytes", new Uint8Array()],
    ["without one", new Uint8Array(2)],
    ["with another length", changed(1, list[1]! + 1)],
    ["with an empty timestamp", new Uint8Array([0, 2, 0, 0])],
    ["with a timestamp that is cut off", new Uint8Array([0, 3, 0, 2, 0])],
    ["with half a length", new Uint8Array([0, 1, 0])],
    ["with a short timestamp", new Uint8Array([0, 4, 0, 2, 0, 0])],
    ["with extensions that overrun", changed(46, 9)],
    ["with a signature of another length", changed(50, 3)],
    ["of the far future", changed(37, 0xff)],
  ] as const).map(([name, bytes]): readonly [string, string, string] => [
    `timestamps ${name}`,
    "1.3.6.1.4.1.11129.2.4.2",
    octets(bytes),
  ]),
];

for (const [name, oid, hex] of INVALID) {
  Deno.test(`parseCertificate() throws on ${name}`, () => {
    const error = assertThrows(() => readWith(oid, hex), CertificateError);
    assertEquals(error.code, "ERR_X509_BAD_EXTENSION");
    assertEquals(error.cause instanceof CertificateError, true);
  });
}

Deno.test("decodeExtension() passes on what is no fault of the certificate", () => {
  const reader = new DerReader(new Uint8Array([0x30, 0]));
  assertThrows(() => decodeExtension("2.5.29.19", reader, Object.freeze({})), TypeError);
});
