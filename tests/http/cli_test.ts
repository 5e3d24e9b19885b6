import { assertEquals, assertRejects } from "@std/assert";
import { loadApp } from "../../http/cli.ts";
import { runRequest } from "../../http/request_runner.ts";
import { freePort } from "../_support/listening_program.ts";
import { runPeer, startPeer } from "../_support/peer.ts";
import * as pki from "../_support/tls_pki.ts";

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

Deno.test("cli.ts serves a module over TLS, alone and by several processes", () =>
  withApp(async (folder) => {
    const [cert, key] = [`${folder}/cert.pem`, `${folder}/key.pem`];
    await Deno.writeTextFile(cert, pki.server.cert);
    await Deno.writeTextFile(key, pki.server.key);
    using client = Deno.createHttpClient({ caCerts: [pki.ca.certificatePem] });
    for (const workers of Deno.build.os === "linux" ? [1, 2] : [1]) {
      const port = workers === 1 ? 0 : freePort();
      const files = [`--tls-cert=${cert}`, `--tls-key=${key}`];
      const where = ["--hostname=127.0.0.1", `--port=${port}`, `--workers=${workers}`];
      const args = ["run", "-A", CLI, `${folder}/app.js`, ...where, ...files];
      await using peer = startPeer(Deno.execPath(), args);
      const [, url] = await peer.ready(/^Listening on (https:\/\/127\.0\.0\.1:\d+\/)/);
      const response = await fetch(`${url}a`, { client });
      assertEquals((await response.json()).slice(0, 2), [`${url}a`, "tcp"]);
    }
  }));

Deno.test("cli.ts ends with 1 where the TLS files are none", () =>
  withApp(async (folder) => {
    const app = `${folder}/app.js`;
    const args = ["run", "-A", CLI, app, "--port=0", `--tls-cert=${app}`, `--tls-key=${app}`];
    assertEquals((await runPeer(Deno.execPath(), args)).code, 1);
  }));

Deno.test({
  name: "cli.ts passes to workers what they need of permissions with bounds",
  // Only there do processes share a port.
  ignore: Deno.build.os !== "linux",
  fn: () =>
    withApp(async (folder) => {
      const port = freePort();
      const app = `${folder}/app.js`;
      const bounds = [
        `--allow-net=127.0.0.1:${port}`,
        `--allow-read=${app}`,
        `--allow-run=${Deno.execPath()}`,
        "--allow-env",
        "--no-prompt",
      ];
      const where = ["--hostname=127.0.0.1", `--port=${port}`, "--workers=2"];
      await using peer = startPeer(Deno.execPath(), ["run", ...bounds, CLI, app, ...where]);
      await peer.ready(/^Listening on .* with 2 workers$/);
      const response = await fetch(`http://127.0.0.1:${port}/`);
      assertEquals((await response.json())[1], "tcp");
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
