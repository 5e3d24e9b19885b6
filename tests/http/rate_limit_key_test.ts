import { assertEquals } from "@std/assert";
import { clientKey, networkOf } from "../../http/rate_limit_key.ts";
import { CLIENT, type ClientInfo } from "../../http/middleware_trusted_proxy.ts";
import { RequestState } from "../../http/request_state.ts";
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

function keyOf(remoteAddr: Deno.Addr, client?: Partial<ClientInfo>): string {
  const state = new RequestState();
  if (client !== undefined) state.set(CLIENT, client as ClientInfo);
  return clientKey({ remoteAddr, state } as Context);
}

const ADDR: Deno.Addr = { transport: "tcp", hostname: "192.0.2.1", port: 7 };

Deno.test("clientKey() tells clients of a Unix socket not apart", () => {
  assertEquals(keyOf({ transport: "unix", path: "/a" }), keyOf({ transport: "unix", path: "/b" }));
  assertEquals(keyOf(ADDR), "192.0.2.1");
});

Deno.test("clientKey() believes what a trusted proxy tells", () => {
  assertEquals(keyOf(ADDR, { address: "198.51.100.7" }), "198.51.100.7");
  assertEquals(keyOf(ADDR, { address: "2001:db8:1:2:3::4" }), "2001:db8:1:2::/64");
  assertEquals(keyOf(ADDR, { address: undefined }), "unknown");
});
