import { assertEquals, assertThrows } from "@std/assert";
import { resolveMultipartLimits } from "../../http/multipart_limits.ts";

Deno.test("resolveMultipartLimits() fills in the defaults", () => {
  assertEquals(resolveMultipartLimits({ maxParts: 5, maxPreambleBytes: 0 }), {
    maxParts: 5,
    maxPartHeaderBytes: 8_192,
    maxPartHeaderCount: 100,
    maxPartBytes: Infinity,
    maxPreambleBytes: Infinity,
  });
});

Deno.test("resolveMultipartLimits() throws on what is no bound", () => {
  for (const maxParts of [-1, NaN, 1.5]) {
    assertThrows(() => resolveMultipartLimits({ maxParts }), RangeError);
  }
});
