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
