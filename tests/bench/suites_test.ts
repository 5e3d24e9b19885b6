import { assert, assertEquals, assertThrows } from "@std/assert";
import { SUITES, suitesOf } from "./suites.ts";

Deno.test("SUITES have a name each and a file that is there", async () => {
  assertEquals(new Set(SUITES.map(({ name }) => name)).size, SUITES.length);
  for (const { file } of SUITES) {
    assert((await Deno.stat(new URL(file, import.meta.url))).isFile, file);
  }
});

Deno.test("SUITES never have less than one of anything to do", () => {
  for (const { name, args } of SUITES) {
    const numbers = args({ rounds: 1, seconds: 0.001 }).filter((arg) => /^\d/.test(arg));
    for (const number of numbers) assert(Number(number) > 0, `${name}: ${number}`);
  }
});

Deno.test("suitesOf() gives one by its name, and many by what they share", () => {
  assertEquals(suitesOf(["sse"]).map(({ name }) => name), ["sse"]);
  assertEquals(suitesOf(["dns"]).map(({ name }) => name.split("/")[0]), Array(4).fill("dns"));
  assertEquals(suitesOf(["static", "dns/zone", "dns/zone"]).map(({ name }) => name), [
    "dns/zone",
    "static",
  ]);
});

Deno.test("suitesOf() throws on a name that nothing has", () => {
  assertThrows(() => suitesOf(["dn"]), RangeError);
  assertThrows(() => suitesOf(["dns/"]), RangeError);
  assertThrows(() => suitesOf([""]), RangeError);
});
