import { assertEquals, assertThrows } from "@std/assert";
import { BodyDecoder } from "../../http/body_decoder.ts";
import { HttpProtocolError } from "../../http/errors.ts";
import { Framing } from "../../http/framing.ts";
import { resolveLimits } from "../../http/limits.ts";
import { everySplit } from "../../nbio/testing_split.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

function makeDecoder(framing: number): BodyDecoder {
  return new BodyDecoder(framing, resolveLimits(), {});
}

/** Feeds chunks the way a driver does; what is left over is given back. */
function feed(decoder: BodyDecoder, chunks: readonly Uint8Array[]): { data: string; rest: string } {
  let data = "";
  let held: Uint8Array = new Uint8Array(0);
  for (const chunk of chunks) {
    const joined = new Uint8Array(3 + held.length + chunk.length);
    joined.set(held, 3);
    joined.set(chunk, 3 + held.length);
    let start = 3;
    for (let next = -1; next !== start && !decoder.isDone;) {
      if (next >= 0) start = next;
      next = decoder.step(joined, start, joined.length);
      data += textOf(joined.subarray(decoder.dataStart, decoder.dataEnd));
      if (decoder.isDone) start = next;
    }
    held = joined.slice(start);
  }
  return { data, rest: textOf(held) };
}

for (
  const [name, framing, wire, data, rest, isDone] of [
    ["a known length", 5, "hello", "hello", "", true],
    ["a known length with more behind it", 5, "helloGET", "hello", "GET", true],
    ["a known length that is not reached", 5, "hell", "hell", "", false],
    ["a length of 0", 0, "GET", "", "GET", true],
    ["a tunnel", Framing.TUNNEL, "GET", "", "GET", true],
    ["everything until close", Framing.UNTIL_CLOSE, "hello", "hello", "", false],
    ["chunks", Framing.CHUNKED, "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\nGET", "hello", "GET", true],
    ["chunks that are not over", Framing.CHUNKED, "2\r\nhe\r\n3\r\nl", "hel", "", false],
  ] as const
) {
  Deno.test(`BodyDecoder takes apart ${name} however it is split`, () => {
    for (const chunks of everySplit(bytesOf(wire))) {
      const decoder = makeDecoder(framing);
      assertEquals(feed(decoder, chunks), { data, rest });
      assertEquals(decoder.isDone, isDone);
    }
  });
}

Deno.test("BodyDecoder.remainingBytes counts down where the length is known", () => {
  const decoder = makeDecoder(10);
  assertEquals(decoder.remainingBytes, 10);
  decoder.step(new Uint8Array(20), 0, 4);
  assertEquals([decoder.dataStart, decoder.dataEnd, decoder.remainingBytes], [0, 4, 6]);
  decoder.skip(5);
  assertEquals([decoder.remainingBytes, decoder.isDone], [1, false]);
  decoder.skip(1);
  assertEquals([decoder.remainingBytes, decoder.isDone], [0, true]);
  for (const framing of [Framing.CHUNKED, Framing.UNTIL_CLOSE]) {
    assertEquals(makeDecoder(framing).remainingBytes, undefined);
  }
});

Deno.test("BodyDecoder.trailers is there behind the last chunk", () => {
  const decoder = makeDecoder(Framing.CHUNKED);
  const wire = bytesOf("1\r\na\r\n0\r\nX-A: b\r\n\r\n");
  feed(decoder, [wire.slice(0, -1)]);
  assertEquals(decoder.trailers, undefined);
  const whole = makeDecoder(Framing.CHUNKED);
  feed(whole, [wire]);
  assertEquals([...whole.trailers!], [["X-A", "b"]]);
  assertEquals(makeDecoder(3).trailers, undefined);
});

Deno.test("BodyDecoder.end() takes the end only where the body may end", () => {
  for (const framing of [0, Framing.TUNNEL, Framing.UNTIL_CLOSE]) {
    const decoder = makeDecoder(framing);
    decoder.end();
    assertEquals(decoder.isDone, true);
  }
  for (const framing of [1, Framing.CHUNKED]) {
    const error = assertThrows(() => makeDecoder(framing).end(), HttpProtocolError);
    assertEquals(error.code, "ERR_HTTP_TRUNCATED_MESSAGE");
  }
});

Deno.test("BodyDecoder.step() throws the same error again", () => {
  const decoder = makeDecoder(Framing.CHUNKED);
  for (let count = 0; count < 2; count++) {
    const error = assertThrows(() => decoder.step(bytesOf("zz"), 0, 2), HttpProtocolError);
    assertEquals(error.code, "ERR_HTTP_BAD_CHUNK_SIZE");
  }
});
