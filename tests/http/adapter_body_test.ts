import { assertEquals, assertRejects } from "@std/assert";
import { AdapterBody } from "../../http/adapter_body.ts";
import { ConnectionClosedError } from "../../nbio/errors.ts";

function bodyOf(body: BodyInit | null, headers: Record<string, string> = {}): AdapterBody {
  return new AdapterBody(new Request("http://a/", { method: "POST", body, headers }));
}

/** All of it, as the readers of `ctx.body` take it. */
async function drain(body: AdapterBody): Promise<number[][]> {
  const pieces: number[][] = [];
  while (!body.isBodyDone) {
    const piece = body.takeBody();
    if (piece === undefined) await body.awaitBody();
    else pieces.push([...piece]);
  }
  return pieces;
}

Deno.test("AdapterBody knows that there is no body", () => {
  const body = bodyOf(null);
  assertEquals([body.bodyLength, body.isBodyDone, body.peekBody()], [0, true, 0]);
  assertEquals([body.takeBody(), body.bodyType, body.bodyCoding], [
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("AdapterBody shows the fields that describe a body", () => {
  const body = bodyOf("abc", { "content-type": "a/b", "content-encoding": "gzip" });
  assertEquals([body.bodyType, body.bodyCoding, body.isBodyDone], ["a/b", "gzip", false]);
});

for (
  const [value, length] of [
    ["0", 0],
    ["17", 17],
    ["999999999999999", 999_999_999_999_999],
    ["1000000000000000", undefined],
    ["1e3", undefined],
    ["-1", undefined],
    ["1, 1", undefined],
    ["", undefined],
  ] as const
) {
  Deno.test(`AdapterBody.bodyLength is ${length} for a Content-Length of "${value}"`, () => {
    assertEquals(bodyOf("abc", { "content-length": value }).bodyLength, length);
  });
}

Deno.test("AdapterBody gives the pieces as they come, without those that are empty", async () => {
  const pieces = [[1, 2], [], [3]].map((bytes) => Uint8Array.from(bytes));
  assertEquals(await drain(bodyOf(ReadableStream.from(pieces))), [[1, 2], [3]]);
  assertEquals(await drain(bodyOf("")), []);
});

Deno.test("AdapterBody counts a piece as there until it is taken", async () => {
  const body = bodyOf(ReadableStream.from([Uint8Array.of(1, 2)]));
  assertEquals(await body.readBodyInto(), 0);
  assertEquals([body.peekBody(), body.isBodyDone], [2, false]);
  assertEquals([...body.takeBody()!], [1, 2]);
  assertEquals([body.peekBody(), body.takeBody()], [0, undefined]);
  await body.awaitBody();
  assertEquals(body.isBodyDone, true);
});

Deno.test("AdapterBody says that the client has left, with the cause", async () => {
  const cause = new Error("reset");
  const body = bodyOf(new ReadableStream({ pull: (controller) => controller.error(cause) }));
  const error = await assertRejects(() => body.awaitBody(), ConnectionClosedError);
  assertEquals(error.cause, cause);
  assertEquals(body.isBodyDone, false);
});

Deno.test("AdapterBody refuses what is no bytes", async () => {
  const body = bodyOf(ReadableStream.from([1]) as unknown as BodyInit);
  await assertRejects(() => body.awaitBody(), TypeError);
});
