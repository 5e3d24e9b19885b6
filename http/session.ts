import { checkGrace } from "./session_options.ts";
import type { SessionDraft } from "./session_draft.ts";

/** In front of the names of flash values. */
const FLASH = "flash:";

/** Options of {@linkcode Session.rotate}. */
export interface RotateOptions {
  /**
   * Milliseconds for which the old id still shows what the session held before,
   * to requests that are on their way; 0 to 3,600,000. Take 0 where rights were
   * withdrawn.
   *
   * @default {rotationGraceMs of the middleware, 10000}
   */
  readonly graceMs?: number;
}

/**
 * The session of a request: values by key, kept between the requests of one
 * client. It is stored once, after the handler; a session that was never written
 * to is never stored, and its client gets no cookie.
 *
 * Values are what JSON can say. What `get` gives is not to be changed: a change
 * is made by `set`.
 *
 * @typeParam Data The keys and the type of each.
 *
 * @example A login
 * ```ts
 * import { compose, serve, session } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const sessions = session<{ user: string }>({ keys: [crypto.getRandomValues(new Uint8Array(32))] });
 * const handler = compose([sessions], async (ctx) => {
 *   const session = await sessions.load(ctx);
 *   if (ctx.method === "POST") {
 *     session.set("user", "ada");
 *     session.rotate();
 *   }
 *   ctx.text(session.get("user") ?? "nobody");
 * });
 *
 * await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
 * const url = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`;
 * const login = await fetch(url, { method: "POST" });
 * assertEquals(await login.text(), "ada");
 * const cookie = login.headers.getSetCookie()[0]!.split(";")[0]!;
 * assertEquals(await (await fetch(url, { headers: { cookie } })).text(), "ada");
 * assertEquals(await (await fetch(url)).text(), "nobody");
 * ```
 */
export class Session<Data extends object = Record<string, unknown>> {
  readonly #draft: SessionDraft;
  readonly #graceMs: number;
  readonly #save: () => Promise<void>;

  /**
   * Sessions are made by the middleware {@linkcode session}.
   *
   * @param draft What is kept.
   * @param graceMs Grace of a rotation.
   * @param save Stores it.
   */
  constructor(draft: SessionDraft, graceMs: number, save: () => Promise<void>) {
    this.#draft = draft;
    this.#graceMs = graceMs;
    this.#save = save;
  }

  /** Whether nothing of this session is stored. */
  get isNew(): boolean {
    return this.#draft.record === undefined;
  }

  /**
   * The value of a key.
   *
   * @param key The key.
   * @returns The value, or `undefined` where none was set.
   */
  get<Key extends keyof Data & string>(key: Key): Data[Key] | undefined {
    return this.#draft.get(key) as Data[Key] | undefined;
  }

  /**
   * Whether a key has a value.
   *
   * @param key The key.
   */
  has(key: keyof Data & string): boolean {
    return this.#draft.get(key) !== undefined;
  }

  /**
   * Sets the value of a key.
   *
   * @param key The key.
   * @param value What JSON can say; a copy of it is kept.
   * @throws {TypeError} If the value has no JSON text.
   * @throws {RangeError} If the session becomes larger than `maxDataBytes`.
   * @throws {HttpStateError} If the handler has settled.
   */
  set<Key extends keyof Data & string>(key: Key, value: Data[Key]): void {
    this.#draft.set(key, value);
  }

  /**
   * Forgets the value of a key.
   *
   * @param key The key.
   * @throws {HttpStateError} If the handler has settled.
   */
  delete(key: keyof Data & string): void {
    this.#draft.delete(key);
  }

  /**
   * Forgets the values of all keys, flash values too; the session stays.
   *
   * @throws {HttpStateError} If the handler has settled.
   */
  clear(): void {
    this.#draft.checkOpen("clear");
    for (const key of this.#draft.keys()) this.#draft.delete(key);
  }

  /**
   * Keeps a value for whoever takes it first, mostly the next page: "saved",
   * after a redirect.
   *
   * @param name Name of the value; it does not meet the keys of the session.
   * @param value What JSON can say.
   * @throws {TypeError} If the value has no JSON text.
   * @throws {RangeError} If the session becomes larger than `maxDataBytes`.
   * @throws {HttpStateError} If the handler has settled.
   */
  flash(name: string, value: unknown): void {
    this.#draft.set(FLASH + name, value);
  }

  /**
   * Takes a value that was kept by {@linkcode Session.flash}.
   *
   * @param name Name of the value.
   * @returns The value, or `undefined` where none was kept.
   * @throws {HttpStateError} If the handler has settled.
   */
  takeFlash(name: string): unknown {
    const value = this.#draft.get(FLASH + name);
    this.#draft.delete(FLASH + name);
    return value;
  }

  /**
   * Gives the session a new id and keeps what it holds. Do this whenever the
   * client gains rights, at login above all: an id that somebody else has
   * planted or seen before is worth nothing then.
   *
   * Requests that are on their way with the old id see, for a grace, what the
   * session held before; what they change does not reach the new one.
   *
   * @param options How long the grace is.
   * @throws {RangeError} If `graceMs` is not from 0 to 3,600,000.
   * @throws {HttpStateError} If the handler has settled.
   */
  rotate(options: RotateOptions = {}): void {
    this.#draft.checkOpen("rotate");
    this.#draft.rotationGraceMs = checkGrace(options.graceMs ?? this.#graceMs);
  }

  /**
   * Ends the session, in the store and on the client: what a logout does. What
   * is set afterwards begins another one.
   *
   * @throws {HttpStateError} If the handler has settled.
   */
  destroy(): void {
    this.#draft.destroy();
  }

  /**
   * Stores the session now and sets its cookie, ahead of a head that leaves
   * before the handler settles.
   *
   * @throws {HttpStateError} If the head has left and the cookie had to change, or
   * if the handler has settled.
   * @throws {HttpError} With 503 if other requests change the session all the
   * time.
   */
  async save(): Promise<void> {
    this.#draft.checkOpen("save");
    await this.#save();
  }
}
