/**
 * A stand-in for as much of `Deno` as tests of cores use, with a runner for them: so they run
 * where there is no Deno. It permits nothing, as `deno test --no-prompt` does.
 */

import { definePortableBuiltins } from "./portable_builtins.ts";
import { inspect } from "./portable_node.ts";

/** What became of tests. */
export interface PortableResult {
  /** How many passed. */
  passed: number;
  /** Names of the tests that failed, and how. */
  readonly failed: string[];
  /** Names of the tests that were left out. */
  readonly ignored: string[];
}

interface PortableTest {
  readonly name: string;
  readonly ignore?: boolean;
  readonly fn: () => unknown;
}

/**
 * Loads test files one after the other, by path, and runs their tests.
 *
 * @param files What loads each of them.
 * @param leaveOut The names of the tests that are left out, besides those that say so themselves.
 */
export async function runPortableTests(
  files: Readonly<Record<string, () => Promise<unknown>>>,
  leaveOut?: RegExp,
): Promise<PortableResult> {
  definePortableBuiltins();
  const result: PortableResult = { passed: 0, failed: [], ignored: [] };
  for (const [path, load] of Object.entries(files)) {
    const tests: PortableTest[] = [];
    Object.assign(globalThis, { Deno: standIn(tests) });
    try {
      await load();
    } catch (error) {
      result.failed.push(`${path}: ${describe(error)}`);
    }
    for (const test of tests) {
      if (test.ignore || leaveOut?.test(test.name)) result.ignored.push(test.name);
      else await attempt(result, test);
    }
  }
  return result;
}

async function attempt(result: PortableResult, { name, fn }: PortableTest): Promise<void> {
  try {
    await fn();
    result.passed++;
  } catch (error) {
    result.failed.push(`${name}: ${describe(error)}`);
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return inspect(error);
  const cause = error.cause === undefined ? "" : `, caused by ${describe(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

function standIn(tests: PortableTest[]): unknown {
  const errors: Record<string, new (message?: string) => Error> = {};
  const refuse = (): never => {
    throw new DenoErrors.NotCapable!("Nothing is permitted");
  };
  const DenoErrors = new Proxy(errors, {
    // Tables of them are made when a module is loaded: any of them may be asked for.
    get: (_target, name) => errors[String(name)] ??= class extends Error {},
  });
  return {
    test(test: string | PortableTest, fn?: () => unknown): void {
      const entry = typeof test === "string" ? { name: test, fn } : test;
      if (typeof entry?.fn !== "function") throw new TypeError("Cannot take such a test");
      tests.push(entry as PortableTest);
    },
    inspect,
    errors: DenoErrors,
    env: { get: refuse },
    readTextFileSync: refuse,
    permissions: { querySync: () => ({ state: "denied" }) },
  };
}
