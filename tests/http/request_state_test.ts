import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { RequestState, StateKey } from "../../http/request_state.ts";

const COUNT = new StateKey<number>("count");
const MAYBE = new StateKey<string | undefined>("maybe");

Deno.test("RequestState gives back what was set, the last of several", () => {
  const state = new RequestState();
  assertEquals([state.get(COUNT), state.has(COUNT)], [undefined, false]);
  state.set(COUNT, 1);
  state.set(COUNT, 2);
  assertEquals([state.get(COUNT), state.require(COUNT), state.has(COUNT)], [2, 2, true]);
  const value = {};
  const key = new StateKey<object>("object");
  state.set(key, value);
  assertStrictEquals(state.require(key), value);
});

Deno.test("RequestState.require() throws where nothing was set, not where undefined was", () => {
  const state = new RequestState();
  assertThrows(() => state.require(MAYBE), TypeError);
  state.set(MAYBE, undefined);
  assertEquals([state.require(MAYBE), state.has(MAYBE)], [undefined, true]);
});

Deno.test("RequestState.delete() forgets, and does nothing where nothing is", () => {
  const state = new RequestState();
  state.delete(COUNT);
  state.set(COUNT, 1);
  state.delete(COUNT);
  assertEquals([state.get(COUNT), state.has(COUNT)], [undefined, false]);
  assertThrows(() => state.require(COUNT), TypeError);
});

Deno.test("two keys of one name are two keys", () => {
  const state = new RequestState();
  const other = new StateKey<number>(COUNT.name);
  state.set(COUNT, 1);
  assertEquals([state.has(other), other.name], [false, "count"]);
  state.set(other, 2);
  assertEquals([state.get(COUNT), state.get(other)], [1, 2]);
});

Deno.test("a key knows its type", () => {
  const state = new RequestState();
  // @ts-expect-error The value is no number.
  state.set(COUNT, "one");
  const text: string | undefined = state.get(new StateKey<string>("text"));
  // @ts-expect-error A number is no text.
  const wrong: string | undefined = state.get(COUNT);
  assertEquals([text, typeof wrong], [undefined, "string"]);
});
