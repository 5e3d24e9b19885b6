// This module is sans-I/O.

import type { CertificateExtension, NameConstraints } from "./certificate_extension.ts";
import { DerWriter } from "./der_writer.ts";
import type { GeneralName } from "./general_name.ts";

/** Bits of a key usage (RFC 5280 section 4.2.1.3), for what is made here. */
const KEY_USAGE_BITS = {
  digitalSignature: 0,
  keyEncipherment: 2,
  keyCertSign: 5,
  cRLSign: 6,
} as const;

/** A usage that {@linkcode keyUsageExtension} knows. */
export type EncodedKeyUsage = keyof typeof KEY_USAGE_BITS;

/** Names that {@linkcode subjectAltNameExtension} and {@linkcode nameConstraintsExtension} take. */
export type EncodedName = Extract<GeneralName, { type: "dns" | "ip" }>;

function encode(
  oid: string,
  critical: boolean,
  body: (writer: DerWriter) => void,
): CertificateExtension {
  const writer = new DerWriter();
  body(writer);
  return { oid, critical, value: writer.finish() };
}

/**
 * Says whether the subject is a CA, critically.
 *
 * @param ca Whether it is.
 * @param pathLength Most intermediate certificates below it; only of a CA.
 * @returns The extension.
 */
export function basicConstraintsExtension(ca: boolean, pathLength?: number): CertificateExtension {
  return encode("2.5.29.19", true, (writer) =>
    writer.writeSequence(() => {
      if (ca) writer.writeBoolean(true);
      if (pathLength !== undefined) writer.writeInteger(pathLength);
    }));
}

/**
 * Says what the key may be used for, critically.
 *
 * @param usages One usage or more.
 * @returns The extension.
 */
export function keyUsageExtension(...usages: EncodedKeyUsage[]): CertificateExtension {
  const numbers = usages.map((usage) => KEY_USAGE_BITS[usage]);
  const byte = numbers.reduce<number>((bits, number) => bits | 0x80 >> number, 0);
  // X.690 section 11.2.2: no zeros at the end of a list of named bits.
  const unusedBitCount = 7 - Math.max(...numbers);
  return encode(
    "2.5.29.15",
    true,
    (writer) => writer.writeBitString(new Uint8Array([byte]), unusedBitCount),
  );
}

/**
 * Says what the certificate is for.
 *
 * @param oids Purposes, dotted; one or more.
 * @returns The extension.
 */
export function extendedKeyUsageExtension(...oids: string[]): CertificateExtension {
  return encode("2.5.29.37", false, (writer) =>
    writer.writeSequence(() => {
      for (const oid of oids) writer.writeObjectIdentifier(oid);
    }));
}

/**
 * Names the subject's key.
 *
 * @param identifier The name.
 * @returns The extension.
 */
export function subjectKeyIdentifierExtension(identifier: Uint8Array): CertificateExtension {
  return encode("2.5.29.14", false, (writer) => writer.writeOctetString(identifier));
}

/**
 * Names the issuer's key.
 *
 * @param identifier The name.
 * @returns The extension.
 */
export function authorityKeyIdentifierExtension(identifier: Uint8Array): CertificateExtension {
  return encode(
    "2.5.29.35",
    false,
    (writer) => writer.writeSequence(() => writer.writeContextPrimitive(0, identifier)),
  );
}

/**
 * Names the subject.
 *
 * @param names One name or more; addresses have 4 or 16 bytes.
 * @returns The extension.
 */
export function subjectAltNameExtension(names: readonly EncodedName[]): CertificateExtension {
  return encode("2.5.29.17", false, (writer) =>
    writer.writeSequence(() => {
      for (const name of names) writeName(writer, name);
    }));
}

/**
 * Says which names a CA may certify, critically.
 *
 * @param constraints Subtrees; addresses have 8 or 32 bytes.
 * @returns The extension.
 */
export function nameConstraintsExtension(
  constraints: { readonly [rule in keyof NameConstraints]?: readonly EncodedName[] },
): CertificateExtension {
  return encode("2.5.29.30", true, (writer) =>
    writer.writeSequence(() => {
      for (const [number, names] of [constraints.permitted, constraints.excluded].entries()) {
        if (names === undefined || names.length === 0) continue;
        writer.writeContext(number, () => {
          for (const name of names) writer.writeSequence(() => writeName(writer, name));
        });
      }
    }));
}

function writeName(writer: DerWriter, { type, value }: EncodedName): void {
  if (type === "ip") writer.writeContextPrimitive(7, value);
  else writer.writeContextPrimitive(2, new TextEncoder().encode(value));
}
