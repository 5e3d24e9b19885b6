/**
 * Holds that no entry point loads a `node:` or `npm:` module before it is needed: whoever imports
 * the server pays for the server only.
 *
 * @module
 */

import { entryPoints, exitWithProblems, runDenoJson } from "./deno_tool.ts";
import { ROOT, toRelative } from "./project.ts";

/** What an entry is for, and loads at once therefore; no other may. */
const MEANT: Readonly<Record<string, RegExp>> = {
  "http/otel.ts": /^npm:@opentelemetry\/api@/,
};

interface Dependency {
  readonly specifier: string;
  readonly code?: { readonly specifier?: string };
  readonly isDynamic?: boolean;
}

interface ModuleGraph {
  readonly roots: readonly string[];
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly Dependency[];
  }[];
}

/** The modules that entry points below `root` load statically though they should not. */
export async function findCostlyImports(root: URL = ROOT): Promise<string[]> {
  const problems: string[] = [];
  for (const entry of entryPoints(root)) {
    const graph = await runDenoJson<ModuleGraph>(["info", "--json", entry], root);
    for (const { specifier, error } of graph.modules) {
      // The tool reports a module it cannot load and still exits with 0.
      if (error !== undefined) problems.push(`${entry} cannot load ${specifier}: ${error}`);
    }
    for (const { importer, costly } of walk(graph)) {
      if (MEANT[entry]?.test(costly)) continue;
      problems.push(`${entry} loads "${costly}" at once, through ${toRelative(importer, root)}`);
    }
  }
  return problems;
}

function walk(graph: ModuleGraph): { importer: string; costly: string }[] {
  const byName = new Map(graph.modules.map((module) => [module.specifier, module]));
  const found: { importer: string; costly: string }[] = [];
  const reached = new Set(graph.roots);
  for (const name of reached) {
    for (const { code, specifier, isDynamic } of byName.get(name)?.dependencies ?? []) {
      if (code === undefined || isDynamic === true) continue;
      const target = code.specifier ?? specifier;
      if (/^(node|npm):/.test(target)) found.push({ importer: name, costly: target });
      // A set visits what is added to it during the walk.
      else reached.add(target);
    }
  }
  return found;
}

if (import.meta.main) exitWithProblems("import cost", await findCostlyImports());
