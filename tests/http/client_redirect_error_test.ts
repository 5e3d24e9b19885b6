import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { HttpRedirectError } from "../../http/client_redirect_error.ts";
import { NetError } from "../../nbio/errors.ts";

Deno.test("HttpRedirectError carries code, status, count and cause", () => {
  const cause = new Error("why");
  const options = { status: 307, redirectCount: 2, cause };
  const error = new HttpRedirectError("ERR_HTTP_REDIRECT_BODY", "Cannot", options);
  assertInstanceOf(error, NetError);
  assertEquals([error.name, error.code], ["HttpRedirectError", "ERR_HTTP_REDIRECT_BODY"]);
  assertEquals([error.status, error.redirectCount], [307, 2]);
  assertStrictEquals(error.cause, cause);
});
