import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { IncomingBody } from "../../http/body_incoming.ts";
import type { MultipartOptions } from "../../http/body_form.ts";
import type { MultipartPart } from "../../http/body_multipart.ts";
import { HttpError, HttpProtocolError, HttpStateError } from "../../http/errors.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { filePart, multipart, part } from "../_support/multipart_script.ts";
import { textOf } from "../_support/raw_bytes.ts";
import { ScriptedBody, type ScriptOptions } from "../_support/scripted_body.ts";

const TYPE = "multipart/form-data; boundary=x";

/** A source that gives a text in pieces of a length. */
function sourceOf(text: string, pieceLength = 7, options: ScriptOptions = {}): ScriptedBody {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += pieceLength) {
    pieces.push(text.slice(at, at + pieceLength));
  }
  return new ScriptedBody(pieces, { type: TYPE, ...options });
}

function partsOf(
  source: ScriptedBody,
  options: MultipartOptions = {},
  maxBytes = 1_000,
): AsyncIterableIterator<MultipartPart> {
  return new IncomingBody(source, maxBytes).multipart(options);
}

const FORM = multipart("x", [
  part("title", "A cat"),
  filePart("photo", "cat.jpg", "\r\n--xy".repeat(10)),
  part("empty", ""),
]);

const READERS: Readonly<Record<string, (part: MultipartPart) => Promise<string>>> = {
  bytes: async (part) => textOf(await part.bytes()),
  text: async (part) => await part.text(),
  stream: async (part) => textOf(await new Response(part.stream).bytes()),
  iteration: async (part) => {
    const chunks = [];
    for await (const chunk of part) chunks.push(chunk);
    return chunks.map(textOf).join("");
  },
};

for (const [name, read] of Object.entries(READERS)) {
  Deno.test(`MultipartPart gives its content by ${name}`, async () => {
    for (const pieceLength of [1, 3, 50, 10_000]) {
      const seen: unknown[] = [];
      for await (const part of partsOf(sourceOf(FORM, pieceLength))) {
        assertEquals(part.used, false);
        seen.push([part.name, part.filename, part.type, await read(part)]);
        assertEquals(part.used, true);
      }
      assertEquals(seen, [
        ["title", undefined, "text/plain", "A cat"],
        ["photo", "cat.jpg", "application/octet-stream", "\r\n--xy".repeat(10)],
        ["empty", undefined, "text/plain", ""],
      ]);
    }
  });

  Deno.test(`MultipartPart can be read once by ${name}`, async () => {
    for await (const part of partsOf(sourceOf(FORM))) {
      await read(part);
      const error = await assertRejects(() => read(part), HttpStateError);
      assertEquals(error.code, "ERR_HTTP_BODY_USED");
    }
  });

  Deno.test(`MultipartPart cannot be read by ${name} when the loop has gone on`, async () => {
    const parts = partsOf(sourceOf(FORM));
    const { value: first } = await parts.next();
    const { value: second } = await parts.next();
    const error = await assertRejects(() => read(first), HttpStateError);
    assertEquals([error.code, error.state], ["ERR_HTTP_BODY_USED", "left"]);
    assertEquals((await read(second)).length, 60);
    await parts.return?.();
  });

  Deno.test(`MultipartPart passes a failure on by ${name}`, async () => {
    const source = sourceOf(FORM, 100);
    for await (const part of partsOf(source)) {
      if (part.name !== "photo") continue;
      source.failure = new Error("broken");
      assertStrictEquals(await assertRejects(() => read(part)), source.failure);
      break;
    }
  });
}

Deno.test("MultipartPart.bytes() gives memory of its own", async () => {
  const parts = partsOf(sourceOf(FORM, 10_000));
  const { value: title } = await parts.next();
  const bytes = await (title as MultipartPart).bytes();
  assertEquals(bytes.buffer.byteLength, 5);
  for await (const _part of parts);
  assertEquals(textOf(bytes), "A cat");
});

Deno.test("IncomingBody.multipart() drops what of a part is not read", async () => {
  const seen: string[] = [];
  const source = sourceOf(FORM);
  for await (const part of partsOf(source)) {
    seen.push(part.name);
    if (part.name !== "photo") continue;
    for await (const chunk of part) {
      seen.push(textOf(chunk));
      break;
    }
  }
  assertEquals(seen.length, 4);
  assertEquals([seen[0], seen[1], seen[3]], ["title", "photo", "empty"]);
  assert(source.isBodyDone);
});

Deno.test("IncomingBody.multipart() reads no further than it is asked to", async () => {
  const source = sourceOf(FORM, 1);
  const parts = partsOf(source);
  assertEquals(source.waitCount, 0);
  const { value: first } = await parts.next();
  const head = FORM.indexOf("A cat");
  assertEquals(source.waitCount, head);
  const chunks = (first as MultipartPart)[Symbol.asyncIterator]();
  assertEquals(textOf((await chunks.next()).value!), "A");
  assertEquals(source.waitCount, head + 1);
  await parts.return?.();
  assertEquals(source.waitCount, head + 1);
  await assertRejects(() => chunks.next(), HttpStateError);
});

Deno.test("IncomingBody.multipart() reads the body to its end, epilogue and all", async () => {
  const source = sourceOf(`${FORM}epilogue`);
  for await (const _part of partsOf(source));
  assert(source.isBodyDone);
});

Deno.test("IncomingBody.multipart() waits for parts that are being collected", async () => {
  const texts: Promise<string>[] = [];
  for await (const part of partsOf(sourceOf(FORM, 2))) texts.push(part.text());
  assertEquals((await Promise.all(texts)).map(({ length }) => length), [5, 60, 0]);
});

Deno.test("IncomingBody.multipart() gives the parts in front of an error", async () => {
  for (const pieceLength of [1, 10_000]) {
    const seen: string[] = [];
    const wire = `--x\r\n${part("a", "1")}\r\n--x\r\n: bad\r\n\r\n`;
    const error = await assertRejects(async () => {
      for await (const part of partsOf(sourceOf(wire, pieceLength))) seen.push(await part.text());
    }, HttpProtocolError);
    assertEquals([seen, error.code], [["1"], "ERR_HTTP_BAD_FIELD_NAME"]);
  }
});

Deno.test("IncomingBody.multipart() throws on a body that ends too early", async () => {
  for (const wire of ["", "--x", FORM.slice(0, 80), FORM.slice(0, -5)]) {
    const error = await assertRejects(async () => {
      for await (const part of partsOf(sourceOf(wire))) await part.bytes();
    }, HttpProtocolError);
    assertEquals(error.code, "ERR_HTTP_TRUNCATED_MULTIPART");
  }
});

Deno.test("IncomingBody.multipart() throws in the loop what a part ran into, too", async () => {
  const parts = partsOf(sourceOf(FORM.slice(0, FORM.indexOf("--xy") + 9)));
  await parts.next();
  const { value: photo } = await parts.next();
  const first = await assertRejects(() => photo.bytes(), HttpProtocolError);
  assertStrictEquals(await assertRejects(() => parts.next()), first);
  assertEquals(await parts.next(), { value: undefined, done: true });
});

Deno.test("IncomingBody.multipart() bounds the body, at once where the length is known", async () => {
  const known = sourceOf(FORM, 7, { length: FORM.length });
  const early = assertThrows(
    () => partsOf(known, { maxBytes: FORM.length - 1 }),
    LimitExceededError,
  );
  assertEquals([early.limit, early.statusHint], ["maxBodyBytes", 413]);
  const late = await assertRejects(async () => {
    for await (const _part of partsOf(sourceOf(FORM), { maxBytes: FORM.length - 1 }));
  }, LimitExceededError);
  assertEquals([late.limit, late.statusHint], ["maxBodyBytes", 413]);
  for await (const _part of partsOf(known, { maxBytes: FORM.length }));
  // Nothing is kept: what the server collects at most is no bound here.
  for await (const _part of partsOf(sourceOf(FORM), {}, 1));
});

Deno.test("IncomingBody.multipart() bounds parts and collected parts", async () => {
  for (
    const [options, limit] of [[{ maxPartBytes: 59 }, "maxPartBytes"], [
      { maxParts: 2 },
      "maxParts",
    ]] as const
  ) {
    const error = await assertRejects(async () => {
      for await (const _part of partsOf(sourceOf(FORM), options));
    }, LimitExceededError);
    assertEquals([error.limit, error.statusHint], [limit, 413]);
  }
  for (const [options, serverMax] of [[{ maxBytes: 59 }, 1_000], [{}, 59]] as const) {
    const parts = partsOf(sourceOf(FORM), {}, serverMax);
    await parts.next();
    const { value: photo } = await parts.next();
    const error = await assertRejects(() => photo.bytes(options), LimitExceededError);
    assertEquals([error.limit, error.max, error.statusHint], ["maxBytes", 59, 413]);
    await parts.return?.();
  }
  assertThrows(() => partsOf(sourceOf(FORM), { maxParts: -1 }), RangeError);
  assertThrows(() => partsOf(sourceOf(FORM), { maxBytes: -1 }), RangeError);
});

Deno.test("MultipartPart.text() decodes the charset of the part", async () => {
  const wire = multipart("x", [
    part("a", "\xfc", "Content-Type: text/plain; charset=iso-8859-1"),
    part("b", "\xc3\xbc"),
    part("c", "1", "Content-Type: text/plain; charset=x-none"),
  ]);
  const parts = partsOf(sourceOf(wire));
  assertEquals(await (await parts.next()).value.text(), "\u00fc");
  assertEquals(await (await parts.next()).value.text(), "\u00fc");
  const { value: unknown } = await parts.next();
  assertEquals((await assertRejects(() => unknown.text(), HttpError)).status, 415);
  await parts.return?.();
});

Deno.test("MultipartPart shows its head", async () => {
  const parts = partsOf(sourceOf(multipart("x", [filePart("a", "x/y.txt", "1")])));
  const { value } = await parts.next();
  const { filename, disposition, headers } = value as MultipartPart;
  assertEquals([filename, disposition.filename], ["y.txt", "x/y.txt"]);
  assertEquals(headers.get("content-TYPE"), "application/octet-stream");
  await parts.return?.();
});
