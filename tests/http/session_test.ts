import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { HttpStateError } from "../../http/errors.ts";
import { Session } from "../../http/session.ts";
import { SessionDraft } from "../../http/session_draft.ts";

interface Data {
  user: string;
  roles: string[];
}

/** A session that is held by nothing but its draft. */
function sessionOf(data?: Partial<Data>): [Session<Data>, SessionDraft, string[]] {
  const life = { createdUnixMs: 0, usedUnixMs: 0, expiresUnixMs: 1, isRetired: false, version: 1 };
  const draft = new SessionDraft({
    id: data && "id",
    record: data && { ...life, data: JSON.stringify(data) },
    isPresented: false,
    needsCookie: false,
    maxDataBytes: 1_000,
  });
  const saved: string[] = [];
  const save = (): Promise<void> => Promise.resolve(void saved.push(draft.toData()));
  return [new Session<Data>(draft, 5_000, save), draft, saved];
}

Deno.test("Session reads, sets and deletes values by key", () => {
  const [session] = sessionOf({ user: "ada", roles: [] });
  assertEquals([session.isNew, session.get("user"), session.has("roles")], [false, "ada", true]);
  session.set("roles", ["admin"]);
  session.delete("user");
  assertEquals([session.get("roles"), session.has("user")], [["admin"], false]);
  session.clear();
  assertEquals([session.has("roles"), session.isNew], [false, false]);
});

Deno.test("Session is new until something of it is stored", () => {
  const [session] = sessionOf();
  session.set("user", "ada");
  assertEquals([session.isNew, session.get("user")], [true, "ada"]);
});

Deno.test("Session.flash() does not meet the keys, and clear() takes it too", () => {
  const [session] = sessionOf({ user: "ada" });
  session.flash("user", "welcome");
  assertEquals([session.get("user"), session.takeFlash("user")], ["ada", "welcome"]);
  assertEquals([session.takeFlash("user"), session.get("user")], [undefined, "ada"]);
  session.flash("user", 0);
  session.clear();
  assertEquals(session.takeFlash("user"), undefined);
});

Deno.test("Session.rotate() notes the grace of the options, or another", () => {
  const [session, draft] = sessionOf({ user: "ada" });
  session.rotate();
  assertEquals(draft.rotationGraceMs, 5_000);
  session.rotate({ graceMs: 0 });
  assertEquals(draft.rotationGraceMs, 0);
  for (const graceMs of [-1, NaN, 3_600_001]) {
    assertThrows(() => session.rotate({ graceMs }), RangeError);
  }
});

Deno.test("Session.destroy() forgets everything and any rotation", () => {
  const [session, draft] = sessionOf({ user: "ada" });
  session.rotate();
  session.destroy();
  assertEquals([session.has("user"), draft.isDestroyed, draft.rotationGraceMs], [
    false,
    true,
    undefined,
  ]);
});

Deno.test("Session.save() stores at once, and not when the handler has settled", async () => {
  const [session, draft, saved] = sessionOf();
  session.set("user", "ada");
  await session.save();
  assertEquals(saved, ['{"user":"ada"}']);
  draft.isClosed = true;
  const error = await assertRejects(() => session.save(), HttpStateError);
  assertEquals([error.code, error.event], ["ERR_HTTP_CONTEXT_EXPIRED", "save"]);
});
