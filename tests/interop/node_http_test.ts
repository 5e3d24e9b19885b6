import { assert, assertEquals } from "@std/assert";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { eventually, runPeer } from "../_support/peer.ts";
import { NetError } from "@nbio/net/nbio";
import { InteropApp } from "./interop_app.ts";

const ignore = !interopEnabled || !hasCommand("node");
const CLIENT = new URL("./node_http_client.mjs", import.meta.url).pathname;

/** What the scenarios of `node_http_client.mjs` must print. */
const SCENARIOS: Readonly<Record<string, unknown>> = {
  "keep-alive": { connectionCount: 1 },
  "parallel": { rightCount: 200 },
  "pipelining": { answers: `${Array.from({ length: 100 }, (_, index) => index).join(" ")} last` },
  "chunked with trailers": {
    isSame: true,
    trailers: { "x-byte-count": "1048576", "x-request-trailers": "x-sent=all" },
  },
  "100-continue": { status: 200, isSame: true, events: ["continue"] },
  "refused expectation": { status: 403, events: [] },
};

for (const [scenario, expected] of Object.entries(SCENARIOS)) {
  Deno.test({
    name: `node http: ${scenario}`,
    ignore,
    async fn() {
      await using app = new InteropApp();
      const { code, text, stderr } = await runPeer("node", [CLIENT, `${app.port}`, scenario]);
      assertEquals(code, 0, stderr);
      assertEquals(JSON.parse(text), expected);
      assertEquals(app.errors, []);
    },
  });
}

Deno.test({
  name: "node http: abort in mid-upload fails the handler and leaves nothing behind",
  ignore,
  async fn() {
    await using app = new InteropApp();
    const { code, stderr } = await runPeer("node", [CLIENT, `${app.port}`, "abort in mid-upload"]);
    assertEquals(code, 0, stderr);
    assert(await eventually(() => app.server.stats().connectionCount === 0));
    assertEquals(app.uploadFailures.length, 1);
    assert(app.uploadFailures[0] instanceof NetError, `${app.uploadFailures[0]}`);
    // A client that leaves is no fault of the server.
    assertEquals(app.errors, []);
  },
});

for (const scenario of ["abort in mid-download", "reset while the handler waits"]) {
  Deno.test({
    name: `node http: ${scenario} aborts ctx.signal and leaves nothing behind`,
    ignore,
    async fn() {
      await using app = new InteropApp();
      const { code, stderr } = await runPeer("node", [CLIENT, `${app.port}`, scenario]);
      assertEquals(code, 0, stderr);
      assert(await eventually(() => app.server.stats().connectionCount === 0));
      assertEquals(app.abortCount, 1);
      // A client that leaves is no fault of the server.
      assertEquals(app.errors, []);
    },
  });
}
