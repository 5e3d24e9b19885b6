import { assertEquals, assertGreater } from "@std/assert";
import { isPublicSuffix, registrableDomain } from "../../http/public_suffix.ts";
import { loadVectors } from "../_support/vectors.ts";

interface SuffixCase {
  readonly name: string;
  readonly input: string | null;
  readonly expect: string | null;
}

const vectors = loadVectors<{ readonly cases: readonly SuffixCase[] }>("psl");

/** The list comes from npm, which cannot be reached everywhere. */
const problem = await isPublicSuffix("com").then(() => undefined, (error: Error) => error);
if (problem !== undefined) console.warn(`psl skipped: ${problem.message}`);

const cases = (vectors?.cases ?? []).filter(({ input }) => input !== null);
const ignore = vectors === undefined || problem !== undefined;

/** The vectors are names in any form; the functions take what a URL has as its host. */
function canonical(host: string): string {
  const isAscii = /^[ -~]*$/.test(host);
  return isAscii ? host.toLowerCase() : new URL(`http://${host}/`).hostname;
}

Deno.test({
  name: "registrableDomain() gives what the public suffix list says",
  ignore,
  async fn() {
    assertGreater(cases.length, 35);
    for (const { name, input, expect } of cases) {
      const wanted = expect === null ? undefined : canonical(expect);
      assertEquals(await registrableDomain(canonical(input!)), wanted, name);
    }
  },
});

Deno.test({
  name: "isPublicSuffix() holds for what has no registrable domain, and for nothing else",
  ignore,
  async fn() {
    for (const { name, input, expect } of cases) {
      const host = canonical(input!);
      if (host.startsWith(".")) continue;
      assertEquals(await isPublicSuffix(host), expect === null, name);
    }
  },
});
