import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { applyMutantPatch, parseMutantPatch } from "./mutant_patch.ts";

const ROOT = new URL("../../", import.meta.url);
const MUTANTS = new URL("mutants/", import.meta.url);
const MUTANT_COUNT = 12;
const PATCH = `One is two.
workload: dns

--- a/dns/one.ts
+++ b/dns/one.ts
@@ -1,3 +1,3 @@
 first
-1
+2
 last
`;

Deno.test("parseMutantPatch() reads why, workload, file and places", () => {
  assertEquals(parseMutantPatch(PATCH), {
    why: "One is two.",
    workload: "dns",
    path: "dns/one.ts",
    hunks: [{ before: "first\n1\nlast\n", after: "first\n2\nlast\n" }],
  });
});

for (
  const [name, text] of [
    ["no reason", PATCH.slice(PATCH.indexOf("---"))],
    ["an unknown workload", PATCH.replace("dns\n", "rain\n")],
    ["no change", PATCH.replace("+2", "+1")],
  ] as const
) {
  Deno.test(`parseMutantPatch() throws on ${name}`, () => {
    assertThrows(() => parseMutantPatch(text), SyntaxError);
  });
}

Deno.test("applyMutantPatch() finds the place whatever its line is", () => {
  const patch = parseMutantPatch(PATCH);
  assertEquals(applyMutantPatch("x\ny\nfirst\n1\nlast\n", patch), "x\ny\nfirst\n2\nlast\n");
});

for (const source of ["first\n3\nlast\n", "first\n1\nlast\nfirst\n1\nlast\n"]) {
  Deno.test(`applyMutantPatch() throws on ${JSON.stringify(source)}`, () => {
    assertThrows(() => applyMutantPatch(source, parseMutantPatch(PATCH)), Error);
  });
}

Deno.test("applyMutantPatch() applies every mutant to the tree as it is", () => {
  const names = Array.from(Deno.readDirSync(MUTANTS), ({ name }) => name).toSorted();
  assertEquals(names.length, MUTANT_COUNT);
  for (const name of names) {
    const patch = parseMutantPatch(Deno.readTextFileSync(new URL(name, MUTANTS)));
    const source = Deno.readTextFileSync(new URL(patch.path, ROOT));
    assertNotEquals(applyMutantPatch(source, patch), source);
    assert(patch.why.endsWith("."), name);
  }
});
