import { assert, assertEquals } from "@std/assert";
import { forwardTo } from "../../http/_adapter_stand_in.ts";

const STATE = Symbol("state");

class Platform {
  [STATE] = "kept";
  #name = "true";

  get name(): string {
    return this.#name;
  }

  set name(name: string) {
    this.#name = name;
  }

  add(a: number, b: number): string {
    return `${this.#name} ${a + b}`;
  }

  own(): string {
    return "true";
  }
}

class Light {
  madeCount = 0;
  #platform: Platform | undefined;

  own(): string {
    return "light";
  }

  toTrue(): Platform {
    if (this.#platform === undefined) this.madeCount++;
    return this.#platform ??= new Platform();
  }
}

forwardTo(Light.prototype, Platform.prototype, new Platform());

Deno.test("forwardTo() leaves alone what the light class has, and makes nothing for it", () => {
  const light = new Light();
  assert(light instanceof Platform);
  assertEquals([(light as Light).own(), (light as Light).madeCount], ["light", 0]);
  assertEquals(light.constructor, Light);
});

Deno.test("forwardTo() has all else from one true object: properties, methods and symbols", () => {
  const light = new Light();
  const shown = light as unknown as Platform;
  assertEquals([shown.name, shown.add(1, 2), shown[STATE]], ["true", "true 3", "kept"]);
  shown.name = "changed";
  shown[STATE] = "new";
  assertEquals([light.toTrue().name, shown.add(1, 2), light.toTrue()[STATE]], [
    "changed",
    "changed 3",
    "new",
  ]);
  assertEquals(light.madeCount, 1);
});
