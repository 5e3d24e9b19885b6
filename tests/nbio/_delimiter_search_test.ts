import { assert, assertEquals } from "@std/assert";
import { DelimiterSearch } from "../../nbio/_delimiter_search.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { everySplit } from "../../nbio/testing_split.ts";

const encoder = new TextEncoder();

/** How many bytes come up to and including the delimiter, -1 without one: by the obvious way. */
function lengthOfFirst(text: string, delimiter: string): number {
  const index = text.indexOf(delimiter);
  return index < 0 ? -1 : index + delimiter.length;
}

function findInChunks(chunks: readonly Uint8Array[], delimiter: Uint8Array): number {
  const search = new DelimiterSearch(delimiter);
  let before = 0;
  for (const chunk of chunks) {
    const end = search.find(chunk, 0, chunk.length);
    if (end >= 0) return before + end;
    before += chunk.length;
  }
  return -1;
}

for (
  const { text, delimiter } of [
    { text: "", delimiter: "\n" },
    { text: "\n", delimiter: "\n" },
    { text: "a line\nmore", delimiter: "\n" },
    { text: "no end", delimiter: "\n" },
    { text: "a\rb\r\r\nc\r\n", delimiter: "\r\n" },
    { text: "head\r\n\r\r\n\r\n\r\nbody", delimiter: "\r\n\r\n" },
    { text: "aaaaab", delimiter: "aab" },
    { text: "ababababac", delimiter: "ababac" },
    { text: "abcabcabcabd", delimiter: "abcabd" },
    { text: "xxabacabadabacabax", delimiter: "abacaba" },
    { text: "almost-the-delimite", delimiter: "delimiter" },
  ]
) {
  const wanted = lengthOfFirst(text, delimiter);
  Deno.test(`DelimiterSearch finds ${JSON.stringify(delimiter)} in ${JSON.stringify(text)}`, () => {
    for (const chunks of everySplit(encoder.encode(text))) {
      assertEquals(findInChunks(chunks, encoder.encode(delimiter)), wanted);
    }
  });
}

Deno.test("DelimiterSearch agrees with String.indexOf() on random text of two letters", () => {
  const random = new SeededRandom(11);
  const randomText = (length: number): string =>
    Array.from({ length }, () => random.pick(["a", "b"])).join("");
  for (let round = 0; round < 5_000; round++) {
    const text = randomText(random.int(60));
    const delimiter = randomText(1 + random.int(8));
    const cut = random.int(text.length + 1);
    const chunks = [text.slice(0, cut), text.slice(cut)].map((part) => encoder.encode(part));
    const wanted = lengthOfFirst(text, delimiter);
    assertEquals(findInChunks(chunks, encoder.encode(delimiter)), wanted, `seed 11, ${round}`);
  }
});

Deno.test("DelimiterSearch looks only at the range it is given", () => {
  const search = new DelimiterSearch(encoder.encode("ab"));
  const bytes = encoder.encode("ab-a-b-ab");
  assertEquals(search.find(bytes, 1, 8), -1);
  assertEquals(search.find(bytes, 8, 9), 9);
});

Deno.test("DelimiterSearch begins anew after a find", () => {
  const search = new DelimiterSearch(encoder.encode("aa"));
  const bytes = encoder.encode("aaa-aa");
  assertEquals(search.find(bytes, 0, 6), 2);
  assertEquals(search.find(bytes, 2, 6), 6);
});

for (
  const { name, byte, delimiter } of [
    { name: "nothing alike", byte: "x", delimiter: "\r\n\r\n" },
    { name: "the longest false start", byte: "a", delimiter: "a".repeat(999) + "b" },
  ]
) {
  Deno.test(`DelimiterSearch looks at each byte at most twice: ${name}`, () => {
    const search = new DelimiterSearch(encoder.encode(delimiter));
    const bytes = encoder.encode(byte.repeat(20_000));
    let lookCount = 0;
    const counted = new Proxy(bytes, {
      get(target, key): unknown {
        if (/^\d+$/.test(String(key))) lookCount++;
        return Reflect.get(target, key);
      },
    });
    // Byte by byte, as a slow peer would have it.
    for (let index = 0; index < bytes.length; index++) {
      assertEquals(search.find(counted, index, index + 1), -1);
    }
    assert(lookCount <= 2 * bytes.length, `${lookCount} looks at ${bytes.length} bytes`);
  });
}
