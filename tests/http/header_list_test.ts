import { assert, assertEquals, assertFalse, assertStrictEquals, assertThrows } from "@std/assert";
import { FieldParser } from "../../http/field_parser.ts";
import { HeaderList } from "../../http/header_list.ts";
import { bytesOf } from "../_support/raw_bytes.ts";

const LINES: [string, string][] = [
  ["Accept", "a"],
  ["X-Id", ""],
  ["ACCEPT", "b, c"],
  ["Cookie", "k=1"],
  ["Set-Cookie", "s=1"],
  ["accept", "d"],
  ["cookie", "l=2"],
  ["set-cookie", "t=2, u"],
];

/** The same fields, once as set by a caller and once as received. */
const LISTS: [kind: string, create: (fields: [string, string][]) => HeaderList][] = [
  ["made", (fields) => new HeaderList(fields)],
  ["received", received],
];

function received(fields: [string, string][]): HeaderList {
  const limits = { maxBytes: Infinity, maxCount: Infinity, bytesOption: "", countOption: "" };
  const parser = new FieldParser(limits, {});
  const bytes = bytesOf(
    `junk${fields.map(([name, value]) => `${name}:${value}\r\n`).join("")}\r\n`,
  );
  assert(parser.parse(bytes, 4, bytes.length));
  const list = HeaderList.fromFields(bytes, 4, parser);
  // What is decoded later must not depend on the buffer or the parser.
  bytes.fill(0x2a);
  parser.offsets.fill(0);
  parser.reset();
  return list;
}

for (const [kind, create] of LISTS) {
  Deno.test(`HeaderList keeps order, spelling and duplicates of a ${kind} list`, () => {
    const list = create(LINES);
    assertEquals(list.size, 8);
    assertEquals([...list], LINES);
    assertEquals([...list.names()], LINES.map(([name]) => name));
    assertEquals([...create([])], []);
  });

  Deno.test(`HeaderList.get() joins the values of a ${kind} list by their rules`, () => {
    const list = create(LINES);
    assertEquals(list.get("aCCept"), "a, b, c, d");
    assertEquals(list.get("Cookie"), "k=1; l=2");
    assertEquals(list.get("SET-COOKIE"), "s=1");
    assertEquals(list.get("x-id"), "");
    assertEquals(list.get("x-i"), undefined);
    assertEquals(list.get(""), undefined);
    assertEquals(create([["A", ""], ["a", ""]]).get("A"), ", ");
  });

  Deno.test(`HeaderList.getAll() never joins, in a ${kind} list`, () => {
    const list = create(LINES);
    assertEquals(list.getAll("Accept"), ["a", "b, c", "d"]);
    assertEquals(list.getAll("set-cookie"), ["s=1", "t=2, u"]);
    assertEquals(list.getAll("cookie"), ["k=1", "l=2"]);
    assertEquals(list.getAll("none"), []);
  });

  Deno.test(`HeaderList.has() ignores case, in a ${kind} list`, () => {
    const list = create(LINES);
    assert(list.has("X-ID"));
    assert(list.has("x-id"));
    assertFalse(list.has("x-id "));
    assertFalse(list.has("xid"));
  });

  Deno.test(`HeaderList.set() replaces all fields of a ${kind} list in the place of the first`, () => {
    const list = create(LINES);
    list.set("aCCEPT", "new");
    assertEquals([...list], [
      ["aCCEPT", "new"],
      ["X-Id", ""],
      ["Cookie", "k=1"],
      ["Set-Cookie", "s=1"],
      ["cookie", "l=2"],
      ["set-cookie", "t=2, u"],
    ]);
    list.set("Last", "1");
    assertEquals([...list].at(-1), ["Last", "1"]);
    assertEquals(list.size, 7);
  });

  Deno.test(`HeaderList.delete() removes all fields of a name from a ${kind} list`, () => {
    const list = create(LINES);
    list.delete("COOKIE");
    list.delete("accept");
    list.delete("none");
    assertEquals([...list], [["X-Id", ""], ["Set-Cookie", "s=1"], ["set-cookie", "t=2, u"]]);
    assertEquals(list.getAll("set-cookie"), ["s=1", "t=2, u"]);
    assertFalse(list.has("accept"));
  });

  Deno.test(`HeaderList.append() adds to the end of a ${kind} list`, () => {
    const list = create(LINES);
    list.append("Accept", "e");
    assertEquals(list.get("accept"), "a, b, c, d, e");
    list.append("A", "");
    list.delete("Accept");
    assertEquals([...list].slice(-1), [["A", ""]]);
    assertEquals(list.size, 6);
  });

  Deno.test(`HeaderList treats names of object members like others, in a ${kind} list`, () => {
    const names = ["__proto__", "constructor", "toString", "hasOwnProperty", "length", "0"];
    const list = create(names.map((name) => [name, `v-${name}`]));
    for (const name of names) assertEquals(list.get(name.toUpperCase()), `v-${name}`);
    assertEquals(create([]).get("__proto__"), undefined);
    assertFalse(create([]).has("constructor"));
    list.delete("__proto__");
    assertEquals(list.size, names.length - 1);
    assertStrictEquals(Object.getPrototypeOf(list), HeaderList.prototype);
  });
}

Deno.test("HeaderList decodes received values as ISO-8859-1", () => {
  const value = Array.from({ length: 128 }, (_, index) => String.fromCharCode(0x80 + index)).join(
    "",
  );
  assertEquals(received([["A", value]]).get("a"), value);
});

Deno.test("HeaderList gives the same received value again", () => {
  const list = received(LINES);
  assertEquals(list.get("x-id"), list.get("x-id"));
  assertEquals([...list], [...list]);
});

Deno.test("HeaderList() takes pairs, maps, records and other lists", () => {
  const fields: [string, string][] = [["A", "1"], ["b", "2"]];
  assertEquals([...new HeaderList()], []);
  assertEquals([...new HeaderList(new Map(fields))], fields);
  assertEquals([...new HeaderList({ A: "1", b: "2" })], fields);
  assertEquals([...new HeaderList(new HeaderList(fields))], fields);
  assertEquals([...new HeaderList(new Headers([["x-b", "2"]]))], [["x-b", "2"]]);
  const hostile = JSON.parse('{"__proto__": "1"}');
  assertEquals([...new HeaderList(hostile)], [["__proto__", "1"]]);
});

for (
  const [what, name, value] of [
    ["an empty name", "", "v"],
    ["a blank in a name", "a b", "v"],
    ["a colon in a name", "a:", "v"],
    ["CR in a name", "a\r", "v"],
    ["LF in a name", "a\nb", "v"],
    ["NUL in a name", "a\0", "v"],
    ["a letter outside of ASCII in a name", "\xe4", "v"],
    ["CR LF in a value", "a", "v\r\nSet-Cookie: x"],
    ["CR in a value", "a", "v\rw"],
    ["LF in a value", "a", "v\nw"],
    ["NUL in a value", "a", "v\0"],
    ["DEL in a value", "a", "\x7f"],
    ["a character above U+00FF in a value", "a", "\u0100"],
    ["a character that ends in 0x0A", "a", "v\u010aw"],
    ["a lone surrogate in a value", "a", "\ud800"],
    ["a leading space in a value", "a", " v"],
    ["a trailing space in a value", "a", "v "],
    ["a leading tab in a value", "a", "\tv"],
    ["only a space in a value", "a", " "],
  ] as const
) {
  Deno.test(`HeaderList refuses ${what}`, () => {
    const list = new HeaderList([["a", "old"]]);
    assertThrows(() => list.append(name, value), TypeError);
    assertThrows(() => list.set(name, value), TypeError);
    assertThrows(() => new HeaderList([[name, value]]), TypeError);
    assertEquals([...list], [["a", "old"]]);
  });
}

Deno.test("HeaderList.forEach() visits every field in order, as the iterator does", () => {
  const list = new HeaderList([["A", "1"], ["b", "2"], ["a", "3"]]);
  list.delete("b");
  list.append("C", "4");
  const seen: [string, string][] = [];
  list.forEach((name, value) => seen.push([name, value]));
  assertEquals(seen, [["A", "1"], ["a", "3"], ["C", "4"]]);
  assertEquals(seen, [...list]);
});
