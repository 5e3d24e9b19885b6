/**
 * Whether `a` and `b` are equal in structure: NaN equals itself, 0 equals -0, the order of keys,
 * entries and set members does not matter, classes must be the same.
 */
export function equal(a: unknown, b: unknown): boolean {
  return new Comparison().equal(a, b);
}

class Comparison {
  /** Pairs under way or done; a pair met again is taken as equal, which ends cycles. */
  readonly #seen = new Map<object, object>();

  equal(a: unknown, b: unknown): boolean {
    if (typeof a === "number" && typeof b === "number") {
      return a === b || (Number.isNaN(a) && Number.isNaN(b));
    }
    if (Object.is(a, b)) return true;
    if (!isObject(a) || !isObject(b)) return false;
    if (!sameClass(a, b)) return false;
    if (a instanceof RegExp || a instanceof URL) return String(a) === String(b);
    if (a instanceof Date && b instanceof Date) return this.equal(a.getTime(), b.getTime());
    if (a instanceof Uint8Array && b instanceof Uint8Array) return sameBytes(a, b);
    if (a instanceof WeakMap || a instanceof WeakSet) {
      throw new TypeError(`cannot compare ${a.constructor.name} instances`);
    }
    if (a instanceof WeakRef && b instanceof WeakRef) return this.equal(a.deref(), b.deref());
    return this.#equalObjects(a, b);
  }

  #equalObjects(a: object, b: object): boolean {
    if (this.#seen.get(a) === b) return true;
    if (Object.keys(a).length !== Object.keys(b).length) return false;
    this.#seen.set(a, b);
    const result = this.#equalContents(a, b);
    // A pair found unequal may be tried again on the way through a set or map.
    if (!result) this.#seen.delete(a);
    return result;
  }

  #equalContents(a: object, b: object): boolean {
    if (a instanceof ArrayBuffer && b instanceof ArrayBuffer) {
      return sameBytes(new Uint8Array(a), new Uint8Array(b));
    }
    if (a instanceof Map && b instanceof Map) return this.#equalEntries(a, b);
    if (a instanceof Set && b instanceof Set) return this.#equalEntries(a, b);
    return this.#equalProperties(a, b);
  }

  #equalEntries(
    a: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>,
    b: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>,
  ): boolean {
    if (a.size !== b.size) return false;
    const open = [...b.entries()];
    for (const [key, value] of a.entries()) {
      const index = open.findIndex(([k, v]) => this.equal(key, k) && this.equal(value, v));
      if (index < 0) return false;
      open.splice(index, 1);
    }
    return true;
  }

  #equalProperties(a: object, b: object): boolean {
    for (const key of comparedKeys(a, b)) {
      if (key in a !== key in b) return false;
      if (!this.equal(Reflect.get(a, key), Reflect.get(b, key))) return false;
    }
    return true;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Whether both have the same prototype, where none counts as that of a plain object. */
function sameClass(a: object, b: object): boolean {
  return (Object.getPrototypeOf(a) ?? Object.prototype) ===
    (Object.getPrototypeOf(b) ?? Object.prototype);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

/** Own keys of both; those of errors count although `message` is not enumerable. */
function comparedKeys(a: object, b: object): Set<PropertyKey> {
  const keys = new Set<PropertyKey>([...enumerableKeys(a), ...enumerableKeys(b)]);
  if (a instanceof Error) keys.add("name").add("message").add("cause");
  return keys;
}

function enumerableKeys(value: object): PropertyKey[] {
  return Reflect.ownKeys(value).filter((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key)
  );
}
