import { isValueReference, resolveRelative, visitImports } from "./lint_imports.ts";
import { isMarked, moduleOf, PURE_ENTRY_POINTS, ROOT, toRelative } from "./project.ts";

/** Values a protocol core never sees; what it needs of them is handed in. */
const VALUES: ReadonlySet<string> = new Set([
  "Deno",
  "Date",
  "Promise",
  "Temporal",
  "WeakRef",
  "FinalizationRegistry",
  "Atomics",
  "console",
  "crypto",
  "fetch",
  "globalThis",
  "performance",
  "process",
  "queueMicrotask",
  "self",
  "setInterval",
  "setTimeout",
]);

/** Types that betray a clock or a wait. */
const TYPES: ReadonlySet<string> = new Set([
  "Date",
  "Promise",
  "PromiseLike",
]);

/**
 * A file with the line `// This module is sans-I/O.` has no time, no randomness, no waiting and no
 * platform, and imports only files of its kind: else their types drag the platform in.
 */
export const sansIo: Deno.lint.Rule = {
  create(context): Deno.lint.LintVisitor {
    const file = toRelative(context.filename);
    if (!isMarked(context.sourceCode.text)) {
      return PURE_ENTRY_POINTS.includes(file) ? reportUnmarked(context, file) : {};
    }
    const ban = (node: Deno.lint.Node, what: string): void =>
      context.report({ node, message: `A sans-I/O file cannot use ${what}` });
    return { ...visitImportsOfCore(context, file), ...visitWaits(ban), ...visitNames(ban) };
  },
};

function reportUnmarked(context: Deno.lint.RuleContext, file: string): Deno.lint.LintVisitor {
  const message = `"${file}" is a pure entry point and must carry "// This module is sans-I/O."`;
  return { Program: (node) => context.report({ node, message }) };
}

function visitImportsOfCore(
  context: Deno.lint.RuleContext,
  file: string,
): Deno.lint.LintVisitor {
  return visitImports(({ node, specifier, kind }) => {
    if (kind === "dynamic") {
      context.report({ node, message: "A sans-I/O file cannot use import()" });
      return;
    }
    const target = resolveRelative(specifier, file);
    const allowed = target === undefined
      ? /^@std\/encoding(\/|$)/.test(specifier)
      : moduleOf(target) !== undefined && isMarkedFile(target);
    if (allowed) return;
    const message =
      `A sans-I/O file cannot import "${specifier}": only marked files, for types too`;
    context.report({ node, message });
  });
}

function isMarkedFile(path: string): boolean {
  try {
    return isMarked(Deno.readTextFileSync(new URL(path, ROOT)));
  } catch {
    return false;
  }
}

type Ban = (node: Deno.lint.Node, what: string) => void;

function visitWaits(ban: Ban): Deno.lint.LintVisitor {
  const banAsync = (
    node:
      | Deno.lint.FunctionDeclaration
      | Deno.lint.FunctionExpression
      | Deno.lint.ArrowFunctionExpression,
  ): void => {
    if (node.async) ban(node, "async");
  };
  return {
    FunctionDeclaration: banAsync,
    FunctionExpression: banAsync,
    ArrowFunctionExpression: banAsync,
    AwaitExpression: (node) => ban(node, "await"),
    ForOfStatement(node) {
      if (node.await) ban(node, "for await");
    },
  };
}

function visitNames(ban: Ban): Deno.lint.LintVisitor {
  return {
    Identifier(node) {
      if (VALUES.has(node.name) && isValueReference(node)) ban(node, node.name);
    },
    MemberExpression(node) {
      if (node.object.type !== "Identifier" || node.object.name !== "Math") return;
      const { property } = node;
      const isName = property.type === "Identifier" && !node.computed;
      if (isName && property.name !== "random") return;
      ban(node, isName ? "Math.random" : "a computed member of Math");
    },
    TSTypeReference(node) {
      if (node.typeName.type === "Identifier" && TYPES.has(node.typeName.name)) {
        ban(node, `the type ${node.typeName.name}`);
      }
    },
    VariableDeclarator(node) {
      if (node.init?.type === "Identifier" && node.init.name === "Math") {
        ban(node, "an alias of Math");
      }
    },
  };
}
