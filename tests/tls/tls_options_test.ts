import { assert, assertEquals, assertThrows } from "@std/assert";
import type { TlsClientOptions, TlsServerOptions } from "../../nbio/tls_provider.ts";
import { TlsUnsupportedError } from "../../tls/errors.ts";
import { resolveClientOptions, resolveServerOptions } from "../../tls/tls_options.ts";
import { ca, client, server } from "../_support/tls_pki.ts";

const PIN = `${"A".repeat(43)}=`;

Deno.test("resolveClientOptions() fills in the defaults", () => {
  const settings = resolveClientOptions("x", { hostname: "example.com" });
  assertEquals(settings, {
    hostname: "example.com",
    isAddress: false,
    alpnProtocols: [],
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
    bounds: { timeoutMs: 10_000 },
    caCerts: [],
    exclusiveCas: false,
    own: undefined,
    pins: undefined,
    verifyPeer: undefined,
    peerChain: false,
    skipHostname: false,
    skipVerification: false,
  });
  assertEquals(resolveClientOptions("x", { hostname: "::1" }).isAddress, true);
});

Deno.test("resolveClientOptions() reads roots in DER and PEM, several in one text", () => {
  const { caCerts } = resolveClientOptions("x", {
    hostname: "a.test",
    caCerts: [ca.certificate.raw, `Two:\n${ca.certificatePem}\n${server.cert}`],
  });
  assertEquals(caCerts.length, 3);
});

const WRONG_CLIENT: readonly { name: string; options: object; type: typeof TypeError }[] = [
  { name: "an empty hostname", options: { hostname: "" }, type: TypeError },
  { name: "a hostname that is none", options: { hostname: "a b" }, type: TypeError },
  { name: "a hostname of numbers", options: { hostname: "127.1" }, type: TypeError },
  { name: "roots that are no list", options: { caCerts: ca.certificatePem }, type: TypeError },
  { name: "roots that are no PEM", options: { caCerts: ["x"] }, type: TypeError },
  { name: "roots that are no DER", options: { caCerts: [new Uint8Array(9)] }, type: TypeError },
  { name: "a root that is no text", options: { caCerts: [1] }, type: TypeError },
  { name: "a key among the roots", options: { caCerts: [server.key] }, type: TypeError },
  { name: "exclusive CAs without one", options: { exclusiveCas: true }, type: RangeError },
  { name: "cert without key", options: { cert: client.cert }, type: TypeError },
  { name: "key without cert", options: { key: client.key }, type: TypeError },
  { name: "a hook that is none", options: { verifyPeer: 1 }, type: TypeError },
  { name: "no pins", options: { pins: { keys: [] } }, type: RangeError },
  { name: "a pin that is no base64", options: { pins: { keys: ["!"] } }, type: RangeError },
  { name: "a pin of other length", options: { pins: { keys: ["AAAA"] } }, type: RangeError },
  {
    name: "101 pins",
    options: { pins: { keys: new Array(101).fill(PIN) } },
    type: RangeError,
  },
  {
    name: "a backup pin that is none",
    options: { pins: { keys: [PIN], backupKeys: [""] } },
    type: RangeError,
  },
  {
    name: "pins of something else",
    options: { pins: { keys: [PIN], match: "root" } },
    type: RangeError,
  },
  { name: "an empty protocol", options: { alpnProtocols: [""] }, type: RangeError },
  {
    name: "33 protocols",
    options: { alpnProtocols: new Array(33).fill("a") },
    type: RangeError,
  },
  { name: "a version that is not spoken", options: { minVersion: "TLSv1.1" }, type: RangeError },
  {
    name: "versions the wrong way round",
    options: { minVersion: "TLSv1.3", maxVersion: "TLSv1.2" },
    type: RangeError,
  },
  { name: "a negative timeout", options: { handshakeTimeoutMs: -1 }, type: RangeError },
];

for (const { name, options, type } of WRONG_CLIENT) {
  Deno.test(`resolveClientOptions() throws on ${name}`, () => {
    const wrong = { hostname: "a.test", ...options } as TlsClientOptions;
    assertThrows(() => resolveClientOptions("x", wrong), type);
  });
}

Deno.test("resolveClientOptions() takes the limits", () => {
  resolveClientOptions("x", {
    hostname: "a.test",
    alpnProtocols: new Array(32).fill("x".repeat(255)),
    pins: { keys: new Array(100).fill(PIN) },
    handshakeTimeoutMs: Infinity,
  });
});

Deno.test("options that are not known are refused with the provider's name", () => {
  for (
    const [option, value] of [
      ["ciphers", "x"],
      ["crl", "x"],
      ["sigalgs", "x"],
      ["ecdhCurve", "x"],
      ["rejectUnauthorized", false],
      ["ca", ca.certificatePem],
      ["passphrase", "x"],
      ["nonsense", 1],
    ] as const
  ) {
    const extra = { [option]: value };
    for (
      const call of [
        () => resolveClientOptions("x", { hostname: "a.test", ...extra }),
        () => resolveServerOptions("x", { ...server, ...extra }),
      ]
    ) {
      const error = assertThrows(call, TlsUnsupportedError);
      assertEquals([error.code, error.provider, error.option], [
        "ERR_TLS_UNSUPPORTED_OPTION",
        "x",
        option,
      ]);
    }
  }
  for (
    const [name, options] of [
      ["dangerous.skipEverything", { dangerous: { skipEverything: true } }],
      ["pins.key", { pins: { keys: [PIN], key: PIN } }],
    ] as readonly [string, object][]
  ) {
    const wrong = { hostname: "a.test", ...options } as TlsClientOptions;
    assertEquals(
      assertThrows(() => resolveClientOptions("x", wrong), TlsUnsupportedError).option,
      name,
    );
  }
  // What is undefined was not given.
  resolveClientOptions("x", { hostname: "a.test", nonsense: undefined } as TlsClientOptions);
});

Deno.test("resolveServerOptions() fills in the defaults", () => {
  const { own, ...rest } = resolveServerOptions("x", server);
  assert(own !== undefined && own.chain.length === 1);
  assertEquals(rest, {
    alpnProtocols: [],
    minVersion: "TLSv1.2",
    maxVersion: "TLSv1.3",
    bounds: { timeoutMs: 10_000 },
    certificates: undefined,
    clientCertificates: "none",
    clientCaCerts: [],
  });
});

const SOURCE = { select: () => undefined };
const CAS = { clientCaCerts: [ca.certificatePem] };
const WRONG_SERVER: readonly { name: string; options: object; type: typeof TypeError }[] = [
  { name: "no certificate", options: {}, type: TypeError },
  { name: "two ways to one", options: { ...server, certificates: SOURCE }, type: TypeError },
  { name: "client CAs for nothing", options: { ...server, ...CAS }, type: TypeError },
  {
    name: "client certificates of nobody",
    options: { ...server, clientCertificates: "optional" },
    type: TypeError,
  },
  {
    name: "another way of asking",
    options: { ...server, ...CAS, clientCertificates: "always" },
    type: RangeError,
  },
];

for (const { name, options, type } of WRONG_SERVER) {
  Deno.test(`resolveServerOptions() throws on ${name}`, () => {
    assertThrows(() => resolveServerOptions("x", options as TlsServerOptions), type);
  });
}
