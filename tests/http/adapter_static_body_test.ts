import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { readAtHand, soleType, staticBody } from "../../http/adapter_static_body.ts";

const STREAMED: readonly (readonly [string, () => Response])[] = [
  ["a stream", () => new Response(ReadableStream.from([new Uint8Array(1)]))],
  ["a blob", () => new Response(new Blob(["a"]))],
  ["nothing", () => new Response(null, { status: 204 })],
  ["a stream of another response", () => {
    const { body } = new Response("a");
    return new Response(body!.pipeThrough(new TransformStream()));
  }],
  ["text that was looked at", () => {
    const response = new Response("a");
    response.body!.getReader();
    return response;
  }],
  ["an object that is no Response", () => ({ status: 200, headers: new Headers() } as Response)],
];

for (const [name, make] of STREAMED) {
  Deno.test(`staticBody() knows nothing of ${name}`, () => {
    assertEquals(staticBody(make()), undefined);
  });
}

Deno.test("staticBody() knows nothing of a body that was used", async () => {
  for (const init of [{}, { headers: { a: "b" } }, { headers: new Headers({ a: "b" }) }]) {
    for (const body of ["text", new Uint8Array([1])]) {
      const response = new Response(body, init);
      await response.arrayBuffer();
      assertEquals(staticBody(response), undefined);
    }
  }
});

// What the runtime keeps is its own affair: this says whether the short way is open in this one.
Deno.test("staticBody() knows text and bytes in this runtime", () => {
  for (const init of [{}, { headers: { a: "b" } }, { headers: new Headers(), status: 404 }]) {
    assertEquals(staticBody(new Response("text", init)), "text");
    assertEquals(staticBody(new Response(new Uint8Array([1]), init)), new Uint8Array([1]));
  }
  const looked = new Response("text");
  assertEquals(looked.headers.get("content-type"), "text/plain;charset=UTF-8");
  assertEquals([staticBody(looked), staticBody(Response.json([1]))], ["text", "[1]"]);
  const clone = looked.clone();
  assert([undefined, "text"].includes(staticBody(clone) as string | undefined));
});

const changedBy = (response: Response, change: (headers: Headers) => void): Response => {
  change(response.headers);
  return response;
};

const RESPONSES: readonly (readonly [string, () => Response])[] = [
  ["text", () => new Response("a")],
  ["text with a status", () => new Response("a", { status: 404 })],
  ["text with a type", () => new Response("a", { headers: { "content-type": "a/b" } })],
  [
    "text with two types",
    () => new Response("a", { headers: [["content-type", "a/b"], ["content-type", "c/d"]] }),
  ],
  ["text with an empty type", () => new Response("a", { headers: { "content-type": "" } })],
  ["text with another field", () => new Response("a", { headers: { "x-a": "b" } })],
  [
    "text with a type and another field",
    () => new Response("a", { headers: { "content-type": "a/b", "set-cookie": "a=b" } }),
  ],
  ["JSON", () => Response.json([1])],
  ["JSON with another field", () => Response.json([1], { headers: { "x-a": "b" } })],
  ["JSON of another type", () => Response.json([1], { headers: { "Content-Type": "a/b" } })],
  ["bytes", () => new Response(Uint8Array.of(1))],
  ["a form", () => new Response(new URLSearchParams("a=b"))],
  ["text with a field added", () => changedBy(new Response("a"), (h) => h.append("x-a", "b"))],
  [
    "text with its type changed",
    () => changedBy(new Response("a"), (h) => h.set("content-type", "a/b")),
  ],
  ["text without its type", () => changedBy(new Response("a"), (h) => h.delete("content-type"))],
  ["JSON without its type", () => changedBy(Response.json(1), (h) => h.delete("content-type"))],
  ["a copy", () => new Response("a").clone()],
  ["a response made of another", () => new Response("a", Response.json(1))],
];

for (const [name, make] of RESPONSES) {
  Deno.test(`soleType() says of ${name} what its fields say, or nothing`, () => {
    const response = make();
    const type = soleType(response);
    if (type !== undefined) assertEquals([...response.headers], [["content-type", type]]);
  });
}

// As above.
Deno.test("soleType() knows text and JSON in this runtime", () => {
  const typed = new Response("a", { headers: { "content-type": "a/b" } });
  const types = [new Response("a"), Response.json([1]), typed].map(soleType);
  assertEquals(types, ["text/plain;charset=UTF-8", "application/json", "a/b"]);
});

Deno.test("readAtHand() gives bytes that are there in one piece", async () => {
  assertEquals(await readAtHand(new Response("abc").body!), new TextEncoder().encode("abc"));
  assertEquals(await readAtHand(new ReadableStream({ start: (c) => c.close() })), undefined);
});

async function join(pieces: AsyncIterable<Uint8Array>): Promise<number[]> {
  const all: number[] = [];
  for await (const piece of pieces) all.push(...piece);
  return all;
}

Deno.test("readAtHand() waits for nothing, and loses nothing", async () => {
  for (const count of [0, 1, 2, 3]) {
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    const stream = new ReadableStream<Uint8Array>({ start: (c) => void (controller = c) });
    for (let index = 0; index < count; index++) controller.enqueue(Uint8Array.of(index));
    const body = await readAtHand(stream);
    controller.enqueue(Uint8Array.of(9));
    controller.close();
    const expected = [...Array(count).keys(), 9];
    assertEquals(await join(body as AsyncIterable<Uint8Array>), expected);
  }
});

Deno.test("readAtHand() fails with what the stream fails with at once", async () => {
  const failure = new Error("no");
  const failing = new ReadableStream({ start: (c) => c.error(failure) });
  assertEquals(await assertRejects(() => readAtHand(failing)), failure);
  const locked = new Response("a").body!;
  locked.getReader();
  await assertRejects(() => readAtHand(locked), TypeError);
});

Deno.test("readAtHand() fails later with what the stream fails with later", async () => {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  const stream = new ReadableStream<Uint8Array>({ start: (c) => void (controller = c) });
  const body = await readAtHand(stream) as AsyncIterable<Uint8Array>;
  const failure = new Error("no");
  controller.error(failure);
  assertEquals(await assertRejects(() => join(body)), failure);
});

Deno.test("readAtHand() lets go of the stream with its iterator", async () => {
  let reason: unknown = "none";
  const stream = new ReadableStream<Uint8Array>({ cancel: (given) => void (reason = given) });
  const body = await readAtHand(stream) as AsyncIterable<Uint8Array>;
  const iterator = body[Symbol.asyncIterator]();
  const pending = iterator.next();
  await iterator.return!();
  assertEquals([reason, (await pending).done], [undefined, true]);
  assertInstanceOf(stream, ReadableStream);
});
