import { record } from "./record.ts";

/** Folder for peers from npm, outside the checkout, kept between runs. */
export function peerCacheDirectory(): string {
  const home = Deno.env.get("HOME") ?? "/tmp";
  return `${Deno.env.get("XDG_CACHE_HOME") ?? `${home}/.cache`}/nbio_bench`;
}

/**
 * Installs one npm package into the cache, unless that very version is there already, and gives
 * the folder `node_modules` it lies in.
 *
 * @throws {Error} If npm is missing or fails.
 */
export function installPeer(name: string, version: string): string {
  const directory = `${peerCacheDirectory()}/${name.replaceAll("/", "_")}-${version}`;
  const modules = `${directory}/node_modules`;
  const mark = `${directory}/installed`;
  if (exists(mark)) {
    record({ type: "peer", name, version });
    return modules;
  }
  Deno.mkdirSync(directory, { recursive: true });
  const { success, stderr } = new Deno.Command("npm", {
    args: ["install", "--prefix", directory, "--no-audit", "--no-fund", `${name}@${version}`],
    stdout: "null",
  }).outputSync();
  if (!success) {
    const reason = new TextDecoder().decode(stderr).trim();
    throw new Error(`Cannot install ${name}@${version}: ${reason.slice(-300)}`);
  }
  Deno.writeTextFileSync(mark, version);
  record({ type: "peer", name, version });
  return modules;
}

/** Whether there is a file or folder of that name. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
