import { encodeBase64Url } from "@std/encoding/base64url";
import { HttpError } from "./errors.ts";
import type { SessionDraft } from "./session_draft.ts";
import type { SessionStore, StoredSession } from "./session_store.ts";

/**
 * How a draft gets into the store, whatever other requests of the session do:
 *
 * - Two requests that change values: the later one makes its changes again on
 *   what the earlier has stored. Nothing is lost but an older value of one key.
 * - One rotates, the other changes values: the other's id was retired under its
 *   hands. It keeps what the session held *before* the rotation, for the grace,
 *   and its changes end with it. They must not follow the session to its new id:
 *   whoever planted the old id on a client would follow as well, and take over
 *   the session that rotating at login is to protect.
 * - One destroys, the other changes values: the session is gone and stays gone.
 */

const ID_BYTES = 24;
/** What {@linkcode makeSessionId} gives: other texts never reach the store. */
export const SESSION_ID: RegExp = /^[A-Za-z0-9_-]{32}$/;
/** Attempts on a store in which others are always faster, before giving up. */
const MAX_ATTEMPTS = 16;

/** What a commit needs beside the draft. */
export interface CommitRules {
  readonly store: SessionStore;
  readonly idleTimeoutMs: number;
  readonly absoluteTimeoutMs: number;
  readonly renewAfterMs: number;
}

/** What the client has to be told. */
export type CookieChange =
  | { readonly type: "set"; readonly id: string; readonly expiresUnixMs: number }
  | { readonly type: "delete" }
  | undefined;

/** Whether a commit has more to store than that the session was used. */
export function changesStore(draft: SessionDraft): boolean {
  return draft.isChanged || draft.isDestroyed || draft.rotationGraceMs !== undefined;
}

/** Whether a commit changes which session the client has: it must be told. */
export function changesIdentity(draft: SessionDraft): boolean {
  if (draft.id === undefined || draft.isDestroyed) return !draft.isEmpty;
  return draft.rotationGraceMs !== undefined;
}

/**
 * Stores what a request did to its session.
 *
 * @param draft The session; afterwards it is as it is stored.
 * @param rules The store and how long sessions live.
 * @param nowMs Milliseconds since the Unix epoch.
 * @returns What the client has to be told.
 */
export async function commitSession(
  draft: SessionDraft,
  rules: CommitRules,
  nowMs: number,
): Promise<CookieChange> {
  const { id, isDestroyed } = draft;
  if (isDestroyed && id !== undefined) {
    await rules.store.delete(id);
    draft.id = undefined;
    draft.record = undefined;
  }
  if (draft.id !== undefined && draft.rotationGraceMs === undefined) {
    return await update(draft, draft.id, rules, nowMs);
  }
  if (draft.id !== undefined) await retire(draft, draft.id, rules, nowMs);
  if (draft.isEmpty && draft.record === undefined) {
    draft.settle(undefined, undefined);
    const mayHaveCookie = id !== undefined || (isDestroyed && draft.isPresented);
    return mayHaveCookie ? { type: "delete" } : undefined;
  }
  return await create(draft, rules, nowMs);
}

async function create(
  draft: SessionDraft,
  rules: CommitRules,
  nowMs: number,
): Promise<CookieChange> {
  const id = makeSessionId();
  const createdUnixMs = draft.record?.createdUnixMs ?? nowMs;
  const record = { ...lifeOf(createdUnixMs, rules, nowMs), data: draft.toData(), version: 1 };
  if (!await rules.store.set(id, record, 0)) {
    throw new Error("Cannot store session: the store refuses an id that was never used");
  }
  draft.settle(id, record);
  return { type: "set", id, expiresUnixMs: record.expiresUnixMs };
}

/** Leaves the old id what it held, for requests that are on their way with it. */
async function retire(
  draft: SessionDraft,
  id: string,
  rules: CommitRules,
  nowMs: number,
): Promise<void> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const { record } = draft;
    if (record === undefined || record.isRetired) return;
    const expiresUnixMs = Math.min(record.expiresUnixMs, nowMs + draft.rotationGraceMs!);
    const retired = { ...record, isRetired: true, expiresUnixMs, version: record.version + 1 };
    if (await rules.store.set(id, retired, record.version)) return;
    const reloading = reload(draft, id, rules.store);
    if (reloading !== undefined) await reloading;
  }
  throw contended();
}

async function update(
  draft: SessionDraft,
  id: string,
  rules: CommitRules,
  nowMs: number,
): Promise<CookieChange> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const { record } = draft;
    if (record === undefined) break;
    const isRenewed = !record.isRetired &&
      (draft.needsCookie || nowMs - record.usedUnixMs >= rules.renewAfterMs);
    if (!draft.isChanged && !isRenewed) return undefined;
    const life = isRenewed ? lifeOf(record.createdUnixMs, rules, nowMs) : undefined;
    const next = { ...record, ...life, data: draft.toData(), version: record.version + 1 };
    if (await rules.store.set(id, next, record.version)) {
      draft.settle(id, next);
      return isRenewed ? { type: "set", id, expiresUnixMs: next.expiresUnixMs } : undefined;
    }
    const reloading = reload(draft, id, rules.store);
    if (reloading !== undefined) await reloading;
  }
  if (draft.record !== undefined) throw contended();
  // Destroyed meanwhile: a later commit must not begin it anew.
  draft.forget();
  draft.settle(undefined, undefined);
  return undefined;
}

/** No turn between looking and setting where the store answers at once. */
function reload(draft: SessionDraft, id: string, store: SessionStore): void | Promise<void> {
  const found = store.get(id);
  if (found instanceof Promise) return found.then((record) => draft.rebase(record));
  draft.rebase(found);
}

function lifeOf(
  createdUnixMs: number,
  { idleTimeoutMs, absoluteTimeoutMs }: CommitRules,
  nowMs: number,
): Omit<StoredSession, "data" | "version"> {
  return {
    createdUnixMs,
    usedUnixMs: nowMs,
    expiresUnixMs: Math.min(nowMs + idleTimeoutMs, createdUnixMs + absoluteTimeoutMs),
    isRetired: false,
  };
}

function makeSessionId(): string {
  return encodeBase64Url(crypto.getRandomValues(new Uint8Array(ID_BYTES)));
}

function contended(): HttpError {
  return new HttpError(503, "Cannot store session: other requests change it all the time", {
    headers: [["retry-after", "1"]],
  });
}
