import { assertEquals, assertThrows } from "@std/assert";
import { concatBytes } from "../../http/_concat_bytes.ts";

Deno.test("concatBytes() copies pieces one behind the other", () => {
  const piece = Uint8Array.of(2, 3);
  const bytes = concatBytes([Uint8Array.of(1), new Uint8Array(0), piece], 3);
  piece[0] = 9;
  assertEquals(bytes, Uint8Array.of(1, 2, 3));
  assertEquals(concatBytes([], 0), new Uint8Array(0));
});

Deno.test("concatBytes() throws where there is more than was said", () => {
  assertThrows(() => concatBytes([Uint8Array.of(1, 2)], 1), RangeError);
});
