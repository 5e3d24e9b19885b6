import { assertEquals } from "@std/assert";
import { planMultipartRanges, planSinglePart } from "../../http/file_multipart.ts";

const decoder = new TextDecoder();

Deno.test("planMultipartRanges() plans what RFC 9110 section 14.6 shows, and its length", () => {
  const content = "0123456789";
  const plan = planMultipartRanges([{ first: 1, last: 3 }, { first: 9, last: 9 }], {
    sizeBytes: content.length,
    type: "text/plain",
    boundary: "B",
  });
  const text =
    plan.parts.map(({ head, range }) =>
      decoder.decode(head) + content.slice(range.first, range.last + 1)
    ).join("") + decoder.decode(plan.tail);
  assertEquals(
    text,
    "--B\r\ncontent-type: text/plain\r\ncontent-range: bytes 1-3/10\r\n\r\n123\r\n" +
      "--B\r\ncontent-type: text/plain\r\ncontent-range: bytes 9-9/10\r\n\r\n9\r\n--B--\r\n",
  );
  assertEquals(plan.length, text.length);
});

Deno.test("planSinglePart() plans nothing for an empty file", () => {
  assertEquals(planSinglePart(0, 0).parts, []);
  assertEquals(planSinglePart(5, 2).parts.map(({ range }) => range), [{ first: 5, last: 6 }]);
});
