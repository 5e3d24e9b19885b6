import { assertEquals, assertThrows } from "@std/assert";
import { compose } from "../../http/middleware.ts";
import {
  CLIENT,
  clientAddr,
  clientHost,
  clientScheme,
  type ForwardedField,
  trustedProxy,
  type TrustedProxyOptions,
} from "../../http/middleware_trusted_proxy.ts";
import { proxyListener } from "../../http/proxy_listener.ts";
import { ProxyTlvType } from "../../http/proxy_protocol.ts";
import { serve } from "../../http/serve.ts";
import { proxyV2Tcp4, tlv } from "../_support/proxy_header.ts";
import { RawClient } from "../_support/raw_client.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { request, ServerHarness } from "../_support/server_harness.ts";

const TRUSTED = ["10.0.0.0/8", "2001:db8::/32", "unix"];
const ALL: readonly ForwardedField[] = [
  "x-forwarded-for",
  "x-forwarded-proto",
  "x-forwarded-host",
];
const FORWARDED: TrustedProxyOptions = { fields: ["forwarded"] };
const LISTS: TrustedProxyOptions = { fields: ALL };

type Seen = [address: string | null, port: number | null, scheme: string, host: string | null];

/** What a handler sees, or the status. */
async function see(
  fields: readonly string[],
  options: TrustedProxyOptions = {},
  clientAddr_: Deno.Addr = { transport: "tcp", hostname: "10.0.0.1", port: 1111 },
): Promise<Seen | number> {
  await using harness = new ServerHarness(
    compose([trustedProxy(TRUSTED, options)], (ctx) =>
      ctx.json([
        clientAddr(ctx) ?? null,
        ctx.state.require(CLIENT).port ?? null,
        clientScheme(ctx),
        clientHost(ctx) ?? null,
      ])),
  );
  const client = await harness.open(request("GET /", fields), { clientAddr: clientAddr_ });
  const { status, body } = await client.response();
  assertEquals(harness.reported, []);
  return status === 200 ? JSON.parse(body) : status;
}

const OWN: Seen = ["10.0.0.1", 1111, "http", "a"];
const STRANGER: Deno.Addr = { transport: "tcp", hostname: "192.0.2.9", port: 5 };

for (
  const [name, fields, options, expected] of [
    ["nothing told", [], {}, OWN],
    ["nothing told by Forwarded", [], FORWARDED, OWN],
    ["an address", ["X-Forwarded-For: 192.0.2.1"], {}, ["192.0.2.1", null, "http", "a"]],
    ["an address and port", ["X-Forwarded-For: 192.0.2.1:7"], {}, ["192.0.2.1", 7, "http", "a"]],
    [
      "an IPv6 address in its one form",
      ["X-Forwarded-For: [2001:DB9:0::1]:443"],
      {},
      ["2001:db9::1", 443, "http", "a"],
    ],
    [
      "a mapped address",
      ["X-Forwarded-For: ::ffff:192.0.2.1"],
      {},
      ["192.0.2.1", null, "http", "a"],
    ],
    [
      "what a client claims, to the left",
      ["X-Forwarded-For: 1.1.1.1, rubbish, 192.0.2.1"],
      {},
      ["192.0.2.1", null, "http", "a"],
    ],
    [
      "several trusted proxies",
      ["X-Forwarded-For: 1.1.1.1, 192.0.2.1, 2001:db8::5, 10.9.9.9"],
      {},
      ["192.0.2.1", null, "http", "a"],
    ],
    [
      "a trusted proxy under a mapped address",
      ["X-Forwarded-For: 192.0.2.1, ::ffff:10.2.3.4"],
      {},
      ["192.0.2.1", null, "http", "a"],
    ],
    [
      "several lines",
      ["X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 192.0.2.1", "x-forwarded-for: 10.0.0.2"],
      {},
      ["192.0.2.1", null, "http", "a"],
    ],
    [
      "trusted senders only: the first of them",
      ["X-Forwarded-For: 10.3.3.3, 10.2.2.2"],
      {},
      ["10.3.3.3", null, "http", "a"],
    ],
    ["a hidden client", ["X-Forwarded-For: 1.1.1.1, unknown"], {}, [null, null, "http", "a"]],
    ["a scheme", ["X-Forwarded-Proto: HTTPS"], {}, ["10.0.0.1", 1111, "https", "a"]],
    [
      "a scheme that was added to the client's claim",
      ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https, http"],
      {},
      ["192.0.2.1", null, "http", "a"],
    ],
    [
      "a scheme per hop",
      ["X-Forwarded-For: 192.0.2.1, 10.0.0.2", "X-Forwarded-Proto: wss, https, http"],
      {},
      ["192.0.2.1", null, "https", "a"],
    ],
    [
      "one scheme for several hops",
      ["X-Forwarded-For: 192.0.2.1, 10.0.0.2", "X-Forwarded-Proto: https"],
      {},
      ["192.0.2.1", null, "https", "a"],
    ],
    [
      "a host that is not believed by default",
      ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: evil.example"],
      {},
      ["192.0.2.1", null, "http", "a"],
    ],
    [
      "a host",
      ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Host: evil.example, www.example:8443"],
      LISTS,
      ["192.0.2.1", null, "http", "www.example:8443"],
    ],
    [
      "a field of the other kind",
      ["Forwarded: for=1.1.1.1", "X-Forwarded-For: 192.0.2.1"],
      {},
      ["192.0.2.1", null, "http", "a"],
    ],
    [
      "a field of the other kind, the other way round",
      ["Forwarded: for=192.0.2.1", "X-Forwarded-For: 1.1.1.1", "X-Forwarded-Proto: https"],
      FORWARDED,
      ["192.0.2.1", null, "http", "a"],
    ],
    [
      "all by Forwarded",
      ['Forwarded: for=1.1.1.1, for="192.0.2.1:7";proto=https;host="b:1", for=10.0.0.2;proto=http'],
      FORWARDED,
      ["192.0.2.1", 7, "https", "b:1"],
    ],
    [
      "several lines of Forwarded",
      ['Forwarded: for=1.1.1.1;x="', "Forwarded: for=192.0.2.1", "Forwarded: for=10.0.0.2"],
      FORWARDED,
      ["192.0.2.1", null, "http", "a"],
    ],
    ["a hidden client by Forwarded", ["Forwarded: for=_x"], FORWARDED, [null, null, "http", "a"]],
    [
      "Forwarded without a client",
      ["Forwarded: for=1.1.1.1, proto=https"],
      FORWARDED,
      [null, null, "https", "a"],
    ],
    ["an empty Forwarded", ["Forwarded:"], FORWARDED, OWN],
    ["a malformed address", ["X-Forwarded-For: 192.0.2.1, 1.2.3"], {}, 400],
    ["a malformed address behind a proxy", ["X-Forwarded-For: x y, 10.0.0.2"], {}, 400],
    ["a malformed scheme", ["X-Forwarded-Proto: ht tp"], {}, 400],
    ["a malformed host", ["X-Forwarded-Host: a/b"], LISTS, 400],
    ["a malformed Forwarded", ['Forwarded: for="192.0.2.1'], FORWARDED, 400],
    ["an open quote of the client", ['Forwarded: x=", for=192.0.2.1'], FORWARDED, 400],
    ["no fields at all", ["X-Forwarded-For: 192.0.2.1"], { fields: [] }, OWN],
  ] as [string, string[], TrustedProxyOptions, Seen | number][]
) {
  Deno.test(`trustedProxy() copes with ${name}`, async () => {
    assertEquals(await see(fields, options), expected);
    const [address, port] = ["192.0.2.9", 5];
    assertEquals(await see(fields, options, STRANGER), [address, port, "http", "a"]);
  });
}

Deno.test("trustedProxy() believes whoever comes by a Unix socket, if told to", async () => {
  const unix: Deno.Addr = { transport: "unix", path: "" };
  assertEquals(await see(["X-Forwarded-For: 192.0.2.1"], {}, unix), [
    "192.0.2.1",
    null,
    "http",
    "a",
  ]);
  assertEquals(await see([], {}, unix), [null, null, "http", "a"]);
});

Deno.test("trustedProxy() bounds the hops, not what clients put in front", async () => {
  const hops = (count: number) => Array.from({ length: count }, () => "10.0.0.2").join();
  assertEquals(await see([`X-Forwarded-For: 192.0.2.1,${hops(15)}`]), [
    "192.0.2.1",
    null,
    "http",
    "a",
  ]);
  assertEquals(await see([`X-Forwarded-For: 192.0.2.1,${hops(16)}`]), 400);
  assertEquals(await see([`X-Forwarded-For: ${"x,".repeat(5_000)}192.0.2.1`]), [
    "192.0.2.1",
    null,
    "http",
    "a",
  ]);
  const elements = hops(2).replaceAll("10", "for=10");
  assertEquals(await see([`Forwarded: ${elements}`], { ...FORWARDED, maxHopCount: 1 }), 400);
  assertEquals(await see([`X-Forwarded-For: ${hops(64)}`], { maxHopCount: 64 }), [
    "10.0.0.2",
    null,
    "http",
    "a",
  ]);
});

Deno.test("trustedProxy() refuses options that make no sense", () => {
  for (
    const options of [
      { maxHopCount: 0 },
      { maxHopCount: 65 },
      { maxHopCount: 1.5 },
      { fields: ["x-real-ip" as ForwardedField] },
      { fields: ["forwarded", "x-forwarded-for"] as const },
    ]
  ) assertThrows(() => trustedProxy([], options), RangeError);
  assertThrows(() => trustedProxy(["localhost"]), RangeError);
});

Deno.test("without the middleware, nothing but the connection counts", async () => {
  await using harness = new ServerHarness((ctx) =>
    ctx.json([clientAddr(ctx), clientScheme(ctx), clientHost(ctx)])
  );
  const client = await harness.open(
    request("GET /", ["X-Forwarded-For: 1.1.1.1", "X-Forwarded-Proto: https"]),
    { clientAddr: { transport: "tcp", hostname: "::ffff:192.0.2.9", port: 5 } },
  );
  assertEquals(JSON.parse((await client.response()).body), ["192.0.2.9", "http", "a"]);
});

Deno.test("a PROXY header counts as the connection, its TLS as the scheme", async () => {
  const socket = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using server = serve(
    compose([trustedProxy(["192.0.2.7"])], (ctx) => ctx.json([clientAddr(ctx), clientScheme(ctx)])),
    { listener: proxyListener(socket, ["127.0.0.1"]) },
  );
  const { port } = server.addr as Deno.NetAddr;
  for (
    const [source, expected] of [
      [[192, 0, 2, 8], '["192.0.2.8","https"]'],
      [[192, 0, 2, 7], '["1.1.1.1","https"]'],
    ] as const
  ) {
    await using client = await RawClient.connect({ hostname: "127.0.0.1", port });
    const header = proxyV2Tcp4(source, 99, tlv(ProxyTlvType.SSL, "\x01\0\0\0\0"));
    await client.send(header);
    await client.send(bytesOf(request("GET /", ["X-Forwarded-For: 1.1.1.1"])));
    assertEquals((await client.response())?.body, expected);
  }
});
