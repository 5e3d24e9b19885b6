import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { CertificateVerificationError } from "../../tls/certificate_verification_error.ts";
import type { GeneralName, OtherName } from "../../tls/general_name.ts";
import {
  HostnameError,
  verifyHostname,
  type VerifyHostnameOptions,
} from "../../tls/verify_hostname.ts";

const dns = (value: string): GeneralName => ({ type: "dns", value });
const uri = (value: string): GeneralName => ({ type: "uri", value });
const ip = (...bytes: number[]): GeneralName => ({ type: "ip", value: new Uint8Array(bytes) });
const LOOPBACK6 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

function srv(text: string, tag = 0x16): OtherName {
  const content = new TextEncoder().encode(text);
  const value = new Uint8Array([tag, content.length, ...content]);
  return { type: "other", oid: "1.3.6.1.5.5.7.8.7", value, raw: value };
}

interface Row {
  readonly name: string;
  readonly presented: readonly GeneralName[];
  readonly host: string | Uint8Array;
  readonly options?: VerifyHostnameOptions;
}

const MATCHES: readonly Row[] = [
  { name: "the same name", presented: [dns("a.example")], host: "a.example" },
  { name: "another case", presented: [dns("A.exAmple")], host: "a.EXAMPLE" },
  { name: "one of several", presented: [dns("b"), ip(1, 2, 3, 4), dns("a.b")], host: "a.b" },
  { name: "a dot at the end", presented: [dns("a.example")], host: "a.example." },
  { name: "a wildcard", presented: [dns("*.a.example")], host: "b.a.example" },
  { name: "a wildcard for an A-label", presented: [dns("*.a.b")], host: "xn--bcher-kva.a.b" },
  { name: "an IPv4 address", presented: [ip(192, 0, 2, 1)], host: "192.0.2.1" },
  { name: "an IPv6 address", presented: [ip(...LOOPBACK6)], host: "0:0::1" },
  { name: "bytes of an address", presented: [ip(1, 2, 3, 4)], host: new Uint8Array([1, 2, 3, 4]) },
  { name: "a URI", presented: [uri("SIP:A.example")], host: "a.example", options: { uri: "sip" } },
  {
    name: "a URI with authority, port and path",
    presented: [uri("https://a.example:8443/x?y")],
    host: "a.example",
    options: { uri: "HTTPS" },
  },
  { name: "a service", presented: [srv("_imaps.a.b")], host: "A.b", options: { srv: "imaps" } },
  {
    name: "a service with its underscore",
    presented: [srv("_IMAPS.a.b")],
    host: "a.b",
    options: { srv: "_imaps" },
  },
  {
    name: "a DNS name where a service was asked for as well",
    presented: [dns("a.b")],
    host: "a.b",
    options: { srv: "imaps" },
  },
];

const MISMATCHES: readonly Row[] = [
  { name: "another name", presented: [dns("b.example")], host: "a.example" },
  { name: "a name above", presented: [dns("example.org")], host: "a.example.org" },
  { name: "a wildcard for no label", presented: [dns("*.a.b")], host: "a.b" },
  { name: "a wildcard for two labels", presented: [dns("*.a.b")], host: "d.c.a.b" },
  { name: "a wildcard in a label", presented: [dns("w*.a.b")], host: "www.a.b" },
  { name: "a wildcard elsewhere", presented: [dns("a.*.b.c")], host: "a.x.b.c" },
  { name: "a wildcard below the top", presented: [dns("*.com")], host: "a.com" },
  { name: "a wildcard alone", presented: [dns("*")], host: "a" },
  { name: "a wildcard in an A-label", presented: [dns("xn--*.a.b")], host: "xn--x.a.b" },
  { name: "a dot at the end of the presented", presented: [dns("a.b.")], host: "a.b." },
  { name: "a NUL behind", presented: [dns("a.b\0.evil.example")], host: "a.b" },
  { name: "letters that fold into ASCII", presented: [dns("\u212a.b")], host: "k.b" },
  { name: "an address as a name", presented: [dns("192.0.2.1")], host: "192.0.2.1" },
  { name: "an address as a URI", presented: [uri("https://1.2.3.4/")], host: "1.2.3.4" },
  { name: "another address", presented: [ip(192, 0, 2, 2)], host: "192.0.2.1" },
  {
    name: "an IPv4 address mapped into IPv6",
    presented: [ip(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4)],
    host: "1.2.3.4",
  },
  { name: "an address and a mask", presented: [ip(1, 2, 3, 4, 0, 0, 0, 0)], host: "1.2.3.4" },
  { name: "a URI nobody asked for", presented: [uri("sip:a.b")], host: "a.b" },
  { name: "another scheme", presented: [uri("sips:a.b")], host: "a.b", options: { uri: "sip" } },
  { name: "a user", presented: [uri("sip:u@a.b")], host: "a.b", options: { uri: "sip" } },
  {
    name: "a host behind a user",
    presented: [uri("https://a.b@evil/")],
    host: "a.b",
    options: { uri: "https" },
  },
  {
    name: "a wildcard in a URI",
    presented: [uri("sip:*.a.b")],
    host: "x.a.b",
    options: { uri: "sip" },
  },
  { name: "a service nobody asked for", presented: [srv("_imaps.a.b")], host: "a.b" },
  {
    name: "another service",
    presented: [srv("_imap.a.b")],
    host: "a.b",
    options: { srv: "imaps" },
  },
  {
    name: "a wildcard in a service",
    presented: [srv("_imaps.*.b")],
    host: "a.b",
    options: { srv: "imaps" },
  },
  {
    name: "a service in UTF-8",
    presented: [srv("_imaps.a.b", 0x0c)],
    host: "a.b",
    options: { srv: "imaps" },
  },
  {
    name: "another kind of name",
    presented: [{ ...srv("_imaps.a.b"), oid: "1.2.3" }],
    host: "a.b",
    options: { srv: "imaps" },
  },
  { name: "a mail address", presented: [{ type: "email", value: "a.b" }], host: "a.b" },
];

for (const { name, presented, host, options } of MATCHES) {
  Deno.test(`verifyHostname() accepts ${name}`, () => {
    verifyHostname({ subjectAltName: presented }, host, options);
  });
}

for (const { name, presented, host, options } of MISMATCHES) {
  Deno.test(`verifyHostname() refuses ${name}`, () => {
    const error = assertThrows(
      () => verifyHostname({ subjectAltName: presented }, host, options),
      HostnameError,
    );
    assertEquals([error.code, error.hostname], ["ERR_X509_NAME_MISMATCH", String(host)]);
  });
}

Deno.test("verifyHostname() says where a certificate names nobody", () => {
  const error = assertThrows(
    () => verifyHostname({ subjectAltName: undefined }, new Uint8Array([192, 0, 2, 1])),
    HostnameError,
  );
  assertInstanceOf(error, CertificateVerificationError);
  assertEquals([error.code, error.hostname, error.depth], ["ERR_X509_NO_NAMES", "192.0.2.1", 0]);
});

const NO_HOSTS = [
  "",
  ".",
  "a..b",
  "*.a.b",
  "a b",
  "https://a.b",
  "a.b:443",
  "[::1]",
  "127.1",
  "fe80::1%eth0",
  "bücher.example",
  new Uint8Array(5),
];

Deno.test("verifyHostname() throws on what is neither a name nor an address", () => {
  for (const host of NO_HOSTS) {
    const names = typeof host === "string" ? [dns(host)] : [];
    assertThrows(() => verifyHostname({ subjectAltName: names }, host), TypeError);
  }
});

Deno.test("verifyHostname() throws on a malformed scheme or service", () => {
  for (
    const options of [{ uri: "" }, { uri: "sip:" }, { uri: "1a" }, { srv: "" }, { srv: "a.b" }]
  ) {
    const certificate = { subjectAltName: [dns("a.b")] };
    assertThrows(() => verifyHostname(certificate, "a.b", options), TypeError);
  }
});

Deno.test("verifyHostname() takes no URI-ID whose scheme wants an authority, and has none", () => {
  for (
    const [scheme, value, isGood] of [
      ["sip", "sip:example.com", true],
      ["https", "https://example.com", true],
      ["https", "https:example.com", false],
      ["wss", "wss:example.com/", false],
    ] as const
  ) {
    const certificate = { subjectAltName: [{ type: "uri", value }] } as const;
    const verify = (): void => verifyHostname(certificate, "example.com", { uri: scheme });
    if (isGood) verify();
    else assertThrows(verify, HostnameError);
  }
});
