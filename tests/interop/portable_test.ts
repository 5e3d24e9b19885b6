import { assert, assertEquals } from "@std/assert";
import { MODULES } from "../../.ci/project.ts";
import { hasCommand } from "../_support/interop.ts";
import { npmPeer } from "../_support/peer.ts";
import {
  bundleEntry,
  bundleTests,
  coreTests,
  NOT_PORTABLE,
  PORTABLE_ENTRIES,
} from "./portable_bundle.ts";
import type { PortableResult } from "../_support/portable_deno.ts";
import { runInBrowser, runInDeno, runInNode } from "./portable_run.ts";

const esbuild = npmPeer("esbuild");
const node = hasCommand("node");
const browser = ["chromium", "google-chrome"].find(hasCommand);
/** The widest entry point may cost a page so many bytes before compression. */
const MAX_ENTRY_BYTES = 400_000;

/** Deno's results, by module: two tests compare with them. */
const wanted = new Map<string, Promise<PortableResult>>();

async function compare(module: string, run: (bundle: string) => Promise<PortableResult>) {
  const paths = coreTests(module);
  assert(paths.length > 0);
  if (!wanted.has(module)) wanted.set(module, runInDeno(paths));
  const expected = await wanted.get(module)!;
  const actual = await run(await bundleTests(esbuild!, paths));
  assertEquals(actual.failed, []);
  assertEquals(expected.failed, []);
  assertEquals(actual.passed, expected.passed);
  assertEquals(actual.ignored.toSorted(), expected.ignored.toSorted());
  for (const name of actual.ignored) assert(name in NOT_PORTABLE, name);
}

for (const module of MODULES) {
  Deno.test({
    name: `the tests of the cores of ${module} pass under Node as under Deno`,
    ignore: esbuild === undefined || !node,
    fn: () => compare(module, (bundle) => runInNode("node", bundle)),
  });

  Deno.test({
    name: `the tests of the cores of ${module} pass in Chromium as under Deno`,
    ignore: esbuild === undefined || browser === undefined,
    fn: () => compare(module, (bundle) => runInBrowser(browser!, bundle)),
  });
}

for (const path of PORTABLE_ENTRIES) {
  Deno.test({
    name: `${path} becomes one module without an import`,
    ignore: esbuild === undefined,
    async fn() {
      const { text, minifiedBytes } = await bundleEntry(esbuild!, path);
      assert(!/\bimport\b\s*[("'{*\w]|\bfrom\s*["']|\brequire\(/.test(text), path);
      assert(!/\b(Deno|process|Buffer)\b[.[]/.test(text), path);
      assert(minifiedBytes < MAX_ENTRY_BYTES, `${minifiedBytes}`);
      const names = Object.keys(await import(`data:text/javascript,${encodeURIComponent(text)}`));
      const whole = Object.keys(await import(new URL(`../../${path}`, import.meta.url).href));
      assertEquals(names.sort(), whole.sort());
    },
  });
}
