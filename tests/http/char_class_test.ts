import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  consistsOf,
  FIELD_VALUE,
  HEX_VALUE,
  HOST,
  QUOTED_TEXT,
  TARGET_PATH,
  TARGET_QUERY,
  TOKEN,
} from "../../http/char_class.ts";

const CLASSES: [name: string, table: Uint8Array, members: RegExp][] = [
  ["TOKEN", TOKEN, /^[!#$%&'*+\-.^_`|~0-9A-Za-z]$/],
  ["FIELD_VALUE", FIELD_VALUE, /^[\t\x20-\x7e\x80-\xff]$/],
  ["TARGET_PATH", TARGET_PATH, /^[!$-;=?-[\]-~]$/],
  ["TARGET_QUERY", TARGET_QUERY, /^[!"$-~]$/],
  ["HOST", HOST, /^[-._~!$&'()*+;=%0-9A-Za-z]$/],
  ["QUOTED_TEXT", QUOTED_TEXT, /^[\t !#-[\]-~\x80-\xff]$/],
];

for (const [name, table, members] of CLASSES) {
  Deno.test(`${name} holds what its grammar says for each of the 256 bytes`, () => {
    assertEquals(table.length, 256);
    for (let byte = 0; byte < 256; byte++) {
      const expected = members.test(String.fromCharCode(byte)) ? 1 : 0;
      assertEquals(table[byte], expected, `0x${byte.toString(16)}`);
    }
  });
}

Deno.test("HEX_VALUE holds the value of each of the 256 bytes", () => {
  for (let byte = 0; byte < 256; byte++) {
    const text = String.fromCharCode(byte);
    assertEquals(HEX_VALUE[byte], /[0-9A-Fa-f]/.test(text) ? parseInt(text, 16) : 255);
  }
});

Deno.test("consistsOf() needs at least one character and no foreign one", () => {
  assert(consistsOf("a", TOKEN));
  assert(consistsOf("abc~", TOKEN));
  for (const text of ["", " ", "a ", " a", "a\0", "\xe4", "\u0161", "\u{1f600}"]) {
    assertFalse(consistsOf(text, TOKEN), JSON.stringify(text));
  }
});
