import { assertEquals, assertRejects } from "@std/assert";
import { decodeMessage } from "../../dns/decode_message.ts";
import {
  type NodeLookup,
  type NodeLookupOptions,
  toNodeLookup,
  toResolveDns,
} from "../../dns/dns_adapters.ts";
import { encodeMessage } from "../../dns/encode_message.ts";
import type { ResourceRecord } from "../../dns/message.ts";
import { parseRecord } from "../../dns/parse_record.ts";
import { Resolver } from "../../dns/resolver.ts";
import { DnsResponseError } from "../../dns/resolver_errors.ts";

const ZONE: readonly ResourceRecord[] = [
  "host.example. 60 IN A 192.0.2.1",
  "host.example. 60 IN A 192.0.2.2",
  "host.example. 60 IN AAAA 2001:db8::1",
  'host.example. 60 IN CAA 128 issue "ca.example"',
  "alias.example. 60 IN CNAME host.example.",
  "host.example. 60 IN MX 10 mail.example.",
  'host.example. 60 IN NAPTR 1 2 "u" "E2U+sip" "!^.*$!sip:a@b!" .',
  "host.example. 60 IN NS ns.example.",
  "host.example. 60 IN PTR name.example.",
  "host.example. 60 IN SOA ns.example. root.example. 1 2 3 4 5",
  "host.example. 60 IN SRV 1 2 80 www.example.",
  'host.example. 60 IN TXT "a" "b c"',
].map((text) => parseRecord(text));

const resolver = new Resolver({
  exchange(query) {
    const { id, questions } = decodeMessage(query);
    const [question] = questions;
    const named = ZONE.filter(({ name }) => name === question!.name);
    const rcode = question!.name.startsWith("bad")
      ? "SERVFAIL"
      : named.length === 0
      ? "NXDOMAIN"
      : "NOERROR";
    const answers = named.filter(({ type }) => type === question!.type);
    return Promise.resolve(
      encodeMessage({ id, questions, rcode, answers, response: true, recursionAvailable: true }),
    );
  },
});

function call(
  lookup: NodeLookup,
  host: string,
  options?: NodeLookupOptions | number,
): Promise<unknown[]> {
  const { promise, resolve } = Promise.withResolvers<unknown[]>();
  const callback = (...found: unknown[]): void => resolve(found);
  if (options === undefined) lookup(host, callback);
  else lookup(host, options, callback);
  return promise;
}

Deno.test("toNodeLookup() gives addresses as dns.lookup does", async () => {
  const lookup = toNodeLookup(resolver);
  const [v6, a, b] = [
    { address: "2001:db8::1", family: 6 },
    { address: "192.0.2.1", family: 4 },
    { address: "192.0.2.2", family: 4 },
  ];
  assertEquals(await call(lookup, "host.example"), [null, "2001:db8::1", 6]);
  assertEquals(await call(lookup, "host.example", 4), [null, "192.0.2.1", 4]);
  assertEquals(await call(lookup, "host.example", { family: "IPv6" }), [null, "2001:db8::1", 6]);
  assertEquals(await call(lookup, "host.example", { family: 0, all: true }), [null, [v6, a, b]]);
  assertEquals(await call(lookup, "host.example", { all: true, order: "ipv4first" }), [
    null,
    [a, b, v6],
  ]);
  assertEquals(await call(lookup, "192.0.2.9", {}), [null, "192.0.2.9", 4]);
});

Deno.test("toNodeLookup() fails with the codes of Node", async () => {
  const lookup = toNodeLookup(resolver);
  for (
    const [host, family, code] of [
      ["none.example", 0, "ENOTFOUND"],
      ["alias.example", 6, "ENOTFOUND"],
      ["a..b", 0, "ENOTFOUND"],
      ["bad.example", 0, "EAI_AGAIN"],
    ] as const
  ) {
    const [error] = await call(lookup, host, family);
    const { code: found, hostname, syscall } = error as Record<string, unknown>;
    assertEquals([found, hostname, syscall], [code, host, "getaddrinfo"]);
  }
});

Deno.test("toNodeLookup() serves a socket of Node", async () => {
  const { connect } = await import("node:net");
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const lookup = toNodeLookup(resolver);
  const socket = connect({ host: "localhost", port: listener.addr.port, family: 4, lookup });
  const connection = await listener.accept();
  connection.close();
  socket.resume();
  await new Promise((resolve) => socket.once("close", resolve));
});

Deno.test("toResolveDns() gives what Deno.resolveDns gives", async () => {
  const resolveDns = toResolveDns(resolver);
  assertEquals(await resolveDns("host.example", "A"), ["192.0.2.1", "192.0.2.2"]);
  assertEquals(await resolveDns("host.example", "AAAA"), ["2001:db8::1"]);
  assertEquals(await resolveDns("alias.example", "CNAME"), ["host.example."]);
  assertEquals(await resolveDns("host.example", "NS"), ["ns.example."]);
  assertEquals(await resolveDns("host.example", "PTR"), ["name.example."]);
  assertEquals(await resolveDns("host.example", "CAA"), [
    { critical: true, tag: "issue", value: "ca.example" },
  ]);
  assertEquals(await resolveDns("host.example", "MX"), [
    { preference: 10, exchange: "mail.example." },
  ]);
  assertEquals(await resolveDns("host.example", "NAPTR"), [{
    order: 1,
    preference: 2,
    flags: "u",
    services: "E2U+sip",
    regexp: "!^.*$!sip:a@b!",
    replacement: ".",
  }]);
  assertEquals(await resolveDns("host.example", "SOA"), [{
    mname: "ns.example.",
    rname: "root.example.",
    serial: 1,
    refresh: 2,
    retry: 3,
    expire: 4,
    minimum: 5,
  }]);
  assertEquals(await resolveDns("host.example", "SRV"), [
    { priority: 1, weight: 2, port: 80, target: "www.example." },
  ]);
  assertEquals(await resolveDns("host.example", "TXT"), [["a", "b c"]]);
});

Deno.test("toResolveDns() tells errors apart and takes a signal", async () => {
  const resolveDns = toResolveDns(resolver);
  const error = await assertRejects(() => resolveDns("none.example", "A"), DnsResponseError);
  assertEquals(error.code, "ERR_DNS_NXDOMAIN");
  await assertRejects(() => resolveDns("host.example", "HINFO" as "A"), TypeError);
  const signal = AbortSignal.abort("over");
  assertEquals(await resolveDns("host.example", "A", { signal }).catch((error) => error), "over");
});
