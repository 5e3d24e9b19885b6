import { assertEquals } from "@std/assert";
import { equalBytes } from "../../tls/equal_bytes.ts";

Deno.test("equalBytes() compares lengths and every byte", () => {
  for (
    const [one, other, expected] of [
      [[], [], true],
      [[1, 2, 3], [1, 2, 3], true],
      [[1, 2, 3], [1, 2], false],
      [[], [0], false],
      [[0, 2, 3], [1, 2, 3], false],
      [[1, 2, 3], [1, 2, 4], false],
    ] as const
  ) {
    assertEquals(equalBytes(new Uint8Array(one), new Uint8Array(other)), expected);
    assertEquals(equalBytes(new Uint8Array(other), new Uint8Array(one)), expected);
  }
});
