import { assertEquals, assertRejects } from "@std/assert";
import { loadApp } from "../../http/cli.ts";
import { runRequest } from "../../http/request_runner.ts";
import { freePort } from "../_support/listening_program.ts";
import { runPeer, startPeer } from "../_support/peer.ts";

const CLI = new URL("../../http/cli.ts", import.meta.url).pathname;
const APP = `export default {
  fetch: (request, info) => Response.json([request.url, info.remoteAddr.transport, Deno.pid]),
};`;

/** A folder with an application. */
async function withApp(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "nbio_cli_" });
  try {
    await Deno.writeTextFile(`${folder}/app.js`, APP);
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("cli.ts serves a module on a port", () =>
  withApp(async (folder) => {
    const args = ["run", "-A", CLI, `${folder}/app.js`, "--hostname=127.0.0.1", "--port=0"];
    await using peer = startPeer(Deno.execPath(), args);
    const [, url] = await peer.ready(/^Listening on (http:\/\/127\.0\.0\.1:\d+\/)$/);
    const [asked, transport] = await (await fetch(`${url}a`)).json();
    assertEquals([asked, transport], [`${url}a`, "tcp"]);
  }));

Deno.test({
  name: "cli.ts serves a module on a Unix socket",
  // There are none.
  ignore: Deno.build.os === "windows",
  fn: () =>
    withApp(async (folder) => {
      const path = `${folder}/app.sock`;
      const args = ["run", "-A", CLI, `${folder}/app.js`, `--unix=${path}`];
      await using peer = startPeer(Deno.execPath(), args);
      await peer.ready(/^Listening on unix:/);
      using client = Deno.createHttpClient({ proxy: { transport: "unix", path } });
      const response = await fetch("http://a/b", { client });
      assertEquals((await response.json()).slice(0, 2), ["http://a/b", "unix"]);
    }),
});

Deno.test({
  name: "cli.ts serves a module by several processes",
  // Only there do processes share a port.
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withApp(async (folder) => {
      const port = freePort();
      const app = `${folder}/app.js`;
      const args = ["run", "-A", CLI, app, "--hostname=127.0.0.1", `--port=${port}`, "--workers=2"];
      await using peer = startPeer(Deno.execPath(), args);
      await peer.ready(/^Listening on .* with 2 workers$/);
      const pids = new Set<number>();
      for (let count = 0; count < 200 && pids.size < 2; count++) {
        const headers = { connection: "close" };
        const response = await fetch(`http://127.0.0.1:${port}/`, { headers });
        pids.add((await response.json())[2]);
      }
      assertEquals(pids.size, 2);
    }),
});

for (
  const [name, args, code] of [
    ["help", ["--help"], 0],
    ["a wrong option", ["--frob"], 2],
    ["a module that is not there", ["./none.ts"], 1],
    ["a module without fetch", ["data:text/javascript,export default 1"], 1],
  ] as const
) {
  Deno.test(`cli.ts ends with ${code} for ${name}`, async () => {
    assertEquals((await runPeer(Deno.execPath(), ["run", "-A", CLI, ...args])).code, code);
  });
}

Deno.test("loadApp() makes a handler of a default export", async () => {
  const handler = await loadApp("data:text/javascript,export default{fetch:()=>new Response('a')}");
  assertEquals(await (await runRequest(handler, "/")).text(), "a");
  await assertRejects(() => loadApp("data:text/javascript,export const a = 1"), TypeError);
});
