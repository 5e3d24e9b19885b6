import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { ConnectError, type ConnectErrorCode } from "../../nbio/connect_error.ts";
import { NetError } from "../../nbio/errors.ts";

for (const code of ["ERR_NET_CONNECT", "ERR_NET_RESOLVE"] satisfies ConnectErrorCode[]) {
  Deno.test(`ConnectError carries ${code}, its attempts and its cause`, () => {
    const cause = new Deno.errors.ConnectionRefused("Refused");
    const attempts = [
      { address: { transport: "tcp" as const, hostname: "192.0.2.1", port: 80 }, cause },
      { address: { transport: "unix" as const, path: "/run/a" }, cause: "anything" },
    ];
    const error = new ConnectError("Cannot dial", { code, attempts, cause });
    assertInstanceOf(error, NetError);
    assertEquals([error.name, error.code], ["ConnectError", code]);
    assertEquals(error.attempts, attempts);
    assert(error.cause === cause);
  });
}

Deno.test("ConnectError has no cause unless it is given one", () => {
  const error = new ConnectError("Cannot dial", { code: "ERR_NET_RESOLVE", attempts: [] });
  assertEquals(Object.hasOwn(error, "cause"), false);
});
