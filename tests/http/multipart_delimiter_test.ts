import { assert, assertEquals } from "@std/assert";
import { isMultipartBoundary, MultipartDelimiter } from "../../http/multipart_delimiter.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

/** What `find()` has to give, the slow way. */
function naiveFind(text: string, delimiter: string): number {
  for (let at = 0; at < text.length; at++) {
    if (delimiter.startsWith(text.slice(at, at + delimiter.length))) return at;
  }
  return text.length;
}

Deno.test("MultipartDelimiter.find() finds what a naive search finds", () => {
  const random = new SeededRandom(1);
  for (let round = 0; round < 20_000; round++) {
    const boundary = "ab-".repeat(4).slice(0, 1 + random.int(6));
    const delimiter = new MultipartDelimiter(boundary);
    const alphabet = ["\r", "\n", "-", "a", "b", "\r\n--", textOf(delimiter.bytes)];
    let text = "";
    for (let count = random.int(12); count > 0; count--) text += alphabet[random.int(7)];
    const found = delimiter.find(bytesOf(text), 0, text.length);
    assertEquals(found, naiveFind(text, textOf(delimiter.bytes)), JSON.stringify(text));
  }
});

Deno.test("MultipartDelimiter.find() looks between start and end only", () => {
  const delimiter = new MultipartDelimiter("x");
  const input = bytesOf("\r\n--x12\r\n--x");
  assertEquals(delimiter.find(input, 0, input.length), 0);
  assertEquals(delimiter.find(input, 1, input.length), 7);
  assertEquals(delimiter.find(input, 1, 7), 7);
  assertEquals(delimiter.find(input, 1, 9), 7);
  assertEquals(delimiter.find(input, 8, input.length), input.length);
  assertEquals(delimiter.find(input, 3, 3), 3);
});

Deno.test("MultipartDelimiter.match() counts from where it is told", () => {
  const delimiter = new MultipartDelimiter("xy");
  assertEquals(delimiter.match(bytesOf("--xyz"), 0, 5, 2), 6);
  assertEquals(delimiter.match(bytesOf("--xyz"), 0, 3, 2), 5);
  assertEquals(delimiter.match(bytesOf("y"), 0, 1, 2), 2);
});

Deno.test("isMultipartBoundary() takes 1 to 70 characters of RFC 2046", () => {
  assert(isMultipartBoundary("0aZ'()+_,-./:=? '"));
  assert(isMultipartBoundary("a".repeat(70)));
  for (const text of ["", "a".repeat(71), "a ", " ", "a\t", "a\r\n", "a;", "\u00e9", "a\u0100"]) {
    assertEquals(isMultipartBoundary(text), false, JSON.stringify(text));
  }
});
