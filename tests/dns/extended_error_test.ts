import { assertEquals } from "@std/assert";
import { formatExtendedError } from "../../dns/extended_error.ts";

Deno.test("formatExtendedError() names what the registry names", () => {
  assertEquals(formatExtendedError(0), "Other Error");
  assertEquals(formatExtendedError(18), "Prohibited");
  assertEquals(formatExtendedError(30), "Invalid Query Type");
  assertEquals(formatExtendedError(65_535), undefined);
});
