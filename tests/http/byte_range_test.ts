import { assert, assertEquals, assertThrows } from "@std/assert";
import { formatContentRange, type RangeSelection, selectRanges } from "../../http/byte_range.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";

const WHOLE: RangeSelection = { type: "whole" };
const UNSATISFIABLE: RangeSelection = { type: "unsatisfiable" };

function partial(...pairs: readonly (readonly [number, number])[]): RangeSelection {
  return { type: "partial", ranges: pairs.map(([first, last]) => ({ first, last })) };
}

for (
  const [field, size, wanted] of [
    ["bytes=0-0", 10, partial([0, 0])],
    ["bytes=0-9", 10, partial([0, 9])],
    ["bytes=0-10", 10, partial([0, 9])],
    ["bytes=9-", 10, partial([9, 9])],
    ["bytes=10-", 10, UNSATISFIABLE],
    ["bytes=10-20", 10, UNSATISFIABLE],
    ["bytes=-1", 10, partial([9, 9])],
    ["bytes=-10", 10, partial([0, 9])],
    ["bytes=-11", 10, partial([0, 9])],
    ["bytes=-0", 10, UNSATISFIABLE],
    ["bytes=-00", 10, UNSATISFIABLE],
    ["BYTES=0-1", 10, partial([0, 1])],
    ["bytes=0-1, 4-5", 10, partial([0, 1], [4, 5])],
    ["bytes=,0-1,, \t4-5 ,", 10, partial([0, 1], [4, 5])],
    ["bytes=4-5,0-1", 10, partial([4, 5], [0, 1])],
    ["bytes=0-1,10-", 10, partial([0, 1])],
    ["bytes=00000000000000000000-1", 10, partial([0, 1])],
    ["bytes=0-99999999999999999999", 10, partial([0, 9])],
    ["bytes=99999999999999999999-", 10, UNSATISFIABLE],
    ["bytes=-99999999999999999999", 10, partial([0, 9])],
    // Together longer than the whole.
    ["bytes=0-5,4-9", 10, WHOLE],
    ["bytes=0-4,5-9", 10, partial([0, 4], [5, 9])],
    ["bytes=0-,0-", 10, WHOLE],
    // An empty file has an end, but none of its bytes.
    ["bytes=0-", 0, UNSATISFIABLE],
    ["bytes=-5", 0, WHOLE],
    ["bytes=-0", 0, UNSATISFIABLE],
    // 10 GB.
    ["bytes=9999999999-", 10_000_000_000, partial([9_999_999_999, 9_999_999_999])],
  ] as const
) {
  Deno.test(`selectRanges() reads ${field} of ${size}`, () => {
    assertEquals(selectRanges(field, size), wanted);
  });
}

for (
  const field of [undefined, "", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=a-b", "bytes=1"]
    .concat(["bytes=1-0", "bytes=0-1,5-4", "bytes=0-1,x", "bytes=--1", "bytes=1--2", "items=0-1"])
    .concat([
      " bytes=0-1",
      "bytes =0-1",
      "bytes= 0 - 1",
      "bytes=0-1;2-3",
      "bytes=+0-1",
      "bytes=0x0-1",
    ])
    .concat(["bytes=0-1-2", "bytes=1e1-", "bytes=\u0661-", "bytes=0-1\u00a0"])
) {
  Deno.test(`selectRanges() ignores ${JSON.stringify(field)}`, () => {
    assertEquals(selectRanges(field, 10), WHOLE);
  });
}

Deno.test("selectRanges() honours as many ranges as it may", () => {
  for (const [count, type] of [[15, "partial"], [16, "partial"], [17, "whole"]] as const) {
    const field = `bytes=${Array.from({ length: count }, (_, n) => `${n * 2}-${n * 2}`).join()}`;
    assertEquals(selectRanges(field, 1000).type, type);
    assertEquals(selectRanges(field, 1000, { maxRangeCount: 0 }).type, "partial");
    // Those behind the end count too.
    assertEquals(
      selectRanges(field.replaceAll("=", "=5000-,"), 1000).type,
      count < 16 ? type : "whole",
    );
  }
  for (const maxRangeCount of [-1, 1.5, NaN]) {
    assertThrows(() => selectRanges("bytes=0-1", 10, { maxRangeCount }), RangeError);
  }
});

Deno.test("selectRanges() never selects more than the whole, whatever comes", () => {
  const random = new SeededRandom(7);
  const pieces = ["0", "1", "5", "99", "-", "-", ",", ",", " ", "9999999999999999999", "x", "="];
  for (let round = 0; round < 20_000; round++) {
    let field = "bytes=";
    for (let n = random.int(24); n > 0; n--) field += pieces[random.int(pieces.length)];
    const size = random.int(120);
    const selection = selectRanges(field, size);
    if (selection.type !== "partial") continue;
    let total = 0;
    for (const { first, last } of selection.ranges) {
      assert(first >= 0 && first <= last && last < size, field);
      total += last - first + 1;
    }
    assert(total <= size && selection.ranges.length > 0, field);
  }
});

Deno.test("selectRanges() takes time in proportion to the field", () => {
  const start = performance.now();
  const field = `bytes=${" ".repeat(500_000)}0-1${" ".repeat(500_000)}x`;
  assertEquals(selectRanges(field, 10, { maxRangeCount: 0 }), WHOLE);
  assertEquals(selectRanges(`bytes=${"0-0,".repeat(250_000)}`, 10, { maxRangeCount: 0 }), WHOLE);
  assert(performance.now() - start < 2_000);
});

Deno.test("formatContentRange() writes what is sent and what cannot be", () => {
  assertEquals(formatContentRange({ first: 1, last: 2 }, 3), "bytes 1-2/3");
  assertEquals(formatContentRange(undefined, 3), "bytes */3");
});
