/**
 * Type-checks the files marked as protocol cores against the bare ES library, where `Deno`,
 * timers, `crypto`, `fetch` and `console` do not exist.
 *
 * @module
 */

import { exitWithProblems, runDeno } from "./deno_tool.ts";
import { markedFiles, ROOT } from "./project.ts";

/** The complaints of the type-checker about the marked files below `root`. */
export async function findImpurities(root: URL = ROOT): Promise<string[]> {
  const files = markedFiles(root);
  if (files.length === 0) return ["no file is marked as sans-I/O"];
  const folder = await Deno.makeTempDir({ prefix: "nbio_purity_" });
  try {
    const config = `${folder}/deno.json`;
    await Deno.writeTextFile(config, JSON.stringify(pureConfig()));
    // The configuration stands outside the tree, else that of the tree would be used as well.
    const args = ["check", "--quiet", "--no-lock", "--config", config, ...files];
    const { success, stderr } = await runDeno(args, root);
    return success ? [] : [stderr.trim()];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function pureConfig(): unknown {
  return {
    compilerOptions: {
      lib: ["es2024"],
      types: [new URL("pure.d.ts", import.meta.url).pathname],
      strict: true,
      exactOptionalPropertyTypes: true,
    },
    imports: { "@std/encoding": new URL("tests/std/encoding/mod.ts", ROOT).href },
  };
}

if (import.meta.main) exitWithProblems("purity", await findImpurities());
