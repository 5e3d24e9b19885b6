/** Holds README against the tree: its links, its list of error codes, its index of examples. */

import { assert, assertEquals } from "@std/assert";
import { MODULES, sourceFiles } from "../.ci/project.ts";

const ROOT = new URL("../", import.meta.url);
const README = Deno.readTextFileSync(new URL("README.md", ROOT));

/** What begins so belongs to `node:` modules, whose errors are looked at but never thrown. */
const FOREIGN_CODE = /^ERR_(SSL|STREAM|BUFFER)_/;

/** The text of a section of README, without those of the same and of higher levels behind it. */
function section(title: string): string {
  const [, level] = README.match(new RegExp(`^(#+) ${title}$`, "m"))!;
  const begin = README.search(new RegExp(`^#+ ${title}$`, "m"));
  const rest = README.slice(begin + level!.length);
  const end = rest.search(new RegExp(`^#{1,${level!.length}} `, "m"));
  return end === -1 ? rest : rest.slice(0, end);
}

/** All matches of the first group of an expression, each once, sorted. */
function namesIn(text: string, expression: RegExp): string[] {
  return [...new Set(Array.from(text.matchAll(expression), (match) => match[1]!))].sort();
}

/** The code of the library, without comments that stand alone in their line. */
function sources(): string {
  return MODULES.flatMap((module) => sourceFiles(module, ROOT))
    .map((path) => Deno.readTextFileSync(new URL(path, ROOT)))
    .map((text) => text.replaceAll(/^ *(\/\*\*|\*|\/\/).*$/gm, ""))
    .join("\n");
}

/** What GitHub and JSR make of a heading. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(new URL(path, ROOT)) !== undefined;
  } catch {
    return false;
  }
}

Deno.test("every link of README inside the tree leads somewhere", () => {
  const links = namesIn(README, /\]\(([^)\s]+)\)/g).filter((link) => !/^https?:/.test(link));
  const anchors = namesIn(README, /^#+ (.+)$/gm).map(anchorOf);
  assert(links.length > 50);
  const broken = links.filter((link) =>
    link.startsWith("#") ? !anchors.includes(link.slice(1)) : !exists(link)
  );
  assertEquals(broken, []);
});

Deno.test("every row of README's comparison names its test", () => {
  const rows = section("Compared").split("\n").filter((line) => /^\| [^ |-]/.test(line));
  assert(rows.length > 30);
  assertEquals(rows.filter((row) => !/\]\(tests\/[^)]+_test\.ts\)/.test(row)), []);
});

Deno.test("README explains every error code of the sources, and no other one", () => {
  const codes = namesIn(sources(), /"(ERR_[A-Z0-9_]+[A-Z0-9])"/g).filter((code) =>
    !FOREIGN_CODE.test(code)
  );
  assert(codes.length > 100);
  const rows = section("Troubleshooting").split("\n").filter((line) => line.startsWith("|"));
  assertEquals(namesIn(rows.join("\n"), /`(ERR_[A-Z0-9_]+)`/g), codes);
});

Deno.test("README names no task that is not there", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT)));
  const named = namesIn(README, /`deno task ([\w:-]+)/g);
  assert(named.length > 5);
  assertEquals(named.filter((task) => !(task in tasks)), []);
});

Deno.test("README names every class of errors", () => {
  const classes = namesIn(sources(), /^export class (\w*Error|\w+Problem) extends/gm);
  assert(classes.includes("LimitExceededError"));
  const text = section("Troubleshooting");
  assertEquals(classes.filter((name) => !text.includes(`\`${name}\``)), []);
});

Deno.test("README's table of modules has every entry point", () => {
  const { name, exports } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT)));
  const entries = Object.keys(exports).filter((entry) => entry !== ".");
  const missing = entries.map((entry) => name + entry.slice(1))
    .filter((entry) => !README.includes(`| \`${entry}\` `));
  assertEquals(missing, []);
});

Deno.test("every program of examples/ is in README's index with its command, and in the tests", () => {
  const programs = examplePrograms();
  assert(programs.includes("hello"));
  const rows = section("Examples").split("\n").filter((line) => line.startsWith("| ["));
  const listed = namesIn(rows.join("\n"), /\]\(examples\/(\w+)\.ts\)/g);
  assertEquals(listed, programs);
  const without = rows.filter((row) => !/`[^`]*deno run [^`]*examples\/[\w/]+\.ts/.test(row));
  assertEquals(without, []);
  // A folder is an example with more than one way to start it, and a test of its own.
  const folders = Array.from(Deno.readDirSync(new URL("examples/", ROOT)))
    .filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
  assertEquals(folders.filter((name) => !rows.join("\n").includes(`](examples/${name}/)`)), []);
  const tests = Deno.readTextFileSync(new URL("tests/interop/examples_test.ts", ROOT));
  assertEquals(namesIn(tests, /^ {2}async (\w+)\(\) \{$/gm), programs);
});

Deno.test("README runs every example with the permissions that its own first lines name", () => {
  const commands = namesIn(section("Examples"), /`(deno run [^`]*?examples\/[\w/]+\.ts)/g);
  assert(commands.length > 20);
  const others = commands.filter((command) => {
    const [path] = command.match(/examples\/\S+$/)!;
    const [head] = Deno.readTextFileSync(new URL(path, ROOT)).split("*/");
    return !head!.replaceAll(/ \\\n \* +/g, " ").includes(command);
  });
  assertEquals(others, []);
});

/** The files of `examples/` that are no test, and that no other one imports. */
function examplePrograms(): string[] {
  const folder = new URL("examples/", ROOT);
  const files = Array.from(Deno.readDirSync(folder), ({ name }) => name)
    .filter((name) => name.endsWith(".ts") && !name.endsWith("_test.ts"));
  const texts = files.map((name) => Deno.readTextFileSync(new URL(name, folder)));
  const imported = new Set(namesIn(texts.join("\n"), /from "\.\/(\w+\.ts)"/g));
  return files.filter((name) => !imported.has(name)).map((name) => name.slice(0, -3)).sort();
}
