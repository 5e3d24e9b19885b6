/** Holds CONTRIBUTING and the workflows against the tree: tasks, steps of the gate, file families. */

import { assert, assertEquals } from "@std/assert";
import { MODULES } from "../.ci/project.ts";

const ROOT = new URL("../", import.meta.url);
const CONTRIBUTING = readText("CONTRIBUTING.md");
/** As many files with the same first word are a family, which has to be told of. */
const FAMILY_SIZE = 3;

function readText(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

/** All matches of the first group of an expression, each once, sorted. */
function namesIn(text: string, expression: RegExp): string[] {
  return [...new Set(Array.from(text.matchAll(expression), (match) => match[1]!))].sort();
}

/** What stands in backticks in the lists of families, as expressions for the name of a file. */
function familyPatterns(): RegExp[] {
  const [, families] = CONTRIBUTING.match(/^The families of(.*?)^## /ms)!;
  const heads = namesIn(families!, /^- ([^:]+):/gm).join();
  return namesIn(heads, /`([a-z0-9_*]+)`/g)
    .map((glob) => new RegExp(`^${glob.replaceAll("*", ".*")}$`));
}

/** The first words that several files of a folder share, and those files. */
function familiesOf(folder: string): Map<string, string[]> {
  const families = new Map<string, string[]>();
  for (const { name } of Deno.readDirSync(new URL(`${folder}/`, ROOT))) {
    // What begins so is private to its directory.
    if (!name.endsWith(".ts") || name.startsWith("_")) continue;
    const stem = name.slice(0, -3);
    const word = stem.split("_")[0]!;
    families.set(word, [...families.get(word) ?? [], stem]);
  }
  return families;
}

Deno.test("CONTRIBUTING lists every task of deno.json, and no other one", () => {
  const { tasks } = JSON.parse(readText("deno.json"));
  const rows = CONTRIBUTING.split("\n").filter((line) => line.startsWith("|"));
  const commands = rows.map((row) => row.split("|")[1]).join("\n");
  assertEquals(namesIn(commands, /`deno task ([\w:-]+)`/g), Object.keys(tasks).sort());
});

Deno.test("CONTRIBUTING lists every step of the core gate, in its order", () => {
  const [, gate] = readText(".ci/run").match(/^core_gate\(\) \{$(.*?)^\}$/ms)!;
  const steps = Array.from(gate!.matchAll(/^ {2}step "([^"]+)"/gm), (match) => match[1]!);
  assert(steps.length > 10);
  const [, table] = CONTRIBUTING.match(/^\| step .*\n\|.*\n((?:\|.*\n)+)/m)!;
  const listed = table!.trimEnd().split("\n").flatMap((row) => row.split("|")[1]!.split(","));
  assertEquals(listed.map((name) => name.trim()), steps);
});

Deno.test("what .ci/run and the workflows refer to in CONTRIBUTING is there", () => {
  const headings = namesIn(CONTRIBUTING, /^#+ (.+)$/gm);
  const referred = namesIn(readText(".ci/run"), /See "([^"]+)" in CONTRIBUTING/g);
  assertEquals(referred.length, 1);
  assertEquals(referred.filter((heading) => !headings.includes(heading)), []);
  const links = namesIn(CONTRIBUTING, /\]\(([^)\s]+)\)/g).filter((link) => !/^https?:/.test(link));
  for (const link of links) assert(Deno.statSync(new URL(link, ROOT)).isFile, link);
});

for (const folder of ["nbio", "http"]) {
  Deno.test(`CONTRIBUTING names every family of files in ${folder}`, () => {
    const patterns = familyPatterns();
    const untold = [...familiesOf(folder)].filter(([, stems]) =>
      stems.length >= FAMILY_SIZE && !stems.every((stem) => patterns.some((it) => it.test(stem)))
    );
    assertEquals(untold, []);
  });
}

Deno.test("every pattern in CONTRIBUTING's families has a file", () => {
  const stems = MODULES.flatMap((module) =>
    Array.from(Deno.readDirSync(new URL(`${module}/`, ROOT)), ({ name }) => name.slice(0, -3))
  );
  const patterns = familyPatterns();
  assert(patterns.length > 30);
  assertEquals(patterns.filter((it) => !stems.some((stem) => it.test(stem))), []);
});

for (const name of ["ci", "publish"]) {
  Deno.test(`every action of ${name}.yml is pinned by its commit`, () => {
    const actions = namesIn(readText(`.github/workflows/${name}.yml`), /uses: (\S+)/g);
    assert(actions.length > 0);
    assertEquals(actions.filter((action) => !/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/.test(action)), []);
  });
}

Deno.test("publish.yml makes a configuration without links and lock of ours, and leaves the rest", async () => {
  const text = readText(".github/workflows/publish.yml");
  const [, code] = text.match(/run: deno eval '([^']*delete c\.links[^']*)'$/m)!;
  const folder = await Deno.makeTempDir();
  try {
    await Deno.copyFile(new URL("deno.json", ROOT), `${folder}/deno.json`);
    // The folder has the configuration alone, and not what that links to.
    const args = ["eval", "--no-config", code!];
    const program = new Deno.Command(Deno.execPath(), { args, cwd: folder });
    assertEquals((await program.output()).code, 0);
    const { links: _links, lock: _lock, ...rest } = JSON.parse(readText("deno.json"));
    const made = JSON.parse(await Deno.readTextFile(`${folder}/deno.json`));
    assertEquals(made, { ...rest, lock: false });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("publish.yml runs the gate, the tests of all modules and a rehearsal before it publishes", () => {
  const text = readText(".github/workflows/publish.yml");
  const runs = Array.from(text.matchAll(/run: (.+)$/gm), (match) => match[1]!);
  const at = (beginning: string) => runs.findIndex((run) => run.startsWith(beginning));
  const places = [".ci/run", "deno test ", "deno publish --dry-run ", "deno publish --allow"].map(
    at,
  );
  assert(places[0]! >= 0);
  assertEquals(places, places.toSorted((a, b) => a - b));
  assertEquals(places.at(-1), runs.length - 1);
  const tested = namesIn(runs[places[1]!]!, /tests\/(\w+)/g);
  assertEquals(tested, [...MODULES].sort());
  // OIDC: the right to ask for a token, and no secret.
  assert(/^ +id-token: write/m.test(text) && !text.includes("secrets."));
});
