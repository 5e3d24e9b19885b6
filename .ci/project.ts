/** Where things are in this repository, shared by the checks. */

/** The root of the checkout, with a slash at the end. */
export const ROOT: URL = new URL("../", import.meta.url);

/** The directories that are published, one per module. */
export const MODULES: readonly string[] = ["nbio", "dns", "tls", "http", "websocket"];

/** Entry points that other runtimes load: they and what they reach must be marked. */
export const PURE_ENTRY_POINTS: readonly string[] = [
  "http/core.ts",
  "websocket/core.ts",
  "dns/core.ts",
  "tls/x509.ts",
];

const MARKER = /^\/\/ This module is sans-I\/O\.$/m;

/** Whether a source text declares itself a pure protocol core. */
export function isMarked(text: string): boolean {
  return MARKER.test(text);
}

/** The path of `file` relative to `root`, with forward slashes; other paths are left alone. */
export function toRelative(file: string, root: URL = ROOT): string {
  const path = file.startsWith("file:") ? new URL(file).pathname : file;
  return path.startsWith(root.pathname) ? path.slice(root.pathname.length) : path;
}

/** The first directory of a relative path if it is one of {@linkcode MODULES}. */
export function moduleOf(path: string): string | undefined {
  const first = path.split("/")[0]!;
  return path.includes("/") && MODULES.includes(first) ? first : undefined;
}

/** All `.ts` files of the published modules that exist, relative to `root`, sorted. */
function libraryFiles(root: URL = ROOT): string[] {
  return MODULES.flatMap((module) => sourceFiles(module, root)).sort();
}

/** The `.ts` files below `folder`, relative to `root`; none if the folder is not there. */
export function sourceFiles(folder: string, root: URL = ROOT): string[] {
  const files: string[] = [];
  try {
    for (const entry of Deno.readDirSync(new URL(`${folder}/`, root))) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory) files.push(...sourceFiles(path, root));
      else if (entry.name.endsWith(".ts")) files.push(path);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return files;
}

/** The library files that are marked as pure protocol cores. */
export function markedFiles(root: URL = ROOT): string[] {
  return libraryFiles(root).filter((path) => isMarked(Deno.readTextFileSync(new URL(path, root))));
}
