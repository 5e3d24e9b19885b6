/**
 * Snapshots of the public surface: what an entry point exports, as sorted text that is read in a
 * review. A change of the surface changes the text, and the text changes only on purpose.
 */

import { assertEquals } from "@std/assert";
import { type Declaration, type DocSymbol, readModuleDoc } from "../../.ci/doc_nodes.ts";
import {
  memberTexts,
  methodText,
  parametersText,
  propertyText,
  signatureText,
  typeParametersText,
  typeText,
} from "./type_text.ts";

const ROOT = new URL("../../", import.meta.url);

/** Where one snapshot is and what it shows. */
export interface ApiSnapshot {
  /** The entry point, relative to the root of the checkout. */
  readonly entry: string;
  /** The text file, as a URL. */
  readonly file: URL;
}

/**
 * Registers a test that compares the exports of an entry point with its text file.
 *
 * `deno task api:update` (or `NBIO_API_UPDATE=1`) writes the file instead. The test asks
 * `deno doc`, so it is left out, and says so, where it may not run programs.
 */
export function testApi({ entry, file }: ApiSnapshot): void {
  const missing = missingPermission();
  const note = missing === undefined ? "" : ` (left out: no --allow-${missing})`;
  Deno.test({
    name: `${entry} exports what its API snapshot says${note}`,
    ignore: missing !== undefined,
    async fn() {
      const actual = await renderApi(entry);
      if (Deno.env.get("NBIO_API_UPDATE")) await Deno.writeTextFile(file, actual);
      const message = "The public surface has changed; if on purpose: deno task api:update";
      assertEquals(actual.split("\n"), (await readSnapshot(file)).split("\n"), message);
    },
  });
}

/** The exports of an entry point as sorted, readable text. */
export async function renderApi(entry: string): Promise<string> {
  const { symbols } = await readModuleDoc(entry, ROOT);
  const blocks = symbols.map(renderSymbol).filter((block) => block !== "").sort();
  return `# Exports of ${entry}\n\n${blocks.join("\n\n")}\n`;
}

function missingPermission(): string | undefined {
  for (const name of ["run", "read", "env"] as const) {
    if (Deno.permissions.querySync({ name }).state !== "granted") return name;
  }
  return undefined;
}

async function readSnapshot(file: URL): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

function renderSymbol({ name, declarations }: DocSymbol): string {
  return declarations
    .filter(({ declarationKind }) => declarationKind === "export")
    .map((declaration) => renderDeclaration(name, declaration))
    .join("\n");
}

function renderDeclaration(name: string, { kind, def }: Declaration): string {
  switch (kind) {
    case "function":
      return `function ${name}${signatureText(def)}`;
    case "variable":
      return `${def.kind} ${name}: ${typeText(def.tsType)}`;
    case "typeAlias":
      return `type ${name}${typeParametersText(def.typeParams)} = ${typeText(def.tsType)}`;
    case "interface":
      return renderInterface(name, def);
    case "class":
      return renderClass(name, def);
    default:
      return `${kind} ${name}`;
  }
}

function renderInterface(name: string, def: Declaration["def"]): string {
  const bases = (def.extends ?? []).map(typeText).join(", ");
  const head = `interface ${name}${typeParametersText(def.typeParams)}`;
  return renderBlock(`${head}${bases && ` extends ${bases}`}`, memberTexts(def));
}

function renderClass(name: string, def: Declaration["def"]): string {
  const head = `${def.isAbstract ? "abstract " : ""}class ${name}`;
  const base = def.extends ? ` extends ${def.extends}${typeArguments(def.superTypeParams)}` : "";
  const roles = (def.implements ?? []).map(typeText).join(", ");
  const members = [
    ...(def.constructors ?? []).map((one: Declaration["def"]) =>
      `constructor${parametersText(one.params)};`
    ),
    ...(def.properties ?? []).filter(isPublic).map((one: unknown) => `${propertyText(one)};`),
    ...(def.methods ?? []).filter(isPublic).map((one: unknown) => `${methodText(one)};`),
  ].sort();
  const types = typeParametersText(def.typeParams);
  return renderBlock(`${head}${types}${base}${roles && ` implements ${roles}`}`, members);
}

function typeArguments(types: readonly unknown[] | undefined): string {
  return types?.length ? `<${types.map(typeText).join(", ")}>` : "";
}

function isPublic(member: { readonly accessibility?: string }): boolean {
  return member.accessibility !== "private";
}

function renderBlock(head: string, members: readonly string[]): string {
  return members.length === 0 ? `${head} {}` : `${head} {\n  ${members.join("\n  ")}\n}`;
}
