import { assertEquals, assertThrows } from "@std/assert";
import { HttpError, HttpProtocolError, HttpStateError } from "../../http/errors.ts";
import { OutgoingResponse } from "../../http/outgoing_response.ts";
import { answerError, isServerError, statusOf } from "../../http/server_errors.ts";
import { ConnectionClosedError, LimitExceededError, TimeoutError } from "../../nbio/errors.ts";

const limit = { limit: "maxBodyBytes", max: 16 };

for (
  const [what, error, status, isOurs, body] of [
    ["nothing", undefined, 500, true, "Internal Server Error"],
    ["null", null, 500, true, "Internal Server Error"],
    ["a string", "secret", 500, true, "Internal Server Error"],
    ["an Error", new Error("secret"), 500, true, "Internal Server Error"],
    ["an HttpError", new HttpError(404, "gone"), 404, false, "gone"],
    ["an HttpError 500", new HttpError(500, "secret"), 500, true, "Internal Server Error"],
    ["an HttpError 503", new HttpError(503, "secret"), 503, false, "Service Unavailable"],
    ["a status nobody named", new HttpError(499), 499, false, "Status 499"],
    ["a protocol error", new HttpProtocolError("ERR_HTTP_BARE_LF", "LF"), 400, false, "LF"],
    [
      "a hint",
      new HttpProtocolError("ERR_HTTP_BAD_VERSION", "v", { statusHint: 505 }),
      505,
      true,
      "HTTP Version Not Supported",
    ],
    ["a limit", new LimitExceededError("big", { ...limit, statusHint: 413 }), 413, false, "big"],
    [
      "a limit without a hint",
      new LimitExceededError("secret", limit),
      500,
      true,
      "Internal Server Error",
    ],
    [
      "a stalled body",
      new TimeoutError("slow", { phase: "body", timeoutMs: 1 }),
      408,
      false,
      "slow",
    ],
    [
      "a slow handler",
      new TimeoutError("slow", { phase: "handler", timeoutMs: 1 }),
      503,
      true,
      "Service Unavailable",
    ],
    ["a lost upstream", new ConnectionClosedError("secret"), 500, true, "Internal Server Error"],
    [
      "a state error",
      new HttpStateError("ERR_HTTP_BODY_USED", "secret", { state: "a", event: "b" }),
      500,
      true,
      "Internal Server Error",
    ],
    [
      "a foreign status",
      Object.assign(new Error("secret"), { status: 418 }),
      418,
      false,
      "Status 418",
    ],
    [
      "a foreign 502",
      Object.assign(new Error("secret"), { status: 502 }),
      502,
      true,
      "Bad Gateway",
    ],
    [
      "a foreign 302",
      Object.assign(new Error("secret"), { status: 302 }),
      500,
      true,
      "Internal Server Error",
    ],
    [
      "a foreign 600",
      Object.assign(new Error("secret"), { status: 600 }),
      500,
      true,
      "Internal Server Error",
    ],
    [
      "a foreign 404.5",
      Object.assign(new Error("secret"), { status: 404.5 }),
      500,
      true,
      "Internal Server Error",
    ],
  ] as [string, unknown, number, boolean, string][]
) {
  Deno.test(`answerError() answers ${what} with ${status}`, () => {
    assertEquals([statusOf(error), isServerError(error)], [status, isOurs]);
    const response = new OutgoingResponse();
    response.setStatus(201);
    response.headers.append("x-secret", "1");
    response.answer("secret", undefined);
    answerError(response, error);
    assertEquals([response.status, response.body], [status, body]);
    assertEquals([...response.headers], [["content-type", "text/plain; charset=utf-8"]]);
  });
}

Deno.test("answerError() takes the header fields of an HttpError, also a type of its own", () => {
  const response = new OutgoingResponse();
  const headers = [["Content-Type", "application/problem+json"], ["Allow", "GET"]] as const;
  answerError(response, new HttpError(405, "{}", { headers }));
  assertEquals([...response.headers], headers.map(([name, value]) => [name, value]));
});

Deno.test("answerError() throws on header fields that cannot be sent", () => {
  const error = new HttpError(400, "", { headers: [["a", "b\r\nc: d"]] });
  assertThrows(() => answerError(new OutgoingResponse(), error), TypeError);
});
