/** Certificates for tests, right ones and wrong ones, with a signature of zeros. */

import { DerWriter } from "../../tls/der_writer.ts";

/** An extension of a certificate to build. */
export interface BuiltExtension {
  readonly oid: string;
  readonly critical?: boolean;
  /** Writes the value. */
  readonly value: (writer: DerWriter) => void;
}

/** What a certificate is built of; each part writes itself. */
export interface BuiltCertificate {
  /** 1 to 3, or any number to be encoded; 3 by default. */
  readonly version?: number;
  readonly serialNumber?: number | bigint | Uint8Array;
  readonly issuer?: (writer: DerWriter) => void;
  readonly subject?: (writer: DerWriter) => void;
  readonly validity?: (writer: DerWriter) => void;
  readonly publicKey?: (writer: DerWriter) => void;
  /** Between key and extensions. */
  readonly uniqueIds?: (writer: DerWriter) => void;
  readonly extensions?: readonly BuiltExtension[];
  /** In place of the list of extensions. */
  readonly rawExtensions?: (writer: DerWriter) => void;
  /** Identifier of the algorithm outside of what is signed. */
  readonly outerAlgorithm?: string;
  /** In place of 64 zeros. */
  readonly signature?: (writer: DerWriter) => void;
}

const ED25519 = "1.3.101.112";

/** Writes a name of common names. */
export function commonName(...names: string[]): (writer: DerWriter) => void {
  return (writer) =>
    writer.writeSequence(() => {
      for (const name of names) {
        writer.writeSet(() =>
          writer.writeSequence(() => {
            writer.writeObjectIdentifier("2.5.4.3");
            writer.writeUtf8String(name);
          })
        );
      }
    });
}

/** Writes an algorithm without parameters. */
export function algorithm(writer: DerWriter, oid: string): void {
  writer.writeSequence(() => writer.writeObjectIdentifier(oid));
}

function ed25519Key(writer: DerWriter): void {
  writer.writeSequence(() => {
    algorithm(writer, ED25519);
    writer.writeBitString(new Uint8Array(32).fill(7));
  });
}

function validity(writer: DerWriter): void {
  writer.writeSequence(() => {
    writer.writeTime(1_735_689_600_000);
    writer.writeTime(1_767_225_600_000);
  });
}

/** Writes one extension. */
export function writeExtension(writer: DerWriter, extension: BuiltExtension): void {
  writer.writeSequence(() => {
    writer.writeObjectIdentifier(extension.oid);
    if (extension.critical) writer.writeBoolean(true);
    writer.writeOctetString(() => extension.value(writer));
  });
}

/** Builds a certificate in DER. */
export function buildCertificate(built: BuiltCertificate = {}): Uint8Array<ArrayBuffer> {
  const writer = new DerWriter();
  const { version = 3, extensions = [], issuer = commonName("test") } = built;
  writer.writeSequence(() => {
    writer.writeSequence(() => {
      if (version !== 1) writer.writeContext(0, () => writer.writeInteger(version - 1));
      writer.writeInteger(built.serialNumber ?? 1);
      algorithm(writer, ED25519);
      issuer(writer);
      (built.validity ?? validity)(writer);
      (built.subject ?? issuer)(writer);
      (built.publicKey ?? ed25519Key)(writer);
      built.uniqueIds?.(writer);
      built.rawExtensions?.(writer);
      if (extensions.length === 0) return;
      writer.writeContext(3, () =>
        writer.writeSequence(() => {
          for (const extension of extensions) writeExtension(writer, extension);
        }));
    });
    algorithm(writer, built.outerAlgorithm ?? ED25519);
    if (built.signature === undefined) writer.writeBitString(new Uint8Array(64));
    else built.signature(writer);
  });
  return writer.finish();
}

/** Builds a certificate with the one extension, and such a value. */
export function buildWithExtension(
  oid: string,
  value: (writer: DerWriter) => void,
): Uint8Array<ArrayBuffer> {
  return buildCertificate({ extensions: [{ oid, value }] });
}
