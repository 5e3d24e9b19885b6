import { assertEquals, assertStrictEquals } from "@std/assert";
import { HttpError, HttpProtocolError, HttpStateError } from "../../http/errors.ts";
import { isFull, proxyError, unavailable } from "../../http/reverse_proxy_error.ts";
import { ConnectionClosedError, LimitExceededError, TimeoutError } from "../../nbio/errors.ts";

function timeOut(phase: string): TimeoutError {
  return new TimeoutError("Cannot", { phase, timeoutMs: 1 });
}

const ROWS: readonly (readonly [string, unknown, number])[] = [
  ["a broken response", new HttpProtocolError("ERR_HTTP_BARE_LF", "Cannot"), 502],
  ["a server that has left", new ConnectionClosedError("Cannot"), 502],
  ["too large a head", new LimitExceededError("Cannot", { limit: "maxHeaderBytes", max: 1 }), 502],
  ["an error of the system", new Error("EHOSTUNREACH"), 502],
  ...["resolve", "connect", "tls", "write", "first-byte", "body", "total"].map(
    (phase) => [`no time in ${phase}`, timeOut(phase), 504] as const,
  ),
  ["no turn", timeOut("queue"), 503],
  ["too many", new LimitExceededError("Cannot", { limit: "maxQueuedRequests", max: 1 }), 503],
];

for (const [name, error, status] of ROWS) {
  Deno.test(`proxyError() makes ${status} of ${name}`, () => {
    const told = proxyError(error) as HttpError;
    assertEquals([told instanceof HttpError, told.status, told.expose], [true, status, false]);
    assertStrictEquals(told.cause, error);
    assertEquals(isFull(error), status === 503);
  });
}

Deno.test("proxyError() leaves mistakes and answers as they are", () => {
  const state = new HttpStateError("ERR_HTTP_BODY_USED", "Cannot", { state: "a", event: "b" });
  for (const error of [new TypeError("a"), new RangeError("b"), new HttpError(418), state]) {
    assertStrictEquals(proxyError(error), error);
  }
});

Deno.test("unavailable() tells whole seconds, at least one", () => {
  for (const [ms, text] of [[undefined, "1"], [0, "1"], [1_001, "2"], [30_000, "30"]] as const) {
    assertEquals(unavailable(ms).headers, [["retry-after", text]]);
  }
});
