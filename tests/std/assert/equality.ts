import { AssertionError as NodeAssertionError } from "node:assert";
import { inspect } from "node:util";
import { AssertionError } from "./assertion_error.ts";
import { equal } from "./_equal.ts";
import { suffix } from "./_suffix.ts";

/** Throws unless `actual` and `expected` are equal in structure. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  throw new AssertionError(`Values are not equal${suffix(msg)}${differences(actual, expected)}`);
}

/** Throws if `actual` and `expected` are equal in structure. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) return;
  throw new AssertionError(
    `Expected actual: ${inspect(actual)} not to be: ${inspect(expected)}${suffix(msg)}`,
  );
}

/** Throws unless `actual` and `expected` are the same value, as `Object.is` has it. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  throw new AssertionError(
    `Values are not strictly equal${suffix(msg)}${differences(actual, expected)}`,
  );
}

/** What node's `assert` would say about the two values: a diff, cut to a readable length. */
function differences(actual: unknown, expected: unknown): string {
  const operator = "deepStrictEqual";
  return `\n\n${new NodeAssertionError({ actual, expected, operator }).message}\n`;
}
