import { encodeHex } from "@std/encoding";
import { assertEquals, assertGreater } from "@std/assert";
import { type Certificate, parseCertificate } from "../../tls/certificate.ts";
import { formatTime } from "../../tls/certificate_extension_text.ts";
import type { DistinguishedName } from "../../tls/distinguished_name.ts";
import type { GeneralName } from "../../tls/general_name.ts";
import { formatIpv4, formatIpv6 } from "../../nbio/ip_address.ts";
import { formatCertificate } from "../../tls/certificate_text.ts";
import {
  type Difference,
  type Judgement,
  loadTlsCases,
  outcomeOf,
  unlisted,
  vectorBytes,
} from "./vector_tls.ts";

type Pairs = readonly (readonly [string, string])[];

interface ParseCase {
  readonly id: string;
  readonly der: string;
  readonly openssl: {
    readonly subject: string;
    readonly issuer: string;
    readonly text: string;
  };
  readonly fields: {
    readonly version: number;
    readonly serialHex: string;
    readonly notBefore: string;
    readonly notAfter: string;
    readonly sigAlgOid: string;
    readonly subject: Pairs;
    readonly issuer: Pairs;
    readonly publicKey: {
      readonly oid: string;
      readonly bits: number | null;
      readonly curve: string | null;
    };
    readonly extensions: readonly (readonly [oid: string, critical: boolean])[];
    readonly ski?: string | null;
    readonly aki?: string | null;
    readonly basicConstraints?: { readonly ca: boolean; readonly pathLen: number | null } | null;
    readonly keyUsage?: readonly string[] | null;
    readonly extKeyUsage?: readonly string[] | null;
    readonly san?: Pairs | null;
    readonly aia?: readonly (readonly [oid: string, kind: string, value: string])[] | null;
    readonly nameConstraints?: { readonly permitted: Pairs; readonly excluded: Pairs } | null;
  };
}

const ALGORITHMS = "one algorithm is taken for the other's word, with or without NULL";
const SEQUENCE_SIZE = "an empty list is taken for none";

const DIFFERENCES: readonly Difference[] = [
  {
    name: "limbo/webpki::san::unicode-emoji-san#0",
    gives: "ERR_X509_BAD_EXTENSION",
    clause: "RFC 5280 section 4.2.1.6",
    reason: "any bytes pass for an IA5String",
  },
  {
    name: "zlint/certPolicyDuplicateShort.pem",
    gives: "ERR_X509_BAD_EXTENSION",
    clause: "RFC 5280 section 4.2.1.4",
    reason: "policies are only listed",
  },
  {
    name: "zlint/empty_seq_of_cdp.pem",
    gives: "ERR_X509_BAD_EXTENSION",
    clause: "RFC 5280 section 4.2.1.13",
    reason: SEQUENCE_SIZE,
  },
  {
    name: "zlint/empty_seq_of_sia.pem",
    gives: "ERR_X509_BAD_EXTENSION",
    clause: "RFC 5280 section 4.2.2.2",
    reason: SEQUENCE_SIZE,
  },
  {
    name: "zlint/localityWithColon.pem",
    gives: "ERR_X509_BAD_DER",
    clause: "RFC 5280 section 4.1.2.9",
    reason: SEQUENCE_SIZE,
  },
  {
    name: "zlint/stateWithColon.pem",
    gives: "ERR_X509_BAD_DER",
    clause: "RFC 5280 section 4.1.2.9",
    reason: SEQUENCE_SIZE,
  },
  {
    name: "zlint/publicKeyIsRSAExplicitNullMissing.pem",
    gives: "ERR_X509_BAD_PUBLIC_KEY",
    clause: "RFC 3279 section 2.3.1",
    reason: "parameters of keys are not looked at",
  },
  {
    name: "zlint/rootCAWithEKU.pem",
    gives: "ERR_X509_BAD_CERTIFICATE",
    clause: "RFC 5280 section 4.1.1.2",
    reason: ALGORITHMS,
  },
  {
    name: "zlint/rsaSigAlgoNoNULLParam.pem",
    gives: "ERR_X509_BAD_CERTIFICATE",
    clause: "RFC 5280 section 4.1.1.2",
    reason: ALGORITHMS,
  },
];

const NAME_KINDS: Readonly<Record<string, string>> = {
  dns: "DNS",
  email: "email",
  uri: "URI",
  ip: "IP",
};

/** Values of names whose text is the same everywhere; of the others the kind only. */
function showName(name: GeneralName): readonly [string, string] | undefined {
  const kind = NAME_KINDS[name.type];
  if (kind === undefined) return undefined;
  if (name.type !== "ip") return [kind, "value" in name ? String(name.value) : ""];
  return [kind, name.value.length === 4 ? formatIpv4(name.value) : formatIpv6(name.value)];
}

/** Names of the vector that {@linkcode showName} would show. */
function wantedNames(names: Pairs | null | undefined): Pairs | undefined {
  return names?.filter(([kind]) => Object.values(NAME_KINDS).includes(kind));
}

function showAttributes(name: DistinguishedName): (readonly [string, string])[] {
  return name.rdns.flat().map(({ oid, value }) => [oid, value]);
}

/** The fields of the vector, from our certificate. */
function ourFields(certificate: Certificate): Record<string, unknown> {
  const { subjectPublicKeyInfo: key, basicConstraints, keyUsage } = certificate;
  return {
    version: certificate.version,
    serial: BigInt.asIntN(
      certificate.serialNumber.length * 8,
      BigInt(`0x${certificate.serialHex}`),
    ),
    notBefore: formatTime(certificate.notBefore),
    notAfter: formatTime(certificate.notAfter),
    sigAlgOid: certificate.signatureAlgorithm.oid,
    subject: showAttributes(certificate.subject),
    issuer: showAttributes(certificate.issuer),
    keyOid: key.algorithm.oid,
    keyBits: key.modulusBits,
    extensions: certificate.extensions.map(({ oid, critical }) => [oid, critical]),
    ski: hexOf(certificate.subjectKeyIdentifier),
    aki: hexOf(certificate.authorityKeyIdentifier?.keyIdentifier),
    basicConstraints: basicConstraints &&
      { ca: basicConstraints.ca, pathLen: basicConstraints.pathLength ?? null },
    keyUsage: keyUsage &&
      Object.entries(keyUsage).filter(([, isSet]) => isSet).map(([name]) => name),
    extKeyUsage: certificate.extendedKeyUsage,
    san: certificate.subjectAltName?.map(showName).filter((name) => name !== undefined),
  };
}

function hexOf(bytes: Uint8Array<ArrayBuffer> | undefined): string | undefined {
  return bytes && encodeHex(bytes);
}

function parseSerial(hex: string): bigint {
  return hex.startsWith("-") ? -BigInt(`0x${hex.slice(1)}`) : BigInt(`0x${hex}`);
}

function wantedFields({ fields }: ParseCase): Record<string, unknown> {
  const isRsa = fields.publicKey.oid.startsWith("1.2.840.113549.1.1.");
  return {
    version: fields.version,
    serial: parseSerial(fields.serialHex),
    notBefore: formatTime(Date.parse(fields.notBefore)),
    notAfter: formatTime(Date.parse(fields.notAfter)),
    sigAlgOid: fields.sigAlgOid,
    subject: fields.subject,
    issuer: fields.issuer,
    keyOid: fields.publicKey.oid,
    keyBits: isRsa ? fields.publicKey.bits : undefined,
    extensions: fields.extensions,
    ski: fields.ski ?? undefined,
    aki: fields.aki ?? undefined,
    basicConstraints: fields.basicConstraints ?? undefined,
    keyUsage: fields.keyUsage ?? undefined,
    extKeyUsage: fields.extKeyUsage ?? undefined,
    san: wantedNames(fields.san),
  };
}

const cases = loadTlsCases<ParseCase>("parse");
const ignore = cases === undefined;

Deno.test({
  name: "parseCertificate() accepts what others accept, but for violations",
  ignore,
  fn() {
    const judgements = cases!.map(({ id, der }): Judgement => {
      const got = outcomeOf(() => parseCertificate(vectorBytes(der)));
      return { name: id, wanted: "accepts", got, isAgreed: got === "accepts" };
    });
    assertEquals(unlisted(judgements, DIFFERENCES), []);
  },
});

/** The cases that we accept. */
function accepted(): (ParseCase & { readonly certificate: Certificate })[] {
  const refused = new Set(DIFFERENCES.map(({ name }) => name));
  return cases!.filter(({ id }) => !refused.has(id)).map((item) => {
    return { ...item, certificate: parseCertificate(vectorBytes(item.der)) };
  });
}

Deno.test({
  name: "parseCertificate() reads what others read",
  ignore,
  fn() {
    for (const item of accepted()) {
      const ours = ourFields(item.certificate);
      const wanted = wantedFields(item);
      for (const name of Object.keys(wanted)) {
        assertEquals(ours[name], wanted[name], `${name} of ${item.id}`);
      }
    }
  },
});

Deno.test({
  name: "DistinguishedName.toString() spells names as OpenSSL does for RFC 2253",
  ignore,
  fn() {
    let count = 0;
    for (const { id, certificate, openssl } of accepted()) {
      for (const name of ["subject", "issuer"] as const) {
        const ours = certificate[name].toString();
        // It escapes what is not ASCII, or shows its bytes one by one: RFC 4514 does neither.
        if (!/^[ -~]*$/.test(ours) || !/^[ -~]*$/.test(openssl[name])) continue;
        if (openssl[name].includes("#0") || ours.includes("#0")) continue;
        assertEquals(ours, openssl[name], `${name} of ${id}`);
        count++;
      }
    }
    assertGreater(count, 600);
  },
});

/** Ends of lines count nowhere. */
function linesOf(text: string): string[] {
  return text.trimEnd().split("\n").map((line) => line.trimEnd());
}

Deno.test({
  name: "formatCertificate() prints most certificates as OpenSSL does, line by line",
  ignore,
  fn() {
    const same = accepted().filter(({ certificate, openssl }) => {
      const ours = formatCertificate(certificate, {
        includePublicKey: false,
        includeSignature: false,
      });
      return linesOf(ours).join("\n") === linesOf(openssl.text).join("\n");
    });
    // The others have names of directories, unknown extensions, or text that is put into quotes.
    assertGreater(same.length, 300);
  },
});
