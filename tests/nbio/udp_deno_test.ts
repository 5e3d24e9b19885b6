import { assert, assertEquals } from "@std/assert";
import { hasDenoHandle } from "../../nbio/udp_deno.ts";
import { runPeer } from "../_support/peer.ts";

const TABLE = new URL("./udp_test.ts", import.meta.url).pathname;

Deno.test("hasDenoHandle() tells whether the process was started for it", () => {
  assertEquals(hasDenoHandle(), "listenDatagram" in Deno);
});

Deno.test("openDenoHandle() makes sockets that do all that the others do", async () => {
  const args = ["test", "--allow-all", "--no-check", "--unstable-net", TABLE];
  const { code, text } = await runPeer(Deno.execPath(), args, { timeoutMs: 60_000 });
  assertEquals(code, 0, text);
  const count = text.split("(Deno.listenDatagram) ... ").length - 1;
  assert(count > 40, `only ${count} tests ran`);
  assert(!text.includes("(node:dgram)"));
});
