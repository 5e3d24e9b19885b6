import { assertEquals } from "@std/assert";
import { HttpProtocolError } from "../../http/errors.ts";
import { errorType } from "../../nbio/error_type.ts";
import { TimeoutError } from "../../nbio/errors.ts";

Deno.test("errorType() gives a code or a class, and never a message", () => {
  const timeout = new TimeoutError("a", { phase: "b", timeoutMs: 1 });
  assertEquals(errorType(timeout), "ERR_NET_TIMEOUT");
  assertEquals(errorType(new HttpProtocolError("ERR_HTTP_BARE_LF", "a")), "ERR_HTTP_BARE_LF");
  assertEquals(errorType(new TypeError("a")), "TypeError");
  assertEquals(errorType(new DOMException("a", "AbortError")), "AbortError");
});

Deno.test("errorType() has one name for what is no error", () => {
  for (const other of ["text", undefined, 7, { name: "x" }]) {
    assertEquals(errorType(other), "_OTHER");
  }
});
