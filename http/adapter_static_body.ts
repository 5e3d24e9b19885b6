/**
 * The body of a `Response` that was made of text or bytes, not of a stream. The standard shows every
 * body as a stream, whose making alone costs more than all else about a small answer; what a
 * response was made of goes out in one piece, with its length.
 */

/** Turns of the microtask queue in which a body that is at hand is read to its end. */
const PROMPT_TURNS = 10;

/** What is known of a body: all of it, or where the rest comes from. */
export type KnownBody = string | Uint8Array | AsyncIterable<Uint8Array> | undefined;

/** Objects that are looked into, one within the other. */
const MAX_DEPTH = 4;
/** What the standard makes the type of text. */
const TEXT_TYPE = "text/plain;charset=UTF-8";
const PROBE_TYPE = "text/x-probe";
const PROBE_TEXT = "What this response was made of";

/** A way from a response to what it was made of, through what the runtime keeps under symbols. */
type Path = readonly PropertyKey[];

let paths: readonly Path[] | undefined;

/**
 * What a response was made of, where the runtime still has it as text or bytes. Such a body has
 * not been used or looked at, and its status is one that may have a body.
 *
 * @param response What an application returned, whatever it is.
 * @returns The text or the bytes; `undefined` where they are not known without reading the body.
 */
export function staticBody(response: Response): string | Uint8Array | undefined {
  paths ??= findPaths();
  if (!(response instanceof Response) || response.bodyUsed) return undefined;
  for (const path of paths) {
    const content = follow(response, path);
    if (typeof content === "string" || content instanceof Uint8Array) return content;
  }
  return undefined;
}

/**
 * The content type of a response that has no other header field, where the runtime still has it as
 * such: to look at the fields costs more than all else about a small answer.
 *
 * @param response A response of text, as {@linkcode staticBody} has found.
 * @returns The type; `undefined` where only a look at the fields tells.
 */
export function soleType(response: Response): string | undefined {
  lazyKeys ??= findLazyKeys();
  return lazyKeys === null ? undefined : typeBehind(response, lazyKeys);
}

/** Where a runtime keeps text and type of a response that nobody has looked into. */
interface LazyKeys {
  readonly text: PropertyKey;
  readonly type: PropertyKey;
}

let lazyKeys: LazyKeys | null | undefined;

function typeBehind(response: Response, keys: LazyKeys): string | undefined {
  const values = response as unknown as Readonly<Record<PropertyKey, unknown>>;
  if (typeof values[keys.text] !== "string") return undefined;
  const type = values[keys.type];
  return typeof type === "string" ? type : TEXT_TYPE;
}

/** Found by behaviour as well: what is read there has to be right for all responses there are. */
function findLazyKeys(): LazyKeys | null {
  const texts = [...pathsTo(plainProbe(), PROBE_TEXT, 1)].flat();
  const types = [...pathsTo(typedProbe(), PROBE_TYPE, 1)].flat();
  for (const text of texts) {
    for (const type of types) {
      if (areRight({ text, type })) return { text, type };
    }
  }
  return null;
}

function areRight(keys: LazyKeys): boolean {
  if (typeBehind(plainProbe(), keys) !== TEXT_TYPE) return false;
  if (typeBehind(typedProbe(), keys) !== PROBE_TYPE) return false;
  return typeProbes.every((make) => {
    const response = make();
    const type = typeBehind(response, keys);
    const fields = [...response.headers];
    return type === undefined ||
      (fields.length === 1 && fields[0]![0] === "content-type" && fields[0]![1] === type);
  });
}

function follow(from: unknown, path: Path): unknown {
  let at = from as Readonly<Record<PropertyKey, unknown>>;
  for (let index = 0; index < path.length; index++) {
    if (typeof at !== "object" || at === null) return undefined;
    at = at[path[index]!] as Readonly<Record<PropertyKey, unknown>>;
  }
  return at;
}

/**
 * Looks for the ways by how they behave, not by names: the content of a response is there until its
 * body is asked for, and nothing is where a response was made of a stream. A runtime that keeps
 * nothing there has none.
 */
function findPaths(): readonly Path[] {
  const found = new Map<string, Path>();
  for (const make of [plainProbe, fullProbe]) {
    for (const path of pathsTo(make(), PROBE_TEXT, MAX_DEPTH)) {
      if (changed.every((other) => typeof follow(other(), path) !== "string")) {
        found.set(path.map(String).join(), path);
      }
    }
  }
  return [...found.values()];
}

const plainProbe = (): Response => new Response(PROBE_TEXT);
/** With header fields the runtime may keep it elsewhere. */
const fullProbe = (): Response => new Response(PROBE_TEXT, { status: 201, headers: new Headers() });

/** Responses whose body is not what one was made of, or no longer. */
const changed: readonly (() => Response)[] = [
  () => new Response(ReadableStream.from([])),
  ...[plainProbe, fullProbe].flatMap((probe) => [
    () => {
      const shown = probe();
      shown.body;
      return shown;
    },
    () => new Response(probe().body!.pipeThrough(new TransformStream()), probe()),
  ]),
];

const typedProbe = (): Response => withFields({ "content-type": PROBE_TYPE });

function withFields(headers: HeadersInit, status = 200): Response {
  return new Response(PROBE_TEXT, { status, headers });
}

/** Changes the fields of a response behind its making. */
function afterwards(response: Response, change: (headers: Headers) => void): Response {
  change(response.headers);
  return response;
}

/** Responses with all kinds of header fields. */
const typeProbes: readonly (() => Response)[] = [
  plainProbe,
  fullProbe,
  ...changed,
  () => new Response(null),
  () => new Response(new Uint8Array(1)),
  () => new Response(new Blob(["a"], { type: PROBE_TYPE })),
  () => new Response(new URLSearchParams("a=b")),
  () => Response.json([]),
  () => Response.json([], { status: 201, headers: { "x-a": "b" } }),
  () => Response.json([], { headers: { "content-type": PROBE_TYPE } }),
  () => plainProbe().clone(),
  () => typedProbe().clone(),
  () => withFields({ "x-a": "b" }),
  () => withFields({ "content-type": PROBE_TYPE, "x-a": "b" }),
  () => withFields({ "x-a": "b", "content-type": PROBE_TYPE }),
  () => withFields({ "Content-Type": PROBE_TYPE }, 404),
  () => withFields([["content-type", PROBE_TYPE], ["content-type", "b"]]),
  () => withFields([["set-cookie", "a=b"], ["set-cookie", "c=d"]]),
  () => withFields(new Headers({ "content-type": PROBE_TYPE, "x-a": "b" })),
  ...[plainProbe, typedProbe, () => Response.json([])].flatMap((make) => [
    () => afterwards(make(), (headers) => headers.append("x-a", "b")),
    () => afterwards(make(), (headers) => headers.set("content-type", "a/b")),
    () => afterwards(make(), (headers) => headers.delete("content-type")),
  ]),
];

function* pathsTo(from: unknown, content: string, depth: number): Generator<Path> {
  if (typeof from !== "object" || from === null || depth === 0) return;
  for (const [key, { value }] of ownValues(from)) {
    if (value === content) yield [key];
    else for (const rest of pathsTo(value, content, depth - 1)) yield [key, ...rest];
  }
}

function ownValues(from: object): [PropertyKey, PropertyDescriptor][] {
  return Reflect.ownKeys(from).map((key) => [key, Object.getOwnPropertyDescriptor(from, key)!]);
}

/**
 * Reads what is at hand of a body: all of it, if it was made of bytes. It waits for nothing: where
 * a stream has more to come, that is read as it is asked for.
 *
 * @param stream The body.
 * @returns All of it, or the pieces to come.
 * @throws {TypeError} If somebody else reads it. Whatever it fails with at once otherwise.
 */
export async function readAtHand(stream: ReadableStream<Uint8Array>): Promise<KnownBody> {
  const reader = stream.getReader();
  const first = new Read(reader);
  if (!await first.isPrompt()) return new PeekedBody(reader, [first]);
  const piece = await first.result;
  if (piece.done) return undefined;
  const second = new Read(reader);
  const isWhole = await second.isPrompt() && second.isEnd && piece.value instanceof Uint8Array;
  return isWhole ? piece.value : new PeekedBody(reader, [first, second]);
}

type Pull = ReadableStreamReadResult<Uint8Array>;

/** A read that has begun. */
class Read {
  readonly result: Promise<Pull>;
  /** Whether it has found the end. */
  isEnd = false;
  #isSettled = false;

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>) {
    this.result = reader.read();
    this.result.then(({ done }) => {
      this.isEnd = done;
      this.#isSettled = true;
    }, () => this.#isSettled = true);
  }

  /** Whether it is through without waiting for anything. */
  async isPrompt(): Promise<boolean> {
    for (let turn = 0; turn < PROMPT_TURNS && !this.#isSettled; turn++) await undefined;
    return this.#isSettled;
  }
}

/** A stream of which the first reads have begun. */
class PeekedBody implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #begun: Read[];

  constructor(reader: ReadableStreamDefaultReader<Uint8Array>, begun: Read[]) {
    this.#reader = reader;
    this.#begun = begun;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const read = this.#begun.shift()?.result ?? this.#reader.read();
    return read as Promise<IteratorResult<Uint8Array, undefined>>;
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#begun.length = 0;
    await this.#reader.cancel();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
