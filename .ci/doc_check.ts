/**
 * Holds that every public symbol is documented: a summary each, a runnable example that asserts on
 * every function and class, and a module doc with an example on every entry point.
 *
 * @module
 */

import { type Declaration, type JsDoc, readModuleDoc } from "./doc_nodes.ts";
import { entryPoints, exitWithProblems } from "./deno_tool.ts";
import { ROOT } from "./project.ts";

/** Kinds of declarations that must show how they are used. */
const NEEDS_EXAMPLE: ReadonlySet<string> = new Set(["function", "class"]);

/** The gaps in the documentation of all entry points below `root`, each said once. */
export async function findDocGaps(root: URL = ROOT): Promise<string[]> {
  const gaps = new Set<string>();
  for (const entry of entryPoints(root)) {
    const { module_doc, symbols } = await readModuleDoc(entry, root);
    if (!hasModuleTag(module_doc)) gaps.add(`${entry}: the entry point has no @module doc`);
    else if (!module_doc?.doc) gaps.add(`${entry}: the @module doc has no summary`);
    // The root only names the modules; the examples are with them.
    if (entry !== "mod.ts" && !hasRunnableExample([module_doc])) {
      gaps.add(`${entry}: the @module doc has no runnable example that asserts`);
    }
    for (const { name, declarations } of symbols) {
      const gap = judge(declarations.filter((one) => one.declarationKind === "export"));
      if (gap !== undefined) gaps.add(`${name}: ${gap}`);
    }
  }
  return [...gaps];
}

function judge(declarations: readonly Declaration[]): string | undefined {
  // What a module namespace holds is judged where it is an entry point.
  const own = declarations.filter(({ kind }) => kind !== "namespace" && kind !== "reference");
  if (own.length === 0) return undefined;
  const docs = own.map((one) => one.jsDoc);
  // A module doc directly above the first symbol is not that symbol's own.
  if (!docs.some((one) => one?.doc && !hasModuleTag(one))) return "has no summary";
  const wantsExample = own.some(({ kind }) => NEEDS_EXAMPLE.has(kind));
  return wantsExample && !hasRunnableExample(docs)
    ? "has no runnable example that asserts"
    : undefined;
}

function hasModuleTag(doc: JsDoc | undefined): boolean {
  return doc?.tags?.some(({ kind }) => kind === "module") ?? false;
}

function hasRunnableExample(docs: readonly (JsDoc | undefined)[]): boolean {
  return docs.some((one) => one?.tags?.some((tag) => tag.kind === "example" && isRun(tag.doc)));
}

/** Whether `deno test --doc` runs a block of this text, and the block asserts something. */
function isRun(text = ""): boolean {
  for (const [, info, code] of text.matchAll(/^```(.*)\n([^]*?)^```/gm)) {
    const words = info!.split(/[\s,]+/);
    if (
      /^(ts|typescript)$/.test(words[0]!) && !words.includes("ignore") && /\bassert/.test(code!)
    ) {
      return true;
    }
  }
  return false;
}

if (import.meta.main) exitWithProblems("documentation", await findDocGaps());
