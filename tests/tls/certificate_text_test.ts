import { assertEquals } from "@std/assert";
import { parseCertificate } from "../../tls/certificate.ts";
import { formatCertificate } from "../../tls/certificate_text.ts";
import { DerWriter } from "../../tls/der_writer.ts";
import { algorithm, buildCertificate, buildWithExtension } from "./certificate_builder.ts";
import { everythingCertificate } from "./certificate_samples.ts";

const linesOf = (der: Uint8Array): string[] =>
  formatCertificate(parseCertificate(der)).split("\n").map((line) => line.trim());

Deno.test("formatCertificate() prints a small certificate whole", () => {
  const text = formatCertificate(parseCertificate(buildCertificate({ version: 1 })));
  const zeros = ":00".repeat(17);
  assertEquals(
    text,
    `Certificate:
    Data:
        Version: 1 (0x0)
        Serial Number: 1 (0x1)
        Signature Algorithm: ED25519
        Issuer: CN=test
        Validity
            Not Before: Jan  1 00:00:00 2025 GMT
            Not After : Jan  1 00:00:00 2026 GMT
        Subject: CN=test
        Subject Public Key Info:
            Public Key Algorithm: ED25519
                ED25519 Public-Key:
                pub:
                    ${"07:".repeat(15)}
                    ${"07:".repeat(15)}
                    07:07
    Signature Algorithm: ED25519
    Signature Value:
        00${zeros}:
        00${zeros}:
        00${zeros}:
        ${"00:".repeat(9)}00
`,
  );
});

Deno.test("formatCertificate() prints every extension", () => {
  const lines = linesOf(everythingCertificate());
  for (
    const line of [
      "X509v3 Subject Key Identifier:",
      "01:02:03",
      "X509v3 Key Usage: critical",
      "CA:TRUE, pathlen:3",
      "Permitted:",
      "DNS:example.com",
      "IP:192.0.2.0/255.255.255.0",
      "URI:http://a/",
      "keyCompromise",
      'DirName:"CN=crl issuer"',
      "Policy: X509v3 Any Policy",
      "CPS: https://example.com",
      "Explicit Text: Read this",
      "Qualifier: 1.2.4",
      "1.2.3:1.2.5",
      "keyid:01:02:03",
      "serial:7F",
      "Require Explicit Policy:1, Inhibit Policy Mapping:2",
      "TLS Web Server Authentication",
      "OCSP - URI:http://ocsp.example.com",
      "Signed Certificate Timestamp:",
      "Timestamp : Dec 25 22:46:27.585 2024 GMT",
      "Signature : ecdsa-with-SHA256",
      "1.2.3.4.5:",
      "0C:07:75:6E:6B:6E:6F:77:6E",
    ]
  ) {
    assertEquals(lines.includes(line), true, line);
  }
  const names = lines.find((line) => line.startsWith("othername:"));
  assertEquals(names?.split(", ").slice(1, 3), ["email:user@example.com", "DNS:www.example.com"]);
});

for (
  const { name, value, text } of [
    {
      name: "two names in one",
      value: "a, DNS:good.example",
      text: 'DNS:"a, DNS:good.example"',
    },
    { name: "a terminal's escape", value: "\x1b[2J", text: 'DNS:"\\u001b[2J"' },
    { name: "a quote", value: 'a"', text: 'DNS:"a\\""' },
    { name: "a NUL", value: "a\0.example", text: 'DNS:"a\\u0000.example"' },
    { name: "a line end", value: "a\nb", text: 'DNS:"a\\nb"' },
    { name: "nothing", value: "", text: "DNS:" },
  ]
) {
  Deno.test(`formatCertificate() shows ${name} as it is`, () => {
    const der = buildWithExtension(
      "2.5.29.17",
      (writer: DerWriter) =>
        writer.writeSequence(() =>
          writer.writeContextPrimitive(2, new TextEncoder().encode(value))
        ),
    );
    assertEquals(linesOf(der).includes(text), true);
  });
}

for (
  const [hex, text] of [
    ["00", "Serial Number: 0 (0x0)"],
    ["7fffffffffffffff", "Serial Number: 9223372036854775807 (0x7fffffffffffffff)"],
    ["0080", "Serial Number: 128 (0x80)"],
    ["008000000000000000", "80:00:00:00:00:00:00:00"],
    ["010000000000000000", "01:00:00:00:00:00:00:00:00"],
  ] as const
) {
  Deno.test(`formatCertificate() prints the serial number ${hex}`, () => {
    const serialNumber = Uint8Array.fromHex(hex);
    assertEquals(linesOf(buildCertificate({ serialNumber })).includes(text), true);
  });
}

Deno.test("formatCertificate() prints a negative serial number", () => {
  const lines = linesOf(buildCertificate({ serialNumber: -129 }));
  assertEquals(lines.includes("Serial Number: -129 (-0x81)"), true);
});

Deno.test("formatCertificate() leaves out what is not wanted", () => {
  const certificate = parseCertificate(buildCertificate());
  const text = formatCertificate(certificate, { includePublicKey: false, includeSignature: false });
  assertEquals([text.includes("Public Key"), text.includes("Signature Value")], [false, false]);
});

Deno.test("formatCertificate() prints a long negative serial number in digits, and says so", () => {
  const lines = linesOf(
    buildCertificate({ serialNumber: -(2n ** 71n) }),
  );
  const index = lines.indexOf("Serial Number:");
  assertEquals(lines[index + 1], "(two's complement) 80:00:00:00:00:00:00:00:00");
});

Deno.test("formatCertificate() shows algorithms without a name as identifiers", () => {
  const der = buildCertificate({
    publicKey: (writer) =>
      writer.writeSequence(() => {
        algorithm(writer, "1.2.3.4");
        writer.writeBitString(new Uint8Array([0xab]));
      }),
  });
  const lines = linesOf(der);
  const index = lines.indexOf("Public Key Algorithm: 1.2.3.4");
  assertEquals(lines.slice(index + 1, index + 4), ["1.2.3.4 Public-Key:", "pub:", "ab"]);
});

const CURVES = [
  {
    curve: "1.2.840.10045.3.1.7",
    size: 32,
    bits: " (256 bit)",
    tail: ["ASN1 OID: prime256v1", "NIST CURVE: P-256"],
  },
  {
    curve: "1.3.132.0.34",
    size: 48,
    bits: " (384 bit)",
    tail: ["ASN1 OID: secp384r1", "NIST CURVE: P-384"],
  },
  {
    curve: "1.3.132.0.35",
    size: 66,
    bits: " (521 bit)",
    tail: ["ASN1 OID: secp521r1", "NIST CURVE: P-521"],
  },
  { curve: "1.2.3.4.5", size: 3, bits: "", tail: ["ASN1 OID: 1.2.3.4.5"] },
];

for (const { curve, size, bits, tail } of CURVES) {
  Deno.test(`formatCertificate() prints a key on the curve ${curve}`, () => {
    const der = buildCertificate({
      publicKey: (writer) =>
        writer.writeSequence(() => {
          writer.writeSequence(() => {
            writer.writeObjectIdentifier("1.2.840.10045.2.1");
            writer.writeObjectIdentifier(curve);
          });
          writer.writeBitString(new Uint8Array(1 + 2 * size).fill(4));
        }),
    });
    const lines = linesOf(der);
    const start = lines.indexOf(`Public-Key:${bits}`);
    const lineCount = Math.ceil((1 + 2 * size) / 15);
    assertEquals(lines[start + 1], "pub:");
    const end = start + 2 + lineCount;
    assertEquals(lines.slice(start + 2, end).join(""), `${"04:".repeat(2 * size)}04`);
    assertEquals(lines.slice(end, end + tail.length + 1), [
      ...tail,
      "Signature Algorithm: ED25519",
    ]);
  });
}

for (
  const { exponent, text } of [
    { exponent: "010001", text: "Exponent: 65537 (0x10001)" },
    { exponent: "03", text: "Exponent: 3 (0x3)" },
    { exponent: "7fffffffffffffff", text: `Exponent: ${2n ** 63n - 1n} (0x7fffffffffffffff)` },
    { exponent: "7fffffffffffffffff", text: "Exponent: 0x7fffffffffffffffff" },
  ]
) {
  Deno.test(`formatCertificate() prints an RSA key with the exponent ${exponent}`, () => {
    const key = new DerWriter();
    key.writeSequence(() => {
      key.writeInteger(Uint8Array.fromHex(`00c1${"02".repeat(15)}`));
      key.writeInteger(Uint8Array.fromHex(exponent));
    });
    const bits = key.finish();
    const der = buildCertificate({
      publicKey: (writer) =>
        writer.writeSequence(() => {
          writer.writeSequence(() => {
            writer.writeObjectIdentifier("1.2.840.113549.1.1.1");
            writer.writeNull();
          });
          writer.writeBitString(bits);
        }),
    });
    const lines = linesOf(der);
    const start = lines.indexOf("Public-Key: (128 bit)");
    assertEquals(lines.slice(start, start + 5), [
      "Public-Key: (128 bit)",
      "Modulus:",
      `00:c1:${"02:".repeat(13)}`,
      "02:02",
      text,
    ]);
  });
}
