/**
 * Runs the tests of the cores under Deno, Node and in Chromium, and tells how large the portable
 * entry points are:
 *
 * ```sh
 * npm install --prefix /tmp/peers esbuild
 * deno run -A tests/interop/portable_main.ts --esbuild /tmp/peers/node_modules/esbuild
 * ```
 *
 * `--node` and `--browser` name other programs; what is missing is said and left out. `--module`
 * takes one module only. Exit code 1 if a test failed, or ran in one place only.
 */

import { parseArgs } from "node:util";
import { MODULES, PURE_ENTRY_POINTS } from "../../.ci/project.ts";
import { bundleEntry, bundleTests, coreTests } from "./portable_bundle.ts";
import type { PortableResult } from "../_support/portable_deno.ts";
import { runInBrowser, runInDeno, runInNode } from "./portable_run.ts";

const { values } = parseArgs({
  options: {
    esbuild: { type: "string" },
    node: { type: "string", default: "node" },
    browser: { type: "string", default: "chromium" },
    module: { type: "string" },
  },
});
const peers = Deno.env.get("NBIO_NPM_PEERS");
const esbuild = values.esbuild ?? (peers && `${peers}/node_modules/esbuild`);
if (!esbuild) {
  console.error("usage: portable_main.ts --esbuild FOLDER [--module NAME] [--node|--browser PATH]");
  Deno.exit(2);
}

/** Runs tests in one place, prints what became of them, and tells whether all is well. */
async function runIn(
  place: string,
  count: number | undefined,
  run: () => Promise<PortableResult>,
): Promise<number | undefined> {
  let result: PortableResult;
  try {
    result = await run();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    console.log(`  ${place}: not installed`);
    return undefined;
  }
  const { passed, failed, ignored } = result;
  console.log(`  ${place}: ${passed} passed, ${failed.length} failed, ${ignored.length} ignored`);
  for (const failure of failed) console.log(`    FAIL ${failure}`);
  isWell &&= failed.length === 0 && (count === undefined || count === passed + ignored.length);
  return passed + ignored.length;
}

let isWell = true;
for (const module of MODULES.filter((name) => name === (values.module ?? name))) {
  const paths = coreTests(module);
  const bundle = await bundleTests(esbuild, paths);
  console.log(`${module}: ${paths.length} files`);
  const count = await runIn("Deno", undefined, () => runInDeno(paths));
  await runIn("Node", count, () => runInNode(values.node, bundle));
  await runIn("Chromium", count, () => runInBrowser(values.browser, bundle));
}
for (const path of PURE_ENTRY_POINTS) {
  const { minifiedBytes, gzipBytes } = await bundleEntry(esbuild, path);
  console.log(`${path}: ${minifiedBytes} bytes minified, ${gzipBytes} under gzip`);
}
Deno.exit(isWell ? 0 : 1);
