import { assertEquals } from "@std/assert";
import { timingSafeEqual } from "@std/crypto/timing-safe-equal";

Deno.test("timingSafeEqual() compares bytes, whatever holds them", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  assertEquals(timingSafeEqual(bytes, new Uint8Array([1, 2, 3])), true);
  assertEquals(timingSafeEqual(bytes, new Uint8Array([1, 2, 4])), false);
  assertEquals(timingSafeEqual(bytes.buffer, new DataView(bytes.buffer)), true);
  assertEquals(timingSafeEqual(bytes.subarray(1), new Uint8Array([2, 3])), true);
});

Deno.test("timingSafeEqual() answers false on different lengths", () => {
  assertEquals(timingSafeEqual(new Uint8Array(2), new Uint8Array(3)), false);
});
