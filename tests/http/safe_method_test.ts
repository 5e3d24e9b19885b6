import { assertEquals } from "@std/assert";
import { isSafeMethod } from "../../http/safe_method.ts";

Deno.test("isSafeMethod() knows the methods of RFC 9110", () => {
  assertEquals(["GET", "HEAD", "OPTIONS", "TRACE"].every(isSafeMethod), true);
  const others = ["POST", "PUT", "DELETE", "PATCH", "CONNECT", "get", ""];
  assertEquals(others.some(isSafeMethod), false);
});
