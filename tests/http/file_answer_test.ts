import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { HttpError } from "../../http/errors.ts";
import { fileFault } from "../../http/file_answer.ts";
import { FileError } from "../../nbio/file_error.ts";

Deno.test("fileFault() answers 403 where the system forbids to read, and nothing else", () => {
  const denied = new FileError("x", { step: "open", cause: new Deno.errors.PermissionDenied("x") });
  const fault = fileFault(denied);
  assert(fault instanceof HttpError);
  assertEquals([fault.status, fault.cause], [403, denied]);
  // What the process was not allowed when it was started is a mistake of ours.
  const notCapable = new FileError("x", { step: "open", cause: new Deno.errors.NotCapable("x") });
  for (
    const error of [notCapable, new FileError("x", { step: "read" }), new Error("x"), undefined]
  ) {
    assertStrictEquals(fileFault(error), error);
  }
});
