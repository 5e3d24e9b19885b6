import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { copySmall, MAX_SMALL_BYTES } from "../../websocket/copy_small.ts";

const SOURCE = Uint8Array.from({ length: 2 * MAX_SMALL_BYTES }, (_, index) => index * 7);

Deno.test("copySmall() gives the bytes, whatever their number", () => {
  for (const length of [0, 1, 31, 32, 33, 64, MAX_SMALL_BYTES - 1, MAX_SMALL_BYTES]) {
    assertEquals(copySmall(SOURCE, 5, 5 + length), SOURCE.slice(5, 5 + length));
  }
});

Deno.test("copySmall() gives no byte twice", () => {
  const copies = Array.from({ length: 300 }, (_, index) => copySmall(SOURCE, index, index + 100));
  for (const copy of copies.filter((_, index) => index % 2 === 1)) copy.fill(0xff);
  for (let index = 0; index < copies.length; index += 2) {
    assertEquals(copies[index], SOURCE.slice(index, index + 100));
  }
  // 81 of them fit into one.
  assertEquals(new Set(copies.map(({ buffer }) => buffer)).size <= 5, true);
});

Deno.test("copySmall() is not kept from going on by who transfers its memory", () => {
  const first = copySmall(SOURCE, 0, 10);
  structuredClone(first.buffer, { transfer: [first.buffer] });
  assertEquals(first.length, 0);
  const second = copySmall(SOURCE, 0, 10);
  assertEquals(second, SOURCE.slice(0, 10));
  const third = copySmall(SOURCE, 10, 20);
  assertStrictEquals(third.buffer, second.buffer);
  assert(third.byteOffset >= second.byteOffset + second.length);
});
