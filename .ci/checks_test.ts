import { assertEquals } from "@std/assert";
import { findDocGaps } from "./doc_check.ts";
import { findCostlyImports } from "./import_cost.ts";
import { findPublishProblems } from "./publish_check.ts";
import { findImpurities } from "./purity_check.ts";
import { findUnusedStandIns } from "./std_check.ts";

// Every check is shown a violation, one row per fault, and something lawful that is close to it.

const MARK = "// This module is sans-I/O.\n";

/** Runs `check` on a folder with these files, made for it and removed after it. */
async function withTree(
  files: Readonly<Record<string, string>>,
  check: (root: URL) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "nbio_checks_" });
  const root = new URL(`file://${await Deno.realPath(folder)}/`);
  try {
    for (const [path, text] of Object.entries(files)) {
      const url = new URL(path, root);
      await Deno.mkdir(new URL("./", url), { recursive: true });
      await Deno.writeTextFile(url, text);
    }
    await check(root);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

for (const name of ["Deno.cwd()", "setTimeout(() => {}, 1)", "crypto", "fetch", "console"]) {
  Deno.test(`the purity check refuses ${name}`, async () => {
    const source = `${MARK}export const a: unknown = ${name};\n`;
    await withTree({ "http/a.ts": source }, async (root) => {
      assertEquals((await findImpurities(root)).length, 1);
    });
  });
}

Deno.test("the purity check accepts text codecs, and looks at marked files only", async () => {
  const files = {
    "http/a.ts": `${MARK}export const a: Uint8Array = new TextEncoder().encode("a");\n`,
    "http/b.ts": `export const b: string = Deno.cwd();\n`,
  };
  await withTree(files, async (root) => assertEquals(await findImpurities(root), []));
});

Deno.test("the purity check refuses a tree without marked files", async () => {
  await withTree({ "http/a.ts": "" }, async (root) => {
    assertEquals((await findImpurities(root)).length, 1);
  });
});

const CONFIG = JSON.stringify({
  name: "@planted/package",
  version: "0.1.0",
  license: "MIT",
  exports: { ".": "./http/mod.ts" },
  links: [],
  publish: { include: ["http/", "deno.json", "README.md", "LICENSE", "CHANGELOG.md"] },
});

const IMPORTS: readonly (readonly [name: string, source: string, count: number])[] = [
  ["a node: module", `import "node:zlib";`, 1],
  ["a node: module in a re-export", `export * from "node:zlib";`, 1],
  ["a module that is not there", `import "./gone.ts";`, 1],
  ["a node: module on demand", `export const a = () => import("node:zlib");`, 0],
  ["a node: type", `import type { Gzip } from "node:zlib";\nexport type A = Gzip;`, 0],
];

for (const [name, source, count] of IMPORTS) {
  Deno.test(`the import check finds ${count} problems in ${name} below an entry point`, async () => {
    const files = {
      "deno.json": CONFIG,
      "http/mod.ts": `export * from "./a.ts";`,
      "http/a.ts": source,
    };
    await withTree(files, async (root) => {
      assertEquals((await findCostlyImports(root)).length, count);
    });
  });
}

const FENCE = "```";
const EXAMPLE = ` * @example Use\n * ${FENCE}ts\n * assert(true);\n * ${FENCE}\n`;
const MODULE = `/**\n * A module.\n *\n${EXAMPLE} * @module\n */\n`;
const FUNCTION = `export function f(): void {}\n`;

const DOCS: readonly (readonly [name: string, source: string, gaps: string[]])[] = [
  ["a full doc", `${MODULE}/** Does.\n *\n${EXAMPLE} */\n${FUNCTION}`, []],
  ["no module doc", `/** Does.\n *\n${EXAMPLE} */\n${FUNCTION}`, [
    "http/mod.ts: the entry point has no @module doc",
    "http/mod.ts: the @module doc has no runnable example that asserts",
  ]],
  ["no summary", `${MODULE}export type A = 1;\n`, ["A: has no summary"]],
  ["no example", `${MODULE}/** Does. */\n${FUNCTION}`, [
    "f: has no runnable example that asserts",
  ]],
  [
    "an example that is not run",
    `${MODULE}/** Does.\n *\n${EXAMPLE.replace("ts\n", "ts ignore\n")} */\n${FUNCTION}`,
    [
      "f: has no runnable example that asserts",
    ],
  ],
  [
    "an example without assertion",
    `${MODULE}/** Does.\n *\n${EXAMPLE.replace("assert(true)", "f()")} */\n${FUNCTION}`,
    [
      "f: has no runnable example that asserts",
    ],
  ],
];

for (const [name, source, gaps] of DOCS) {
  Deno.test(`the documentation check judges ${name}`, async () => {
    await withTree({ "deno.json": CONFIG, "http/mod.ts": source }, async (root) => {
      assertEquals(await findDocGaps(root), gaps);
    });
  });
}

Deno.test("the stand-in check finds what nobody imports", async () => {
  const files = {
    "tests/std/assert/mod.ts":
      `export function used(): void {}\nexport function unused(): void {}\n`,
    "tests/std/assert/assert_test.ts": `import { unused } from "@std/assert";`,
    "tests/std/async/mod.ts": "",
    "tests/std/crypto/mod.ts": "",
    "tests/std/encoding/mod.ts": "",
    "http/a.ts": ` * import { type Other, used as mine } from "@std/assert/sub";`,
  };
  await withTree(files, async (root) => {
    assertEquals(await findUnusedStandIns(root), ["unused of @std/assert is used nowhere"]);
  });
});

/** A package that could be published. */
const PACKAGE: Readonly<Record<string, string>> = {
  "deno.json": CONFIG,
  "http/mod.ts": MODULE + FUNCTION,
  "README.md": "",
  "LICENSE": "",
  "CHANGELOG.md": "",
  "tests/std/assert/mod.ts": "",
};

const RELEASES: readonly (readonly [name: string, files: Record<string, string>, count: number])[] =
  [
    ["a sound package", {}, 0],
    ["slow types", { "http/mod.ts": `export const a = [1].map((x) => x + 1);` }, 1],
    ["a brace glob", { "deno.json": CONFIG.replace(`"http/"`, `"{http,nbio}/*.ts"`) }, 1],
    [
      "tests among the published",
      { "deno.json": CONFIG.replace(`"http/"`, `"http/","tests/"`) },
      1,
    ],
    ["a missing licence text", { "deno.json": CONFIG.replace(`"LICENSE",`, "") }, 1],
  ];

for (const [name, files, count] of RELEASES) {
  Deno.test(`the publish rehearsal finds ${count} problems in ${name}`, async () => {
    await withTree({ ...PACKAGE, "tests/a.ts": "", ...files }, async (root) => {
      assertEquals((await findPublishProblems(root)).length, count);
    });
  });
}
