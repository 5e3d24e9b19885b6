import { assertEquals, assertThrows } from "@std/assert";
import { charsetDecoder, charsetOf } from "../../http/_charset_decoder.ts";
import { HttpError } from "../../http/errors.ts";

for (
  const [type, charset, encoding] of [
    [undefined, undefined, "utf-8"],
    ["text/plain", undefined, "utf-8"],
    ["text/plain; charset=utf8", "utf8", "utf-8"],
    ['text/plain ; Charset = "ISO-8859-1" ; a=b', "ISO-8859-1", "windows-1252"],
    ["text/plain; xcharset=latin1", undefined, "utf-8"],
  ] as const
) {
  Deno.test(`charsetDecoder() of ${type}`, () => {
    assertEquals(charsetOf(type), charset);
    assertEquals(charsetDecoder(type).encoding, encoding);
  });
}

Deno.test("charsetDecoder() throws an HttpError 415 on a charset it does not know", () => {
  const error = assertThrows(() => charsetDecoder("text/plain; charset=x-none"), HttpError);
  assertEquals(error.status, 415);
});
