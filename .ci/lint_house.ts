import { moduleOf, toRelative } from "./project.ts";

/** File names that say nothing about what is inside. */
const EMPTY_NAMES = /(^|\/)_?(utils?|helpers?|types|index|common|misc)\.ts$/;

const SNAKE_CASE = /^[a-z0-9_]+\.ts$/;

/** Constructs and names that published code does without. */
export const house: Deno.lint.Rule = {
  create(context): Deno.lint.LintVisitor {
    const file = toRelative(context.filename);
    if (moduleOf(file) === undefined) return {};
    const ban = (node: Deno.lint.Node, message: string): void => context.report({ node, message });
    return {
      Program(node) {
        const name = file.slice(file.lastIndexOf("/") + 1);
        if (EMPTY_NAMES.test(file)) ban(node, "A file is named after its main export");
        if (!SNAKE_CASE.test(name)) ban(node, "File names are snake_case");
        if (file.split("/").length > 2) ban(node, "Module directories are flat");
      },
      TSEnumDeclaration: (node) => ban(node, "Use a union of literals instead of an enum"),
      TSModuleDeclaration: (node) => ban(node, "Use a module instead of a namespace"),
      ExportDefaultDeclaration: (node) => ban(node, "Use a named export"),
      TSParameterProperty: (node) => ban(node, "Declare the field instead of a parameter property"),
      PropertyDefinition(node) {
        if (node.accessibility === "private") ban(node, "Use a #private field");
      },
      MethodDefinition(node) {
        const isConstructor = node.kind === "constructor";
        if (node.accessibility === "private" && !isConstructor) ban(node, "Use a #private method");
      },
    };
  },
};
