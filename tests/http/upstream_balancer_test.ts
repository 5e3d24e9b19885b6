import { assert, assertEquals, assertThrows } from "@std/assert";
import { type BalancedUpstream, UpstreamBalancer } from "../../http/upstream_balancer.ts";

const THREE = [{ key: "a", weight: 5 }, { key: "b" }, { key: "c" }];

function picks(balancer: UpstreamBalancer, count: number): string {
  return Array.from({ length: count }, () => {
    const picked = balancer.begin(0)!;
    balancer.end(picked);
    return picked.key;
  }).join("");
}

Deno.test("UpstreamBalancer spreads evenly by weight, and smoothly", () => {
  assertEquals(picks(new UpstreamBalancer(THREE), 14), "aabacaaaabacaa");
});

Deno.test("UpstreamBalancer sends to the one with the fewest requests by weight", () => {
  const balancer = new UpstreamBalancer(THREE, { balance: "least-connections" });
  const held: BalancedUpstream[] = [];
  for (let count = 0; count < 14; count++) held.push(balancer.begin(0)!);
  assertEquals(balancer.upstreams.map(({ activeCount }) => activeCount), [10, 2, 2]);
  const second = held.find(({ key }) => key === "b")!;
  balancer.end(second);
  assertEquals(balancer.begin(0)?.key, "b");
  const even = new UpstreamBalancer([{ key: "a" }, { key: "b" }], { balance: "least-connections" });
  assertEquals(picks(even, 4), "abab");
});

Deno.test("UpstreamBalancer sends nothing to one that fails, however few requests it has", () => {
  const upstreams = [{ key: "a" }, { key: "b" }, { key: "c" }];
  const options = { balance: "least-connections", maxFailures: 1 } as const;
  const balancer = new UpstreamBalancer(upstreams, options);
  balancer.upstreams[1]!.health.fail(0);
  for (let count = 0; count < 10; count++) balancer.begin(0);
  assertEquals(balancer.upstreams.map(({ activeCount }) => activeCount), [5, 0, 5]);
});

Deno.test("UpstreamBalancer keeps keys where they are when another server goes", () => {
  const keys = Array.from({ length: 3_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
  const balancer = new UpstreamBalancer(["a", "b", "c"].map((key) => ({ key })), {
    balance: "hash",
    maxFailures: 1,
  });
  const place = (hashKey: string): string => {
    const picked = balancer.begin(0, { hashKey })!;
    balancer.end(picked);
    return picked.key;
  };
  const before = keys.map(place);
  for (const key of ["a", "b", "c"]) {
    const share = before.filter((own) => own === key).length / keys.length;
    assert(share > 0.28 && share < 0.39, `${key} has ${share}`);
  }
  assertEquals(keys.map(place), before);
  balancer.upstreams[1]!.health.fail(0);
  const after = keys.map(place);
  before.forEach((key, index) => {
    if (key === "b") assert(after[index] !== "b");
    else assertEquals(after[index], key);
  });
});

Deno.test("UpstreamBalancer leaves out who is tried or down, and tells when one is back", () => {
  const options = { maxFailures: 1, baseDownMs: 100, random: () => 1 };
  const balancer = new UpstreamBalancer([{ key: "a" }, { key: "b" }], options);
  const [a, b] = balancer.upstreams as [BalancedUpstream, BalancedUpstream];
  assertEquals(balancer.begin(0, { exclude: new Set([a]) }), b);
  assertEquals(balancer.begin(0, { exclude: new Set([a, b]) }), undefined);
  a.health.fail(0);
  b.health.fail(50);
  assertEquals([balancer.begin(60), balancer.retryAfterMs(60)], [undefined, 40]);
  assertEquals(balancer.begin(100), a);
  assertEquals([balancer.begin(100), balancer.retryAfterMs(100)], [undefined, 50]);
  for (const { health } of [a, b]) for (let n = 0; n < 2; n++) health.check(false);
  assertEquals(balancer.retryAfterMs(100), undefined);
});

Deno.test("UpstreamBalancer never leaves a single server alone", () => {
  const balancer = new UpstreamBalancer([{ key: "a" }], { maxFailures: 1 });
  balancer.upstreams[0]!.health.fail(0);
  assertEquals(balancer.begin(0)?.key, "a");
});

Deno.test("UpstreamBalancer throws on servers that make no sense", () => {
  const rows = [[], [{ key: "a" }, { key: "a" }], [{ key: "a", weight: 0 }], [
    { key: "a", weight: 1_001 },
  ], Array.from({ length: 1_001 }, (_, index) => ({ key: `${index}` }))];
  for (const upstreams of rows) assertThrows(() => new UpstreamBalancer(upstreams), RangeError);
});
