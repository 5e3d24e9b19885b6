import { assert, assertEquals } from "@std/assert";
import { delay } from "@std/async/delay";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { runPeer, startExample } from "../_support/peer.ts";
import { InteropApp } from "./interop_app.ts";

const browser = ["chromium", "google-chrome"].find(hasCommand);
const ignore = !interopEnabled || browser === undefined;

/** The document that Chromium has made of a URL when everything in it has been loaded. */
async function dumpDom(url: string): Promise<string> {
  const profile = await Deno.makeTempDir();
  try {
    const { code, text, stderr } = await runPeer(browser!, [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
      ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
      ...["--disable-dev-shm-usage", `--user-data-dir=${profile}`, "--dump-dom", url],
    ], { timeoutMs: 60_000 });
    assertEquals(code, 0, stderr);
    return text;
  } finally {
    await removeProfile(profile);
  }
}

/** Helper processes of the browser may still write while it ends. */
async function removeProfile(path: string): Promise<void> {
  for (let attempt = 0;; attempt++) {
    try {
      return await Deno.remove(path, { recursive: true });
    } catch (error) {
      if (attempt === 50) throw error;
      await delay(20);
    }
  }
}

Deno.test({
  name: "Chromium shows examples/hello.ts",
  ignore,
  async fn() {
    await using example = await startExample("hello");
    const dom = await dumpDom(`http://127.0.0.1:${example.port}/`);
    assert(dom.includes("Hello, World!"), dom);
  },
});

Deno.test({
  name: "Chromium runs a page that fetches JSON and posts 100 KiB",
  ignore,
  async fn() {
    await using app = new InteropApp();
    const dom = await dumpDom(app.url("/page"));
    assert(dom.includes(`<p id="result">world 102400 true</p>`), dom);
    assertEquals(app.server.stats().protocolErrorCount, 0);
    assertEquals(app.errors, []);
  },
});
