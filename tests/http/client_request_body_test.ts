import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import type { ClientProgress } from "../../http/client_progress.ts";
import {
  type ClientBody,
  type FileBody,
  openRequestBody,
  type RequestBody,
} from "../../http/client_request_body.ts";
import { HttpStateError } from "../../http/errors.ts";
import { PositionalFile } from "../../nbio/positional_file.ts";
import { settle } from "../../nbio/testing_settle.ts";
import { MemoryFile } from "../_support/memory_file.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

async function read(body: RequestBody): Promise<string> {
  const opened = body.open();
  if (opened instanceof Uint8Array) return textOf(opened);
  let text = "";
  // A file lends its memory until the next chunk is asked for.
  for await (const chunk of opened) text += textOf(chunk);
  return text;
}

async function* generate(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield await Promise.resolve(bytesOf(chunk));
}

function fileOf(text: string): PositionalFile {
  return new PositionalFile(new MemoryFile(bytesOf(text) as Uint8Array<ArrayBuffer>));
}

const TEXT = "text/plain;charset=UTF-8";
const FORM = "application/x-www-form-urlencoded;charset=UTF-8";

const BODIES: readonly (readonly [
  name: string,
  body: () => ClientBody,
  type: string | undefined,
  length: number | undefined,
  content: string,
  isRepeatable: boolean,
])[] = [
  ["a string", () => "gr\u00fc", TEXT, 4, "gr\xc3\xbc", true],
  ["an empty string", () => "", TEXT, 0, "", true],
  ["bytes", () => bytesOf("abc"), undefined, 3, "abc", true],
  ["a part of bytes", () => bytesOf("abcd").subarray(1, 3), undefined, 2, "bc", true],
  ["a buffer", () => new Uint8Array([97, 98]).buffer, undefined, 2, "ab", true],
  ["a blob", () => new Blob(["abc"]), undefined, 3, "abc", true],
  ["a blob with a type", () => new Blob(["a"], { type: "image/png" }), "image/png", 1, "a", true],
  ["a blob of parts", () => new Blob(["a"], { type: "multipart/x" }), "multipart/x", 1, "a", true],
  ["a file of the web", () => new File(["ab"], "x", { type: "a/b" }), "a/b", 2, "ab", true],
  ["parameters", () => new URLSearchParams({ "a b": "c&d" }), FORM, 9, "a+b=c%26d", true],
  ["a stream", () => ReadableStream.from(generate("a", "bc")), undefined, undefined, "abc", false],
  ["a generator", () => generate("a", "bc"), undefined, undefined, "abc", false],
  ["a file", () => ({ file: fileOf("abcdef") }), undefined, undefined, "abcdef", true],
  ["a file of known length", () => ({ file: fileOf("abc"), length: 3 }), undefined, 3, "abc", true],
  [
    "a part of a file",
    () => ({ file: fileOf("abcd"), offset: 1, length: 2 }),
    undefined,
    2,
    "bc",
    true,
  ],
  [
    "nothing of a file",
    () => ({ file: fileOf("abcd"), offset: 9, length: 0 }),
    undefined,
    0,
    "",
    true,
  ],
];

for (const [name, make, type, length, content, isRepeatable] of BODIES) {
  Deno.test(`openRequestBody() takes ${name}`, async () => {
    const body = openRequestBody(make())!;
    assertEquals([body.contentType, body.length], [type, length]);
    assertEquals(body.isReplayable, true);
    // Opening alone is not reading.
    body.open();
    assertEquals(await read(body), content);
    assertEquals(body.isReplayable, isRepeatable);
    if (isRepeatable) assertEquals(await read(body), content);
    else assertEquals(assertThrows(() => body.open(), HttpStateError).code, "ERR_HTTP_BODY_USED");
  });

  Deno.test(`openRequestBody() tells of the progress of ${name}`, async () => {
    const told: ClientProgress[] = [];
    const body = openRequestBody(make(), { onProgress: (progress) => told.push(progress) })!;
    assertEquals(body.length, length);
    assertEquals(await read(body), content);
    assertEquals(told.at(-1)?.bytes ?? 0, content.length);
    assertEquals(told.every(({ totalBytes }) => totalBytes === length), true);
  });

  Deno.test(`openRequestBody() gives ${name} another type, and trailers`, () => {
    const trailers = { "x-sum": "1" };
    const body = openRequestBody(make(), { contentType: "a/b", trailers })!;
    assertEquals(body.contentType, "a/b");
    assertStrictEquals(body.trailers, trailers);
    body.cancel();
  });
}

Deno.test("openRequestBody() gives nothing for nothing", () => {
  assertEquals(openRequestBody(undefined), undefined);
});

Deno.test("openRequestBody() refuses what is no body", () => {
  const bad: unknown[] = [
    null,
    1,
    true,
    {},
    [],
    new Map(),
    Symbol(),
    new Uint16Array(1),
    {
      file: {},
    },
    { file: null },
    { file: undefined },
    new SharedArrayBuffer(1),
    () => "x",
  ];
  for (const body of bad) {
    assertThrows(() => openRequestBody(body as ClientBody), TypeError, undefined, String(body));
  }
  const stream = new ReadableStream<Uint8Array>();
  stream.getReader();
  assertThrows(() => openRequestBody(stream), TypeError);
});

Deno.test("openRequestBody() refuses places that no file has", () => {
  const file = fileOf("abc");
  for (const place of [-1, 1.5, NaN, Infinity, 2 ** 53]) {
    assertThrows(() => openRequestBody({ file, offset: place }), RangeError);
    assertThrows(() => openRequestBody({ file, length: place }), RangeError);
  }
});

Deno.test("openRequestBody() sends a form in parts", async () => {
  const form = new FormData();
  form.set("a", "1");
  const body = openRequestBody(form)!;
  assert(/^multipart\/form-data; boundary=\S+$/.test(body.contentType!));
  const text = await read(body);
  assertEquals([text.length, body.isReplayable], [body.length, true]);
  assertEquals(await read(body), text);
  const boundary = body.contentType!.split("=")[1];
  assertEquals(
    text,
    `--${boundary}\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--${boundary}--\r\n`,
  );
});

Deno.test("openRequestBody() lets no other type stand over a form than its own", () => {
  const open = (contentType: string): string | undefined =>
    openRequestBody(new FormData(), { contentType })!.contentType;
  const own = 'Multipart/Form-Data; Boundary="a b"';
  assertEquals(open(own), 'multipart/form-data; boundary="a b"');
  assert(open("multipart/form-data")!.startsWith("multipart/form-data; boundary=----nbio-"));
  for (const type of ["text/plain", "multipart/mixed; boundary=x", "", "x"]) {
    assertThrows(() => open(type), TypeError);
  }
  assertThrows(() => open('multipart/form-data; boundary="a "'), TypeError);
});

Deno.test("openRequestBody() keeps a source whole until somebody begins to read", async () => {
  const body = openRequestBody(generate("abc"))!;
  const first = body.open() as AsyncIterable<Uint8Array>;
  const second = body.open() as AsyncIterable<Uint8Array>;
  assertEquals(body.isReplayable, true);
  first[Symbol.asyncIterator]();
  assertEquals(body.isReplayable, false);
  assertThrows(() => second[Symbol.asyncIterator](), HttpStateError);
  await Promise.resolve();
});

Deno.test("RequestBody.cancel() lets go of what was not begun, once", async () => {
  const reasons: unknown[] = [];
  const stream = new ReadableStream<Uint8Array>({ cancel: (reason) => void reasons.push(reason) });
  const body = openRequestBody(stream)!;
  body.cancel("why");
  body.cancel("again");
  await settle();
  assertEquals([reasons, body.isReplayable], [["why"], false]);
  assertThrows(() => body.open(), HttpStateError);

  const generator = generate("a");
  openRequestBody(generator)!.cancel();
  await settle();
  assertEquals((await generator.next()).done, true);
});

Deno.test("RequestBody.cancel() leaves alone what is being read, and what is only held", async () => {
  let isCancelled = false;
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(bytesOf("a")),
    cancel: () => void (isCancelled = true),
  });
  const body = openRequestBody(stream)!;
  const iterator = (body.open() as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  await iterator.next();
  body.cancel();
  await settle();
  assertEquals(isCancelled, false);
  // Who reads ends it.
  await iterator.return!();
  assertEquals(isCancelled, true);

  const begun = openRequestBody(generate("a", "b"))!;
  const chunks = (begun.open() as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  await chunks.next();
  begun.cancel();
  await settle();
  assertEquals((await chunks.next()).done, false);

  const text = openRequestBody("abc")!;
  text.cancel();
  assertEquals(await read(text), "abc");
});

Deno.test("RequestBody.cancel() never throws", async () => {
  const failing = new ReadableStream<Uint8Array>({
    cancel: () => Promise.reject(new Error("cancel failed")),
  });
  openRequestBody(failing)!.cancel();
  const throwing = {
    [Symbol.asyncIterator](): never {
      throw new Error("no iterator");
    },
  };
  openRequestBody(throwing as unknown as AsyncIterable<Uint8Array>)!.cancel();
  await settle();
});

Deno.test("a file is read into one buffer, piece by piece", async () => {
  const text = "0123456789".repeat(100_000);
  const memory = new MemoryFile(bytesOf(text) as Uint8Array<ArrayBuffer>);
  const file = new PositionalFile(memory);
  for (const length of [undefined, text.length]) {
    const source: FileBody = length === undefined ? { file } : { file, length };
    const body = openRequestBody(source)!;
    const buffers = new Set<unknown>();
    let count = 0;
    for await (const chunk of body.open() as AsyncIterable<Uint8Array>) {
      assertEquals(textOf(chunk), text.slice(count, count + chunk.length));
      buffers.add(chunk.buffer);
      count += chunk.length;
    }
    assertEquals([count, buffers.size], [text.length, 1]);
  }
});

Deno.test("a file that turns out shorter ends early, for the framing to refuse", async () => {
  const body = openRequestBody({ file: fileOf("abc"), length: 10 })!;
  assertEquals([body.length, await read(body)], [10, "abc"]);
});

Deno.test("a file that fails fails the body", async () => {
  const file = { readAt: () => Promise.reject(new EvalError("disk")) };
  await assertRejects(() => read(openRequestBody({ file })!), EvalError);
});

Deno.test("a source that fails fails the body, with and without progress", async () => {
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(bytesOf("a"));
    throw new EvalError("source");
  }
  await assertRejects(() => read(openRequestBody(failing())!), EvalError);
  const onProgress = (): void => {};
  await assertRejects(() => read(openRequestBody(failing(), { onProgress })!), EvalError);
});

Deno.test("progress is told when a piece has left, in pieces of a bounded size", async () => {
  const told: number[] = [];
  const bytes = new Uint8Array(200_000);
  const body = openRequestBody(bytes, { onProgress: ({ bytes }) => told.push(bytes) })!;
  const iterator = (body.open() as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  await iterator.next();
  assertEquals(told, []);
  await iterator.next();
  assertEquals(told, [65_536]);
  while (!(await iterator.next()).done);
  assertEquals(told, [65_536, 131_072, 196_608, 200_000]);
});

Deno.test("what a progress listener throws fails the body and ends its source", async () => {
  let isReturned = false;
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield await Promise.resolve(bytesOf("a"));
    } finally {
      isReturned = true;
    }
  }
  const onProgress = (): never => {
    throw new EvalError("listener");
  };
  await assertRejects(() => read(openRequestBody(source(), { onProgress })!), EvalError);
  assertEquals(isReturned, true);
});
