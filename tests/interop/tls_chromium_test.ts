import { serve } from "@nbio/net/http";
import { upgrade } from "@nbio/net/websocket";
import { assert, assertEquals } from "@std/assert";
import { Browser } from "../_support/browser.ts";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { runPeer } from "../_support/peer.ts";
import { TlsFiles } from "./tls_files.ts";

const browser = ["chromium", "google-chrome"].find(hasCommand);

const PAGE = `<!doctype html><title>tls</title><p id="answer"></p><script>
const ws = new WebSocket("wss://" + location.host + "/echo");
ws.binaryType = "arraybuffer";
ws.onopen = () => ws.send(new Uint8Array(300000).fill(7));
ws.onmessage = ({ data }) => {
  document.querySelector("#answer").textContent = data.byteLength;
  ws.close(1000);
};
</script>`;

/** A browser whose home has the CA among those to trust. */
async function startBrowser(files: TlsFiles): Promise<Browser> {
  const database = `${files.folder}/.pki/nssdb`;
  await Deno.mkdir(database, { recursive: true });
  for (
    const args of [
      ["-d", `sql:${database}`, "-N", "--empty-password"],
      ["-d", `sql:${database}`, "-A", "-t", "C,,", "-n", "ca", "-i", files.caPath],
    ]
  ) {
    const { code, stderr } = await runPeer("certutil", args);
    assertEquals(code, 0, stderr);
  }
  const command = `${files.folder}/browser.sh`;
  const script = `#!/bin/sh\nHOME=${files.folder} exec ${browser} --no-proxy-server "$@"\n`;
  await Deno.writeTextFile(command, script, { mode: 0o755 });
  return await Browser.start(command);
}

Deno.test({
  name: "Chromium speaks https and wss to us with a development certificate",
  ignore: !interopEnabled || browser === undefined || !hasCommand("certutil"),
  async fn() {
    await using files = await TlsFiles.create();
    const closed = Promise.withResolvers<number>();
    const versions = new Set<string | undefined>();
    await using server = serve(async (ctx) => {
      versions.add(ctx.tlsInfo?.version);
      if (ctx.path !== "/echo") return ctx.html(PAGE);
      await using ws = await upgrade(ctx);
      for await (const { data } of ws) await ws.send(data);
      closed.resolve((await ws.closed).code);
    }, { hostname: "127.0.0.1", port: 0, tls: (await files.server("localhost")).own });
    const { port } = server.addr as Deno.NetAddr;
    await using running = await startBrowser(files);
    const page = await running.open(`https://localhost:${port}/`);
    await page.until(`document.querySelector("#answer").textContent === "300000"`);
    assertEquals(await page.evaluate("isSecureContext"), true);
    assertEquals(await closed.promise, 1000);
    assertEquals([...versions], ["TLSv1.3"]);
    assert(page.errors.every((error) => error.includes("favicon")), page.errors.join());
  },
});
