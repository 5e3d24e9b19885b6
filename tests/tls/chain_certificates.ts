/** Certificates of chains, in few words: sound ones unless told otherwise. */

import { type Certificate, parseCertificate } from "../../tls/certificate.ts";
import type { DerWriter } from "../../tls/der_writer.ts";
import {
  algorithm,
  buildCertificate,
  type BuiltCertificate,
  type BuiltExtension,
  commonName,
} from "./certificate_builder.ts";

/** An instant at which all of them are valid. */
export const NOW: number = Date.UTC(2025, 6);

/** Bits of a key usage, as numbered by RFC 5280 section 4.2.1.3. */
export const KeyUsageBit = { DIGITAL_SIGNATURE: 0, KEY_CERT_SIGN: 5, CRL_SIGN: 6 } as const;

/** A general name: its tag and its bytes. */
export type Name = readonly [tag: number, content: string | Uint8Array];

/** A DNS name. */
export const dns = (value: string): Name => [2, value];
/** A mail address. */
export const email = (value: string): Name => [1, value];

/** What differs from a sound certificate. */
export interface ChainCertificate extends BuiltCertificate {
  readonly name: string;
  /** Common name of the issuer; its own if it is left out. */
  readonly by?: string;
  /** The byte that fills the key; identifiers of keys consist of it as well. */
  readonly key?: number;
  /** The key of the issuer. */
  readonly byKey?: number;
  /** Without any extension. */
  readonly isBare?: boolean;
}

/** Writes an Ed25519 key. */
export function ed25519(bytes: Uint8Array): (writer: DerWriter) => void {
  return (writer) =>
    writer.writeSequence(() => {
      algorithm(writer, "1.3.101.112");
      writer.writeBitString(bytes);
    });
}

/** Number of the key of who has this name, where none is given. */
function keyOf(name: string): number {
  return [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 251, 7);
}

function identifier(key: number): Uint8Array {
  return new Uint8Array(4).fill(key);
}

export function subjectKey(key: number): BuiltExtension {
  return { oid: "2.5.29.14", value: (writer) => writer.writeOctetString(identifier(key)) };
}

export function authorityKey(key: number): BuiltExtension {
  return {
    oid: "2.5.29.35",
    value: (writer) => writer.writeSequence(() => writer.writeContextPrimitive(0, identifier(key))),
  };
}

export function basicConstraints(pathLength?: number, critical = true): BuiltExtension {
  return {
    oid: "2.5.29.19",
    critical,
    value: (writer) =>
      writer.writeSequence(() => {
        writer.writeBoolean(true);
        if (pathLength !== undefined) writer.writeInteger(pathLength);
      }),
  };
}

export function keyUsage(...bits: number[]): BuiltExtension {
  const value = bits.reduce((sum, bit) => sum | 0x80 >> bit, 0);
  const unused = 7 - Math.max(...bits);
  return {
    oid: "2.5.29.15",
    critical: true,
    value: (writer) => writer.writeBitString(new Uint8Array([value]), unused),
  };
}

export function extendedKeyUsage(...oids: string[]): BuiltExtension {
  return {
    oid: "2.5.29.37",
    value: (writer) =>
      writer.writeSequence(() => {
        for (const oid of oids) writer.writeObjectIdentifier(oid);
      }),
  };
}

function writeName(writer: DerWriter, [tag, content]: Name): void {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  if (tag === 4) writer.writeContext(4, () => writer.writeRaw(bytes));
  else writer.writeContextPrimitive(tag, bytes);
}

export function altNames(...names: Name[]): BuiltExtension {
  return {
    oid: "2.5.29.17",
    value: (writer) =>
      writer.writeSequence(() => {
        for (const name of names) writeName(writer, name);
      }),
  };
}

export function nameConstraints(
  { permitted = [], excluded = [] }: { permitted?: readonly Name[]; excluded?: readonly Name[] },
): BuiltExtension {
  const write = (writer: DerWriter, tag: number, names: readonly Name[]): void => {
    if (names.length === 0) return;
    writer.writeContext(tag, () => {
      for (const name of names) writer.writeSequence(() => writeName(writer, name));
    });
  };
  return {
    oid: "2.5.29.30",
    critical: true,
    value: (writer) =>
      writer.writeSequence(() => {
        write(writer, 0, permitted);
        write(writer, 1, excluded);
      }),
  };
}

export function policies(...oids: string[]): BuiltExtension {
  return {
    oid: "2.5.29.32",
    value: (writer) =>
      writer.writeSequence(() => {
        for (const oid of oids) writer.writeSequence(() => writer.writeObjectIdentifier(oid));
      }),
  };
}

export function policyMapping(from: string, to: string): BuiltExtension {
  return {
    oid: "2.5.29.33",
    value: (writer) =>
      writer.writeSequence(() =>
        writer.writeSequence(() => {
          writer.writeObjectIdentifier(from);
          writer.writeObjectIdentifier(to);
        })
      ),
  };
}

export function requirePolicy(count: number, critical = true): BuiltExtension {
  return {
    oid: "2.5.29.36",
    critical,
    value: (writer) =>
      writer.writeSequence(() => writer.writeContextPrimitive(0, new Uint8Array([count]))),
  };
}

export function inhibitAnyPolicy(count: number, critical = true): BuiltExtension {
  return { oid: "2.5.29.54", critical, value: (writer) => writer.writeInteger(count) };
}

/** An extension nobody knows. */
export function unknownExtension(critical: boolean): BuiltExtension {
  return { oid: "1.2.3.4", critical, value: (writer) => writer.writeNull() };
}

/** The given extensions, and those of `sound` that are not among them. */
function merge(
  sound: readonly BuiltExtension[],
  given: readonly BuiltExtension[] = [],
): BuiltExtension[] {
  const oids = new Set(given.map(({ oid }) => oid));
  return [...sound.filter(({ oid }) => !oids.has(oid)), ...given];
}

function build(description: ChainCertificate, sound: readonly BuiltExtension[]): Certificate {
  const { name, by = name, key = keyOf(name), extensions, isBare, byKey: _, ...built } =
    description;
  return parseCertificate(buildCertificate({
    issuer: commonName(by),
    subject: commonName(name),
    publicKey: ed25519(new Uint8Array(32).fill(key)),
    ...built,
    extensions: isBare ? [] : merge(sound, extensions),
  }));
}

/** A root, or a CA below one where `by` is given. */
export function ca(description: ChainCertificate): Certificate {
  const { name, by, key = keyOf(name), byKey = keyOf(by ?? name) } = description;
  return build(description, [
    basicConstraints(),
    keyUsage(KeyUsageBit.KEY_CERT_SIGN, KeyUsageBit.CRL_SIGN),
    subjectKey(key),
    ...by === undefined ? [] : [authorityKey(byKey)],
  ]);
}

/** A certificate of `leaf.example`. */
export function leaf(description: Partial<ChainCertificate> = {}): Certificate {
  const { by = "root", byKey = keyOf(by) } = description;
  const name = "leaf";
  return build({ name, by, ...description }, [
    altNames(dns("leaf.example")),
    keyUsage(KeyUsageBit.DIGITAL_SIGNATURE),
    authorityKey(byKey),
  ]);
}
