import { assertEquals } from "@std/assert";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { decodeUtf8 } from "../../websocket/utf8_text.ts";

const FATAL = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function expected(bytes: Uint8Array): string | undefined {
  try {
    return FATAL.decode(bytes);
  } catch {
    return undefined;
  }
}

const TEXTS = ["", "a", "\0", "é", "€", "😀", "\ufffd", "\ufeffa", "a\ufffdb", "\uffff", "\x7f"];

for (const text of TEXTS) {
  Deno.test(`decodeUtf8() reads back ${JSON.stringify(text)} at any length and place`, () => {
    for (let count = 1; count < 40; count++) {
      const bytes = new TextEncoder().encode(`--${text.repeat(count)}--`);
      assertEquals(decodeUtf8(bytes, 2, bytes.length - 2), text.repeat(count));
    }
  });
}

Deno.test("decodeUtf8() refuses what a strict decoder refuses", () => {
  const random = new SeededRandom(11);
  const pieces = [..."aé€😀\ufffd"].map((text) => new TextEncoder().encode(text));
  for (let round = 0; round < 5_000; round++) {
    const bytes = Uint8Array.from(
      Array.from({ length: random.int(20) }, () => [...random.pick(pieces)]).flat(),
    );
    if (bytes.length > 0 && random.chance(0.7)) bytes[random.int(bytes.length)] = random.int(256);
    const end = random.chance(0.3) ? random.int(bytes.length + 1) : bytes.length;
    assertEquals(decodeUtf8(bytes, 0, end), expected(bytes.subarray(0, end)));
  }
});
