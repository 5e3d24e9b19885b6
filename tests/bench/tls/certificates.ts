import type { DerWriter } from "../../../tls/der_writer.ts";
import { buildCertificate, type BuiltExtension } from "../../tls/certificate_builder.ts";

/** A P-256 key that exists: the base point of the curve. */
const POINT = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" +
  "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

/** A certificate shaped like those of public servers: eight extensions, ten names. */
export function createBenchCertificate(): Uint8Array<ArrayBuffer> {
  return buildCertificate({
    serialNumber: new Uint8Array(16).fill(0x5a),
    issuer: nameOf([["2.5.4.6", "US"], ["2.5.4.10", "Example Trust Services"], ["2.5.4.3", "E1"]]),
    subject: nameOf([["2.5.4.3", "www.example.com"]]),
    publicKey: writePoint,
    extensions: EXTENSIONS,
  });
}

function nameOf(parts: readonly (readonly [oid: string, value: string])[]) {
  return (writer: DerWriter): void =>
    writer.writeSequence(() => {
      for (const [oid, value] of parts) {
        writer.writeSet(() =>
          writer.writeSequence(() => {
            writer.writeObjectIdentifier(oid);
            writer.writePrintableString(value);
          })
        );
      }
    });
}

function writePoint(writer: DerWriter): void {
  writer.writeSequence(() => {
    writer.writeSequence(() => {
      writer.writeObjectIdentifier("1.2.840.10045.2.1");
      writer.writeObjectIdentifier("1.2.840.10045.3.1.7");
    });
    writer.writeBitString(Uint8Array.fromHex(POINT));
  });
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

const EXTENSIONS: readonly BuiltExtension[] = [
  {
    oid: "2.5.29.15",
    critical: true,
    value: (writer) => writer.writeBitString(new Uint8Array([0x80]), 7),
  },
  {
    oid: "2.5.29.37",
    value: (writer) =>
      writer.writeSequence(() => {
        writer.writeObjectIdentifier("1.3.6.1.5.5.7.3.1");
        writer.writeObjectIdentifier("1.3.6.1.5.5.7.3.2");
      }),
  },
  { oid: "2.5.29.19", critical: true, value: (writer) => writer.writeSequence(() => {}) },
  { oid: "2.5.29.14", value: (writer) => writer.writeOctetString(new Uint8Array(20).fill(1)) },
  {
    oid: "2.5.29.35",
    value: (writer) =>
      writer.writeSequence(() => writer.writeContextPrimitive(0, new Uint8Array(20).fill(2))),
  },
  {
    oid: "1.3.6.1.5.5.7.1.1",
    value: (writer) =>
      writer.writeSequence(() => {
        for (const [number, uri] of ["http://o.example.com", "http://i.example.com/"].entries()) {
          writer.writeSequence(() => {
            writer.writeObjectIdentifier(`1.3.6.1.5.5.7.48.${number + 1}`);
            writer.writeContextPrimitive(6, text(uri));
          });
        }
      }),
  },
  {
    oid: "2.5.29.17",
    value: (writer) =>
      writer.writeSequence(() => {
        for (let i = 0; i < 10; i++) writer.writeContextPrimitive(2, text(`w${i}.example.com`));
      }),
  },
  {
    oid: "2.5.29.32",
    value: (writer) =>
      writer.writeSequence(() =>
        writer.writeSequence(() => writer.writeObjectIdentifier("2.23.140.1.2.1"))
      ),
  },
];
