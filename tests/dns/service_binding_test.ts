import { assertEquals, assertThrows } from "@std/assert";
import { DnsTextError } from "../../dns/errors.ts";
import type { ResourceRecord } from "../../dns/message.ts";
import { parseRecord } from "../../dns/parse_record.ts";
import {
  bindService,
  type BindServiceOptions,
  type ServiceEndpoint,
  serviceName,
} from "../../dns/service_binding.ts";

function records(...texts: string[]): ResourceRecord[] {
  return texts.map((text) => parseRecord(`a.example. 60 IN HTTPS ${text}`));
}

function endpointsOf(texts: string[], options?: BindServiceOptions): readonly ServiceEndpoint[] {
  const binding = bindService(records(...texts), options);
  return binding.mode === "service" ? binding.endpoints : [];
}

function targetsOf(texts: string[], options?: BindServiceOptions): string[] {
  return endpointsOf(texts, options).map(({ target }) => target);
}

Deno.test("bindService() finds nothing without records", () => {
  assertEquals(bindService([]), { mode: "none" });
  assertEquals(bindService([parseRecord("a.example. 1 IN A 192.0.2.1")]), { mode: "none" });
});

Deno.test("bindService() follows an alias and ignores endpoints beside it", () => {
  const alias = { mode: "alias" as const, target: "b.example." };
  assertEquals(bindService(records("0 b.example.")), alias);
  assertEquals(bindService(records("1 c.example.", "0 b.example.")), alias);
  assertEquals(bindService(records("0 .")), { mode: "unavailable" });
});

Deno.test("bindService() chooses among aliases by chance", () => {
  const targets = [0, 0.99].map((random) => {
    const binding = bindService(records("0 b.example.", "0 c.example."), { random: () => random });
    return binding.mode === "alias" && binding.target;
  });
  assertEquals(targets, ["c.example.", "b.example."]);
});

Deno.test("bindService() gives all an endpoint says", () => {
  const [endpoint] = endpointsOf([
    "1 . alpn=h3,h2 port=8443 ipv4hint=192.0.2.1,192.0.2.2 ipv6hint=2001:db8::1 ech=AAA=",
  ]);
  assertEquals(endpoint?.priority, 1);
  assertEquals([endpoint?.target, endpoint?.port], ["a.example.", 8443]);
  assertEquals(endpoint?.alpn, ["h3", "h2", "http/1.1"]);
  assertEquals(endpoint?.addressHints, ["2001:db8::1", "192.0.2.1", "192.0.2.2"]);
  assertEquals(endpoint?.ech, new Uint8Array(2));
  assertEquals(endpoint?.params.port, 8443);
});

Deno.test("bindService() orders by priority, and leaves equals as they came without chance", () => {
  const texts = ["2 d.example.", "1 b.example.", "1 c.example."];
  assertEquals(targetsOf(texts), ["b.example.", "c.example.", "d.example."]);
  assertEquals(targetsOf(texts, { random: () => 0 })[2], "d.example.");
});

Deno.test("bindService() shuffles equal priorities", () => {
  const texts = ["1 b.example.", "1 c.example."];
  const firsts = new Set([0, 0.99].map((random) => targetsOf(texts, { random: () => random })[0]));
  assertEquals(firsts, new Set(["b.example.", "c.example."]));
});

Deno.test("bindService() keeps only protocols the client speaks", () => {
  const texts = ["1 b.example. alpn=h3", "2 c.example. alpn=h3 no-default-alpn"];
  const endpoints = endpointsOf(texts, { alpn: ["http/1.1"] });
  assertEquals(endpoints.map(({ target, alpn }) => [target, alpn]), [
    ["b.example.", ["http/1.1"]],
  ]);
  assertEquals(bindService(records(texts[1]!), { alpn: ["http/1.1"] }), { mode: "none" });
  assertEquals(targetsOf(["1 b.example. alpn=dot"], { alpn: ["dot"], defaultAlpn: [] }), [
    "b.example.",
  ]);
});

Deno.test("bindService() leaves out what makes an unknown parameter mandatory", () => {
  const texts = ["1 b.example. mandatory=key667 key667=x", "2 c.example. mandatory=port port=1"];
  assertEquals(targetsOf(texts), ["c.example."]);
  assertEquals(targetsOf(texts, { supportedParams: ["key667", "port"] }), [
    "b.example.",
    "c.example.",
  ]);
});

Deno.test("bindService() rejects all records where a mandatory parameter is missing", () => {
  const [good] = records("1 b.example.");
  const data = { priority: 2, target: "c.example.", params: { mandatory: ["port"] } };
  const broken = { ...good, data } as ResourceRecord;
  assertEquals(bindService([good!, broken]), { mode: "none" });
});

Deno.test("bindService() leaves out what has no protocol at all", () => {
  const [good] = records("1 b.example.");
  const data = { priority: 2, target: "c.example.", params: { "no-default-alpn": true } };
  assertEquals(bindService([{ ...good, data } as ResourceRecord]), { mode: "none" });
});

Deno.test("serviceName() prefixes port and scheme where RFC 9460 has them", () => {
  const cases: readonly [string, string][] = [
    [serviceName("example.com"), "example.com."],
    [serviceName("example.com.", { port: 443 }), "example.com."],
    [serviceName("example.com", { port: 80 }), "_80._https.example.com."],
    [serviceName("example.com", { scheme: "foo" }), "_foo.example.com."],
    [serviceName("example.com", { scheme: "foo", port: 443 }), "_443._foo.example.com."],
  ];
  for (const [got, wanted] of cases) assertEquals(got, wanted);
});

Deno.test("serviceName() refuses a port or a host that is none", () => {
  for (const port of [0, 65_536, 1.5]) {
    assertThrows(() => serviceName("example.com", { port }), RangeError);
  }
  assertThrows(() => serviceName("a..b"), DnsTextError);
});
