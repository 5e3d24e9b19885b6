import { assert, assertEquals } from "@std/assert";
import {
  ConnectionClosedError,
  LimitExceededError,
  NetError,
  TimeoutError,
} from "../../nbio/errors.ts";

const cause = new Error("below");

for (
  const { error, code, name } of [
    {
      error: new TimeoutError("a", { phase: "dial", timeoutMs: 5, cause }),
      code: "ERR_NET_TIMEOUT",
      name: "TimeoutError",
    },
    {
      error: new ConnectionClosedError("a", { bytesReceived: 7, cause }),
      code: "ERR_NET_CONNECTION_CLOSED",
      name: "ConnectionClosedError",
    },
    {
      error: new LimitExceededError("a", { limit: "maxBytes", max: 3, cause }),
      code: "ERR_NET_LIMIT_EXCEEDED",
      name: "LimitExceededError",
    },
  ]
) {
  Deno.test(`${name} is a NetError with its code, name and cause`, () => {
    assert(error instanceof NetError && error instanceof Error);
    assertEquals([error.code, error.name, error.cause], [code, name, cause]);
  });
}

Deno.test("TimeoutError says what took too long, and how long that may take", () => {
  const { phase, timeoutMs } = new TimeoutError("a", { phase: "dial", timeoutMs: 5 });
  assertEquals([phase, timeoutMs], ["dial", 5]);
});

Deno.test("ConnectionClosedError counts what had come, nothing by default", () => {
  assertEquals(new ConnectionClosedError("a", { bytesReceived: 7 }).bytesReceived, 7);
  assertEquals(new ConnectionClosedError("a").bytesReceived, 0);
});

Deno.test("an error of nbio without a cause has no property for it", () => {
  assertEquals("cause" in new ConnectionClosedError("a"), false);
  assertEquals("cause" in new TimeoutError("a", { phase: "dial", timeoutMs: 5 }), false);
});
