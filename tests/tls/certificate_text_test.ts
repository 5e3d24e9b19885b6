import { assertEquals } from "@std/assert";
import { parseCertificate } from "../../tls/certificate.ts";
import { formatCertificate } from "../../tls/certificate_text.ts";
import type { DerWriter } from "../../tls/der_writer.ts";
import { buildCertificate, buildWithExtension } from "./certificate_builder.ts";
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
