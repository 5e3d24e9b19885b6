import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { isSettled } from "../../nbio/testing_settle.ts";
import { WebSocketStateError } from "../../websocket/errors.ts";
import { WebSocketMessageWriter } from "../../websocket/websocket_message_writer.ts";

/** A writer of messages of a type, and what it has sent. */
function writerOf(
  type: "text" | "binary",
): { writer: WebSocketMessageWriter; sent: [fragment: string | Uint8Array, isFinal: boolean][] } {
  const sent: [string | Uint8Array, boolean][] = [];
  const writer = new WebSocketMessageWriter(type, (fragment, isFinal) => {
    sent.push([fragment, isFinal]);
    return Promise.resolve();
  });
  return { writer, sent };
}

Deno.test("write() and close() send the fragments of a text message", async () => {
  const { writer, sent } = writerOf("text");
  assertEquals(writer.type, "text");
  await writer.write("a");
  await writer.write("");
  await writer.close("b");
  assertEquals(sent, [["a", false], ["", false], ["b", true]]);
});

Deno.test("close() without a fragment sends an empty one of the right kind", async () => {
  const text = writerOf("text");
  await text.writer.close();
  assertEquals(text.sent, [["", true]]);
  const binary = writerOf("binary");
  await binary.writer.close();
  assertEquals(binary.sent, [[new Uint8Array(), true]]);
});

Deno.test("a fragment of the wrong kind is refused, and nothing has changed", async () => {
  const text = writerOf("text");
  await assertRejects(() => text.writer.write(new Uint8Array()), TypeError);
  await assertRejects(() => text.writer.close(new Uint8Array()), TypeError);
  await text.writer.close("a");
  assertEquals(text.sent, [["a", true]]);
  const binary = writerOf("binary");
  await assertRejects(() => binary.writer.write("a"), TypeError);
  await assertRejects(() => binary.writer.close("a"), TypeError);
  assertEquals(binary.sent, []);
});

Deno.test("nothing can be written behind the end", async () => {
  const { writer, sent } = writerOf("binary");
  // Not awaited: it is over as soon as it was said.
  const closing = writer.close(new Uint8Array([1]));
  for (const late of [() => writer.write(new Uint8Array()), () => writer.close()]) {
    const error = await assertRejects(late, WebSocketStateError);
    assertEquals(error.code, "ERR_WEBSOCKET_NOT_OPEN");
  }
  await closing;
  assertEquals(sent.length, 1);
});

Deno.test("write() and close() wait for room, and fail as sending does", async () => {
  const reason = new Error("broken");
  const room = Promise.withResolvers<void>();
  const writer = new WebSocketMessageWriter("text", () => room.promise);
  const waiting = [writer.write("a"), writer.close("b")];
  for (const promise of waiting) assertEquals(await isSettled(promise), false);
  room.reject(reason);
  for (const promise of waiting) {
    assertStrictEquals(await assertRejects(() => promise), reason);
  }
});

Deno.test("what sending throws rejects", async () => {
  const reason = new RangeError("thrown");
  const writer = new WebSocketMessageWriter("text", () => {
    throw reason;
  });
  assertStrictEquals(await assertRejects(() => writer.write("a")), reason);
});
