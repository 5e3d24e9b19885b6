import { assert, assertEquals, assertThrows } from "@std/assert";
import { HttpError } from "../../http/errors.ts";
import { describeIssue, ValidationError } from "../../http/validation_error.ts";

for (
  const [path, pointer] of [
    [undefined, ""],
    [[], ""],
    [["a", 0, "b"], "/a/0/b"],
    [[{ key: "a" }, { key: 1 }], "/a/1"],
    [["a/b", "~c", "", "d~1"], "/a~1b/~0c//d~01"],
    [[Symbol("s")], "/Symbol(s)"],
    [["\u0000\ud800"], "/\u0000\ud800"],
  ] as const
) {
  Deno.test(`describeIssue() points to ${JSON.stringify(pointer)}`, () => {
    assertEquals(describeIssue("body", { message: "m", path }), {
      in: "body",
      pointer,
      detail: "m",
    });
  });
}

Deno.test("describeIssue() bounds what a client can make long", () => {
  const { pointer, detail } = describeIssue("query", {
    message: "x".repeat(100_000),
    path: new Array(100_000).fill("key"),
  });
  assert(pointer.length < 300 && detail.length < 300);
  const single = describeIssue("query", { message: "x".repeat(256), path: ["k".repeat(1_000)] });
  assertEquals(single.detail, "x".repeat(256));
  assert(single.pointer.length < 300);
});

Deno.test("ValidationError is an HttpError with problem details", () => {
  const issue = { in: "body", pointer: "/a", detail: "m" } as const;
  const error = new ValidationError(422, [issue]);
  assert(error instanceof HttpError);
  assertEquals([error.status, error.code, error.expose], [422, "ERR_HTTP_STATUS", true]);
  assertEquals(error.toProblem().errors, [issue]);
  assertThrows(() => new ValidationError(200, []), RangeError);
});
