/** The documented error codes, as the sources declare them, and where each of them is reached. */

const ROOT = new URL("../../", import.meta.url);
const MODULES = ["nbio", "dns", "tls", "http", "websocket"];

/** `export type HttpProtocolErrorCode = "..." | ...;`, which belongs to the class of that name. */
const UNION = /^export type (\w+)Code =([^;]*);/gm;
/** A class with one code of its own. */
const SINGLE =
  /^export class (\w+) extends [^{]+\{(?:(?!^export )[^])*?readonly code = "(ERR_\w+)"/gm;
const CODE = /"(ERR_\w+)"/g;

/** All codes of all classes, `HttpProtocolError ERR_HTTP_BAD_HOST`, in order. */
export async function documentedCodes(): Promise<string[]> {
  const found = new Set<string>();
  for (const module of MODULES) {
    for await (const { name } of Deno.readDir(new URL(`${module}/`, ROOT))) {
      if (!name.endsWith(".ts")) continue;
      const source = await Deno.readTextFile(new URL(`${module}/${name}`, ROOT));
      for (const [, owner, union] of source.matchAll(UNION)) {
        for (const [, code] of union!.matchAll(CODE)) found.add(`${owner} ${code}`);
      }
      for (const [, owner, code] of source.matchAll(SINGLE)) found.add(`${owner} ${code}`);
    }
  }
  return [...found].sort();
}

/**
 * Finds the tables and tests that assert on a code: its literal, and the name of its class, in a
 * file of tests that is none of these.
 */
export async function testsThatAssert(): Promise<(entry: string) => string[]> {
  const sources: [path: string, source: string][] = [];
  const folders = [...MODULES, "conformance"];
  for (const folder of folders) {
    for await (const { name } of Deno.readDir(new URL(`tests/${folder}/`, ROOT))) {
      if (!name.endsWith("_test.ts")) continue;
      const path = `tests/${folder}/${name}`;
      sources.push([path, await Deno.readTextFile(new URL(path, ROOT))]);
    }
  }
  sources.sort(([a], [b]) => a < b ? -1 : 1);
  return (entry) => {
    const [owner, code] = entry.split(" ");
    // Tables of one class leave out what all of its codes begin with.
    const short = code!.replace(/^ERR_[A-Z0-9]+_/, "");
    const asserts = ([, source]: [string, string]) =>
      (source.includes(`"${code}"`) || source.includes(`"${short}"`)) && /\bassert/.test(source);
    const all = sources.filter(asserts);
    const named = all.filter(([, source]) => source.includes(owner!));
    return [...named, ...all].map(([path]) => `test ${path}`);
  };
}
