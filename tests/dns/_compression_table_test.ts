import { assertEquals } from "@std/assert";
import { CompressionTable, ROOT } from "../../dns/_compression_table.ts";

/** Four bytes each: the length, and three digits. */
const LABEL_BYTES = 4;

/** Labels of three digits, one behind the other. */
function labels(count: number): Uint8Array {
  const bytes = new Uint8Array(count * LABEL_BYTES);
  for (let index = 0; index < count; index++) {
    bytes.set([
      3,
      0x30 + Math.floor(index / 100),
      0x30 + Math.floor(index / 10) % 10,
      0x30 + index % 10,
    ], index * LABEL_BYTES);
  }
  return bytes;
}

Deno.test("CompressionTable finds every label among far more than it has buckets", () => {
  const count = 1_000;
  const bytes = labels(2 * count);
  bytes.copyWithin(count * LABEL_BYTES, 0, count * LABEL_BYTES);
  const table = new CompressionTable(count);
  for (let index = 0; index < count; index++) {
    assertEquals(table.find(bytes, index * LABEL_BYTES, ROOT), -1);
    assertEquals(table.add(bytes, index * LABEL_BYTES, ROOT), index);
  }
  for (let index = 0; index < count; index++) {
    // Another place with the same label.
    const entry = table.find(bytes, (count + index) * LABEL_BYTES, ROOT);
    assertEquals([entry, table.offsetOf(entry)], [index, index * LABEL_BYTES]);
  }
});

Deno.test("CompressionTable tells equal labels on different parents apart", () => {
  const bytes = new Uint8Array([1, 0x61, 1, 0x61, 1, 0x61]);
  const table = new CompressionTable(8);
  const top = table.add(bytes, 0, ROOT);
  assertEquals(table.find(bytes, 2, top), -1);
  const below = table.add(bytes, 2, top);
  assertEquals([table.find(bytes, 4, ROOT), table.find(bytes, 4, top)], [top, below]);
  assertEquals(table.find(bytes, 4, below), -1);
});

Deno.test("CompressionTable takes no more labels than it is told", () => {
  const bytes = labels(3);
  const table = new CompressionTable(2);
  assertEquals([0, 4, 8].map((at) => table.add(bytes, at, ROOT)), [0, 1, -1]);
  assertEquals([0, 4, 8].map((at) => table.find(bytes, at, ROOT)), [0, 1, -1]);
});

Deno.test("CompressionTable.cut() forgets what stands there and behind it", () => {
  const count = 600;
  const bytes = labels(count);
  const table = new CompressionTable(count);
  for (let index = 0; index < count; index++) table.add(bytes, index * LABEL_BYTES, ROOT);
  table.cut(300 * LABEL_BYTES);
  for (let index = 0; index < count; index++) {
    const entry = table.find(bytes, index * LABEL_BYTES, ROOT);
    assertEquals(entry, index < 300 ? index : -1);
  }
  assertEquals(table.add(bytes, 300 * LABEL_BYTES, ROOT), 300);
  table.cut(0);
  assertEquals(table.find(bytes, 0, ROOT), -1);
});

Deno.test("CompressionTable.clear() forgets everything", () => {
  const bytes = labels(2);
  const table = new CompressionTable(2);
  table.clear();
  table.add(bytes, 0, ROOT);
  table.clear();
  assertEquals(table.find(bytes, 0, ROOT), -1);
  assertEquals([table.add(bytes, 4, ROOT), table.find(bytes, 0, ROOT)], [0, -1]);
});
