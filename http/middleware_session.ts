import { HttpStateError } from "./errors.ts";
import type { HeaderList } from "./header_list.ts";
import type { Next } from "./middleware.ts";
import { StateKey } from "./request_state.ts";
import type { Context } from "./server_context.ts";
import { Session } from "./session.ts";
import {
  changesIdentity,
  changesStore,
  commitSession,
  type CookieChange,
  SESSION_ID,
} from "./session_commit.ts";
import { SessionDraft } from "./session_draft.ts";
import {
  type ResolvedSessionOptions,
  resolveSessionOptions,
  type SessionOptions,
} from "./session_options.ts";

/** Cookies of our name that are looked at: others of the domain can set some too. */
const MAX_CANDIDATES = 4;
const MAX_COOKIE_AGE_SECONDS = 34_560_000;

/**
 * A middleware that keeps sessions, and the way to the session of a request.
 *
 * @typeParam Data The keys of a session and the type of each.
 */
export interface SessionMiddleware<Data extends object> {
  /**
   * Stores the session after the handler.
   *
   * @param ctx The request.
   * @param next Runs what lies further in.
   */
  (ctx: Context, next: Next): Promise<void>;

  /**
   * Loads the session of a request, or begins one; the second call gives the same
   * object. Before the first nothing is read, verified or looked up.
   *
   * @param ctx The request.
   * @returns The session.
   * @throws {TypeError} If this middleware does not stand around the handler.
   */
  load(ctx: Context): Promise<Session<Data>>;
}

/** The session of one request, once it was asked for. */
interface SessionSlot<Data extends object> {
  draft: SessionDraft | undefined;
  loading: Promise<Session<Data>> | undefined;
  /** What the client has to be told last. */
  change: CookieChange;
  /** The header fields among which it was told. */
  toldAmong: HeaderList | undefined;
}

/**
 * Keeps a session for each client, by a cookie with a signed id.
 *
 * - Nothing is stored and no cookie is set before a handler writes to the
 *   session. Afterwards `Set-Cookie` is sent only when the id is new, when a part
 *   of the idle time (`renewAfter`) has passed, and when the session is
 *   destroyed.
 * - The session is stored once, after the handler, also when that has thrown.
 *   Where the head leaves earlier, by `ctx.writer()` or `ctx.flush()`, call
 *   `session.save()` before it.
 * - Requests of one session may run at the same time: what they set under
 *   different keys is all kept, and none undoes the rotation or the end of a
 *   session by another.
 * - An answer whose handler loaded the session gets `Vary: Cookie` and, unless it
 *   has one, a `Cache-Control` that keeps it out of shared caches.
 *
 * @typeParam Data The keys of a session and the type of each.
 * @param options The keys that sign ids, and what else is to differ.
 * @returns The middleware; its `load` gives the session of a request.
 * @throws {TypeError} If the cookie breaks a rule of {@linkcode formatSetCookie}.
 * @throws {RangeError} If a key or a number is out of its range, or `cacheControl`
 * cannot stand in a header field.
 *
 * @example Counting visits
 * ```ts
 * import { compose, serve, session } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const visits = session<{ count: number }>({
 *   keys: [crypto.getRandomValues(new Uint8Array(32))],
 *   idleTimeoutMs: 3_600_000,
 * });
 * const handler = compose([visits], async (ctx) => {
 *   const session = await visits.load(ctx);
 *   session.set("count", (session.get("count") ?? 0) + 1);
 *   ctx.json(session.get("count"));
 * });
 *
 * await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
 * const url = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`;
 * const first = await fetch(url);
 * assertEquals(await first.json(), 1);
 * const [cookie, ...attributes] = first.headers.getSetCookie()[0]!.split("; ");
 * assertEquals(attributes, ["Max-Age=3600", "Path=/", "Secure", "HttpOnly", "SameSite=Lax"]);
 *
 * const second = await fetch(url, { headers: { cookie: cookie! } });
 * assertEquals(await second.json(), 2);
 * assertEquals(second.headers.getSetCookie(), []);
 * ```
 */
export function session<Data extends object = Record<string, unknown>>(
  options: SessionOptions,
): SessionMiddleware<Data> {
  const resolved = resolveSessionOptions(options);
  const key = new StateKey<SessionSlot<Data>>("session");

  async function middleware(ctx: Context, next: Next): Promise<void> {
    const slot: SessionSlot<Data> = {
      draft: undefined,
      loading: undefined,
      change: undefined,
      toldAmong: undefined,
    };
    ctx.state.set(key, slot);
    await next();
    if (slot.loading !== undefined) await finish(ctx, slot, resolved);
  }

  function load(ctx: Context): Promise<Session<Data>> {
    const slot = ctx.state.require(key);
    return slot.loading ??= open(ctx, slot, resolved);
  }

  return Object.assign(middleware, { load });
}

async function open<Data extends object>(
  ctx: Context,
  slot: SessionSlot<Data>,
  options: ResolvedSessionOptions,
): Promise<Session<Data>> {
  const draft = slot.draft = await findDraft(ctx, options);
  return new Session<Data>(draft, options.rotationGraceMs, () => save(ctx, slot, options));
}

async function findDraft(ctx: Context, options: ResolvedSessionOptions): Promise<SessionDraft> {
  const { cookieName, signer, store, clock, maxDataBytes } = options;
  const candidates = ctx.cookies.getAll(cookieName).slice(0, MAX_CANDIDATES);
  const isPresented = candidates.length > 0;
  for (const candidate of candidates) {
    const verified = await signer.verify(cookieName, candidate);
    if (verified === undefined || !SESSION_ID.test(verified.value)) continue;
    const id = verified.value;
    const record = await store.get(id);
    // A store may be late in forgetting.
    if (record === undefined || record.expiresUnixMs <= clock.wallNow()) continue;
    const needsCookie = verified.isOutdated;
    return new SessionDraft({ id, record, isPresented, needsCookie, maxDataBytes });
  }
  return new SessionDraft({
    id: undefined,
    record: undefined,
    isPresented,
    needsCookie: false,
    maxDataBytes,
  });
}

async function finish<Data extends object>(
  ctx: Context,
  slot: SessionSlot<Data>,
  options: ResolvedSessionOptions,
): Promise<void> {
  try {
    await slot.loading;
  } catch {
    // Whoever asked for the session was told.
    return;
  }
  const draft = slot.draft!;
  try {
    await save(ctx, slot, options);
  } finally {
    draft.isClosed = true;
  }
  if (!ctx.response.committed) adviseCaches(ctx, options.cacheControl);
}

async function save<Data extends object>(
  ctx: Context,
  slot: SessionSlot<Data>,
  options: ResolvedSessionOptions,
): Promise<void> {
  const draft = slot.draft!;
  const { committed } = ctx.response;
  if (committed && changesIdentity(draft)) {
    throw new HttpStateError(
      "ERR_HTTP_HEAD_COMMITTED",
      "Cannot set the cookie of the session: the head has left; call session.save() before it",
      { state: "committed", event: "save" },
    );
  }
  const nowMs = options.clock.wallNow();
  const commit = (): Promise<CookieChange> => commitSession(draft, options, nowMs);
  const change = draft.id !== undefined && changesStore(draft)
    ? await options.queue.run(draft.id, commit)
    : await commit();
  slot.change = change ?? slot.change;
  // A renewal can wait for the next answer, and a destroyed id opens nothing.
  if (committed || slot.change === undefined) return;
  // An error drops what was told before it: the client would have a dead id.
  if (change === undefined && slot.toldAmong === ctx.response.headers) return;
  await tell(ctx, slot.change, options, nowMs);
  slot.toldAmong = ctx.response.headers;
}

async function tell(
  ctx: Context,
  change: CookieChange,
  options: ResolvedSessionOptions,
  nowMs: number,
): Promise<void> {
  const { signer, cookieName, cookie, isPersistent } = options;
  if (change?.type === "delete") ctx.deleteCookie(cookieName, cookie);
  if (change?.type !== "set") return;
  const seconds = Math.ceil((change.expiresUnixMs - nowMs) / 1_000);
  const maxAgeSeconds = Math.min(Math.max(seconds, 0), MAX_COOKIE_AGE_SECONDS);
  const value = await signer.sign(cookieName, change.id);
  ctx.setCookie(cookieName, value, isPersistent ? { ...cookie, maxAgeSeconds } : cookie);
}

/** RFC 9111 section 7.3: an answer to one user must not reach another. */
function adviseCaches(ctx: Context, cacheControl: string): void {
  const { headers } = ctx.response;
  if (cacheControl !== "" && !headers.has("cache-control")) ctx.set("cache-control", cacheControl);
  const varies = (headers.get("vary") ?? "").toLowerCase().split(",").map((name) => name.trim());
  if (!varies.includes("cookie") && !varies.includes("*")) ctx.append("vary", "Cookie");
}
