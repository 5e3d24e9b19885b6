/**
 * Holds that the stand-ins in `tests/std` have what the tree uses and nothing more: what nobody
 * uses nobody compares with the published package.
 *
 * @module
 */

import { readModuleDoc } from "./doc_nodes.ts";
import { exitWithProblems } from "./deno_tool.ts";
import { MODULES, ROOT, sourceFiles } from "./project.ts";

const PACKAGES = ["assert", "async", "crypto", "encoding"] as const;

/** Used by being thrown, whether or not a test names it. */
const THROWN = "@std/assert AssertionError";

/** The foundation names these for code that is about to come: comparing secrets. */
const AWAITED: ReadonlySet<string> = new Set(["@std/crypto timingSafeEqual"]);

/** Functions, classes and constants of the stand-ins that no file below `root` imports. */
export async function findUnusedStandIns(root: URL = ROOT): Promise<string[]> {
  const used = importedNames(root).add(THROWN);
  const problems: string[] = [];
  for (const name of PACKAGES) {
    const { symbols } = await readModuleDoc(`tests/std/${name}/mod.ts`, root);
    for (const symbol of symbols) {
      const isValue = symbol.declarations.some(({ kind, declarationKind }) =>
        declarationKind === "export" && /^(function|class|variable)$/.test(kind)
      );
      const key = `@std/${name} ${symbol.name}`;
      if (isValue && !used.has(key) && !AWAITED.has(key)) {
        problems.push(`${symbol.name} of @std/${name} is used nowhere`);
      }
    }
  }
  return problems;
}

/** All `package name` pairs of import declarations, those in documentation comments included. */
function importedNames(root: URL): Set<string> {
  const files = [...MODULES, "examples", "tests", ".ci"].flatMap((one) => sourceFiles(one, root));
  const used = new Set<string>();
  for (const file of files) {
    if (file.startsWith("tests/std/")) continue;
    const text = Deno.readTextFileSync(new URL(file, root));
    const imports = text.matchAll(/\bimport\s*\{([^}]*)\}\s*from\s*"(@std\/\w+)[^"]*"/g);
    for (const [, names, specifier] of imports) {
      for (const name of names!.matchAll(/(?:^|,)[\s*]*(?:type\s+)?(\w+)/g)) {
        used.add(`${specifier} ${name[1]}`);
      }
    }
  }
  return used;
}

if (import.meta.main) exitWithProblems("stand-ins", await findUnusedStandIns());
