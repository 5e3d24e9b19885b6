import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  parseForwarded,
  parseForwardedFor,
  parseForwardedHost,
  parseForwardedList,
  parseForwardedProto,
} from "../../http/forwarded.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";

type Row = readonly (string | number | undefined)[];

function rowsOf(value: string): Row[] | undefined {
  return parseForwarded(value)?.map((element) =>
    [
      element.for?.name,
      element.for?.port,
      element.proto,
      element.host,
    ].map((part) => part ?? undefined) as Row
  );
}

function row(name?: string, port?: number, proto?: string, host?: string): Row {
  return [name, port, proto, host];
}

for (
  const [value, rows] of [
    ["for=192.0.2.1", [row("192.0.2.1")]],
    ["FOR=192.0.2.1;Proto=HTTPS;hOst=a.b", [row("192.0.2.1", undefined, "https", "a.b")]],
    ['for="192.0.2.1:8080"', [row("192.0.2.1", 8080)]],
    ['for="[2001:db8::17]:4711"', [row("2001:db8::17", 4711)]],
    ['for="[2001:db8::17]"', [row("2001:db8::17")]],
    ["for=unknown", [row("unknown")]],
    ["for=_hidden.a-b_c", [row("_hidden.a-b_c")]],
    ['for="192.0.2.1:_port"', [row("192.0.2.1")]],
    ['for="unknown:1"', [row("unknown", 1)]],
    ["for=192.0.2.1, for=198.51.100.2", [row("192.0.2.1"), row("198.51.100.2")]],
    ["for=192.0.2.1,for=198.51.100.2", [row("192.0.2.1"), row("198.51.100.2")]],
    [", ,for=192.0.2.1 ,\t,", [row("192.0.2.1")]],
    ["", []],
    [" ", []],
    [",,,", []],
    [";", []],
    ["for=192.0.2.1;", [row("192.0.2.1")]],
    [";;for=192.0.2.1;;proto=http", [row("192.0.2.1", undefined, "http")]],
    ["for=192.0.2.1 ; proto=http", [row("192.0.2.1", undefined, "http")]],
    ['host="a:80";by=_me', [row(undefined, undefined, undefined, "a:80")]],
    ['for="\\1\\9\\2.0.2.1"', [row("192.0.2.1")]],
    ['x=",for=1.2.3.4";for=192.0.2.1', [row("192.0.2.1")]],
    ['x="\\"";for=192.0.2.1', [row("192.0.2.1")]],
    ['x="\\\\";for=192.0.2.1', [row("192.0.2.1")]],
    ['x="";for=192.0.2.1', [row("192.0.2.1")]],
  ] as [string, Row[]][]
) {
  Deno.test(`parseForwarded() reads ${JSON.stringify(value)}`, () => {
    assertEquals(rowsOf(value), rows);
  });
}

for (
  const value of [
    "for",
    "for=",
    "=a",
    "for =192.0.2.1",
    "for= 192.0.2.1",
    "for=192.0.2.1:80",
    "for=192.0.2.01",
    "for=192.0.2",
    "for=example.com",
    "for=[2001:db8::1]",
    'for="2001:db8::1"',
    'for="[192.0.2.1]"',
    'for="[2001:db8::1]:"',
    'for="192.0.2.1:"',
    'for="192.0.2.1:65536"',
    'for="192.0.2.1:123456"',
    'for="192.0.2.1:-1"',
    'for="192.0.2.1:_"',
    'for="[2001:db8::1"',
    'for="[2001:db8::1]x"',
    'for=""',
    "for=_",
    'for="_a b"',
    'for="192.0.2.1',
    'for="192.0.2.1\\',
    'for="192.0.2.1\\"',
    'for="192.0.2.1"x',
    "for=192.0.2.1 proto=http",
    "for=192.0.2.1;for=192.0.2.2",
    "for=192.0.2.1;FOR=192.0.2.1",
    "proto=1a",
    'proto=""',
    'proto="a b"',
    'host=""',
    'host="a b"',
    'host="a/b"',
    'host="a:99999"',
    'host="[1.2.3.4]"',
    'host="a@b"',
    "by=nobody",
    'for=1.2.3.4, "',
    "for=1.2.3.4\0",
    Array.from({ length: 17 }, (_, index) => `x${index}=1`).join(";"),
    "for=1.2.3.4" + " ".repeat(65_536),
  ]
) {
  Deno.test(`parseForwarded() finds ${JSON.stringify(value.slice(0, 40))} malformed`, () => {
    assertEquals(parseForwarded(value), undefined);
    // One bad element spoils the line: quoting makes it uncertain where it ends.
    assertEquals(parseForwarded(`for=192.0.2.1, ${value}`), undefined);
  });
}

Deno.test("parseForwarded() keeps the elements furthest right", () => {
  const value = Array.from({ length: 200 }, (_, index) => `for=10.0.0.${index}`).join();
  const names = (maxElementCount?: number) =>
    parseForwarded(value, maxElementCount === undefined ? {} : { maxElementCount })!
      .map((element) => element.for!.name);
  assertEquals([names().length, names()[0], names()[63]], [64, "10.0.0.136", "10.0.0.199"]);
  assertEquals(names(2), ["10.0.0.198", "10.0.0.199"]);
  assertEquals([names(199).length, names(200).length, names(201).length], [199, 200, 200]);
  assertEquals([names(200)[0], names(201)[0], names(199)[0]], ["10.0.0.0", "10.0.0.0", "10.0.0.1"]);
});

Deno.test("the parsers refuse a bound out of range", () => {
  for (const maxElementCount of [0, -1, 1.5, NaN, 10_001]) {
    for (const parse of [parseForwarded, parseForwardedFor, parseForwardedList]) {
      assertThrows(() => parse("", { maxElementCount }), RangeError);
    }
  }
});

Deno.test("parseForwardedFor() reads addresses, and leaves a hole for what is none", () => {
  const rows = parseForwardedFor(
    "1.2.3.4, 1.2.3.4:80,2001:db8::1,[2001:db8::1], [2001:db8::1]:443, fe80::1%eth0, unknown, _x",
  );
  assertEquals(rows.map((node) => [node?.name, node?.port, node?.address?.family]), [
    ["1.2.3.4", undefined, 4],
    ["1.2.3.4", 80, 4],
    ["2001:db8::1", undefined, 6],
    ["2001:db8::1", undefined, 6],
    ["2001:db8::1", 443, 6],
    ["fe80::1%eth0", undefined, 6],
    ["unknown", undefined, undefined],
    ["_x", undefined, undefined],
  ]);
  for (
    const bad of [
      "a",
      "1.2.3",
      "01.2.3.4",
      "1.2.3.4:",
      "1.2.3.4:x",
      "[::1",
      "[1.2.3.4]",
      '"1.2.3.4"',
    ]
  ) {
    assertEquals(parseForwardedFor(`${bad}, 1.2.3.4`).map((node) => node?.name), [
      undefined,
      "1.2.3.4",
    ]);
  }
});

Deno.test("parseForwardedList() splits from the right, within its bound", () => {
  for (
    const [value, elements] of [
      ["", []],
      [",", []],
      ["a", ["a"]],
      [" a , b ", ["a", "b"]],
      [",a,,b,", ["a", "b"]],
    ] as [string, string[]][]
  ) assertEquals(parseForwardedList(value), elements);
  assertEquals(parseForwardedList("a,b,c", { maxElementCount: 2 }), ["b", "c"]);
  assertEquals(parseForwardedList("x,".repeat(100_000)).length, 64);
});

Deno.test("parseForwardedProto() and parseForwardedHost() take what is one", () => {
  assertEquals(["HTTPS", "http", "", "1", "a b", "x".repeat(33)].map(parseForwardedProto), [
    "https",
    "http",
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  for (const host of ["a", "a.b:80", "[::1]", "[::1]:8080", "1.2.3.4", "a:0", "a:65535", "x%20y"]) {
    assertEquals(parseForwardedHost(host), host);
  }
  for (
    const host of [
      "",
      ":80",
      "a:",
      "a:65536",
      "a:x",
      "[::1",
      "::1",
      "[]",
      "[1.2.3.4]",
      "a b",
      "a/b",
      "a,b",
      "u@h",
      "a\r\nb",
      "a\\b",
      "a?b",
      "a#b",
      "\u00e4",
      "x".repeat(300),
    ]
  ) assertEquals(parseForwardedHost(host), undefined, host);
});

Deno.test("no text makes the parsers throw or give what was not said", () => {
  const random = new SeededRandom(11);
  const pieces = [
    '"',
    "\\",
    ",",
    ";",
    "=",
    "for",
    "proto",
    "1.2.3.4",
    "[::1]",
    ":1",
    " ",
    "\0",
    "é",
  ];
  for (let round = 0; round < 20_000; round++) {
    let text = "";
    for (let count = random.int(12); count > 0; count--) text += random.pick(pieces);
    for (const element of parseForwarded(text) ?? []) {
      assert(element.for === undefined || text.includes(element.for.name), text);
    }
    for (const node of parseForwardedFor(text)) {
      assert(node === undefined || text.includes(node.name), text);
    }
  }
});
