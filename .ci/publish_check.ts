/**
 * Rehearses `deno publish` in a temporary copy, with slow types as errors, and looks at what would
 * be published.
 *
 * The publisher refuses linked packages that lie inside the package but outside its publish list.
 * The copy therefore has the stand-ins beside it; a real release has no `links` at all.
 *
 * @module
 */

import { entryPoints, exitWithProblems, runDeno } from "./deno_tool.ts";
import { ROOT } from "./project.ts";

/** Files besides the entry points that a release without would be broken or unlawful. */
const MUST_CONTAIN: readonly string[] = ["deno.json", "README.md", "LICENSE", "CHANGELOG.md"];

/** What hinders a release of the tree below `root`. */
export async function findPublishProblems(root: URL = ROOT): Promise<string[]> {
  const folder = await Deno.makeTempDir({ prefix: "nbio_publish_" });
  try {
    const copy = new URL(`file://${folder}/package/`);
    await copyTree(root, copy);
    await Deno.rename(new URL("tests/std", copy), new URL("../std", copy));
    await relink(copy);
    const { success, stdout, stderr } = await runDeno(
      ["publish", "--dry-run", "--allow-dirty", "--no-lock"],
      copy,
    );
    if (!success) return [stderr.trim()];
    return judgeFileList(root, publishedFiles(`${stdout}\n${stderr}`, copy));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function copyTree(from: URL, to: URL): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    if (entry.name === ".git" || entry.name === "node_modules" || entry.isSymlink) continue;
    if (entry.isDirectory) {
      await copyTree(new URL(`${entry.name}/`, from), new URL(`${entry.name}/`, to));
    } else {
      await Deno.copyFile(new URL(entry.name, from), new URL(entry.name, to));
    }
  }
}

async function relink(copy: URL): Promise<void> {
  const path = new URL("deno.json", copy);
  const config: { links: string[] } = JSON.parse(await Deno.readTextFile(path));
  config.links = config.links.map((link) => link.replace("./tests/std/", "../std/"));
  await Deno.writeTextFile(path, JSON.stringify(config));
}

function publishedFiles(output: string, copy: URL): string[] {
  return [...output.matchAll(/^\s+(file:\S+) \(/gm)].map(([, url]) => url!.replace(copy.href, ""));
}

function judgeFileList(root: URL, files: readonly string[]): string[] {
  const missing = [...entryPoints(root), ...MUST_CONTAIN].filter((file) => !files.includes(file));
  const surplus = files.filter((file) => /^(tests|examples|\.)/.test(file));
  return [
    ...missing.map((file) => `${file} would not be published`),
    ...surplus.map((file) => `${file} would be published`),
  ];
}

if (import.meta.main) exitWithProblems("publish", await findPublishProblems());
