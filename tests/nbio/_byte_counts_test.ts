import { assertEquals, assertThrows } from "@std/assert";
import { checkRead, checkWritten } from "../../nbio/_byte_counts.ts";
import { ConnectionClosedError } from "../../nbio/errors.ts";

for (const check of [checkRead, checkWritten]) {
  Deno.test(`${check.name}() accepts 0 up to what there was`, () => {
    assertEquals([check(0, 5, 0), check(1, 5, 1), check(5, 5, 0)], [1, 0, 0]);
  });

  for (const claim of [-1, 6, 0.5, NaN, Infinity, undefined as unknown as number]) {
    Deno.test(`${check.name}() throws on ${claim} of 5`, () => {
      assertThrows(() => check(claim, 5, 0), TypeError);
    });
  }
}

for (
  const { check, limit } of [{ check: checkRead, limit: 16 }, { check: checkWritten, limit: 2 }]
) {
  Deno.test(`${check.name}() throws on the ${limit}th 0 in a row`, () => {
    let emptyCount = 0;
    for (let count = 1; count < limit; count++) emptyCount = check(0, 5, emptyCount);
    assertEquals(emptyCount, limit - 1);
    assertThrows(() => check(0, 5, emptyCount), ConnectionClosedError);
    assertEquals(check(0, 5, check(1, 5, emptyCount)), 1);
  });
}
