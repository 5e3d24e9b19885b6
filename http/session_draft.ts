import { HttpStateError } from "./errors.ts";
import type { StoredSession } from "./session_store.ts";

/** Stands among the changes for a key that was deleted. */
const DELETED: unique symbol = Symbol("deleted");
const encoder = new TextEncoder();

/**
 * A session while one request uses it: what was loaded, and what this request
 * changed. Changes are kept apart by key, so that they can be made again on what
 * another request has stored in the meantime.
 */
export class SessionDraft {
  /** Id it is stored under; `undefined` while it is not. */
  id: string | undefined;
  /** What the store held last; `undefined` if nothing. */
  record: StoredSession | undefined;
  /** Whether the client sent a cookie of this name, valid or not. */
  readonly isPresented: boolean;
  /** Whether the cookie has to be made anew whatever else happens. */
  needsCookie: boolean;
  /** Grace of the present id where it is to be replaced. */
  rotationGraceMs: number | undefined;
  /** Whether what is stored has to go. */
  isDestroyed = false;
  /** Whether the request is over. */
  isClosed = false;

  readonly #maxDataBytes: number;
  #values: Map<string, unknown>;
  #changes: Map<string, unknown> = new Map();

  /** @param init What was found, and the bound of what may be kept. */
  constructor(init: {
    readonly id: string | undefined;
    readonly record: StoredSession | undefined;
    readonly isPresented: boolean;
    readonly needsCookie: boolean;
    readonly maxDataBytes: number;
  }) {
    this.id = init.id;
    this.record = init.record;
    this.isPresented = init.isPresented;
    this.needsCookie = init.needsCookie;
    this.#maxDataBytes = init.maxDataBytes;
    this.#values = parseData(init.record);
  }

  /** Whether this request has changed a value that is not stored yet. */
  get isChanged(): boolean {
    return this.#changes.size > 0;
  }

  /** Whether nothing is kept. */
  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  /** The keys that have a value. */
  keys(): string[] {
    return [...this.#values.keys()];
  }

  get(key: string): unknown {
    return this.#values.get(key);
  }

  /** @throws {TypeError} If the value has no JSON text. */
  set(key: string, value: unknown): void {
    this.checkOpen("set");
    const text = JSON.stringify(value);
    if (text === undefined) {
      throw new TypeError(`Cannot keep ${JSON.stringify(key)} in session: it has no JSON text`);
    }
    // What the caller does to its object later must not be half in the session.
    const before = this.#values;
    this.#values = new Map(before).set(key, JSON.parse(text));
    const length = encoder.encode(this.toData()).length;
    if (length > this.#maxDataBytes) {
      this.#values = before;
      throw new RangeError(
        `Cannot keep ${
          JSON.stringify(key)
        } in session: ${length} bytes exceed ${this.#maxDataBytes}`,
      );
    }
    this.#changes.set(key, this.#values.get(key));
  }

  delete(key: string): void {
    this.checkOpen("delete");
    if (this.#values.delete(key)) this.#changes.set(key, DELETED);
  }

  /** Empties the session and lets what is stored go. */
  destroy(): void {
    this.checkOpen("destroy");
    this.isDestroyed = true;
    this.rotationGraceMs = undefined;
    this.forget();
  }

  /** Empties the session: there is nothing to change any more. */
  forget(): void {
    this.#values.clear();
    this.#changes.clear();
  }

  /** @throws {HttpStateError} If the request is over. */
  checkOpen(event: string): void {
    if (!this.isClosed) return;
    throw new HttpStateError(
      "ERR_HTTP_CONTEXT_EXPIRED",
      `Cannot use session: the handler of this request has settled`,
      { state: "expired", event },
    );
  }

  /** Takes what another request has stored, and makes the own changes on it. */
  rebase(record: StoredSession | undefined): void {
    this.record = record;
    this.#values = parseData(record);
    for (const [key, value] of this.#changes) {
      if (value === DELETED) this.#values.delete(key);
      else this.#values.set(key, value);
    }
  }

  /** Notes that all of it is stored; without a record that nothing is. */
  settle(id: string | undefined, record: StoredSession | undefined): void {
    this.id = id;
    this.record = record;
    this.needsCookie = false;
    this.isDestroyed = false;
    this.rotationGraceMs = undefined;
    this.#changes = new Map();
  }

  /** What to store. */
  toData(): string {
    return JSON.stringify(Object.fromEntries(this.#values));
  }
}

function parseData(record: StoredSession | undefined): Map<string, unknown> {
  return new Map(record === undefined ? [] : Object.entries(JSON.parse(record.data)));
}
