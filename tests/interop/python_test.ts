import { assertEquals } from "@std/assert";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { runPeer } from "../_support/peer.ts";
import { InteropApp } from "./interop_app.ts";

const ignore = !interopEnabled || !hasCommand("python3");
const CLIENT = new URL("./python_client.py", import.meta.url).pathname;

/** What the scenarios of `python_client.py` must print. */
const SCENARIOS: Readonly<Record<string, unknown>> = {
  "keep-alive": { connectionCount: 1 },
  "methods": [
    "GET",
    "POST body",
    "PUT body",
    "DELETE body",
    "PATCH body",
    "OPTIONS body",
    "PURGE body",
    "HEAD 1048576 0",
  ],
  "chunked": { isSame: true },
  "byte by byte": { status: "HTTP/1.1 200 OK", body: "abcde" },
  "pipelined": { inOrder: true },
  "garbage": ["400", "400", "505", "501", "400"],
};

for (const [scenario, expected] of Object.entries(SCENARIOS)) {
  Deno.test({
    name: `python: ${scenario}`,
    ignore,
    async fn() {
      await using app = new InteropApp();
      const { code, text, stderr } = await runPeer("python3", [CLIENT, `${app.port}`, scenario]);
      assertEquals(code, 0, stderr);
      assertEquals(JSON.parse(text), expected);
      assertEquals(app.errors, []);
    },
  });
}
