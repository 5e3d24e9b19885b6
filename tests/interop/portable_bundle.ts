/** Bundles of cores and of their tests, made by esbuild for runtimes other than Deno. */

import { assertEquals } from "@std/assert";
import { markedFiles, ROOT } from "../../.ci/project.ts";
import { runPeer } from "../_support/peer.ts";

/** The tests of marked files that read files, and are left out wherever nothing is permitted. */
export const NOT_PORTABLE: Readonly<Record<string, string>> = {
  "HappyEyeballs attempts in the order of the vectors of another project": "reads vectors",
  "orderAddresses() agrees with the vectors of another project": "reads vectors",
  "parseCertificates() reads the roots of the system (where they are readable)": "reads roots",
  "parseIpv4(), parseIpv6() and formatIpv6() agree with the vectors of other projects":
    "reads vectors",
  "policies, scopes and prefixes agree with the vectors of another project": "reads vectors",
};

/** Paths of the tests that mirror a marked file of a module, relative to the checkout. */
export function coreTests(module: string): string[] {
  return markedFiles()
    .filter((path) => path.startsWith(`${module}/`))
    .map((path) => `tests/${path.replace(/\.ts$/, "_test.ts")}`)
    .filter((path) => isThere(new URL(path, ROOT)));
}

function isThere(url: URL): boolean {
  try {
    return Deno.statSync(url).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Tests that hand a core the engine over `node:zlib`, which is a driver and no core. */
export const NOT_IN_BROWSERS: RegExp =
  /^(cores exchange|a core ends) .* by (its fastest means|documented means only)\b/;

/**
 * The text of a module whose `run()` loads and runs test files.
 *
 * @param esbuild The folder of the npm package.
 * @param paths Those of test files, relative to the checkout.
 */
export async function bundleTests(esbuild: string, paths: readonly string[]): Promise<string> {
  const runner = pathOf("tests/_support/portable_deno.ts");
  const files = paths.map((path) =>
    `${JSON.stringify(path)}: () => import(${JSON.stringify(pathOf(path))}),`
  );
  const entry = `import { runPortableTests } from ${JSON.stringify(runner)};
export const run = (leaveOut) => runPortableTests({ ${files.join("\n")} }, leaveOut);`;
  const stands = pathOf("tests/_support/portable_node.ts");
  const aliases = ["assert", "crypto", "util"].map((name) => `--alias:node:${name}=${stands}`);
  // See NOT_IN_BROWSERS. It is loaded at first use.
  return await bundle(esbuild, [...aliases, "--external:node:zlib"], entry);
}

/** A bundle of an entry point, and the sizes that users pay for. */
export interface EntryBundle {
  /** The text of the module. */
  readonly text: string;
  /** Bytes of the text. */
  readonly minifiedBytes: number;
  /** Bytes of the text under gzip. */
  readonly gzipBytes: number;
}

/** Makes one minified module of an entry point, relative to the checkout, and all it imports. */
export async function bundleEntry(esbuild: string, path: string): Promise<EntryBundle> {
  const text = await bundle(esbuild, ["--minify"], `export * from ${JSON.stringify(pathOf(path))}`);
  const zipped = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return {
    text,
    minifiedBytes: new TextEncoder().encode(text).length,
    gzipBytes: (await new Response(zipped).bytes()).length,
  };
}

/** An import that neither an alias nor `--external` covers is an error. */
async function bundle(esbuild: string, args: readonly string[], entry: string): Promise<string> {
  const { code, text, stderr } = await runPeer(`${esbuild}/bin/esbuild`, [
    ...["--bundle", "--format=esm", "--platform=neutral", "--target=es2023", "--charset=utf8"],
    "--log-level=error",
    `--alias:@std/assert=${pathOf("tests/std/assert/mod.ts")}`,
    ...["base64", "base64url", "hex"].map((name) =>
      `--alias:@std/encoding/${name}=${pathOf(`tests/std/encoding/${name}.ts`)}`
    ),
    `--alias:@std/encoding=${pathOf("tests/std/encoding/mod.ts")}`,
    ...args,
  ], { stdin: entry });
  assertEquals(code, 0, stderr);
  return text;
}

function pathOf(path: string): string {
  return new URL(path, ROOT).pathname;
}
