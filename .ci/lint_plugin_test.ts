import { assertEquals } from "@std/assert";
import plugin from "./lint_plugin.ts";
import { ROOT } from "./project.ts";

// Every rule is shown violations, one row each, and something lawful that is close to them.

/** The ids of the rules that complain about `source` if it stood in `file`. */
function lint(file: string, source: string): string[] {
  const path = new URL(file, ROOT).pathname;
  const diagnostics = Deno.lint.runPlugin(plugin, path, source);
  return [...new Set(diagnostics.map(({ id }) => id.replace(/^nbio\//, "")))].sort();
}

interface LintRow {
  readonly name: string;
  readonly file: string;
  readonly source: string;
  readonly rules: readonly string[];
}

const LAYERING: readonly LintRow[] = [
  {
    name: "nbio importing http",
    file: "nbio/a.ts",
    source: `import { x } from "../http/b.ts";`,
    rules: ["layering"],
  },
  {
    name: "a type import upwards",
    file: "nbio/a.ts",
    source: `import type { X } from "../http/b.ts";`,
    rules: ["layering"],
  },
  {
    name: "an import type upwards",
    file: "nbio/a.ts",
    source: `export type X = import("../http/b.ts").X;`,
    rules: ["layering"],
  },
  {
    name: "a re-export upwards",
    file: "nbio/a.ts",
    source: `export * from "../http/b.ts";`,
    rules: ["layering"],
  },
  {
    name: "dns importing tls",
    file: "dns/a.ts",
    source: `import "../tls/b.ts";`,
    rules: ["layering"],
  },
  {
    name: "http importing dns",
    file: "http/a.ts",
    source: `import "../dns/b.ts";`,
    rules: ["layering"],
  },
  {
    name: "http importing websocket",
    file: "http/a.ts",
    source: `import "../websocket/b.ts";`,
    rules: ["layering"],
  },
  {
    name: "tls loaded from a wrong file",
    file: "http/a.ts",
    source: `await import("../tls/b.ts");`,
    rules: ["layering"],
  },
  {
    name: "tls loaded statically",
    file: "http/dial.ts",
    source: `import "../tls/b.ts";`,
    rules: ["layering"],
  },
  {
    name: "tls loaded dynamically",
    file: "http/dial.ts",
    source: `await import("../tls/b.ts");`,
    rules: [],
  },
  {
    name: "tls loaded for listening",
    file: "http/listen.ts",
    source: `await import("../tls/b.ts");`,
    rules: [],
  },
  {
    name: "dns from the dial file",
    file: "http/dial.ts",
    source: `import "../dns/b.ts";`,
    rules: [],
  },
  {
    name: "websocket importing http",
    file: "websocket/a.ts",
    source: `import "../http/b.ts";`,
    rules: [],
  },
  {
    name: "a mod.ts of another module",
    file: "http/a.ts",
    source: `import "../nbio/mod.ts";`,
    rules: ["layering"],
  },
  {
    name: "the file of another module",
    file: "http/a.ts",
    source: `import "../nbio/b.ts";`,
    rules: [],
  },
  {
    name: "mod.ts from the root module",
    file: "mod.ts",
    source: `export * as nbio from "./nbio/mod.ts";`,
    rules: [],
  },
  {
    name: "another file from the root module",
    file: "mod.ts",
    source: `export * from "./nbio/clock.ts";`,
    rules: ["layering"],
  },
  {
    name: "library importing tests",
    file: "http/a.ts",
    source: `import "../tests/_support/b.ts";`,
    rules: ["layering"],
  },
  {
    name: "library importing examples",
    file: "http/a.ts",
    source: `import "../examples/hello.ts";`,
    rules: ["layering"],
  },
  {
    name: "library importing itself by name",
    file: "http/a.ts",
    source: `import "@nbio/net/nbio";`,
    rules: ["layering"],
  },
  {
    name: "library importing assertions",
    file: "http/a.ts",
    source: `import "@std/assert";`,
    rules: ["layering"],
  },
  {
    name: "library importing a runtime package",
    file: "http/a.ts",
    source: `import "@std/async/delay";`,
    rules: [],
  },
  {
    name: "an example importing by path",
    file: "examples/a.ts",
    source: `import "../http/mod.ts";`,
    rules: ["layering"],
  },
  {
    name: "an example importing by name",
    file: "examples/a.ts",
    source: `import "@nbio/net/http";`,
    rules: [],
  },
  {
    name: "an interop test importing by path",
    file: "tests/interop/a_test.ts",
    source: `import "../../http/mod.ts";`,
    rules: ["layering"],
  },
  {
    name: "a unit test importing by path",
    file: "tests/http/a_test.ts",
    source: `import "../../http/a.ts";`,
    rules: [],
  },
  {
    name: "a private file of another module",
    file: "http/a.ts",
    source: `import "../nbio/_b.ts";`,
    rules: ["layering"],
  },
  {
    name: "a private file of its own module",
    file: "http/a.ts",
    source: `import "./_b.ts";`,
    rules: [],
  },
  {
    name: "the unit test of a private file",
    file: "tests/http/b_test.ts",
    source: `import "../../http/_b.ts";`,
    rules: [],
  },
];

const PLATFORM: readonly LintRow[] = [
  { name: "a Deno value", file: "http/a.ts", source: `Deno.cwd();`, rules: ["platform"] },
  {
    name: "destructured Deno",
    file: "http/a.ts",
    source: `const { cwd } = Deno;`,
    rules: ["platform"],
  },
  {
    name: "Deno behind globalThis",
    file: "http/a.ts",
    source: `globalThis.Deno.cwd();`,
    rules: ["platform"],
  },
  {
    name: "Deno behind a computed name",
    file: "http/a.ts",
    source: `globalThis["Deno"];`,
    rules: ["platform"],
  },
  { name: "a Deno type", file: "http/a.ts", source: `export let a: Deno.Addr;`, rules: [] },
  { name: "Deno in nbio", file: "nbio/a.ts", source: `Deno.cwd();`, rules: [] },
  {
    name: "Deno in the provider of tls",
    file: "tls/deno_provider.ts",
    source: `Deno.startTls;`,
    rules: [],
  },
  {
    name: "Deno elsewhere in tls",
    file: "tls/a.ts",
    source: `Deno.startTls;`,
    rules: ["platform"],
  },
  {
    name: "Deno in the system file of dns",
    file: "dns/system.ts",
    source: `Deno.readTextFile("x");`,
    rules: [],
  },
  { name: "node:net", file: "http/a.ts", source: `import "node:net";`, rules: ["platform"] },
  {
    name: "node:dgram by import()",
    file: "dns/a.ts",
    source: `await import("node:dgram");`,
    rules: ["platform"],
  },
  {
    name: "node:fs/promises",
    file: "http/a.ts",
    source: `import "node:fs/promises";`,
    rules: ["platform"],
  },
  {
    name: "node:dgram in nbio",
    file: "nbio/a.ts",
    source: `await import("node:dgram");`,
    rules: [],
  },
  {
    name: "node:tls in nbio",
    file: "nbio/a.ts",
    source: `await import("node:tls");`,
    rules: ["platform"],
  },
  {
    name: "node:tls in its provider",
    file: "tls/node_provider.ts",
    source: `await import("node:tls");`,
    rules: [],
  },
  { name: "setTimeout", file: "http/a.ts", source: `setTimeout(f, 1);`, rules: ["platform"] },
  { name: "clearInterval", file: "http/a.ts", source: `clearInterval(1);`, rules: ["platform"] },
  {
    name: "a method named setTimeout",
    file: "http/a.ts",
    source: `class A { setTimeout() {} }`,
    rules: [],
  },
  { name: "Date", file: "http/a.ts", source: `new Date();`, rules: ["platform"] },
  {
    name: "a property named Date",
    file: "http/a.ts",
    source: `export const a = { Date: 1 }.Date;`,
    rules: [],
  },
  { name: "performance", file: "http/a.ts", source: `performance.now();`, rules: ["platform"] },
  { name: "console in a driver", file: "http/a.ts", source: `console.error(1);`, rules: [] },
  {
    name: "Date as a shorthand",
    file: "http/a.ts",
    source: `export const a = { Date };`,
    rules: ["platform"],
  },
  {
    name: "all of it in a test",
    file: "tests/http/a_test.ts",
    source: `setTimeout(Deno.cwd, Date.now());`,
    rules: [],
  },
];

const CORE: readonly (readonly [name: string, source: string])[] = [
  ["Date.now", `Date.now();`],
  ["new Date", `new Date();`],
  ["Math.random", `Math.random();`],
  ["Math.random by a computed name", `Math["random"]();`],
  ["destructured Math", `const { random } = Math;`],
  ["an async function", `export async function f() {}`],
  ["an async arrow", `export const f = async () => {};`],
  ["an async method", `export class A { async f() {} }`],
  ["await", `await 1;`],
  ["for await", `for await (const a of b) {}`],
  ["Promise", `new Promise(() => {});`],
  ["a Promise type", `export let a: Promise<void>;`],
  ["Temporal", `Temporal.Now.instant();`],
  ["globalThis", `globalThis.name;`],
  ["crypto", `crypto.randomUUID();`],
  ["performance", `performance.now();`],
  ["fetch", `fetch("x");`],
  ["console", `console.log(1);`],
  ["setTimeout", `setTimeout(() => {}, 1);`],
  ["Deno", `Deno.cwd();`],
  ["node: imports", `import "node:zlib";`],
  ["npm: imports", `import "npm:ws";`],
  ["import()", `import("./ascii.ts");`],
  ["an unmarked file", `import "../nbio/clock.ts";`],
  ["a type of an unmarked file", `import type { Clock } from "../nbio/clock.ts";`],
  ["another package", `import "@std/async";`],
];

const LAWFUL_CORE: readonly (readonly [name: string, source: string])[] = [
  ["a marked file", `import { NetError } from "../nbio/errors.ts";`],
  ["the encodings", `import { encodeHex } from "@std/encoding/hex";`],
  ["Math.min", `Math.min(1, 2);`],
  ["a property named Date", `export const a = { Date: 1 }.Date;`],
  ["text codecs", `new TextEncoder();`],
];

const HOUSE: readonly LintRow[] = [
  { name: "an enum", file: "http/a.ts", source: `enum A { B }`, rules: ["house"] },
  {
    name: "a namespace",
    file: "http/a.ts",
    source: `namespace A { export const b = 1; }`,
    rules: ["house"],
  },
  { name: "a default export", file: "http/a.ts", source: `export default 1;`, rules: ["house"] },
  {
    name: "a parameter property",
    file: "http/a.ts",
    source: `class A { constructor(readonly b: number) {} }`,
    rules: ["house"],
  },
  {
    name: "a private field",
    file: "http/a.ts",
    source: `class A { private b = 1; }`,
    rules: ["house"],
  },
  {
    name: "a private method",
    file: "http/a.ts",
    source: `class A { private b() {} }`,
    rules: ["house"],
  },
  {
    name: "a private constructor",
    file: "http/a.ts",
    source: `class A { private constructor() {} }`,
    rules: [],
  },
  { name: "a #private field", file: "http/a.ts", source: `class A { #b = 1; }`, rules: [] },
  { name: "utils.ts", file: "http/utils.ts", source: ``, rules: ["house"] },
  { name: "camel case", file: "http/headParser.ts", source: ``, rules: ["house"] },
  { name: "a nested directory", file: "http/server/a.ts", source: ``, rules: ["house"] },
  {
    name: "a default export of an example",
    file: "examples/a.ts",
    source: `export default 1;`,
    rules: [],
  },
];

for (const { name, file, source, rules } of [...LAYERING, ...PLATFORM, ...HOUSE]) {
  Deno.test(`the lint plugin ${rules.length > 0 ? "refuses" : "accepts"} ${name} in ${file}`, () => {
    assertEquals(lint(file, source), [...rules]);
  });
}

const MARK = "// This module is sans-I/O.\n";

for (const [name, source] of CORE) {
  Deno.test(`the lint plugin refuses ${name} in a core`, () => {
    assertEquals(lint("http/a.ts", MARK + source).includes("sans-io"), true);
    assertEquals(lint("http/a.ts", source).includes("sans-io"), false);
  });
}

for (const [name, source] of LAWFUL_CORE) {
  Deno.test(`the lint plugin accepts ${name} in a core`, () => {
    assertEquals(lint("http/a.ts", MARK + source), []);
  });
}

Deno.test("the lint plugin refuses a pure entry point without the mark", () => {
  assertEquals(lint("http/core.ts", `export const a = 1;`), ["sans-io"]);
  assertEquals(lint("http/core.ts", `${MARK}export * from "./ascii.ts";`), []);
  assertEquals(lint("http/core.ts", `${MARK}export * from "../nbio/clock.ts";`), ["sans-io"]);
});
