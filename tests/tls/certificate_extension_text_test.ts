import { assertEquals } from "@std/assert";
import { parseCertificate } from "../../tls/certificate.ts";
import {
  formatByteLines,
  formatExtension,
  formatTime,
} from "../../tls/certificate_extension_text.ts";
import type { DerWriter } from "../../tls/der_writer.ts";
import { buildWithExtension } from "./certificate_builder.ts";
import { timestampList } from "./certificate_samples.ts";

type Write = (writer: DerWriter) => void;

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

function linesOf(oid: string, value: Write): string[] {
  const certificate = parseCertificate(buildWithExtension(oid, value));
  return formatExtension(certificate, certificate.extensions[0]!);
}

function withOid(writer: DerWriter, oid: string, rest: () => void): void {
  writer.writeSequence(() => {
    writer.writeObjectIdentifier(oid);
    rest();
  });
}

/** A policy with this text for users. */
function notice(text: string): Write {
  return (writer) =>
    writer.writeSequence(() =>
      withOid(
        writer,
        "1.2.3",
        () =>
          writer.writeSequence(() =>
            withOid(writer, "1.3.6.1.5.5.7.2.2", () =>
              writer.writeSequence(() => writer.writeUtf8String(text)))
          ),
      )
    );
}

/** A place of a revocation list, named after an issuer that is not told. */
function relativePoint(oid: string): Write {
  return (writer) =>
    writer.writeSequence(() =>
      writer.writeSequence(() =>
        writer.writeContext(
          0,
          () =>
            writer.writeContext(
              1,
              () => withOid(writer, oid, () => writer.writeUtf8String("there")),
            ),
        )
      )
    );
}

function subtree(number: number): Write {
  return (writer) =>
    writer.writeSequence(() =>
      writer.writeContext(
        number,
        () => writer.writeSequence(() => writer.writeContextPrimitive(2, ascii("a.example"))),
      )
    );
}

/** The list of a log with one timestamp, changed at these offsets of it. */
function timestamps(changes: Readonly<Record<number, number>>): Write {
  const list = timestampList();
  for (const [offset, byte] of Object.entries(changes)) list[Number(offset)] = byte;
  return (writer) => writer.writeOctetString(list);
}

/** A list with one timestamp that has two bytes of extensions. */
function extendedTimestamp(writer: DerWriter): void {
  const time = [0, 0, 1, 0x94, 0, 0, 0, 1];
  const one = [0, ...new Array(32).fill(9), ...time, 0, 2, 0xab, 0xcd, 4, 3, 0, 1, 0xee];
  writer.writeOctetString(new Uint8Array([0, one.length + 2, 0, one.length, ...one]));
}

const ROWS: { name: string; oid: string; value: Write; lines: string[] }[] = [
  {
    name: "the constraints of a leaf",
    oid: "2.5.29.19",
    value: (writer) => writer.writeSequence(() => {}),
    lines: ["CA:FALSE"],
  },
  {
    name: "the constraints of an authority without a length",
    oid: "2.5.29.19",
    value: (writer) => writer.writeSequence(() => writer.writeBoolean(true)),
    lines: ["CA:TRUE"],
  },
  {
    name: "permitted names alone",
    oid: "2.5.29.30",
    value: subtree(0),
    lines: ["Permitted:", "  DNS:a.example"],
  },
  {
    name: "excluded names alone",
    oid: "2.5.29.30",
    value: subtree(1),
    lines: ["Excluded:", "  DNS:a.example"],
  },
  {
    name: "a relative name of a known attribute",
    oid: "2.5.29.31",
    value: relativePoint("2.5.4.3"),
    lines: ["Relative Name:", "  CN=there"],
  },
  {
    name: "a relative name of an unknown attribute",
    oid: "2.5.29.31",
    value: relativePoint("1.2.3.4"),
    lines: ["Relative Name:", "  1.2.3.4=there"],
  },
  {
    name: "the key of an issuer alone",
    oid: "2.5.29.35",
    value: (writer) =>
      writer.writeSequence(() => writer.writeContextPrimitive(0, new Uint8Array([0xa, 0xbc]))),
    lines: ["0A:BC"],
  },
  {
    name: "an issuer and its serial number without a key",
    oid: "2.5.29.35",
    value: (writer) =>
      writer.writeSequence(() => {
        writer.writeContext(1, () => writer.writeContextPrimitive(2, ascii("a.example")));
        writer.writeContextPrimitive(2, new Uint8Array([1, 2]));
      }),
    lines: ["DNS:a.example", "serial:01:02"],
  },
  {
    name: "an issuer of which nothing is said",
    oid: "2.5.29.35",
    value: (writer) => writer.writeSequence(() => {}),
    lines: [],
  },
  {
    name: "one of the constraints on policies",
    oid: "2.5.29.36",
    value: (writer) =>
      writer.writeSequence(() => writer.writeContextPrimitive(1, new Uint8Array([0]))),
    lines: ["Inhibit Policy Mapping:0"],
  },
  {
    name: "the other of the constraints on policies",
    oid: "2.5.29.36",
    value: (writer) =>
      writer.writeSequence(() => writer.writeContextPrimitive(0, new Uint8Array([7]))),
    lines: ["Require Explicit Policy:7"],
  },
  {
    name: "a notice without words",
    oid: "2.5.29.32",
    value: (writer) =>
      writer.writeSequence(() =>
        withOid(
          writer,
          "1.2.3",
          () =>
            writer.writeSequence(() =>
              withOid(writer, "1.3.6.1.5.5.7.2.2", () => writer.writeSequence(() => {}))
            ),
        )
      ),
    lines: ["Policy: 1.2.3", "  Qualifier: Policy Qualifier User Notice"],
  },
  {
    name: "a notice in plain words",
    oid: "2.5.29.32",
    value: notice("Read this, please"),
    lines: ["Policy: 1.2.3", "  User Notice:", "    Explicit Text: Read this, please"],
  },
  {
    name: "a notice that would steer a terminal",
    oid: "2.5.29.32",
    value: notice("\x1b[2Ja\x7f\u009b\u00e9"),
    lines: [
      "Policy: 1.2.3",
      "  User Notice:",
      '    Explicit Text: "\\u001b[2Ja\\u007f\\u009b\\u00e9"',
    ],
  },
];

for (const { name, oid, value, lines } of ROWS) {
  Deno.test(`formatExtension() prints ${name}`, () => assertEquals(linesOf(oid, value), lines));
}

// Behind two lengths, version, log, time and the length of the extensions.
const ALGORITHM = 4 + 1 + 32 + 8 + 2;

for (
  const { name, value, line } of [
    {
      name: "a signature with RSA",
      value: timestamps({ [ALGORITHM + 1]: 1 }),
      line: "    Signature : sha256WithRSAEncryption",
    },
    {
      name: "a signature of an unknown kind",
      value: timestamps({ [ALGORITHM]: 8, [ALGORITHM + 1]: 7 }),
      line: "    Signature : 0x807",
    },
    { name: "no extensions", value: timestamps({}), line: "    Extensions: none" },
    { name: "extensions", value: extendedTimestamp, line: "    Extensions: AB:CD" },
  ] as { name: string; value: Write; line: string }[]
) {
  Deno.test(`formatExtension() prints a timestamp with ${name}`, () => {
    const lines = linesOf("1.3.6.1.4.1.11129.2.4.2", value);
    assertEquals(lines.filter((one) => one === line).length, 1, lines.join("\n"));
  });
}

for (
  const [ms, text] of [
    [0, "Jan  1 00:00:00.000 1970 GMT"],
    [-1, "Dec 31 23:59:59.999 1969 GMT"],
    [253_402_300_799_999, "Dec 31 23:59:59.999 9999 GMT"],
    [253_402_300_800_000, "253402300800000 ms"],
  ] as const
) {
  Deno.test(`formatTime() prints ${ms} ms`, () => {
    assertEquals(formatTime(ms, { hasMs: true }), text);
  });
}

for (
  const [length, lines] of [
    [0, []],
    [1, ["AB"]],
    [2, ["AB:AB"]],
    [3, ["AB:AB:", "AB"]],
    [4, ["AB:AB:", "AB:AB"]],
  ] as const
) {
  Deno.test(`formatByteLines() breaks ${length} bytes`, () => {
    assertEquals(formatByteLines(new Uint8Array(length).fill(0xab), 2), [...lines]);
  });
}
