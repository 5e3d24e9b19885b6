import { assert, assertEquals } from "@std/assert";
import { MODULES, PURE_ENTRY_POINTS } from "../../.ci/project.ts";
import { hasCommand } from "../_support/interop.ts";
import { npmPeer } from "../_support/peer.ts";
import {
  bundleEntry,
  bundleTests,
  coreTests,
  NOT_IN_BROWSERS,
  NOT_PORTABLE,
} from "./portable_bundle.ts";
import type { PortableResult } from "../_support/portable_deno.ts";
import { runInBrowser, runInDeno, runInNode } from "./portable_run.ts";

const esbuild = npmPeer("esbuild");
const node = hasCommand("node");
const browser = ["chromium", "google-chrome"].find(hasCommand);
/** The widest entry point may cost a page so many bytes before compression. */
const MAX_ENTRY_BYTES = 150_000;

/** Deno's results, by module: two tests compare with them. */
const wanted = new Map<string, Promise<PortableResult>>();

async function compare(
  module: string,
  run: (bundle: string) => Promise<PortableResult>,
  leaveOut?: RegExp,
) {
  const paths = coreTests(module);
  assert(paths.length > 0);
  if (!wanted.has(module)) wanted.set(module, runInDeno(paths));
  const expected = await wanted.get(module)!;
  const actual = await run(await bundleTests(esbuild!, paths));
  assertEquals(actual.failed, []);
  assertEquals(expected.failed, []);
  const leftOut = actual.ignored.filter((name) => leaveOut?.test(name));
  assertEquals(actual.passed + leftOut.length, expected.passed);
  assertEquals(actual.ignored.length - leftOut.length, expected.ignored.length);
  for (const name of expected.ignored) {
    assert(name in NOT_PORTABLE, name);
    assert(actual.ignored.includes(name), name);
  }
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
    fn: () => compare(module, (bundle) => runInBrowser(browser!, bundle), NOT_IN_BROWSERS),
  });
}

/** One of each outcome. */
const PLANTED = `import { assertEquals } from "@std/assert";
Deno.test("passes", () => assertEquals(new Set([1]).difference(new Set([1])).size, 0));
Deno.test("fails", () => assertEquals([1, { a: "1" }], [1, { a: "2" }]));
Deno.test("rejects", () => Promise.reject(new RangeError("no")));
Deno.test({ name: "is left out", ignore: true, fn: () => assertEquals(1, 2) });
Deno.test("reads", () => void Deno.readTextFileSync("a"));
throw new TypeError("loaded no further");
`;

for (
  const [place, ignore, run] of [
    ["Node", !node, (bundle: string) => runInNode("node", bundle)],
    ["Chromium", browser === undefined, (bundle: string) => runInBrowser(browser!, bundle)],
  ] as const
) {
  Deno.test({
    name: `what fails under ${place} is told`,
    ignore: esbuild === undefined || ignore,
    async fn() {
      const path = await Deno.makeTempFile({ suffix: "_test.ts" });
      try {
        await Deno.writeTextFile(path, PLANTED);
        const { passed, failed, ignored } = await run(await bundleTests(esbuild!, [path]));
        assertEquals([passed, ignored], [1, ["is left out"]]);
        assertEquals(failed.map((text) => text.split(":")[0]), [path, "fails", "rejects", "reads"]);
      } finally {
        await Deno.remove(path);
      }
    },
  });
}

for (const path of PURE_ENTRY_POINTS) {
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
