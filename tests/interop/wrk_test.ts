import { assert, assertEquals } from "@std/assert";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { eventually, runPeer, startExample } from "../_support/peer.ts";
import { InteropApp } from "./interop_app.ts";

const ignore = !interopEnabled || !hasCommand("wrk");

/** Loads a URL for a second; asserts that every request was answered with 200. */
async function load(url: string, connectionCount: number, extra: string[] = []): Promise<number> {
  const args = ["--threads", "1", "--connections", `${connectionCount}`, "--duration", "1s"];
  const { code, text, stderr } = await runPeer("wrk", [...args, ...extra, url]);
  assertEquals(code, 0, stderr);
  assert(!/Non-2xx|Socket errors/.test(text), text);
  return Number(/(\d+) requests in/.exec(text)?.[1] ?? 0);
}

Deno.test({
  name: "wrk loads examples/hello.ts",
  ignore,
  async fn() {
    await using example = await startExample("hello");
    assert(await load(`http://127.0.0.1:${example.port}/`, 8) > 100);
  },
});

const ROWS: readonly (readonly [name: string, path: string, ...extra: string[]])[] = [
  ["a small response", "/hello"],
  ["a small response over connections that close", "/hello", "--header", "Connection: close"],
  ["the JSON of an asynchronous handler", "/describe"],
  ["a response of 1 MiB", "/mebibyte"],
];

for (const [name, path, ...extra] of ROWS) {
  Deno.test({
    name: `wrk loads ${name}`,
    ignore,
    async fn() {
      await using app = new InteropApp();
      const requestCount = await load(app.url(path), 32, extra);
      assert(requestCount > 10, `${requestCount}`);
      assert(app.server.stats().requestCount >= requestCount);
      assert(await eventually(() => app.server.stats().connectionCount === 0));
      assertEquals(app.server.stats().protocolErrorCount, 0);
    },
  });
}
