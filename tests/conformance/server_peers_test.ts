import { assert, assertEquals } from "@std/assert";
import { interopEnabled } from "../_support/interop.ts";
import { runPeer } from "../_support/peer.ts";
import { PROTOCOL_CASES, runSuite } from "./http_server_suite.ts";
import { installedServers, type ServerPeer, type ServerSuiteName } from "./server_peers.ts";
import { SHORT_SCALE } from "./websocket_case.ts";
import { runServerSuite } from "./websocket_server_suite.ts";
import { websocketCases } from "./websocket_suite.ts";

/** The runtime's are always there; other programs are talked to with NBIO_INTEROP alone. */
async function serversOf(suite: ServerSuiteName): Promise<ServerPeer[]> {
  return (await installedServers(suite)).filter(({ name }) => interopEnabled || name === "deno");
}

/** What everybody who answers as the target does can do. */
const EASY = ["request line: smallest", "Content-Length: 0", "Content-Length: 5"];

Deno.test("every HTTP server of others answers as the target does", async () => {
  const cases = PROTOCOL_CASES.filter(({ name }) => EASY.includes(name));
  assertEquals(cases.length, EASY.length);
  for (const { name: peer, whileRunning } of await serversOf("http-server")) {
    await whileRunning(async (address) => {
      for (const { name, failure } of await runSuite(address, { cases })) {
        assertEquals(failure, undefined, `${peer}: ${name}`);
      }
    });
  }
});

Deno.test("every WebSocket server of others echoes", async () => {
  const cases = websocketCases(SHORT_SCALE).filter(({ id }) => /^1\.[12]\./.test(id));
  assert(cases.length > 10);
  for (const { name: peer, whileRunning } of await serversOf("websocket-server")) {
    await whileRunning(async (address) => {
      for (const { id, verdict } of await runServerSuite(address, { cases })) {
        assertEquals(verdict, "ok", `${peer}: ${id}`);
      }
    });
  }
});

for (
  const [what, args] of [
    ["a suite that is not there", ["--suite", "smtp"]],
    ["a command for a suite of servers", ["--suite", "http-server", "--", "deno"]],
    ["a command that is not there", ["--suite", "dns-resolver", "--", "no-such-program"]],
  ] as const
) {
  Deno.test(`the table's command gives up on ${what}`, async () => {
    const main = new URL("./main.ts", import.meta.url).pathname;
    const { code, stdout, stderr } = await runPeer(Deno.execPath(), ["run", "-A", main, ...args]);
    assertEquals([code, stdout.length, stderr.trimEnd().split("\n").length], [2, 0, 1]);
  });
}
