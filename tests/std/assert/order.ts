import { inspect } from "node:util";
import { AssertionError } from "./assertion_error.ts";
import { suffix } from "./_suffix.ts";

/** Throws unless `actual > expected`. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual > expected)) throw orderError(actual, ">", expected, msg);
}

function orderError(
  actual: unknown,
  operator: string,
  expected: unknown,
  msg: string | undefined,
): AssertionError {
  return new AssertionError(
    `Expect ${inspect(actual)} ${operator} ${inspect(expected)}${suffix(msg)}`,
  );
}
