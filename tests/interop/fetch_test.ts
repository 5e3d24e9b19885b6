import { assert, assertEquals, assertRejects } from "@std/assert";
import { interopEnabled } from "../_support/interop.ts";
import { eventually } from "../_support/peer.ts";
import { reportPeer } from "../_support/report.ts";
import { InteropApp, sampleBytes, sha256 } from "./interop_app.ts";

reportPeer("fetch", interopEnabled ? "ran" : { skipped: "NBIO_INTEROP is not set" });

function fetchTest(name: string, fn: (app: InteropApp) => Promise<void>): void {
  Deno.test({
    name: `fetch ${name}`,
    ignore: !interopEnabled,
    async fn() {
      await using app = new InteropApp();
      await fn(app);
      assertEquals(app.errors, []);
    },
  });
}

fetchTest("answers 200 requests at once", async (app) => {
  const texts = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      return await (await fetch(app.url(`/query?${index}`))).text();
    }),
  );
  assertEquals(texts, texts.map((_, index) => `?${index}`));
});

fetchTest("reuses its connection", async (app) => {
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 1 });
  for (let count = 0; count < 100; count++) {
    await (await fetch(app.url("/hello"), { client })).text();
  }
  assertEquals(app.server.stats().acceptedCount, 1);
});

fetchTest("streams 1 MiB up and down", async (app) => {
  const bytes = sampleBytes(1 << 20);
  const body = ReadableStream.from([
    bytes.slice(0, 1),
    bytes.slice(1, 70_000),
    bytes.slice(70_000),
  ]);
  const response = await fetch(app.url("/relay"), { method: "POST", body });
  assertEquals(await sha256(await response.bytes()), await sha256(bytes));
});

fetchTest("sends a form that arrives as it is", async (app) => {
  const body = new URLSearchParams({ name: "a b", other: "ü&=" });
  const described = await (await fetch(app.url("/"), { method: "POST", body })).json();
  assertEquals(described.body, "name=a+b&other=%C3%BC%26%3D");
});

Deno.test({
  name: "fetch aborted in mid-response aborts ctx.signal and leaves nothing behind",
  ignore: !interopEnabled,
  async fn() {
    await using app = new InteropApp();
    using client = Deno.createHttpClient({});
    const controller = new AbortController();
    const { signal } = controller;
    const response = await fetch(app.url("/endless"), { client, signal });
    const reader = response.body!.getReader();
    assert(!(await reader.read()).done);
    controller.abort();
    await assertRejects(() => reader.closed, DOMException);
    assert(await eventually(() => app.server.stats().connectionCount === 0));
    assertEquals(app.abortCount, 1);
    // A client that leaves is no fault of the server.
    assertEquals(app.errors, []);
  },
});
