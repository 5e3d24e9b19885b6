import { runDenoJson } from "./deno_tool.ts";

/** A documentation comment as `deno doc --json` gives it. */
export interface JsDoc {
  readonly doc?: string;
  readonly tags?: readonly { readonly kind: string; readonly doc?: string }[];
}

/** One declaration of a symbol; `def` depends on `kind`. */
export interface Declaration {
  readonly kind: string;
  readonly declarationKind: string;
  readonly jsDoc?: JsDoc;
  // The shapes are those of the tool and change with it; readers pick what they know.
  // deno-lint-ignore no-explicit-any
  readonly def?: any;
}

/** An exported symbol with all its declarations. */
export interface DocSymbol {
  readonly name: string;
  readonly declarations: readonly Declaration[];
}

/** The documentation of one module. */
export interface ModuleDoc {
  readonly module_doc?: JsDoc;
  readonly symbols: readonly DocSymbol[];
}

/** Reads what the module `path` below `root` exports, re-exports included. */
export async function readModuleDoc(path: string, root: URL): Promise<ModuleDoc> {
  const output = await runDenoJson<{ nodes: Record<string, ModuleDoc> }>(
    ["doc", "--json", path],
    root,
  );
  const url = new URL(path, root).href;
  return output.nodes[url] ?? { symbols: [] };
}
