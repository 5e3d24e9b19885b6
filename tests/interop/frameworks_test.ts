/**
 * Frameworks of the web platform by the adapter: for each a small application, asked the same under
 * our server and under `Deno.serve`, which have to agree. Each runs in a process of its own, with
 * a configuration by which it finds what it imports.
 */

import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { npmPeer } from "../_support/peer.ts";
import { Child } from "../bench/_support/child.ts";

const ROOT = new URL("../../", import.meta.url);
/** Less than the grace of a shutdown: no connection may be left to wait for. */
const LINE_TIMEOUT_MS = 8_000;
/** Times that a server is asked whether it has noticed something. */
const MAX_ASKED = 500;

const FORM = new URLSearchParams({ a: "b", c: "d e" });

/** What is asked, and a part of what is known of the answer. */
const QUESTIONS: readonly (readonly [path: string, init: RequestInit, body: string | undefined])[] =
  [
    ["/text", {}, "hello"],
    ["/text", { method: "HEAD" }, ""],
    ["/users/1?q=x", {}, '{"id":"1","q":"x"}'],
    // Not all of them decode parameters.
    ["/users/%C3%A4?q=%26", {}, undefined],
    ["/echo", json({ a: [1, "ä"] }), '{"a":[1,"ä"]}'],
    ["/form", { method: "POST", body: FORM }, '{"a":"b","c":"d e"}'],
    ["/body", { method: "POST", body: "x".repeat(200_000) }, "x".repeat(200_000)],
    ["/stream", {}, "123"],
    ["/cookies", {}, ""],
    ["/agent", { headers: { "x-agent": "me" } }, "me"],
    ["/none", {}, undefined],
    ["/echo", { ...json(1), body: "{" }, undefined],
  ];

function json(value: unknown): RequestInit {
  const headers = { "content-type": "application/json" };
  return { method: "POST", headers, body: JSON.stringify(value) };
}

/** What two servers have to agree on. */
async function answerTo(port: number, path: string, init: RequestInit): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
  // An error names the address it was asked at.
  const body = (await response.text()).replaceAll(`:${port}`, "");
  const { status, headers } = response;
  return { status, type: headers.get("content-type"), cookies: headers.getSetCookie(), body };
}

/** A folder in which npm packages are those of the peers, and all else is that of this checkout. */
async function makeConfig(peers: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "nbio_frameworks_" });
  const { imports, links } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const config = {
    nodeModulesDir: "manual",
    lock: false,
    imports: { ...imports, "@nbio/net/http": new URL("http/mod.ts", ROOT).href },
    links: links.map((link: string) => new URL(link, ROOT).pathname),
  };
  await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify(config));
  await Deno.copyFile(`${peers}/package.json`, `${folder}/package.json`);
  await Deno.symlink(`${peers}/node_modules`, `${folder}/node_modules`);
  return folder;
}

for (const name of ["hono", "h3", "itty-router", "elysia"]) {
  const peer = npmPeer(name);
  Deno.test({
    name: `${name} answers under the adapter as under Deno.serve`,
    // Not installed: the report says so.
    ignore: peer === undefined,
    async fn() {
      const folder = await makeConfig(`${peer}/../..`);
      await using stack = new AsyncDisposableStack();
      stack.defer(() => Deno.remove(folder, { recursive: true }));
      const file = new URL("frameworks_app.ts", import.meta.url).pathname;
      const config = `${folder}/deno.json`;
      const args = ["run", "-A", "--quiet", "--no-check", "--config", config, file, name];
      const child = stack.use(
        new Child(name, { command: Deno.execPath(), args, lineTimeoutMs: LINE_TIMEOUT_MS }),
      );
      const [ours, theirs] = (await child.readLine()).split(" ").map(Number) as [number, number];
      for (const [path, init, body] of QUESTIONS) {
        const answer = await answerTo(ours, path, init);
        assertEquals(answer, await answerTo(theirs, path, init), `${name} ${path}`);
        if (body !== undefined) assertEquals((answer as { body: string }).body, body);
      }
      await assertTellsOfAbort(child, ours);
      assertEquals(await ask(child, "stop"), "stopped");
    },
  });
}

async function ask(child: Child, line: string): Promise<string> {
  await child.writeLine(line);
  return await child.readLine();
}

async function assertTellsOfAbort(child: Child, port: number): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  const response = await fetch(`http://127.0.0.1:${port}/wait`, { signal });
  assertEquals(await ask(child, "aborted"), "false");
  controller.abort();
  await response.body!.cancel().catch(() => {});
  let isAborted = false;
  for (let count = 0; count < MAX_ASKED && !isAborted; count++) {
    await delay(2);
    isAborted = await ask(child, "aborted") === "true";
  }
  assert(isAborted);
}
