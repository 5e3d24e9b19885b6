import { assertEquals, assertThrows } from "@std/assert";
import type { AlgorithmIdentifier } from "../../tls/algorithm_identifier.ts";
import { CertificateVerificationError } from "../../tls/certificate_verification_error.ts";
import { DerReader } from "../../tls/der_reader.ts";
import { DerWriter } from "../../tls/der_writer.ts";
import {
  checkPublicKey,
  decodeEcdsaSignature,
  encodeRsaPublicKeyInfo,
  signatureSchemeOf,
} from "../../tls/signature_algorithm.ts";
import {
  readSubjectPublicKeyInfo,
  type SubjectPublicKeyInfo,
} from "../../tls/subject_public_key_info.ts";

const OID = {
  rsa: "1.2.840.113549.1.1.1",
  rsaPss: "1.2.840.113549.1.1.10",
  rsaSha1: "1.2.840.113549.1.1.5",
  rsaSha256: "1.2.840.113549.1.1.11",
  mgf1: "1.2.840.113549.1.1.8",
  sha1: "1.3.14.3.2.26",
  sha256: "2.16.840.1.101.3.4.2.1",
  sha384: "2.16.840.1.101.3.4.2.2",
  sha512: "2.16.840.1.101.3.4.2.3",
  ecdsaSha256: "1.2.840.10045.4.3.2",
  ecdsaSha512: "1.2.840.10045.4.3.4",
  ed25519: "1.3.101.112",
} as const;
const NULL = new Uint8Array([5, 0]);

function der(write: (writer: DerWriter) => void): Uint8Array<ArrayBuffer> {
  const writer = new DerWriter();
  write(writer);
  return writer.finish();
}

function algorithm(oid: string, parameters?: Uint8Array<ArrayBuffer>): AlgorithmIdentifier {
  return { oid, name: undefined, parameters };
}

function rsaKey(
  bits: number,
  exponent = 65_537,
  { oid, parameters }: AlgorithmIdentifier = algorithm(OID.rsa, NULL),
): SubjectPublicKeyInfo {
  const modulus = new Uint8Array(Math.ceil(bits / 8) + 1).fill(0xff);
  modulus[0] = 0;
  modulus[1] = 0xff >> (modulus.length - 1) * 8 - bits;
  return readSubjectPublicKeyInfo(
    new DerReader(der((writer) =>
      writer.writeSequence(() => {
        writer.writeSequence(() => {
          writer.writeObjectIdentifier(oid);
          if (parameters !== undefined) writer.writeRaw(parameters);
        });
        writer.writeBitString(der((inner) =>
          inner.writeSequence(() => {
            inner.writeInteger(modulus[1]! < 0x80 ? modulus.subarray(1) : modulus);
            inner.writeInteger(exponent);
          })
        ));
      })
    )),
  );
}

function key(
  oid: string,
  publicKey: Uint8Array<ArrayBuffer>,
  namedCurve?: string,
): SubjectPublicKeyInfo {
  const base = { raw: new Uint8Array(), algorithm: algorithm(oid), publicKey };
  return namedCurve === undefined ? base : { ...base, namedCurve };
}

const EC = "1.2.840.10045.2.1";
const P256 = key(EC, new Uint8Array(65).fill(4), "P-256");
const ED25519 = key(OID.ed25519, new Uint8Array(32));

function codeOf(action: () => unknown): string {
  return assertThrows(action, CertificateVerificationError).code;
}

Deno.test("checkPublicKey() takes RSA from 2,048 to 8,192 bits, three curves and Ed25519", () => {
  for (const bits of [2_048, 2_056, 3_072, 4_096, 8_192]) checkPublicKey(rsaKey(bits));
  for (const exponent of [3, 65_537, 2 ** 32 - 1]) checkPublicKey(rsaKey(2_048, exponent));
  for (const curve of ["P-256", "P-384", "P-521"]) {
    checkPublicKey(key(EC, new Uint8Array([4]), curve));
  }
  checkPublicKey(ED25519);
});

const BAD_KEYS: readonly (readonly [string, SubjectPublicKeyInfo, string])[] = [
  ["RSA of 1,024 bits", rsaKey(1_024), "WEAK"],
  ["RSA of 2,047 bits", rsaKey(2_047), "WEAK"],
  ["RSA of 2,049 bits", rsaKey(2_049), "WEAK"],
  ["RSA of 8,200 bits", rsaKey(8_200), "UNSUPPORTED"],
  ["an exponent of 1", rsaKey(2_048, 1), "WEAK"],
  ["an even exponent", rsaKey(2_048, 4), "WEAK"],
  ["an exponent of 33 bits", rsaKey(2_048, 2 ** 32 + 1), "UNSUPPORTED"],
  ["another curve", key(EC, new Uint8Array([4]), "secp256k1"), "UNSUPPORTED"],
  ["a compressed point", key(EC, new Uint8Array([2]), "P-256"), "UNSUPPORTED"],
  ["Ed448", key("1.3.101.113", new Uint8Array(57)), "UNSUPPORTED"],
  ["X25519", key("1.3.101.110", new Uint8Array(32)), "UNSUPPORTED"],
  ["DSA", key("1.2.840.10040.4.1", new Uint8Array(9)), "UNSUPPORTED"],
];

for (const [name, spki, code] of BAD_KEYS) {
  Deno.test(`checkPublicKey() throws on ${name}`, () => {
    assertEquals(codeOf(() => checkPublicKey(spki)), `ERR_X509_${code}_KEY`);
  });
}

/** RSASSA-PSS-params; `undefined` leaves a part out. */
function pss(
  hash: string | undefined,
  mgfHash: string | undefined,
  salt: number | undefined,
  { trailer = false, withNull = true, mgf = OID.mgf1 as string } = {},
): Uint8Array<ArrayBuffer> {
  return der((writer) => {
    const writeAlgorithm = (oid: string): void =>
      writer.writeSequence(() => {
        writer.writeObjectIdentifier(oid);
        if (withNull) writer.writeNull();
      });
    writer.writeSequence(() => {
      if (hash !== undefined) writer.writeContext(0, () => writeAlgorithm(hash));
      if (mgfHash !== undefined) {
        writer.writeContext(1, () =>
          writer.writeSequence(() => {
            writer.writeObjectIdentifier(mgf);
            writeAlgorithm(mgfHash);
          }));
      }
      if (salt !== undefined) writer.writeContext(2, () => writer.writeInteger(salt));
      if (trailer) writer.writeContext(3, () => writer.writeInteger(1));
    });
  });
}

const PSS_SHA384 = pss(OID.sha384, OID.sha384, 48);

Deno.test("signatureSchemeOf() reads every accepted algorithm", () => {
  const rsa = rsaKey(2_048);
  const pkcs1 = { type: "rsa-pkcs1", hash: "SHA-256" } as const;
  const scheme384 = { type: "rsa-pss", hash: "SHA-384", saltLength: 48 } as const;
  assertEquals(signatureSchemeOf(algorithm(OID.rsaSha256, NULL), rsa), pkcs1);
  assertEquals(signatureSchemeOf(algorithm(OID.rsaSha256), rsa), pkcs1);
  assertEquals(signatureSchemeOf(algorithm(OID.rsaPss, PSS_SHA384), rsa), scheme384);
  const withoutNull = pss(OID.sha384, OID.sha384, 48, { withNull: false });
  assertEquals(signatureSchemeOf(algorithm(OID.rsaPss, withoutNull), rsa), scheme384);
  for (const bound of [undefined, PSS_SHA384]) {
    const pssKey = rsaKey(2_048, 3, algorithm(OID.rsaPss, bound));
    assertEquals(signatureSchemeOf(algorithm(OID.rsaPss, PSS_SHA384), pssKey), scheme384);
  }
  assertEquals(signatureSchemeOf(algorithm(OID.ecdsaSha512), P256), {
    type: "ecdsa",
    hash: "SHA-512",
    curve: "P-256",
  });
  assertEquals(signatureSchemeOf(algorithm(OID.ed25519), ED25519), { type: "ed25519" });
});

const RSA = rsaKey(2_048);
const PSS_KEY = rsaKey(2_048, 3, algorithm(OID.rsaPss, PSS_SHA384));
const BAD_SIGNATURES: readonly (readonly [
  string,
  AlgorithmIdentifier,
  SubjectPublicKeyInfo,
  string,
])[] = [
  ["MD5", algorithm("1.2.840.113549.1.1.4", NULL), RSA, "WEAK_SIGNATURE"],
  ["SHA-1 with RSA", algorithm(OID.rsaSha1, NULL), RSA, "WEAK_SIGNATURE"],
  ["SHA-1 with ECDSA", algorithm("1.2.840.10045.4.1"), P256, "WEAK_SIGNATURE"],
  ["a weak hash with an unknown key", algorithm(OID.rsaSha1), key("1.2.3", NULL), "WEAK_SIGNATURE"],
  ["a weak key", algorithm(OID.rsaSha256, NULL), rsaKey(1_024), "WEAK_KEY"],
  ["SHA-224", algorithm("1.2.840.113549.1.1.14", NULL), RSA, "UNSUPPORTED_SIGNATURE"],
  ["RSA with a key of a curve", algorithm(OID.rsaSha256, NULL), P256, "UNSUPPORTED_SIGNATURE"],
  ["ECDSA with an RSA key", algorithm(OID.ecdsaSha256), RSA, "UNSUPPORTED_SIGNATURE"],
  ["Ed25519 with a key of a curve", algorithm(OID.ed25519), P256, "UNSUPPORTED_SIGNATURE"],
  ["PKCS #1 with a key for PSS", algorithm(OID.rsaSha256, NULL), PSS_KEY, "UNSUPPORTED_SIGNATURE"],
  [
    "other parameters of RSA",
    algorithm(OID.rsaSha256, new Uint8Array([4, 0])),
    RSA,
    "UNSUPPORTED_SIGNATURE",
  ],
  ["parameters of ECDSA", algorithm(OID.ecdsaSha256, NULL), P256, "UNSUPPORTED_SIGNATURE"],
  ["parameters of Ed25519", algorithm(OID.ed25519, NULL), ED25519, "UNSUPPORTED_SIGNATURE"],
];

for (const [name, identifier, spki, code] of BAD_SIGNATURES) {
  Deno.test(`signatureSchemeOf() throws on ${name}`, () => {
    assertEquals(codeOf(() => signatureSchemeOf(identifier, spki)), `ERR_X509_${code}`);
  });
}

const { sha1, sha256, sha512 } = OID;
const BAD_PSS: readonly (readonly [string, Uint8Array<ArrayBuffer> | undefined, string])[] = [
  ["no parameters", undefined, "WEAK"],
  ["nothing in them", pss(undefined, undefined, undefined), "WEAK"],
  ["SHA-1", pss(sha1, sha1, 20), "WEAK"],
  ["SHA-1 by default in the mask", pss(sha256, undefined, 32), "WEAK"],
  ["SHA-1 in the mask", pss(sha256, sha1, 32), "WEAK"],
  ["NULL", NULL, "UNSUPPORTED"],
  ["different hashes", pss(sha256, sha512, 32), "UNSUPPORTED"],
  ["another mask", pss(sha256, sha256, 32, { mgf: "1.2.3" }), "UNSUPPORTED"],
  ["the default salt", pss(sha256, sha256, undefined), "UNSUPPORTED"],
  ["another salt", pss(sha256, sha256, 31), "UNSUPPORTED"],
  ["an encoded trailer", pss(sha256, sha256, 32, { trailer: true }), "UNSUPPORTED"],
  ["a byte behind", new Uint8Array([...PSS_SHA384, 0]), "UNSUPPORTED"],
];

for (const [name, parameters, code] of BAD_PSS) {
  Deno.test(`signatureSchemeOf() throws on RSASSA-PSS with ${name}`, () => {
    const identifier = algorithm(OID.rsaPss, parameters);
    assertEquals(codeOf(() => signatureSchemeOf(identifier, RSA)), `ERR_X509_${code}_SIGNATURE`);
  });
}

Deno.test("signatureSchemeOf() holds RSASSA-PSS against the parameters of the key", () => {
  const identifier = algorithm(OID.rsaPss, pss(sha256, sha256, 32));
  assertEquals(
    codeOf(() => signatureSchemeOf(identifier, PSS_KEY)),
    "ERR_X509_UNSUPPORTED_SIGNATURE",
  );
});

function signature(r: Uint8Array, s: Uint8Array): Uint8Array<ArrayBuffer> {
  return der((writer) =>
    writer.writeSequence(() => {
      writer.writeElement(2, r);
      writer.writeElement(2, s);
    })
  );
}

const full = (first: number): Uint8Array => new Uint8Array(32).fill(0x7f).fill(first, 0, 1);

Deno.test("decodeEcdsaSignature() fills both numbers up", () => {
  const raw = decodeEcdsaSignature(signature(full(0x7f), new Uint8Array([1])), "P-256")!;
  assertEquals([raw.length, raw[0], raw[31], raw[32], raw[63]], [64, 0x7f, 0x7f, 0, 1]);
  const long = signature(new Uint8Array([0, ...full(0x80)]), new Uint8Array([0, 0x80]));
  assertEquals(decodeEcdsaSignature(long, "P-256")?.[0], 0x80);
  assertEquals(decodeEcdsaSignature(long, "P-384")?.length, 96);
  assertEquals(decodeEcdsaSignature(long, "P-521")?.length, 132);
});

const ONE = new Uint8Array([1]);
const BAD_ECDSA: readonly (readonly [string, Uint8Array<ArrayBuffer>])[] = [
  ["nothing", new Uint8Array()],
  ["zero", signature(new Uint8Array([0]), ONE)],
  ["an empty number", signature(new Uint8Array(), ONE)],
  ["a negative number", signature(ONE, new Uint8Array([0x80]))],
  ["a number longer than needed", signature(new Uint8Array([0, 1]), ONE)],
  ["a number of 33 bytes", signature(new Uint8Array(33).fill(1), ONE)],
  ["bytes behind", new Uint8Array([...signature(ONE, ONE), 0])],
  ["bytes behind the numbers", new Uint8Array([0x30, 8, 2, 1, 1, 2, 1, 1, 5, 0])],
  ["one number", new Uint8Array([0x30, 3, 2, 1, 1])],
  ["a long form of the length", new Uint8Array([0x30, 0x81, 6, 2, 1, 1, 2, 1, 1])],
  ["an indefinite length", new Uint8Array([0x30, 0x80, 2, 1, 1, 2, 1, 1, 0, 0])],
];

for (const [name, bytes] of BAD_ECDSA) {
  Deno.test(`decodeEcdsaSignature() refuses ${name}`, () => {
    assertEquals(decodeEcdsaSignature(bytes, "P-256"), undefined);
  });
}

Deno.test("decodeEcdsaSignature() refuses every strict prefix", () => {
  const whole = signature(full(0x7f), full(0x11));
  for (let end = 0; end < whole.length; end++) {
    assertEquals(decodeEcdsaSignature(whole.slice(0, end), "P-256"), undefined);
  }
});

Deno.test("encodeRsaPublicKeyInfo() gives a key of the general algorithm", () => {
  const spki = readSubjectPublicKeyInfo(new DerReader(encodeRsaPublicKeyInfo(PSS_KEY.publicKey)));
  assertEquals([spki.algorithm.oid, spki.modulusBits], [OID.rsa, 2_048]);
  assertEquals(spki.publicKey, PSS_KEY.publicKey);
});
