import { assertEquals, assertThrows } from "@std/assert";
import { LimitExceededError } from "../../nbio/errors.ts";
import { ChainBudget, type ChainBudgets } from "../../tls/chain_budget.ts";

const COUNTED = [
  ["maxSignatures", "countSignature", "signatures"],
  ["maxNameComparisons", "countNameComparison", "nameComparisons"],
  ["maxPathSteps", "countPathStep", "pathSteps"],
] as const;

for (const [limit, method, step] of COUNTED) {
  Deno.test(`ChainBudget.${method}() ends at ${limit}`, () => {
    const budget = new ChainBudget({ [limit]: 3 });
    for (let count = 1; count <= 3; count++) {
      budget[method]();
      assertEquals(budget.steps[step], count);
    }
    const error = assertThrows(() => budget[method](), LimitExceededError);
    assertEquals([error.limit, error.max, budget.steps[step]], [limit, 3, 3]);
  });
}

Deno.test("ChainBudget.checkIntermediates() ends above maxIntermediates", () => {
  const budget = new ChainBudget({ maxIntermediates: 2 });
  budget.checkIntermediates(2);
  assertThrows(() => budget.checkIntermediates(3), LimitExceededError);
});

Deno.test("ChainBudget has the defaults that are documented", () => {
  const budget = new ChainBudget({});
  assertEquals(budget.maxDepth, 8);
  budget.checkIntermediates(100);
  assertThrows(() => budget.checkIntermediates(101), LimitExceededError);
  for (
    const [method, count] of [
      ["countSignature", 100],
      ["countPathStep", 10_000],
      ["countNameComparison", 250_000],
    ] as const
  ) {
    for (let i = 0; i < count; i++) budget[method]();
    assertThrows(() => budget[method](), LimitExceededError);
  }
});

const RANGES: Readonly<Record<keyof ChainBudgets, readonly [least: number, most: number]>> = {
  maxDepth: [0, 100],
  maxSignatures: [1, 10_000],
  maxNameComparisons: [1, 1_000_000_000],
  maxPathSteps: [1, 1_000_000],
  maxIntermediates: [0, 10_000],
};

for (const [name, [least, most]] of Object.entries(RANGES)) {
  Deno.test(`ChainBudget takes ${name} from ${least} to ${most}`, () => {
    for (const value of [least, most]) new ChainBudget({ [name]: value });
    for (const value of [least - 1, most + 1, 1.5, NaN, Infinity]) {
      assertThrows(() => new ChainBudget({ [name]: value }), RangeError);
    }
  });
}
