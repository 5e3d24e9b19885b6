import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { tooLargeError, toSendError } from "../../nbio/_udp_send_error.ts";

const DATAGRAM = { byteCount: 3, hostname: "127.0.0.1", port: 9 };

function coded(code: string): Error {
  return Object.assign(new Error(code), { code });
}

Deno.test("toSendError() makes a RangeError of EMSGSIZE", () => {
  const cause = coded("EMSGSIZE");
  const error = toSendError(cause, DATAGRAM);
  assertInstanceOf(error, RangeError);
  assertStrictEquals(error.cause, cause);
});

Deno.test("toSendError() gives errors of the system their class", () => {
  const error = toSendError(coded("ENETUNREACH"), DATAGRAM);
  assertInstanceOf(error, Deno.errors.NetworkUnreachable);
});

Deno.test({
  name: "toSendError() finds a missing permission behind an error without a reason",
  permissions: { net: ["127.0.0.1:9", "[::1]:9"] },
  fn() {
    const cause = coded("UNKNOWN");
    assertStrictEquals(toSendError(cause, DATAGRAM), cause);
    assertStrictEquals(toSendError(cause, { ...DATAGRAM, hostname: "::1" }), cause);
    for (const denied of [{ port: 10 }, { hostname: "::2" }, { hostname: "fe80::1%eth0" }]) {
      assertInstanceOf(toSendError(cause, { ...DATAGRAM, ...denied }), Deno.errors.NotCapable);
    }
  },
});

Deno.test("toSendError() leaves anything else as it is", () => {
  for (const error of [new TypeError("argument"), "text", undefined]) {
    assertStrictEquals(toSendError(error, DATAGRAM), error);
  }
});

Deno.test("tooLargeError() has a cause only if there is one", () => {
  assertEquals("cause" in tooLargeError(1), false);
});
