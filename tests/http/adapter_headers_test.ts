import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { adapterHeaders } from "../../http/adapter_headers.ts";
import { HeaderList } from "../../http/header_list.ts";

const FIELDS: readonly (readonly [string, string])[] = [
  ["X-A", "1"],
  ["x-a", "2"],
  ["Cookie", "a=1"],
  ["cookie", "b=2, c"],
  ["Set-Cookie", "c=3"],
  ["set-cookie", "d=4"],
  ["x-empty", ""],
  ["x-latin", "gr\u00fc\u00df"],
];

const make = (): Headers => adapterHeaders(new HeaderList(FIELDS));

/** What a reader of them sees. */
const EXPECTED: readonly [string, string][] = [
  ["cookie", "a=1; b=2, c"],
  ["set-cookie", "c=3"],
  ["set-cookie", "d=4"],
  ["x-a", "1, 2"],
  ["x-empty", ""],
  ["x-latin", "gr\u00fc\u00df"],
];

Deno.test("adapterHeaders() reads one field as Headers do, before and after the true ones are made", () => {
  for (const prepare of [() => {}, (headers: Headers) => void [...headers]]) {
    const headers = make();
    prepare(headers);
    for (const name of ["x-a", "X-A", "cookie", "COOKIE", "set-cookie", "x-empty", "x-none"]) {
      const values = EXPECTED.filter(([key]) => key === name.toLowerCase()).map(([, v]) => v);
      assertEquals(headers.get(name), values.length === 0 ? null : values.join(", "), name);
      assertEquals(headers.has(name), values.length > 0, name);
    }
    assertEquals(headers.getSetCookie(), ["c=3", "d=4"]);
  }
});

Deno.test("adapterHeaders() goes through all fields as Headers do", () => {
  assertEquals([...make()], EXPECTED);
  assertEquals([...make().keys()], EXPECTED.map(([name]) => name));
  assertEquals([...make().values()], EXPECTED.map(([, value]) => value));
  const seen: [string, string][] = [];
  make().forEach((value, name) => seen.push([name, value]));
  assertEquals(seen, EXPECTED);
});

Deno.test("adapterHeaders() refuses a name that is none", () => {
  for (const name of ["", "a b", "a:", "\u00e4"]) {
    assertThrows(() => make().get(name), TypeError);
    assertThrows(() => make().has(name), TypeError);
  }
  assertEquals(make().get(1 as unknown as string), null);
});

Deno.test("adapterHeaders() can be changed, and show it", () => {
  const headers = make();
  assertEquals(headers.get("x-a"), "1, 2");
  headers.append("x-a", "3");
  headers.set("cookie", "e=5");
  headers.delete("x-empty");
  assertEquals([headers.get("x-a"), headers.get("cookie")], ["1, 2, 3", "e=5"]);
  assertEquals(headers.has("x-empty"), false);
});

Deno.test("adapterHeaders() stand in for Headers wherever the platform takes them", () => {
  assertInstanceOf(make(), Headers);
  const copies = [
    new Headers(make()),
    new Request("http://a/", { headers: make() }).headers,
    new Headers([...make()]),
    new Headers(Object.fromEntries(make())),
  ];
  for (const copy of copies) {
    assertEquals([copy.get("x-a"), copy.get("cookie")], ["1, 2", "a=1; b=2, c"]);
  }
  assertEquals(new Response(null, { headers: make() }).headers.getSetCookie(), ["c=3", "d=4"]);
  assert(Deno.inspect(make()).includes("1, 2"));
});
