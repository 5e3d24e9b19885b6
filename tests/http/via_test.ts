import { assertEquals, assertThrows } from "@std/assert";
import { HeaderList } from "../../http/header_list.ts";
import { appendVia, checkViaName, viaHas } from "../../http/via.ts";

Deno.test("appendVia() adds behind those before it", () => {
  const headers = new HeaderList();
  appendVia(headers, 0, "a");
  appendVia(headers, 1, "b");
  assertEquals(headers.get("via"), "1.0 a, 1.1 b");
  assertThrows(() => appendVia(headers, 1, "a b"), TypeError);
  for (const name of ["", "a,b", "a(b", "ü"]) assertThrows(() => checkViaName(name), TypeError);
});

const ROWS: readonly (readonly [value: string, has: boolean])[] = [
  ["1.1 me", true],
  ["1.1 ME", true],
  ["HTTP/1.1  me ", true],
  ["1.0 a, 1.1\tme (x)", true],
  ["1.1 a (1.1 me, 1.1 me), 1.1 b", false],
  ["1.1 a (\\), 1.1 me), 1.1 b", false],
  ["1.1 a ((nested), 1.1 me)", false],
  ["1.1 a (never closed, 1.1 me", false],
  ["1.1 a (b) , 1.1 me", true],
  ["1.1 meme, 1.1 me:80", false],
  ["me 1.1", false],
  ["", false],
  [",,,", false],
];

for (const [value, has] of ROWS) {
  Deno.test(`viaHas() gives ${has} for ${JSON.stringify(value)}`, () => {
    assertEquals(viaHas(new HeaderList([["Via", value.trim()]]), "me"), has);
  });
}

Deno.test("viaHas() takes time by the length of what it reads", () => {
  const value = "(".repeat(30_000) + "1.1 me,".repeat(1_000);
  assertEquals(viaHas(new HeaderList([["via", value]]), "me"), false);
  assertEquals(viaHas(new HeaderList(), "me"), false);
});
