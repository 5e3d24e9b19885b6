/** Runs the same tests of cores under Deno, and bundled under Node and in a browser. */

import { serve } from "@nbio/net/http";
import { Browser } from "../_support/browser.ts";
import type { PortableResult } from "../_support/portable_deno.ts";
import { runPeer } from "../_support/peer.ts";
import { NOT_IN_BROWSERS } from "./portable_bundle.ts";
import { ROOT } from "../../.ci/project.ts";

/** Milliseconds that the tests of a module may take. */
const TIMEOUT_MS = 240_000;

/** Runs tests as they are, with no permission at all. */
export async function runInDeno(paths: readonly string[]): Promise<PortableResult> {
  const report = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const { text } = await runPeer(Deno.execPath(), [
      ...["test", "--no-prompt", "--no-check", "--reporter=dot", `--junit-path=${report}`],
      `--config=${new URL("deno.json", ROOT).pathname}`,
      ...paths.map((path) => new URL(path, ROOT).pathname),
    ], { timeoutMs: TIMEOUT_MS });
    return readReport(await Deno.readTextFile(report), text);
  } finally {
    await Deno.remove(report);
  }
}

/** Reads the report that Deno writes in the format of JUnit. */
function readReport(report: string, log: string): PortableResult {
  const result: PortableResult = { passed: 0, failed: [], ignored: [] };
  for (const [, name, rest] of report.matchAll(/<testcase name="([^"]*)"(.*?)<\/testcase>/gs)) {
    if (/<(failure|error)/.test(rest!)) result.failed.push(name!);
    else if (/<skipped/.test(rest!)) result.ignored.push(name!);
    else result.passed++;
  }
  // A file that cannot be loaded is in no report.
  if (result.failed.length === 0 && !/\| 0 failed/.test(log)) result.failed.push(log);
  return result;
}

/** Runs a bundle of tests under Node. */
export async function runInNode(command: string, bundle: string): Promise<PortableResult> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/tests.mjs`, bundle);
    await Deno.writeTextFile(
      `${folder}/main.mjs`,
      `import { run } from "./tests.mjs"; console.log(JSON.stringify(await run()));`,
    );
    const options = { timeoutMs: TIMEOUT_MS };
    const { code, text, stderr } = await runPeer(command, [`${folder}/main.mjs`], options);
    if (code !== 0) throw new Error(`Node ended with ${code}: ${stderr}`);
    return JSON.parse(text);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a bundle of tests in a page of headless Chromium, but for {@linkcode NOT_IN_BROWSERS}. */
export async function runInBrowser(command: string, bundle: string): Promise<PortableResult> {
  await using server = serve((ctx) => {
    if (ctx.path !== "/tests.js") return ctx.html("<!doctype html><title>Tests</title>");
    ctx.set("content-type", "text/javascript; charset=utf-8");
    ctx.text(bundle);
  }, { hostname: "127.0.0.1", port: 0 });
  await using browser = await Browser.start(command);
  const page = await browser.open(`http://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`);
  return await page.evaluate<PortableResult>(
    `import("/tests.js").then(({ run }) => run(${NOT_IN_BROWSERS}))`,
  );
}
