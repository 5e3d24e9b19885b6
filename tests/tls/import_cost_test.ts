/** Whoever speaks in the clear loads nothing of TLS, and whoever does not loads it. */

import { assert, assertEquals } from "@std/assert";
import { runPeer } from "../_support/peer.ts";
import { server } from "../_support/tls_pki.ts";

/** What a program has run, by the folder of the package: how many modules. */
async function modulesOf(program: string): Promise<Map<string, number>> {
  const folder = await Deno.makeTempDir();
  try {
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const root = new URL("../../", import.meta.url).href;
    await Deno.writeTextFile(`${folder}/main.ts`, program);
    // A report of coverage names every module that was loaded.
    const args = ["run", "-A", "--quiet", "--no-check", "--config", config];
    const { code, stderr } = await runPeer(Deno.execPath(), [
      ...args,
      `--coverage=${folder}/reports`,
      `${folder}/main.ts`,
    ]);
    assertEquals([code, stderr], [0, ""]);
    const counts = new Map<string, number>();
    for await (const { name } of Deno.readDir(`${folder}/reports`)) {
      if (!name.endsWith(".json")) continue;
      const { url } = JSON.parse(await Deno.readTextFile(`${folder}/reports/${name}`));
      if (!url.startsWith(root)) continue;
      const module = url.slice(root.length).split("/")[0];
      counts.set(module, (counts.get(module) ?? 0) + 1);
    }
    return counts;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Serves one request with the given options, and asks for it. */
function programOf(options: object): string {
  const moduleUrl = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);
  const scheme = "tls" in options ? "https" : "http";
  return `
    import { serve } from ${moduleUrl("../../http/serve.ts")};
    const options = ${JSON.stringify({ hostname: "127.0.0.1", port: 0, ...options })};
    const server = serve((ctx) => ctx.text("hello"), options);
    using agent = Deno.createHttpClient({});
    await fetch(\`${scheme}://127.0.0.1:\${server.addr.port}/\`, { client: agent })
      .then((response) => response.text())
      .catch(() => {});
    await server.shutdown({ graceMs: 0 });
  `;
}

Deno.test("a server in the clear loads no module of TLS, and one with TLS loads it", async () => {
  const [plain, secured] = [
    await modulesOf(programOf({})),
    await modulesOf(programOf({ tls: server })),
  ];
  assertEquals(plain.get("tls"), undefined);
  assert((plain.get("http") ?? 0) > 0 && (plain.get("nbio") ?? 0) > 0);
  assert((secured.get("tls") ?? 0) > 0);
});

Deno.test("a client in the clear loads no module of TLS", async () => {
  const moduleUrl = JSON.stringify(new URL("../../http/mod.ts", import.meta.url).href);
  const counts = await modulesOf(`
    import { Client } from ${moduleUrl};
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response("hello"));
    await using client = new Client();
    const response = await client.get(\`http://127.0.0.1:\${server.addr.port}/\`);
    await response.text();
    await server.shutdown();
  `);
  assertEquals(counts.get("tls"), undefined);
  assert((counts.get("http") ?? 0) > 0);
});
