/** What the rules need to know about the imports and identifiers of a file. */

/** One `import`, `export ... from`, `import()` or `import type` of a file. */
export interface ImportUse {
  /** The node to report. */
  readonly node: Deno.lint.Node;
  /** The specifier as written. */
  readonly specifier: string;
  /** How the module is loaded; a type import loads nothing. */
  readonly kind: "static" | "dynamic" | "type";
}

/** A visitor that calls `onImport` for every import of a file, of whatever form. */
export function visitImports(onImport: (use: ImportUse) => void): Deno.lint.LintVisitor {
  return {
    ImportDeclaration(node) {
      const kind = node.importKind === "type" ? "type" : "static";
      onImport({ node, specifier: node.source.value, kind });
    },
    ExportNamedDeclaration(node) {
      if (node.source === null) return;
      const kind = node.exportKind === "type" ? "type" : "static";
      onImport({ node, specifier: node.source.value, kind });
    },
    ExportAllDeclaration(node) {
      const kind = node.exportKind === "type" ? "type" : "static";
      onImport({ node, specifier: node.source.value, kind });
    },
    ImportExpression(node) {
      if (node.source.type !== "Literal") return;
      onImport({ node, specifier: String(node.source.value), kind: "dynamic" });
    },
    TSImportType(node) {
      if (node.argument.type !== "TSLiteralType") return;
      if (node.argument.literal.type !== "Literal") return;
      onImport({ node, specifier: String(node.argument.literal.value), kind: "type" });
    },
  };
}

/** The path that a relative specifier in `from` names; `undefined` for all other specifiers. */
export function resolveRelative(specifier: string, from: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  return new URL(specifier, new URL(from, "file:///")).pathname.slice(1);
}

/** Parents below which an identifier is a name in a type and stands for no value. */
const TYPE_PARENTS: ReadonlySet<string> = new Set([
  "TSQualifiedName",
  "TSTypeReference",
  "TSTypeQuery",
  "TSInterfaceHeritage",
  "TSClassImplements",
  "TSInterfaceDeclaration",
  "TSTypeAliasDeclaration",
]);

/** Parents whose `key` is a name of its own unless computed. */
const KEY_PARENTS: ReadonlySet<string> = new Set([
  "MethodDefinition",
  "PropertyDefinition",
  "AccessorProperty",
  "TSPropertySignature",
  "TSMethodSignature",
  "TSAbstractMethodDefinition",
  "TSAbstractPropertyDefinition",
  "TSEnumMember",
]);

interface LooseNode {
  readonly type: string;
  readonly range: Deno.lint.Range;
  readonly computed?: boolean;
  readonly shorthand?: boolean;
  readonly object?: { readonly range: Deno.lint.Range };
  readonly key?: { readonly range: Deno.lint.Range };
}

/** Whether an identifier stands for a value, rather than naming a type, a key or a property. */
export function isValueReference(node: Deno.lint.Identifier): boolean {
  const parent = node.parent as LooseNode;
  if (TYPE_PARENTS.has(parent.type)) return false;
  if (parent.computed === true) return true;
  if (parent.type === "MemberExpression") return startsAt(parent.object, node);
  if (parent.type === "Property") return parent.shorthand === true || !startsAt(parent.key, node);
  if (parent.type === "ImportSpecifier" || parent.type === "ExportSpecifier") return false;
  return !KEY_PARENTS.has(parent.type) || !startsAt(parent.key, node);
}

function startsAt(
  part: { readonly range: Deno.lint.Range } | undefined | null,
  node: Deno.lint.Identifier,
): boolean {
  return part?.range[0] === node.range[0];
}
