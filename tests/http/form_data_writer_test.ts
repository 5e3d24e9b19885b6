import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { FormDataWriter } from "../../http/form_data_writer.ts";
import { IncomingBody } from "../../http/body_incoming.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { ScriptedBody } from "../_support/scripted_body.ts";

async function textOf(writer: FormDataWriter): Promise<string> {
  const chunks = await Array.fromAsync(writer.chunks());
  assertEquals(chunks.every((chunk) => chunk.length > 0), true);
  const blob = new Blob(chunks);
  assertEquals(blob.size, writer.length);
  return await blob.text();
}

function formOf(fields: readonly (readonly [string, string | File])[]): FormData {
  const form = new FormData();
  for (const [name, value] of fields) form.append(name, value);
  return form;
}

async function entriesOf(form: FormData): Promise<unknown[]> {
  return await Promise.all(
    Array.from(
      form,
      async ([name, value]) =>
        typeof value === "string"
          ? [name, value]
          : [name, value.name, value.type, await value.text()],
    ),
  );
}

/** As our own parser reads it. */
async function parsed(writer: FormDataWriter): Promise<unknown[]> {
  const pieces = await Array.fromAsync(writer.chunks());
  const source = new ScriptedBody(pieces, { type: writer.contentType });
  return await entriesOf(await new IncomingBody(source, 1e9).form());
}

/** As the runtime reads it, which decodes no name. */
async function parsedByRuntime(writer: FormDataWriter): Promise<unknown[]> {
  const headers = { "content-type": writer.contentType };
  const body = ReadableStream.from(writer.chunks());
  return await entriesOf(await new Response(body, { headers }).formData());
}

Deno.test("FormDataWriter writes fields and files", async () => {
  const form = formOf([
    ["a", "1"],
    ["file", new File(["hello"], "h.txt", { type: "text/plain" })],
    ["a", ""],
    ["bare", new File([], "")],
  ]);
  const writer = new FormDataWriter(form, { boundary: "xyz" });
  assertEquals(writer.contentType, "multipart/form-data; boundary=xyz");
  assertEquals(
    await textOf(writer),
    [
      '--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n',
      '--xyz\r\nContent-Disposition: form-data; name="file"; filename="h.txt"\r\n',
      "Content-Type: text/plain\r\n\r\nhello\r\n",
      '--xyz\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n',
      '--xyz\r\nContent-Disposition: form-data; name="bare"; filename=""\r\n',
      "Content-Type: application/octet-stream\r\n\r\n\r\n--xyz--\r\n",
    ].join(""),
  );
});

Deno.test("FormDataWriter writes a form without fields", async () => {
  assertEquals(await textOf(new FormDataWriter(new FormData(), { boundary: "x" })), "--x--\r\n");
});

Deno.test("FormDataWriter is read as it was meant", async () => {
  const fields: [string, string | File][] = [
    ["plain", "text"],
    ["grüezi ☃", "wohl ☃\0\t"],
    ['quo"te%22', "%0D%0A stays"],
    ["", ""],
    ["lines\r\nof\r\nname", "a\r\nb"],
    ["file", new File([new Uint8Array([0, 255, 13, 10, 45, 45])], "bin", { type: "a/b" })],
    ["file", new File(["x"], 'we"ird\r\n☃.txt')],
  ];
  const expected = await entriesOf(formOf(fields));
  for (const entry of expected as string[][]) {
    if (entry.length === 4) entry[2] ||= "application/octet-stream";
  }
  // The one thing that cannot be told apart from a quote.
  (expected[2] as string[])[0] = 'quo"te"';
  assertEquals(await parsed(new FormDataWriter(formOf(fields))), expected);
  const plain = new FormDataWriter(formOf([...fields.slice(0, 2), fields[5]!]));
  assertEquals(await parsedByRuntime(plain), [...expected.slice(0, 2), expected[5]]);
});

for (const line of ["\r", "\n", "\r\n"]) {
  Deno.test(`FormDataWriter makes CRLF of ${JSON.stringify(line)} in fields`, async () => {
    const form = formOf([[`a${line}b`, `1${line}${line}2`]]);
    const text = await textOf(new FormDataWriter(form, { boundary: "x" }));
    assertEquals(text.includes('name="a%0D%0Ab"\r\n\r\n1\r\n\r\n2\r\n--x'), true);
  });
}

Deno.test("FormDataWriter lets no name break out of its head", async () => {
  const evil = '"\r\n\r\nbody\r\n--x--\r\n';
  const form = formOf([[evil, "1"], ["f", new File(["2"], evil, { type: "a/b\r\nX: y" })]]);
  const text = await textOf(new FormDataWriter(form, { boundary: "x" }));
  assertEquals(text.split("--x").length, 6);
  assertEquals(text.split("\r\n").length, 11);
  assertEquals(text.split("\r\n").filter((line) => line.startsWith("--x")).length, 3);
});

Deno.test("FormDataWriter draws a boundary that is new each time", () => {
  const types = Array.from({ length: 100 }, () => new FormDataWriter(new FormData()).contentType);
  assertEquals(new Set(types).size, 100);
  assert(/^multipart\/form-data; boundary=----nbio-[0-9a-f]{32}$/.test(types[0]!));
});

Deno.test("FormDataWriter quotes a boundary that is no token", () => {
  const typeOf = (boundary: string): string =>
    new FormDataWriter(new FormData(), { boundary }).contentType;
  assertEquals(typeOf("a:b c"), 'multipart/form-data; boundary="a:b c"');
  for (const boundary of ["", "a\r\n", "a ", 'a"', "a".repeat(71), "ä"]) {
    assertThrows(() => typeOf(boundary), TypeError);
  }
});

Deno.test("FormDataWriter gives the same again, whatever became of the form", async () => {
  const form = formOf([["a", "1"], ["f", new File(["2"], "f")]]);
  const writer = new FormDataWriter(form);
  const first = await textOf(writer);
  form.set("a", "other");
  form.delete("f");
  assertEquals(await textOf(writer), first);
  assertNotEquals(await textOf(new FormDataWriter(form)), first);
});

Deno.test("FormDataWriter holds no file as a whole", async () => {
  const content = new Uint8Array(8 * 1024 * 1024);
  const random = new SeededRandom(2);
  for (let at = 0; at < content.length; at += 997) content[at] = random.int(256);
  const writer = new FormDataWriter(formOf([["f", new File([content], "f")]]));
  let largest = 0;
  let length = 0;
  for await (const chunk of writer.chunks()) {
    largest = Math.max(largest, chunk.length);
    length += chunk.length;
  }
  assertEquals(length, writer.length);
  assert(largest <= 256 * 1024, `${largest} bytes in one chunk`);
});

Deno.test("FormDataWriter passes on what a file fails with, and ends early quietly", async () => {
  const broken = new File(["x"], "f");
  const failing = { arrayBuffer: () => Promise.reject(new EvalError("gone")) };
  Object.defineProperty(broken, "slice", { value: () => failing });
  const form = new FormData();
  form.append("a", "1");
  const writer = new FormDataWriter(Object.assign(form, {
    *[Symbol.iterator](): Iterator<[string, string | File]> {
      yield ["a", "1"];
      yield ["f", broken];
    },
  }));
  const chunks = writer.chunks();
  await chunks.next();
  await chunks.next();
  await assertRejects(() => chunks.next(), EvalError);
  const early = new FormDataWriter(formOf([["f", new File(["y".repeat(100_000)], "f")]])).chunks();
  await early.next();
  await early.next();
  assertEquals((await early.return!()).done, true);
});
