import { assertEquals, assertThrows } from "@std/assert";
import {
  formatWebSocketExtensions,
  parseWebSocketExtensions,
  type WebSocketExtension,
} from "../../websocket/extension_header.ts";

function extension(
  name: string,
  ...parameters: readonly (string | readonly [string, string])[]
): WebSocketExtension {
  return {
    name,
    parameters: parameters.map((parameter) =>
      typeof parameter === "string"
        ? { name: parameter, value: undefined }
        : { name: parameter[0], value: parameter[1] }
    ),
  };
}

const VALID: readonly { name: string; values: string[]; wanted: WebSocketExtension[] }[] = [
  { name: "no field", values: [], wanted: [] },
  { name: "an empty field", values: [""], wanted: [] },
  { name: "empty elements", values: [", ,", " ,\t"], wanted: [] },
  { name: "a bare name", values: ["foo"], wanted: [extension("foo")] },
  {
    name: "every mark of a token",
    values: ["!#$%&'*+-.^_`|~09Az"],
    wanted: [
      extension("!#$%&'*+-.^_`|~09Az"),
    ],
  },
  { name: "a bare parameter", values: ["foo;a"], wanted: [extension("foo", "a")] },
  { name: "a value", values: ["foo;a=1"], wanted: [extension("foo", ["a", "1"])] },
  { name: "a quoted value", values: ['foo;a="1"'], wanted: [extension("foo", ["a", "1"])] },
  {
    name: "an escape in quotes",
    values: ['foo;a="\\1\\0"'],
    wanted: [
      extension("foo", ["a", "10"]),
    ],
  },
  {
    name: "blanks everywhere",
    values: ["\tfoo ;\ta = 1 ; b\t,bar "],
    wanted: [
      extension("foo", ["a", "1"], "b"),
      extension("bar"),
    ],
  },
  {
    name: "a parameter twice",
    values: ["foo;a=1;a=2;a"],
    wanted: [
      extension("foo", ["a", "1"], ["a", "2"], "a"),
    ],
  },
  {
    name: "several field lines",
    values: ["foo;a, bar", "foo"],
    wanted: [
      extension("foo", "a"),
      extension("bar"),
      extension("foo"),
    ],
  },
  {
    name: "the case as it came",
    values: ["FoO;Bar=BaZ"],
    wanted: [
      extension("FoO", ["Bar", "BaZ"]),
    ],
  },
];

for (const { name, values, wanted } of VALID) {
  Deno.test(`parseWebSocketExtensions() takes ${name}`, () => {
    assertEquals(parseWebSocketExtensions(values), wanted);
  });
  Deno.test(`formatWebSocketExtensions() gives back ${name}`, () => {
    assertEquals(parseWebSocketExtensions([formatWebSocketExtensions(wanted)]), wanted);
  });
}

const MALFORMED: readonly string[] = [
  ";",
  "=",
  ";a",
  "foo;",
  "foo;;a",
  "foo;a;",
  "foo;=1",
  "foo;a=",
  "foo;a==1",
  "foo;a=1=2",
  "foo a",
  "foo;a b",
  "foo;a=1 2",
  "foo=1",
  'foo;a=""',
  'foo;a="1 2"',
  'foo;a="1\\ 2"',
  'foo;a="1"2',
  'foo;a=1"2"',
  '"foo"',
  "foo;a=(1)",
  "foo;a=\u00e9",
  "f\u00f8o",
  "foo;a=\u0131",
  'foo;a="\u0131"',
  'foo;a="\\\u0131"',
];

for (const text of MALFORMED) {
  Deno.test(`parseWebSocketExtensions() has a gap for ${text} and reads on`, () => {
    const bar = extension("bar");
    assertEquals(parseWebSocketExtensions([`bar,${text}`, "bar"]), [bar, undefined, bar]);
    assertEquals(parseWebSocketExtensions([`${text},bar`]), [undefined, bar]);
  });
}

for (const text of ['foo;a="', 'foo;a="1', 'foo;a="1\\', 'foo;a="1\\"', 'foo;a="1,bar']) {
  Deno.test(`parseWebSocketExtensions() takes the open quote of ${text} to its end`, () => {
    assertEquals(parseWebSocketExtensions([text, "bar"]), [undefined, extension("bar")]);
    assertEquals(parseWebSocketExtensions([`${text},bar`]), [undefined]);
  });
}

Deno.test("parseWebSocketExtensions() sees no comma in quotes", () => {
  assertEquals(parseWebSocketExtensions(['foo;a="1,bar;b", baz']), [undefined, extension("baz")]);
  assertEquals(parseWebSocketExtensions(['foo;a="1\\",bar", baz']), [undefined, extension("baz")]);
});

Deno.test("parseWebSocketExtensions() looks at so many extensions", () => {
  const parse = (count: number, max: number): number => {
    const found = parseWebSocketExtensions([new Array(count).fill("foo").join()], {
      maxExtensionCount: max,
    });
    return found.filter((one) => one !== undefined).length * 10 +
      found.filter((one) => one === undefined).length;
  };
  assertEquals([parse(2, 3), parse(3, 3), parse(4, 3), parse(5, 3)], [20, 30, 31, 31]);
});

Deno.test("parseWebSocketExtensions() takes so many parameters", () => {
  const parse = (count: number): boolean =>
    parseWebSocketExtensions(["foo" + ";a".repeat(count)], { maxParameterCount: 3 })[0] !==
      undefined;
  assertEquals([parse(2), parse(3), parse(4)], [true, true, false]);
});

Deno.test("parseWebSocketExtensions() throws on bounds out of range", () => {
  for (const value of [0, -1, 1.5, NaN, 1_001, Infinity]) {
    assertThrows(() => parseWebSocketExtensions([], { maxExtensionCount: value }), RangeError);
    assertThrows(() => parseWebSocketExtensions([], { maxParameterCount: value }), RangeError);
  }
});

Deno.test("parseWebSocketExtensions() takes anything without throwing", () => {
  const pieces = ["foo", ";", ",", "=", '"', "\\", " ", "\t", "1", "\u00ff", "\uffff", "("];
  let seed = 1;
  for (let round = 0; round < 20_000; round++) {
    let text = "";
    for (let count = 0; count < 12; count++) {
      seed = Math.imul(seed, 1_664_525) + 1_013_904_223 >>> 0;
      text += pieces[(seed >>> 8) % pieces.length]!;
    }
    for (const found of parseWebSocketExtensions([text])) {
      if (found !== undefined) assertEquals(formatWebSocketExtensions([found]).length > 0, true);
    }
  }
});

Deno.test("formatWebSocketExtensions() throws on what is no token", () => {
  for (const text of ["", "a b", "a,b", 'a"', "a=b", "\u00e9", "a\r\n"]) {
    assertThrows(() => formatWebSocketExtensions([extension(text)]), TypeError);
    assertThrows(() => formatWebSocketExtensions([extension("foo", text)]), TypeError);
    assertThrows(() => formatWebSocketExtensions([extension("foo", ["a", text])]), TypeError);
  }
});
