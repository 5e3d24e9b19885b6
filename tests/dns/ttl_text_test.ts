import { assertEquals, assertThrows } from "@std/assert";
import { formatTtl, parseTtl } from "../../dns/ttl_text.ts";

const VALID: readonly (readonly [text: string, seconds: number])[] = [
  ["0", 0],
  ["00060", 60],
  ["4294967295", 4_294_967_295],
  ["1s", 1],
  ["1M", 60],
  ["1h", 3_600],
  ["1D", 86_400],
  ["1w", 604_800],
  ["1w1d1h1m1s", 694_861],
  ["1s1m1m", 121],
  ["0w0s", 0],
  ["7101w3d6h28m15s", 4_294_967_295],
];

const INVALID: readonly string[] = [
  "",
  "-1",
  "+1",
  "1x",
  "h",
  "1hh",
  "1h30",
  "1 h",
  "1.5h",
  "0x10",
  "4294967296",
  "7101w3d6h28m16s",
  "100000000W",
  "99999999999999999999s",
  "1ſ",
];

for (const [text, seconds] of VALID) {
  Deno.test(`parseTtl() reads ${text}`, () => {
    assertEquals(parseTtl(text), seconds);
  });
}

for (const text of INVALID) {
  Deno.test(`parseTtl() refuses ${JSON.stringify(text)}`, () => {
    assertEquals(parseTtl(text), undefined);
  });
}

Deno.test("formatTtl() writes the largest units first, and parseTtl() reads them back", () => {
  assertEquals(formatTtl(0), "0s");
  assertEquals(formatTtl(694_861), "1w1d1h1m1s");
  assertEquals(formatTtl(7_200), "2h");
  for (let ttl = 1; ttl < 4_294_967_296; ttl *= 3) assertEquals(parseTtl(formatTtl(ttl)), ttl);
});

Deno.test("formatTtl() throws on what is no time to live", () => {
  for (const ttl of [-1, 0.5, 4_294_967_296, NaN]) assertThrows(() => formatTtl(ttl), RangeError);
});
