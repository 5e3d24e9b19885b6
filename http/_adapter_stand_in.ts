/** An object of ours that stands in for one of the platform, which it can make. */
export interface StandIn {
  /** Makes it, or gives the one that was made. */
  toTrue(): object;
}

/**
 * Puts a class of the platform behind one of ours, whatever this runtime's has: each property that
 * the light one lacks is that of the true one, and so is the state that the runtime keeps under
 * symbols.
 *
 * @param light Prototype of our class.
 * @param behind Prototype of the platform's.
 * @param sample An object of that class.
 */
export function forwardTo(light: StandIn, behind: object, sample: object): void {
  Object.setPrototypeOf(light, behind);
  for (const key of Reflect.ownKeys(behind)) {
    const descriptor = Object.getOwnPropertyDescriptor(behind, key)!;
    if (key === "constructor" || Object.hasOwn(light, key)) continue;
    if (descriptor.get !== undefined) forwardProperty(light, key);
    else if (typeof descriptor.value === "function") forwardMethod(light, key);
  }
  for (const key of Object.getOwnPropertySymbols(sample)) {
    if (!Object.hasOwn(light, key)) forwardProperty(light, key);
  }
}

function forwardProperty(light: StandIn, key: PropertyKey): void {
  Object.defineProperty(light, key, {
    configurable: true,
    get(this: StandIn): unknown {
      return Reflect.get(this.toTrue(), key);
    },
    set(this: StandIn, value: unknown): void {
      Reflect.set(this.toTrue(), key, value);
    },
  });
}

function forwardMethod(light: StandIn, key: PropertyKey): void {
  Object.defineProperty(light, key, {
    configurable: true,
    writable: true,
    value(this: StandIn, ...args: unknown[]): unknown {
      const original = this.toTrue();
      return Reflect.apply(Reflect.get(original, key), original, args);
    },
  });
}
