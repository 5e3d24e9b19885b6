/** Certificates that have everything, for tests, fuzzing and printing. */

import type { DerWriter } from "../../tls/der_writer.ts";
import { buildCertificate, type BuiltExtension, commonName } from "./certificate_builder.ts";

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Writes an object identifier in a sequence, and what follows it. */
function withOid(writer: DerWriter, oid: string, rest: () => void = () => {}): void {
  writer.writeSequence(() => {
    writer.writeObjectIdentifier(oid);
    rest();
  });
}

/** Writes a URI. */
function uri(writer: DerWriter, text: string): void {
  writer.writeContextPrimitive(6, ascii(text));
}

/** Writes one name of each kind. */
export function everyName(writer: DerWriter): void {
  writer.writeSequence(() => {
    writer.writeContext(0, () => {
      writer.writeObjectIdentifier("1.3.6.1.4.1.311.20.2.3");
      writer.writeContext(0, () => writer.writeUtf8String("user@example.com"));
    });
    writer.writeContextPrimitive(1, ascii("user@example.com"));
    writer.writeContextPrimitive(2, ascii("www.example.com"));
    writer.writeContext(3, () => writer.writeSequence(() => {}));
    writer.writeContext(4, () => commonName("directory")(writer));
    writer.writeContext(5, () => writer.writeContext(1, () => writer.writeUtf8String("party")));
    uri(writer, "https://example.com/");
    writer.writeContextPrimitive(7, new Uint8Array([192, 0, 2, 1]));
    writer.writeContextPrimitive(7, new Uint8Array(16).fill(1));
    writer.writeContextPrimitive(8, new Uint8Array([0x2a, 3]));
  });
}

function policies(writer: DerWriter): void {
  writer.writeSequence(() => {
    withOid(writer, "2.5.29.32.0");
    withOid(writer, "1.2.3", () =>
      writer.writeSequence(() => {
        withOid(writer, "1.3.6.1.5.5.7.2.1", () => writer.writeIa5String("https://example.com"));
        withOid(writer, "1.3.6.1.5.5.7.2.2", () =>
          writer.writeSequence(() => {
            writer.writeSequence(() => writer.writeUtf8String("reference"));
            writer.writeUtf8String("Read this");
          }));
        withOid(writer, "1.2.4", () => writer.writeNull());
      }));
  });
}

function distributionPoints(writer: DerWriter): void {
  writer.writeSequence(() => {
    writer.writeSequence(() => {
      writer.writeContext(0, () => writer.writeContext(0, () => uri(writer, "http://a/")));
      writer.writeContextPrimitive(1, new Uint8Array([6, 0x40]));
    });
    writer.writeSequence(() => {
      writer.writeContext(
        0,
        () =>
          writer.writeContext(
            1,
            () => withOid(writer, "2.5.4.3", () => writer.writeUtf8String("relative")),
          ),
      );
      writer.writeContext(2, () => writer.writeContext(4, () => commonName("crl issuer")(writer)));
    });
  });
}

function constraints(writer: DerWriter): void {
  writer.writeSequence(() => {
    writer.writeContext(
      0,
      () => writer.writeSequence(() => writer.writeContextPrimitive(2, ascii("example.com"))),
    );
    writer.writeContext(
      1,
      () =>
        writer.writeSequence(() =>
          writer.writeContextPrimitive(7, new Uint8Array([192, 0, 2, 0, 255, 255, 255, 0]))
        ),
    );
  });
}

function authorityKey(writer: DerWriter): void {
  writer.writeSequence(() => {
    writer.writeContextPrimitive(0, new Uint8Array([1, 2, 3]));
    writer.writeContext(1, () => writer.writeContext(4, () => commonName("issuer")(writer)));
    writer.writeContextPrimitive(2, new Uint8Array([0x7f]));
  });
}

/** The bytes of a list with one timestamp of a log, and one of an unknown version. */
export function timestampList(): Uint8Array<ArrayBuffer> {
  const signature = [4, 3, 0, 2, 0xaa, 0xbb];
  const time = [0, 0, 1, 0x94, 0, 0, 0, 1];
  const known = [0, ...new Array(32).fill(9), ...time, 0, 0, ...signature];
  const list = [0, known.length, ...known, 0, 2, 1, 0xff];
  return new Uint8Array([0, list.length, ...list]);
}

function access(writer: DerWriter): void {
  writer.writeSequence(() => {
    withOid(writer, "1.3.6.1.5.5.7.48.1", () => uri(writer, "http://ocsp.example.com"));
    withOid(writer, "1.3.6.1.5.5.7.48.2", () => uri(writer, "http://ca.example.com/ca.cer"));
  });
}

/** Every known extension, and one that nobody knows. */
export const EVERY_EXTENSION: readonly BuiltExtension[] = [
  { oid: "2.5.29.14", value: (writer) => writer.writeOctetString(new Uint8Array([1, 2, 3])) },
  {
    oid: "2.5.29.15",
    critical: true,
    value: (writer) => writer.writeBitString(new Uint8Array([0xff, 0x80]), 7),
  },
  { oid: "2.5.29.17", value: everyName },
  { oid: "2.5.29.18", value: everyName },
  {
    oid: "2.5.29.19",
    critical: true,
    value: (writer) =>
      writer.writeSequence(() => {
        writer.writeBoolean(true);
        writer.writeInteger(3);
      }),
  },
  { oid: "2.5.29.30", critical: true, value: constraints },
  { oid: "2.5.29.31", value: distributionPoints },
  { oid: "2.5.29.32", value: policies },
  {
    oid: "2.5.29.33",
    value: (writer) =>
      writer.writeSequence(() =>
        withOid(writer, "1.2.3", () => writer.writeObjectIdentifier("1.2.5"))
      ),
  },
  { oid: "2.5.29.35", value: authorityKey },
  {
    oid: "2.5.29.36",
    critical: true,
    value: (writer) =>
      writer.writeSequence(() => {
        writer.writeContextPrimitive(0, new Uint8Array([1]));
        writer.writeContextPrimitive(1, new Uint8Array([2]));
      }),
  },
  { oid: "2.5.29.37", value: (writer) => withOid(writer, "1.3.6.1.5.5.7.3.1") },
  { oid: "2.5.29.46", value: distributionPoints },
  { oid: "2.5.29.54", critical: true, value: (writer) => writer.writeInteger(4) },
  { oid: "1.3.6.1.5.5.7.1.1", value: access },
  { oid: "1.3.6.1.5.5.7.1.11", value: access },
  {
    oid: "1.3.6.1.4.1.11129.2.4.2",
    value: (writer) => writer.writeOctetString(timestampList()),
  },
  { oid: "1.2.3.4.5", value: (writer) => writer.writeUtf8String("unknown") },
];

/** A certificate with every extension. */
export function everythingCertificate(): Uint8Array<ArrayBuffer> {
  return buildCertificate({
    issuer: commonName("issuer"),
    subject: commonName("subject", "second"),
    extensions: EVERY_EXTENSION,
  });
}
