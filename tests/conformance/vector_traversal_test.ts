import { assertEquals } from "@std/assert";
import { Router } from "../../http/router.ts";
import type { RoutePathOptions } from "../../http/route_path.ts";
import { request, ServerHarness } from "../_support/server_harness.ts";
import { loadVectors } from "../_support/vectors.ts";
import { type Judgement, unlisted } from "./vector_difference.ts";

/** A request target that tries to reach a file outside of what is served. */
interface TraversalCase {
  readonly name: string;
  readonly target: string;
  /** Where its source says: refused, or for 200 not refused for its dots. */
  readonly expect?: { readonly status: number };
}

const FILE = "marker.txt";
/** A folder so deep that no target gets above what it names. */
const ROOT = ["srv", "www", "public"];

const vectors = loadVectors<{ readonly cases: readonly TraversalCase[] }>("traversal");

/** Where a careless file server looks: slashes of both kinds, decoded once more. */
function escapes(path: string): boolean {
  const folder = [...ROOT];
  for (const segment of decodeOnceMore(path).split(/[/\\]/)) {
    if (segment === "..") folder.pop();
    else if (segment !== "" && segment !== ".") folder.push(segment);
    if (!ROOT.every((name, index) => folder[index] === name)) return true;
  }
  return false;
}

/** As far as it can be decoded: what cannot stays. */
function decodeOnceMore(path: string): string {
  return path.replace(/%[0-9a-f]{2}/gi, (pair) => String.fromCharCode(parseInt(pair.slice(1), 16)));
}

async function outcomes(options: RoutePathOptions): Promise<Judgement[]> {
  const app = new Router(options);
  app.get("/*path", (ctx) => {
    const isOutside = escapes(ctx.params.path);
    ctx.text(isOutside ? "outside" : "inside");
  });
  await using harness = new ServerHarness(app.handler);
  const judgements: Judgement[] = [];
  for (const { name, target, expect } of vectors!.cases) {
    const wire = request(`GET ${target.replaceAll("{FILE}", FILE)}`);
    const { status, body } = await harness.request(wire);
    const got = status === 200 ? body : String(status);
    judgements.push({
      name,
      wanted: expect === undefined ? "inside or refused" : `about ${expect.status}`,
      got,
      isAgreed: expect === undefined
        ? got === "inside" || status === 400
        : (status === 200) === (expect.status === 200),
    });
  }
  assertEquals(harness.reported, []);
  return judgements;
}

Deno.test({
  name: "no traversal target leads out of a wildcard",
  ignore: vectors === undefined,
  async fn() {
    const judgements = await outcomes({});
    assertEquals(unlisted(judgements, []), []);
    // Those that say nothing to a decoder of one pass are let through as names.
    assertEquals(judgements.some(({ got }) => got === "inside"), true);
    assertEquals(judgements.some(({ got }) => got === "400"), true);
  },
});

Deno.test({
  name: "no traversal target leads out of a wildcard where slashes merge",
  ignore: vectors === undefined,
  async fn() {
    assertEquals(unlisted(await outcomes({ duplicateSlashes: "merge" }), []), []);
  },
});

Deno.test("the check of traversal targets finds what leads out", () => {
  for (const path of ["../a", "a/../../b", "..\\a", "..%2fa", "%2e%2e/a", "x/..//../../y"]) {
    assertEquals(escapes(path), true, path);
  }
  for (const path of ["", "a/../b", "...", "%252e%252e/a", "a..b"]) {
    assertEquals(escapes(path), false, path);
  }
});
