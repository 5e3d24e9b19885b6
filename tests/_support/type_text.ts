/** Types as `deno doc --json` describes them, written as TypeScript again. */

// The shapes belong to the tool; what is not known here is shown as JSON, so nothing gets lost.
// deno-lint-ignore no-explicit-any
export type DocNode = any;

/** Writes a type. */
export function typeText(type: DocNode): string {
  if (type === undefined || type === null) return "unknown";
  const write = WRITERS[type.kind];
  return write === undefined ? unknownText(type) : write(type.value, type);
}

/** Writes the parameter list of a function or method, with its parentheses. */
export function parametersText(params: readonly DocNode[]): string {
  return `(${params.map(parameterText).join(", ")})`;
}

/** Writes a list of type parameters, or nothing if there are none. */
export function typeParametersText(params: readonly DocNode[] | undefined): string {
  return params?.length ? `<${params.map(typeParameterText).join(", ")}>` : "";
}

/** Writes the members of an interface or type literal, each with its semicolon, sorted. */
export function memberTexts(def: DocNode): string[] {
  return [
    ...(def.constructors ?? []).map((one: DocNode) => `new ${signatureText(one)}`),
    ...(def.callSignatures ?? []).map(signatureText),
    ...(def.indexSignatures ?? []).map(indexText),
    ...(def.properties ?? []).map(propertyText),
    ...(def.methods ?? []).map(methodText),
  ].map((member) => `${member};`).sort();
}

/** Writes a property of a class, interface or type literal. */
export function propertyText(property: DocNode): string {
  const { name, computed, optional, tsType } = property;
  const key = computed ? `[${name}]` : name;
  return `${modifiers(property)}${key}${optional ? "?" : ""}: ${typeText(tsType)}`;
}

/** Writes a method of an interface; one of a class has its signature in `functionDef`. */
export function methodText(method: DocNode): string {
  const { kind, name, optional, functionDef } = method;
  const accessor = kind === "getter" ? "get " : kind === "setter" ? "set " : "";
  const signature = signatureText(functionDef ?? method, kind === "setter");
  return `${modifiers(method)}${accessor}${name}${optional ? "?" : ""}${signature}`;
}

/** Writes type parameters, parameters and result. */
export function signatureText(def: DocNode, withoutResult = false): string {
  const result = withoutResult ? "" : `: ${typeText(def.returnType ?? def.tsType)}`;
  return `${typeParametersText(def.typeParams)}${parametersText(def.params)}${result}`;
}

const WRITERS: Readonly<Record<string, (value: DocNode, type: DocNode) => string>> = {
  keyword: (value) => value,
  this: () => "this",
  literal: literalText,
  typeRef: ({ typeName, typeParams }) =>
    typeParams?.length ? `${typeName}<${typeParams.map(typeText).join(", ")}>` : typeName,
  union: (members) => members.map(typeText).join(" | "),
  intersection: (members) => members.map(typeText).join(" & "),
  array: (element) => `${typeText(element)}[]`,
  tuple: (elements) => `[${elements.map(typeText).join(", ")}]`,
  parenthesized: (inner) => `(${typeText(inner)})`,
  optional: (inner) => `${typeText(inner)}?`,
  rest: (inner) => `...${typeText(inner)}`,
  typeOperator: ({ operator, tsType }) => `${operator} ${typeText(tsType)}`,
  typeQuery: (name) => `typeof ${name}`,
  indexedAccess: ({ objType, indexType }) => `${typeText(objType)}[${typeText(indexType)}]`,
  typeLiteral: (def) => `{ ${memberTexts(def).join(" ")} }`,
  fnOrConstructor: ({ constructor, params, tsType, typeParams }) =>
    `${constructor ? "new " : ""}${typeParametersText(typeParams)}${parametersText(params)} => ${
      typeText(tsType)
    }`,
  typePredicate: ({ asserts, param, type }) =>
    `${asserts ? "asserts " : ""}${param.name ?? "this"}${type ? ` is ${typeText(type)}` : ""}`,
  conditional: ({ checkType, extendsType, trueType, falseType }) =>
    `${typeText(checkType)} extends ${typeText(extendsType)} ? ${typeText(trueType)} : ${
      typeText(falseType)
    }`,
  infer: ({ typeParam }) => `infer ${typeParameterText(typeParam)}`,
};

function unknownText({ kind, value }: DocNode): string {
  return `${kind} ${JSON.stringify(value)}`;
}

function literalText(value: DocNode): string {
  if (value.kind === "string") return JSON.stringify(value.string);
  const plain = value[value.kind];
  return plain === undefined ? JSON.stringify(value) : String(plain);
}

function typeParameterText({ name, constraint, default: fallback }: DocNode): string {
  const bound = constraint ? ` extends ${typeText(constraint)}` : "";
  return `${name}${bound}${fallback ? ` = ${typeText(fallback)}` : ""}`;
}

function parameterText(param: DocNode): string {
  if (param.kind === "rest") return `...${param.arg.name}: ${typeText(param.tsType)}`;
  // A parameter with a default is optional for the caller.
  const isAssigned = param.kind === "assign";
  const target = isAssigned ? param.left : param;
  const name = target.name ?? "{}";
  const mark = isAssigned || target.optional ? "?" : "";
  return `${name}${mark}: ${typeText(target.tsType ?? param.tsType)}`;
}

function indexText({ readonly, params, tsType }: DocNode): string {
  const key = params.map(parameterText).join(", ");
  return `${readonly ? "readonly " : ""}[${key}]: ${typeText(tsType)}`;
}

function modifiers(member: DocNode): string {
  const { accessibility, isStatic, isAbstract, readonly } = member;
  const words = [
    accessibility,
    isStatic && "static",
    isAbstract && "abstract",
    readonly && "readonly",
  ];
  return words.filter(Boolean).map((word) => `${word} `).join("");
}
