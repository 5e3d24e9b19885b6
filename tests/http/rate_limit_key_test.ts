import { assertEquals } from "@std/assert";
import { clientKey, networkOf } from "../../http/rate_limit_key.ts";
import type { Context } from "../../http/server_context.ts";

for (
  const [address, network] of [
    ["192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:1:2::1", "2001:db8:1:2::/64"],
    ["2001:db8::1", "2001:db8:0:0::/64"],
    ["2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8:0:0::/64"],
    ["::1", "0:0:0:0::/64"],
    ["::", "0:0:0:0::/64"],
    ["1::", "1:0:0:0::/64"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:192.0.2.1", "192.0.2.1"],
    ["0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ] as const
) {
  Deno.test(`networkOf() takes ${address} for ${network}`, () => {
    assertEquals(networkOf(address), network);
  });
}

Deno.test("clientKey() tells clients of a Unix socket not apart", () => {
  const keyOf = (remoteAddr: Deno.Addr) => clientKey({ remoteAddr } as Context);
  assertEquals(keyOf({ transport: "unix", path: "/a" }), keyOf({ transport: "unix", path: "/b" }));
  assertEquals(keyOf({ transport: "tcp", hostname: "192.0.2.1", port: 7 }), "192.0.2.1");
});
