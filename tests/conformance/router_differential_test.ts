import { assertEquals } from "@std/assert";
import { compareRouters } from "./router_differential.ts";

/** The long form, `deno run tests/conformance/router_differential.ts`, takes 100,000. */
const SET_COUNT = 3_000;

Deno.test("the router finds what a naive matcher finds, in generated sets of routes", () => {
  for (let seed = 0; seed < SET_COUNT; seed++) assertEquals(compareRouters(seed), undefined);
});
