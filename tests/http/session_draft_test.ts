import { assertEquals, assertThrows } from "@std/assert";
import { HttpStateError } from "../../http/errors.ts";
import { SessionDraft } from "../../http/session_draft.ts";
import type { StoredSession } from "../../http/session_store.ts";

function stored(data: unknown): StoredSession {
  return {
    data: JSON.stringify(data),
    createdUnixMs: 0,
    usedUnixMs: 0,
    expiresUnixMs: 1_000,
    isRetired: false,
    version: 1,
  };
}

function draftOf(data?: unknown, maxDataBytes = 1_000): SessionDraft {
  const record = data === undefined ? undefined : stored(data);
  const id = data === undefined ? undefined : "id";
  return new SessionDraft({ id, record, isPresented: false, needsCookie: false, maxDataBytes });
}

Deno.test("SessionDraft knows what was loaded and what was changed", () => {
  const draft = draftOf({ a: 1, b: [2] });
  assertEquals([draft.get("a"), draft.get("b"), draft.get("c")], [1, [2], undefined]);
  assertEquals([draft.isChanged, draft.isEmpty, draft.keys()], [false, false, ["a", "b"]]);
  draft.set("a", { c: 3 });
  draft.delete("b");
  assertEquals([draft.get("a"), draft.get("b"), draft.isChanged], [{ c: 3 }, undefined, true]);
  assertEquals(draft.toData(), '{"a":{"c":3}}');
});

Deno.test("SessionDraft.delete() of what is not there changes nothing", () => {
  const draft = draftOf({});
  draft.delete("a");
  assertEquals([draft.isChanged, draft.isEmpty], [false, true]);
});

Deno.test("SessionDraft.set() keeps a copy", () => {
  const draft = draftOf();
  const list = [1];
  draft.set("a", list);
  list.push(2);
  assertEquals([draft.get("a"), draft.toData()], [[1], '{"a":[1]}']);
});

Deno.test("SessionDraft.set() throws on what has no JSON text, and keeps what was", () => {
  const draft = draftOf({ a: 1 });
  const cycle: unknown[] = [];
  cycle.push(cycle);
  for (const value of [undefined, () => {}, Symbol("s"), 1n, cycle]) {
    assertThrows(() => draft.set("a", value), TypeError);
  }
  assertEquals([draft.get("a"), draft.isChanged], [1, false]);
});

for (const [length, isAllowed] of [[11, true], [12, true], [13, false]] as const) {
  Deno.test(`SessionDraft.set() ${isAllowed ? "allows" : "refuses"} ${length} of 12 bytes`, () => {
    const draft = draftOf({ a: "" }, 12);
    const set = (): void => draft.set("a", "\xe4".repeat(2) + "b".repeat(length - 12));
    if (length === 11) draft.set("a", "\xe4b");
    else if (isAllowed) set();
    else assertThrows(set, RangeError);
    assertEquals(draft.isChanged, isAllowed);
    const bytes = new TextEncoder().encode(draft.toData()).length;
    assertEquals(bytes, isAllowed ? length : 8);
  });
}

Deno.test("SessionDraft keeps names of the language as keys like others", () => {
  const draft = draftOf();
  draft.set("__proto__", { isAdmin: true });
  draft.set("constructor", 1);
  const again = draftOf();
  again.rebase({ ...stored({}), data: draft.toData() });
  assertEquals(again.get("__proto__"), { isAdmin: true });
  assertEquals(again.get("constructor"), 1);
  assertEquals(again.get("isAdmin"), undefined);
  assertEquals(again.get("toString"), undefined);
  assertEquals(({} as Record<string, unknown>)["isAdmin"], undefined);
});

Deno.test("SessionDraft.rebase() makes the own changes on what others have stored", () => {
  const draft = draftOf({ a: 1, b: 1, c: 1 });
  draft.set("a", 2);
  draft.delete("b");
  draft.rebase(stored({ a: 9, b: 9, c: 9, d: 9 }));
  assertEquals(draft.toData(), '{"a":2,"c":9,"d":9}');
  draft.rebase(undefined);
  assertEquals(draft.toData(), '{"a":2}');
});

Deno.test("SessionDraft.destroy() forgets everything, and what is set then is new", () => {
  const draft = draftOf({ a: 1 });
  draft.set("b", 2);
  draft.rotationGraceMs = 5;
  draft.destroy();
  assertEquals([draft.isDestroyed, draft.isEmpty, draft.isChanged], [true, true, false]);
  assertEquals(draft.rotationGraceMs, undefined);
  draft.set("c", 3);
  assertEquals(draft.toData(), '{"c":3}');
});

Deno.test("SessionDraft throws on changes when the request is over", () => {
  const draft = draftOf({ a: 1 });
  draft.isClosed = true;
  for (
    const change of [
      () => draft.set("a", 2),
      () => draft.delete("a"),
      () => draft.destroy(),
    ]
  ) {
    assertEquals(assertThrows(change, HttpStateError).code, "ERR_HTTP_CONTEXT_EXPIRED");
  }
  assertEquals(draft.get("a"), 1);
});
