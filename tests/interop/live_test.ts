import { assert, assertEquals } from "@std/assert";
import { Browser } from "../_support/browser.ts";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { startExample } from "../_support/peer.ts";

const browser = ["chromium", "google-chrome"].find(hasCommand);

Deno.test({
  name: "Chromium shows the charts of examples/live.ts, and they move",
  ignore: !interopEnabled || browser === undefined,
  async fn() {
    await using example = await startExample("live");
    const url = `http://127.0.0.1:${example.port}/`;
    await using chromium = await Browser.start(browser!);
    const page = await chromium.open(url);
    await page.until(`document.querySelector("#state").dataset.state === "live"`);
    await page.until(`document.querySelectorAll(".chart .stroke").length === 4`);
    const values = await page.evaluate<string[]>(
      `[...document.querySelectorAll(".value")].map(({ firstChild }) => firstChild.textContent)`,
    );
    assert(values[2]!.endsWith("MiB") && values[3]!.endsWith("MiB"), `${values}`);
    const drawn = `document.querySelector("[data-field=heapBytes] .stroke").getAttribute("d")`;
    const before = await page.evaluate<string>(drawn);
    await page.until(`${drawn} !== ${JSON.stringify(before)}`);
    const work = await fetch(`${url}work`);
    assertEquals((await work.json()).sum.length, 1_000);
  },
});
