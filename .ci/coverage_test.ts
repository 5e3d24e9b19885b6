import { assertEquals } from "@std/assert";
import { hasCode, isEnough, MIN_PERCENT, parseLcov, percentOf, testsOf } from "./coverage.ts";

const ROOT = new URL("file:///tree/");

const REPORT = `SF:/tree/http/a.ts
FN:1,f
FNDA:0,f
FNF:1
FNH:0
BRDA:2,1,0,0
BRDA:2,1,1,7
BRDA:4,1,0,-
BRF:99
BRH:99
DA:1,1
DA:2,0
DA:3,7
DA:9,0
LH:99
LF:99
end_of_record
SF:file:///tree/dns/b.ts
DA:1,1
end_of_record
`;

Deno.test("parseLcov() counts lines and branches by themselves", () => {
  assertEquals(parseLcov(REPORT, ROOT), [
    {
      path: "http/a.ts",
      lines: { found: 4, hit: 2 },
      branches: { found: 3, hit: 1 },
      missed: [2, 4, 9],
    },
    {
      path: "dns/b.ts",
      lines: { found: 1, hit: 1 },
      branches: { found: 0, hit: 0 },
      missed: [],
    },
  ]);
  assertEquals(parseLcov("", ROOT), []);
});

Deno.test("hasCode() tells code from types", () => {
  const types =
    "// const a\nimport type { A } from './a.ts';\nexport interface B {\n  const: A;\n}\n";
  assertEquals(hasCode(`${types}export type C = B;\nexport type { A };\n`), false);
  const rows = ["const a = 1;", "export async function f() {}", "export abstract class D {}"];
  for (const code of [...rows, "export * from './a.ts';", "export { a } from './a.ts';"]) {
    assertEquals(hasCode(`${types}${code}\n`), true, code);
  }
});

Deno.test("percentOf() of nothing is everything", () => {
  assertEquals([{ found: 0, hit: 0 }, { found: 8, hit: 2 }].map(percentOf), [100, 25]);
});

Deno.test("isEnough() wants lines and branches, each at the limit or above it", () => {
  const share = (hit: number) => ({ found: 100, hit });
  const rows = [
    [MIN_PERCENT, MIN_PERCENT, true],
    [MIN_PERCENT - 1, 100, false],
    [100, MIN_PERCENT - 1, false],
  ] as const;
  for (const [lines, branches, isIt] of rows) {
    assertEquals(isEnough({ lines: share(lines), branches: share(branches) }), isIt);
  }
});

Deno.test("testsOf() takes the tests of cores, and of nothing that merely uses them", async () => {
  const folder = await Deno.makeTempDir({ prefix: "nbio_coverage_" });
  const root = new URL(`file://${await Deno.realPath(folder)}/`);
  const files: Record<string, string> = {
    "http/core.ts": "",
    "http/_private.ts": "",
    "http/core_driver.ts": 'import "./core.ts";',
    "http/user.ts": 'import "./_private.ts";',
    "tests/http/core_test.ts": "",
    "tests/http/core_limits_test.ts": "",
    "tests/http/core_driver_test.ts": "",
    "tests/http/core_rows.ts": "",
    "tests/http/user_test.ts": "",
    "tests/http/server_test.ts": "",
  };
  try {
    for (const [path, text] of Object.entries(files)) {
      const url = new URL(path, root);
      await Deno.mkdir(new URL("./", url), { recursive: true });
      await Deno.writeTextFile(url, text);
    }
    const cores = ["http/core.ts", "http/_private.ts"];
    assertEquals(testsOf(cores, "http", root).sort(), [
      "tests/http/core_limits_test.ts",
      "tests/http/core_test.ts",
      "tests/http/user_test.ts",
    ]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
