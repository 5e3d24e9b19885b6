import { isValueReference, visitImports } from "./lint_imports.ts";
import { moduleOf, toRelative } from "./project.ts";

/** Names of the platform that published code uses only where the table allows it. */
const NAMES: ReadonlySet<string> = new Set([
  "Deno",
  "Date",
  "performance",
  "setTimeout",
  "setInterval",
  "setImmediate",
  "clearTimeout",
  "clearInterval",
  "clearImmediate",
]);

/** Built-in modules that published code uses only where the table allows it. */
const NODE_MODULES = /^node:(net|dgram|fs|tls|timers|dns|http|https|http2|perf_hooks)(\/|$)/;

/** Files outside nbio that own a part of the platform, and the names they own. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  "http/cli.ts": ["Deno"],
  "tls/deno_provider.ts": ["Deno"],
  "tls/node_provider.ts": ["node:tls", "node:net"],
  "dns/system.ts": ["Deno", "node:dns"],
};

/** Names that stay out of nbio: TLS handshakes belong to the providers of tls. */
const NOT_IN_NBIO: readonly string[] = ["node:tls"];

/** Sockets, datagrams, timers, the clock and files live in nbio; types may be used anywhere. */
export const platform: Deno.lint.Rule = {
  create(context): Deno.lint.LintVisitor {
    const file = toRelative(context.filename);
    const module = moduleOf(file);
    if (module === undefined) return {};
    const check = (node: Deno.lint.Node, name: string): void => {
      if (OWNERS[file]?.includes(name)) return;
      if (module === "nbio" && !NOT_IN_NBIO.includes(name)) return;
      context.report({ node, message: `"${name}" belongs to the platform layer, not to ${file}` });
    };
    return {
      ...visitImports(({ node, specifier, kind }) => {
        if (kind !== "type" && NODE_MODULES.test(specifier)) check(node, specifier);
      }),
      Identifier(node) {
        if (NAMES.has(node.name) && isValueReference(node)) check(node, node.name);
      },
      MemberExpression(node) {
        // globalThis.Deno is Deno by another road.
        if (node.object.type !== "Identifier" || node.object.name !== "globalThis") return;
        const name = propertyName(node);
        if (name === undefined || NAMES.has(name)) check(node, name ?? "globalThis");
      },
    };
  },
};

function propertyName(node: Deno.lint.MemberExpression): string | undefined {
  if (node.property.type === "Identifier" && !node.computed) return node.property.name;
  return node.property.type === "Literal" ? String(node.property.value) : undefined;
}
