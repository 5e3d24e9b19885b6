import { type ImportUse, resolveRelative, visitImports } from "./lint_imports.ts";
import { moduleOf, toRelative } from "./project.ts";

/** Which module imports which, besides itself. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  nbio: [],
  dns: ["nbio"],
  tls: ["nbio"],
  http: ["nbio"],
  websocket: ["http", "nbio"],
};

/** Single files that reach further than their module; `dynamic` ones only by `import()`. */
const EXTRA_ARROWS: Readonly<Record<string, Readonly<Record<string, "any" | "dynamic">>>> = {
  "http/cli.ts": { tls: "dynamic" },
  "http/dial.ts": { dns: "any", tls: "dynamic" },
  "http/listen.ts": { tls: "dynamic" },
};

/** Packages that published code may import. */
const RUNTIME_PACKAGES = /^@std\/(async|crypto|encoding)(\/|$)/;

const OUTSIDE = /^(examples|tests|\.ci)\//;

/** Modules import only what is below them, and across directories the file that has the name. */
export const layering: Deno.lint.Rule = {
  create(context): Deno.lint.LintVisitor {
    const file = toRelative(context.filename);
    return visitImports((use) => {
      const message = judge(file, use);
      if (message !== undefined) context.report({ node: use.node, message });
    });
  },
};

function judge(file: string, use: ImportUse): string | undefined {
  const target = resolveRelative(use.specifier, file);
  if (target === undefined) return judgeBare(file, use.specifier);
  return judgePrivate(file, target) ??
    (moduleOf(file) !== undefined ? judgeLibrary(file, target, use) : judgeOutside(file, target));
}

function judgeBare(file: string, specifier: string): string | undefined {
  if (moduleOf(file) === undefined) return undefined;
  if (specifier.startsWith("@nbio/net")) {
    return `Library code imports its own files by path, not "${specifier}"`;
  }
  if (specifier.startsWith("@std/") && !RUNTIME_PACKAGES.test(specifier)) {
    return `Library code cannot depend on "${specifier}": only tests can`;
  }
  return undefined;
}

function judgePrivate(file: string, target: string): string | undefined {
  const { folder, name } = split(target);
  if (!name.startsWith("_")) return undefined;
  const from = split(file).folder;
  // A unit test sits in tests/<module> and may test what is private to <module>.
  if (from === folder || from === `tests/${folder}`) return undefined;
  return `"${target}" is private to its directory`;
}

function judgeLibrary(file: string, target: string, use: ImportUse): string | undefined {
  const from = moduleOf(file)!;
  const to = moduleOf(target);
  if (OUTSIDE.test(target)) return `Library code cannot import "${target}"`;
  if (to === undefined || to === from) return undefined;
  if (split(target).name === "mod.ts") {
    return `Across directories import the file that has the name, not "${target}"`;
  }
  if (ARROWS[from]!.includes(to)) return undefined;
  const extra = EXTRA_ARROWS[file]?.[to];
  if (extra === "any" || (extra === "dynamic" && use.kind === "dynamic")) return undefined;
  if (extra === "dynamic") return `"${file}" may load ${to} only by a dynamic import`;
  return `${from} cannot import ${to}: the arrow does not exist`;
}

function judgeOutside(file: string, target: string): string | undefined {
  if (file === "mod.ts" && moduleOf(target) !== undefined && split(target).name !== "mod.ts") {
    return `The root module only re-exports the mod.ts of each module, not "${target}"`;
  }
  if (OUTSIDE.test(target) && !OUTSIDE.test(file)) {
    return `Published code cannot import "${target}"`;
  }
  if (/^(examples|tests\/interop)\//.test(file) && moduleOf(target) !== undefined) {
    return `Examples and interop tests import what a user would ("@nbio/net/..."), not "${target}"`;
  }
  return undefined;
}

function split(path: string): { folder: string; name: string } {
  const slash = path.lastIndexOf("/");
  return { folder: path.slice(0, Math.max(slash, 0)), name: path.slice(slash + 1) };
}
