import { assertEquals, assertThrows } from "@std/assert";
import { HttpError } from "../../http/errors.ts";
import {
  HttpProblem,
  isProblemSource,
  problem,
  type ProblemDetails,
  problemOf,
} from "../../http/problem_details.ts";

for (
  const [what, details, wanted, message] of [
    ["a status alone", { status: 404 }, { title: "Not Found", status: 404 }, ""],
    [
      "a status without a phrase",
      { status: 499 },
      { status: 499 },
      "",
    ],
    [
      "a title",
      { status: 403, title: "No credit" },
      { title: "No credit", status: 403 },
      "No credit",
    ],
    [
      "everything",
      {
        status: 403,
        type: "https://example.com/credit",
        title: "No credit",
        detail: "You have 30",
        instance: "/account/1",
        balance: 30,
        accounts: ["/account/1", { a: null }],
      },
      {
        type: "https://example.com/credit",
        title: "No credit",
        status: 403,
        detail: "You have 30",
        instance: "/account/1",
        balance: 30,
        accounts: ["/account/1", { a: null }],
      },
      "You have 30",
    ],
    [
      "what is not set",
      { status: 400, type: undefined, title: undefined, detail: undefined, extra: undefined },
      { title: "Bad Request", status: 400 },
      "",
    ],
  ] as [string, ProblemDetails, unknown, string][]
) {
  Deno.test(`problem() takes ${what}`, () => {
    const error = problem(details);
    assertEquals(JSON.parse(JSON.stringify(error.toProblem())), wanted);
    assertEquals([error.status, error.message, error.code], [
      details.status,
      message,
      "ERR_HTTP_STATUS",
    ]);
    assertEquals(error instanceof HttpProblem && error instanceof HttpError, true);
    assertEquals(isProblemSource(error), true);
  });
}

Deno.test("problem() keeps what it was given, whatever becomes of that", () => {
  const details = { status: 400, errors: ["a"] };
  const error = problem(details);
  details.errors.push("b");
  (error.toProblem()["errors"] as string[]).push("c");
  assertEquals(error.toProblem()["errors"], ["a"]);
  assertEquals(error.details["errors"], ["a"]);
});

Deno.test("problem() tells nothing of a server's error unless it is exposed", () => {
  const details = {
    status: 503,
    type: "secret:",
    title: "secret",
    detail: "secret",
    more: "secret",
  };
  assertEquals(problem(details).toProblem(), { title: "Service Unavailable", status: 503 });
  assertEquals(problem(details, { expose: true }).toProblem()["more"], "secret");
  assertEquals(problem({ ...details, status: 400 }, { expose: false }).toProblem(), {
    title: "Bad Request",
    status: 400,
  });
});

Deno.test("problem() carries header fields and a cause", () => {
  const cause = new Error();
  const error = problem({ status: 429 }, { headers: [["retry-after", "5"]], cause });
  assertEquals([error.headers, error.cause], [[["retry-after", "5"]], cause]);
});

Deno.test("problem() throws on details that are none", () => {
  for (const status of [0, 200, 399, 600, 404.5, NaN]) {
    assertThrows(() => problem({ status }), RangeError);
  }
  for (const member of ["type", "title", "detail", "instance"]) {
    assertThrows(() => problem({ status: 400, [member]: 1 }), TypeError);
  }
  assertThrows(() => problem({ status: 400, extra: 1n }), TypeError);
});

Deno.test("problemOf() says what status and message say, and not twice", () => {
  assertEquals(problemOf(404, "No such user"), {
    title: "Not Found",
    status: 404,
    detail: "No such user",
  });
  assertEquals(problemOf(404, "Not Found"), { title: "Not Found", status: 404 });
  assertEquals(problemOf(404, ""), { title: "Not Found", status: 404 });
  assertEquals(problemOf(499, ""), { title: "Client error", status: 499 });
  assertEquals(problemOf(599, ""), { title: "Server error", status: 599 });
});

Deno.test("isProblemSource() takes any HttpError that knows its problem", () => {
  class Own extends HttpError {
    toProblem(): Record<string, unknown> {
      return {};
    }
  }
  assertEquals(isProblemSource(new Own(400)), true);
  const others = [undefined, null, "a", {}, new Error(), new HttpError(400), { toProblem() {} }];
  for (const other of others) assertEquals(isProblemSource(other), false);
});
