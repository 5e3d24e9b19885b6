import { assert, assertEquals } from "@std/assert";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { eventually, npmPeer, runPeer } from "../_support/peer.ts";
import { InteropApp } from "./interop_app.ts";

const undici = npmPeer("undici");
const ignore = !interopEnabled || !hasCommand("node") || undici === undefined;
const CLIENT = new URL("./undici_client.mjs", import.meta.url).pathname;

/** What the scenarios of `undici_client.mjs` must print. */
const SCENARIOS: Readonly<Record<string, unknown>> = {
  "pipelining": { rightCount: 500 },
  "pipelined uploads": { rightCount: 100 },
  "streams both ways": { isSame: true, byteCount: "1048576" },
  "aborts a response": { name: "AbortError" },
};

for (const [scenario, expected] of Object.entries(SCENARIOS)) {
  Deno.test({
    name: `undici: ${scenario}`,
    ignore,
    async fn() {
      await using app = new InteropApp();
      const args = [CLIENT, undici!, `${app.port}`, scenario];
      const { code, text, stderr } = await runPeer("node", args);
      assertEquals(code, 0, stderr);
      assertEquals(JSON.parse(text), expected);
      assert(await eventually(() => app.server.stats().connectionCount === 0));
      assertEquals(app.server.stats().acceptedCount, 1);
      assertEquals(app.errors, []);
    },
  });
}
