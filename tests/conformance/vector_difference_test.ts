import { assertEquals } from "@std/assert";
import { type Difference, type Judgement, unlisted } from "./vector_difference.ts";

const AGREED: Judgement = { name: "a", wanted: "error", got: "error X", isAgreed: true };
const OTHER: Judgement = { name: "b", wanted: "complete", got: "error Y", isAgreed: false };
const ROW: Difference = { name: "b", gives: "error Y", clause: "section 1", reason: "lax" };

Deno.test("unlisted() is empty where all differences are listed", () => {
  assertEquals(unlisted([AGREED, OTHER], [ROW]), []);
});

Deno.test("unlisted() names a difference that is not listed", () => {
  assertEquals(unlisted([AGREED, OTHER], []).length, 1);
});

Deno.test("unlisted() names a difference listed with another outcome", () => {
  assertEquals(unlisted([OTHER], [{ ...ROW, gives: "error X" }]).length, 1);
});

Deno.test("unlisted() names a row that is not in use", () => {
  assertEquals(unlisted([AGREED], [{ ...ROW, name: "a" }]).length, 1);
  assertEquals(unlisted([AGREED], [ROW]).length, 1);
});

Deno.test("unlisted() names a row that comes twice", () => {
  assertEquals(unlisted([OTHER], [ROW, ROW]).length, 1);
});
