import { assertEquals } from "@std/assert";
import { loadVectors } from "../_support/vectors.ts";
import { loadTlsCases, unlisted } from "./vector_tls.ts";
import { type ChainVector, runChains } from "./vector_tls_chain.ts";

/** A path to be found among several. */
type PathCase = Omit<ChainVector, "time"> & {
  readonly hostname: string;
  readonly validation_time: string;
};

/** Name constraints, all below one root. */
type ConstraintCase = Omit<ChainVector, "roots"> & { readonly hostname: string };

const paths = loadTlsCases<PathCase>("chain-bettertls-path");
const constraints = loadVectors<{ readonly root: string; readonly cases: ConstraintCase[] }>(
  "tls-chain-bettertls-nc",
);

Deno.test({
  name: "verifyChain() finds the paths of BetterTLS, and within its budgets",
  ignore: paths === undefined,
  async fn() {
    const { judgements, most } = await runChains(paths!.map((item) => ({
      ...item,
      time: Date.parse(item.validation_time),
      options: { name: item.hostname },
    })));
    assertEquals(unlisted(judgements, []), []);
    assertEquals(most, { signatures: 10, nameComparisons: 1, pathSteps: 20 });
  },
});

Deno.test({
  name: "verifyChain() holds the name constraints of BetterTLS, and within its budgets",
  ignore: constraints === undefined,
  async fn() {
    const { root, cases } = constraints!;
    const { judgements, most } = await runChains(cases.map((item) => ({
      ...item,
      roots: [root],
      options: { name: item.hostname },
    })));
    assertEquals(unlisted(judgements, []), []);
    assertEquals(most, { signatures: 3, nameComparisons: 12, pathSteps: 3 });
  },
});
