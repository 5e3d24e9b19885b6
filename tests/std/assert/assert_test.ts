import nodeAssert from "node:assert";
import { assert, assertEquals, AssertionError, assertRejects, assertThrows } from "@std/assert";

// node's assert is the judge here: a stand-in must not be its own.

/** Whether `fn` throws an AssertionError; any other error goes through. */
function fails(fn: () => unknown): boolean {
  try {
    fn();
    return false;
  } catch (error) {
    nodeAssert.ok(error instanceof AssertionError, String(error));
    nodeAssert.equal(error.name, "AssertionError");
    return true;
  }
}

async function failsLater(fn: () => Promise<unknown>): Promise<boolean> {
  try {
    await fn();
    return false;
  } catch (error) {
    nodeAssert.ok(error instanceof AssertionError, String(error));
    return true;
  }
}

class Point {
  constructor(readonly x: number) {}
}

class Pixel {
  constructor(readonly x: number) {}
}

function loop(name: string): unknown {
  const value: { name: string; self?: unknown } = { name };
  value.self = value;
  return value;
}

const EQUAL: readonly [string, unknown, unknown][] = [
  ["zeros of both signs", 0, -0],
  ["NaN", NaN, NaN],
  ["keys in another order", { a: 1, b: { c: 2 } }, { b: { c: 2 }, a: 1 }],
  ["an object without prototype", Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ["typed arrays", new Uint8Array([1, 2]), new Uint8Array([1, 2])],
  ["a view into a larger buffer", new Uint8Array([0, 1, 2]).subarray(1), new Uint8Array([1, 2])],
  ["array buffers", new Uint8Array([1]).buffer, new Uint8Array([1]).buffer],
  ["maps in another order", new Map([[1, "a"], [2, "b"]]), new Map([[2, "b"], [1, "a"]])],
  ["maps with object keys", new Map([[{ k: 1 }, [1]]]), new Map([[{ k: 1 }, [1]]])],
  ["sets of objects", new Set([{ a: 1 }, { a: 2 }]), new Set([{ a: 2 }, { a: 1 }])],
  ["dates", new Date(5), new Date(5)],
  ["invalid dates", new Date(NaN), new Date(NaN)],
  ["regular expressions", /a/g, /a/g],
  ["URLs", new URL("http://a/b"), new URL("http://a/b")],
  ["instances of one class", new Point(1), new Point(1)],
  ["errors", new RangeError("a"), new RangeError("a")],
  ["cycles", loop("a"), loop("a")],
  ["symbol keys", { [Symbol.iterator]: 1 }, { [Symbol.iterator]: 1 }],
];

const UNEQUAL: readonly [string, unknown, unknown][] = [
  ["a number and its text", 1, "1"],
  ["null and undefined", null, undefined],
  ["a missing and an undefined key", { a: undefined }, {}],
  ["different undefined keys", { a: undefined }, { b: undefined }],
  ["arrays of different length", [1, 2], [1, 2, 3]],
  ["an array and an object", [], {}],
  ["typed arrays of different bytes", new Uint8Array([1, 2]), new Uint8Array([1, 3])],
  ["typed arrays of different length", new Uint8Array([1]), new Uint8Array([1, 0])],
  ["typed arrays of different kind", new Uint8Array([1]), new Int8Array([1])],
  ["floats in typed arrays", new Float64Array([1]), new Float64Array([2])],
  ["array buffers", new Uint8Array([1]).buffer, new Uint8Array([2]).buffer],
  ["maps with different values", new Map([[1, "a"]]), new Map([[1, "b"]])],
  ["maps with swapped values", new Map([[1, "a"], [2, "b"]]), new Map([[1, "b"], [2, "a"]])],
  ["sets", new Set([1, 2]), new Set([1, 3])],
  ["a set and a map", new Set(), new Map()],
  ["dates", new Date(5), new Date(6)],
  ["regular expressions", /a/g, /a/i],
  ["URLs", new URL("http://a/b"), new URL("http://a/c")],
  ["instances of different classes", new Point(1), new Pixel(1)],
  ["an instance and a plain object", new Point(1), { x: 1 }],
  ["errors of different message", new Error("a"), new Error("b")],
  ["errors of different class", new RangeError("a"), new TypeError("a")],
  ["cycles", loop("a"), loop("b")],
];

for (const [name, a, b] of EQUAL) {
  Deno.test(`assertEquals() accepts equal values: ${name}`, () => {
    nodeAssert.ok(!fails(() => assertEquals(a, b)));
    nodeAssert.ok(!fails(() => assertEquals(b, a)));
  });
}

for (const [name, a, b] of UNEQUAL) {
  Deno.test(`assertEquals() throws on unequal values: ${name}`, () => {
    nodeAssert.ok(fails(() => assertEquals(a, b)));
    nodeAssert.ok(fails(() => assertEquals(b, a)));
  });
}

Deno.test("assertEquals() cannot compare weak maps", () => {
  nodeAssert.throws(() => assertEquals(new WeakMap(), new WeakMap()), TypeError);
});

Deno.test("assertEquals() shows the difference and the caller's message", () => {
  nodeAssert.throws(() => assertEquals([1], [2], "row 7"), (error: Error) => {
    nodeAssert.match(error.message, /^Values are not equal: row 7/);
    nodeAssert.match(error.message, /2/);
    return true;
  });
});

Deno.test("assert() throws on every falsy value", () => {
  for (const value of [false, 0, 0n, "", null, undefined, NaN]) {
    nodeAssert.ok(fails(() => assert(value)));
  }
  nodeAssert.ok(!fails(() => assert("0")));
});

Deno.test("assertThrows() gives the error, of the class and with the text", () => {
  const error = new RangeError("too large");
  const thrower = (): never => {
    throw error;
  };
  nodeAssert.equal(assertThrows(thrower), error);
  nodeAssert.equal(assertThrows(thrower, RangeError), error);
  nodeAssert.equal(assertThrows(thrower, Error, "large"), error);
  nodeAssert.ok(fails(() => assertThrows(thrower, TypeError)));
  nodeAssert.ok(fails(() => assertThrows(thrower, RangeError, "small")));
  nodeAssert.ok(fails(() => assertThrows(() => {})));
});

Deno.test("assertThrows() accepts a thrown non-error only without a class", () => {
  const thrower = (): never => {
    // deno-lint-ignore no-throw-literal
    throw "text";
  };
  nodeAssert.equal(assertThrows(thrower), "text");
  nodeAssert.ok(fails(() => assertThrows(thrower, Error)));
});

Deno.test("assertRejects() gives the reason, of the class and with the text", async () => {
  const error = new RangeError("too large");
  const rejecter = (): Promise<never> => Promise.reject(error);
  nodeAssert.equal(await assertRejects(rejecter), error);
  nodeAssert.equal(await assertRejects(rejecter, RangeError, "large"), error);
  nodeAssert.ok(await failsLater(() => assertRejects(rejecter, TypeError)));
  nodeAssert.ok(await failsLater(() => assertRejects(rejecter, RangeError, "small")));
  nodeAssert.ok(await failsLater(() => assertRejects(() => Promise.resolve())));
});

Deno.test("assertRejects() throws on a function that throws at once", async () => {
  const thrower = (): never => {
    throw new RangeError("at once");
  };
  nodeAssert.ok(await failsLater(() => assertRejects(thrower, RangeError)));
});
