import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { HttpError } from "../../http/errors.ts";
import {
  changesIdentity,
  changesStore,
  commitSession,
  type CookieChange,
  SESSION_ID,
} from "../../http/session_commit.ts";
import { SessionDraft } from "../../http/session_draft.ts";
import { MemorySessionStore, type SessionStore } from "../../http/session_store.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";

const IDLE_MS = 1_000;
const ABSOLUTE_MS = 5_000;

/** A store, answering at once or later, and what requests do with it. */
class Scene {
  readonly clock = new ManualClock();
  readonly memory = new MemorySessionStore({ clock: this.clock });
  readonly store: SessionStore;
  setCount = 0;

  constructor(isLate: boolean) {
    const { memory } = this;
    const late = <T>(value: T): T | Promise<T> => isLate ? Promise.resolve(value) : value;
    this.store = {
      get: (id) => late(memory.get(id)),
      set: (id, session, version) => {
        this.setCount++;
        return late(memory.set(id, session, version));
      },
      delete: (id) => late(memory.delete(id)),
    };
  }

  /** What a request with this id has at first. */
  open(id?: string): SessionDraft {
    const record = id === undefined ? undefined : this.memory.get(id);
    return new SessionDraft({
      id: record === undefined ? undefined : id,
      record,
      isPresented: id !== undefined,
      needsCookie: false,
      maxDataBytes: 10_000,
    });
  }

  commit(draft: SessionDraft, store: SessionStore = this.store): Promise<CookieChange> {
    const rules = {
      store,
      idleTimeoutMs: IDLE_MS,
      absoluteTimeoutMs: ABSOLUTE_MS,
      renewAfterMs: IDLE_MS / 4,
    };
    return commitSession(draft, rules, this.clock.wallNow());
  }

  /** Stores a session and gives its id. */
  async begin(data: Record<string, unknown>): Promise<string> {
    const draft = this.open();
    for (const [key, value] of Object.entries(data)) draft.set(key, value);
    return idOf(await this.commit(draft));
  }

  dataOf(id: string): unknown {
    const record = this.memory.get(id);
    return record === undefined ? undefined : JSON.parse(record.data);
  }
}

function idOf(change: CookieChange): string {
  if (change?.type !== "set") throw new Error("No cookie is set");
  return change.id;
}

function sceneTest(name: string, fn: (scene: Scene) => Promise<void>): void {
  for (const isLate of [false, true]) {
    const store = isLate ? "late" : "prompt";
    Deno.test(`commitSession() ${name}, with a ${store} store`, () => fn(new Scene(isLate)));
  }
}

sceneTest("stores nothing of a session nobody wrote to", async (scene) => {
  for (const draft of [scene.open(), scene.open("unknown")]) {
    assertEquals([changesIdentity(draft), changesStore(draft)], [false, false]);
    assertEquals(await scene.commit(draft), undefined);
    draft.rotationGraceMs = 5;
    assertEquals(changesIdentity(draft), false);
    assertEquals(await scene.commit(draft), undefined);
  }
  assertEquals([scene.memory.size, scene.setCount], [0, 0]);
});

sceneTest("stores a new session under an id of its own", async (scene) => {
  const ids = new Set<string>();
  for (let count = 0; count < 10; count++) {
    const draft = scene.open();
    draft.set("a", count);
    assertEquals(changesIdentity(draft), true);
    const change = await scene.commit(draft);
    const id = idOf(change);
    assertEquals(change, { type: "set", id, expiresUnixMs: IDLE_MS });
    assertEquals([SESSION_ID.test(id), scene.dataOf(id)], [true, { a: count }]);
    ids.add(id);
  }
  assertEquals(ids.size, 10);
});

sceneTest("writes a use of a session when its time has come", async (scene) => {
  const id = await scene.begin({ a: 1 });
  scene.clock.advance(249);
  assertEquals(await scene.commit(scene.open(id)), undefined);
  assertEquals(scene.setCount, 1);
  scene.clock.advance(1);
  const change = await scene.commit(scene.open(id));
  assertEquals(change, { type: "set", id, expiresUnixMs: 1_250 });
  assertEquals(await scene.commit(scene.open(id)), undefined);
  assertEquals(scene.setCount, 2);
});

sceneTest("stores changes without a cookie, and does not prolong the session", async (scene) => {
  const id = await scene.begin({ a: 1 });
  scene.clock.advance(100);
  const draft = scene.open(id);
  draft.set("a", 2);
  assertEquals(changesIdentity(draft), false);
  assertEquals(await scene.commit(draft), undefined);
  const { data, usedUnixMs, expiresUnixMs } = scene.memory.get(id)!;
  assertEquals([data, usedUnixMs, expiresUnixMs], ['{"a":2}', 0, IDLE_MS]);
});

sceneTest("ends a session at its absolute time however it is used", async (scene) => {
  let id = await scene.begin({ a: 1 });
  for (let count = 1; count < 10; count++) {
    scene.clock.advance(500);
    const draft = scene.open(id);
    if (count === 5) draft.rotationGraceMs = 0;
    id = idOf(await scene.commit(draft));
    const { expiresUnixMs, createdUnixMs } = scene.memory.get(id)!;
    assertEquals(expiresUnixMs, Math.min(count * 500 + IDLE_MS, ABSOLUTE_MS));
    assertEquals(createdUnixMs, 0);
  }
  scene.clock.advance(500);
  assertEquals(scene.open(id).id, undefined);
});

sceneTest("rotates to a new id with all data and the old one's age", async (scene) => {
  const old = await scene.begin({ a: 1 });
  scene.clock.advance(100);
  const draft = scene.open(old);
  draft.set("user", "ada");
  draft.rotationGraceMs = 10;
  assertEquals(changesIdentity(draft), true);
  const id = idOf(await scene.commit(draft));
  assertNotEquals(id, old);
  assertEquals(scene.dataOf(id), { a: 1, user: "ada" });
  assertEquals(scene.memory.get(id)!.createdUnixMs, 0);
  // Whoever planted the old id does not get what the new one gained.
  assertEquals(scene.dataOf(old), { a: 1 });
  assertEquals(scene.memory.get(old)!.isRetired, true);
  scene.clock.advance(10);
  assertEquals(scene.dataOf(old), undefined);
});

sceneTest("rotates without any grace", async (scene) => {
  const old = await scene.begin({ a: 1 });
  const draft = scene.open(old);
  draft.rotationGraceMs = 0;
  const id = idOf(await scene.commit(draft));
  assertEquals([scene.dataOf(old), scene.dataOf(id)], [undefined, { a: 1 }]);
});

sceneTest("never prolongs a session by the grace", async (scene) => {
  const old = await scene.begin({ a: 1 });
  scene.clock.advance(990);
  const draft = scene.open(old);
  draft.rotationGraceMs = 100;
  await scene.commit(draft);
  assertEquals(scene.memory.get(old)!.expiresUnixMs, IDLE_MS);
});

sceneTest("keeps what requests at the same time set under different keys", async (scene) => {
  const id = await scene.begin({ a: 1, gone: 1 });
  const drafts = Array.from({ length: 8 }, () => scene.open(id));
  for (const [index, draft] of drafts.entries()) draft.set(`key ${index}`, index);
  drafts[3]!.delete("gone");
  assertEquals(await Promise.all(drafts.map((draft) => scene.commit(draft))), [
    ...new Array(8).fill(undefined),
  ]);
  const data = scene.dataOf(id) as Record<string, unknown>;
  assertEquals(Object.keys(data).sort(), ["a", ...drafts.map((_, index) => `key ${index}`)].sort());
});

sceneTest("does not lose a rotation to a request that changes values", async (scene) => {
  for (const isRotationFirst of [true, false]) {
    const old = await scene.begin({ a: 1 });
    const [login, other] = [scene.open(old), scene.open(old)];
    login.set("user", "ada");
    login.rotationGraceMs = 10;
    other.set("b", 2);
    const commits = isRotationFirst ? [login, other] : [other, login];
    const changes = new Map<SessionDraft, CookieChange>();
    for (const draft of commits) changes.set(draft, await scene.commit(draft));
    const id = idOf(changes.get(login));
    // The other must not put the old id back on the client, nor see the login.
    assertEquals(changes.get(other), undefined);
    assertEquals(scene.dataOf(old), { a: 1, b: 2 });
    assertEquals(scene.dataOf(id), { a: 1, user: "ada", ...isRotationFirst ? {} : { b: 2 } });
    scene.clock.advance(10);
    assertEquals(scene.dataOf(old), undefined);
  }
});

sceneTest("lets two requests rotate one session", async (scene) => {
  const old = await scene.begin({ a: 1 });
  const drafts = [scene.open(old), scene.open(old)];
  for (const [index, draft] of drafts.entries()) {
    draft.set("user", index);
    draft.rotationGraceMs = 10;
  }
  const ids = (await Promise.all(drafts.map((draft) => scene.commit(draft)))).map(idOf);
  assertEquals(new Set([old, ...ids]).size, 3);
  assertEquals(ids.map((id) => scene.dataOf(id)), [{ a: 1, user: 0 }, { a: 1, user: 1 }]);
  assertEquals(scene.dataOf(old), { a: 1 });
});

sceneTest("does not renew a session that was rotated meanwhile", async (scene) => {
  const old = await scene.begin({ a: 1 });
  scene.clock.advance(500);
  const [login, reader] = [scene.open(old), scene.open(old)];
  login.rotationGraceMs = 10;
  await scene.commit(login);
  assertEquals(await scene.commit(reader), undefined);
  assertEquals(await scene.commit(scene.open(old)), undefined);
  assertEquals(scene.memory.get(old)!.expiresUnixMs, 510);
});

sceneTest("destroys a session for good", async (scene) => {
  const id = await scene.begin({ a: 1 });
  const [logout, writer, renewer, rotator] = [1, 2, 3, 4].map(() => scene.open(id));
  logout!.destroy();
  assertEquals(changesIdentity(logout!), false);
  assertEquals(await scene.commit(logout!), { type: "delete" });
  writer!.set("b", 2);
  assertEquals(await scene.commit(writer!), undefined);
  assertEquals(await scene.commit(writer!), undefined);
  assertEquals([writer!.isEmpty, scene.memory.size], [true, 0]);
  scene.clock.advance(500);
  assertEquals(await scene.commit(renewer!), undefined);
  rotator!.rotationGraceMs = 10;
  assertEquals(await scene.commit(rotator!), { type: "delete" });
  assertEquals(scene.memory.size, 0);
});

sceneTest("keeps only what was set since from a rotation of what is gone", async (scene) => {
  const id = await scene.begin({ admin: true });
  const login = scene.open(id);
  scene.memory.delete(id);
  login.set("user", "ada");
  login.rotationGraceMs = 10;
  assertEquals(scene.dataOf(idOf(await scene.commit(login))), { user: "ada" });
});

sceneTest("begins another session after the end of one", async (scene) => {
  const old = await scene.begin({ a: 1 });
  const draft = scene.open(old);
  draft.destroy();
  draft.set("flash", "bye");
  assertEquals(changesIdentity(draft), true);
  const id = idOf(await scene.commit(draft));
  assertNotEquals(id, old);
  assertEquals([scene.dataOf(old), scene.dataOf(id)], [undefined, { flash: "bye" }]);
});

sceneTest("deletes the cookie of a session that had ended", async (scene) => {
  const [known, unknown] = [scene.open("unknown"), scene.open()];
  known.destroy();
  unknown.destroy();
  assertEquals(await scene.commit(known), { type: "delete" });
  assertEquals(await scene.commit(unknown), undefined);
});

sceneTest("can be done again on the same draft", async (scene) => {
  const draft = scene.open();
  draft.set("a", 1);
  const id = idOf(await scene.commit(draft));
  assertEquals(await scene.commit(draft), undefined);
  draft.set("b", 2);
  assertEquals(await scene.commit(draft), undefined);
  assertEquals(scene.dataOf(id), { a: 1, b: 2 });
  draft.rotationGraceMs = 0;
  const next = idOf(await scene.commit(draft));
  draft.destroy();
  assertEquals(await scene.commit(draft), { type: "delete" });
  assertEquals([scene.dataOf(id), scene.dataOf(next)], [undefined, undefined]);
});

sceneTest("makes the cookie anew where its signature is outdated", async (scene) => {
  const id = await scene.begin({ a: 1 });
  const draft = scene.open(id);
  draft.needsCookie = true;
  assertEquals(idOf(await scene.commit(draft)), id);
  assertEquals(await scene.commit(draft), undefined);
});

Deno.test("commitSession() never gives up on a store that answers at once", async () => {
  const scene = new Scene(false);
  const id = await scene.begin({ a: 1 });
  const drafts = Array.from({ length: 100 }, () => scene.open(id));
  for (const [index, draft] of drafts.entries()) draft.set(`key ${index}`, index);
  await Promise.all(drafts.map((draft) => scene.commit(draft)));
  assertEquals(Object.keys(scene.dataOf(id) as Record<string, unknown>).length, 101);
});

Deno.test("commitSession() gives up on a store in which others are always faster", async () => {
  const scene = new Scene(true);
  const id = await scene.begin({ a: 1 });
  const store: SessionStore = { ...scene.store, set: () => Promise.resolve(false) };
  const [writer, rotator, reader] = [scene.open(id), scene.open(id), scene.open(id)];
  writer.set("b", 2);
  rotator.rotationGraceMs = 10;
  for (const draft of [writer, rotator]) {
    const error = await assertRejects(() => scene.commit(draft, store), HttpError);
    assertEquals(error.status, 503);
  }
  assertEquals(await scene.commit(reader, store), undefined);
  const fresh = scene.open();
  fresh.set("a", 1);
  await assertRejects(() => scene.commit(fresh, store));
});
