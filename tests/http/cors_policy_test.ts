import { assertEquals, assertThrows } from "@std/assert";
import { allowsOrigin, decidePreflight, resolveCorsPolicy } from "../../http/cors_policy.ts";
import { HeaderList } from "../../http/header_list.ts";
import type { Context } from "../../http/server_context.ts";

const NO_CONTEXT = {} as Context;

Deno.test("resolveCorsPolicy() makes an answer vary only by what it depends on", () => {
  const varyOf = (options: Parameters<typeof resolveCorsPolicy>[0]) => {
    const { vary, preflightVary } = resolveCorsPolicy(options);
    return [vary, preflightVary];
  };
  assertEquals(varyOf({}), [[], []]);
  assertEquals(varyOf({ origin: "https://a" }), [["origin"], ["origin"]]);
  assertEquals(varyOf({ allowedHeaders: "requested" }), [[], ["access-control-request-headers"]]);
  assertEquals(varyOf({ privateNetwork: true, origin: [] }), [
    ["origin"],
    ["origin", "access-control-request-private-network"],
  ]);
});

Deno.test("resolveCorsPolicy() throws on credentials for everybody", () => {
  assertThrows(() => resolveCorsPolicy({ origin: "*", credentials: true }), RangeError);
});

Deno.test("allowsOrigin() allows no origin only where everybody may read", () => {
  assertEquals(allowsOrigin(resolveCorsPolicy({}), undefined, NO_CONTEXT), true);
  const closed = resolveCorsPolicy({ origin: () => true });
  assertEquals(allowsOrigin(closed, undefined, NO_CONTEXT), false);
  assertEquals(allowsOrigin(closed, "null", NO_CONTEXT), true);
});

Deno.test("allowsOrigin() tries no expression on what is too long for an origin", () => {
  const policy = resolveCorsPolicy({ origin: /https:\/\/a+/ });
  const origin = (length: number) => "https://".padEnd(length, "a");
  assertEquals(allowsOrigin(policy, origin(512), NO_CONTEXT), true);
  assertEquals(allowsOrigin(policy, origin(513), NO_CONTEXT), false);
});

Deno.test("resolveCorsPolicy() leaves the expressions of the caller alone", () => {
  const pattern = /https:\/\/a/g;
  const policy = resolveCorsPolicy({ origin: pattern });
  assertEquals(allowsOrigin(policy, "https://a", NO_CONTEXT), true);
  assertEquals(pattern.lastIndex, 0);
});

Deno.test("decidePreflight() gives no field without a value", () => {
  const policy = resolveCorsPolicy({ methods: [], allowedHeaders: "requested" });
  assertEquals(decidePreflight(policy, new HeaderList()), [["access-control-max-age", "600"]]);
});
