import { assertEquals, assertRejects } from "@std/assert";
import { ConnectionClosedError } from "../../nbio/errors.ts";
import type { PieceEvent } from "../../websocket/events.ts";
import { messageStream } from "../../websocket/websocket_message_stream.ts";

function piece(bytes: readonly number[], isFinal: boolean): PieceEvent {
  return { type: "piece", kind: "binary", data: new Uint8Array(bytes), isFinal };
}

/** Gives pieces one after the other, then the end. */
function source(...pieces: PieceEvent[]): { next: () => Promise<PieceEvent | "end"> } {
  return { next: () => Promise.resolve(pieces.shift() ?? "end") };
}

Deno.test("messageStream() gives all pieces and leaves out empty ones", async () => {
  const { next } = source(piece([], false), piece([2], false), piece([], true));
  const { type, readable } = messageStream(piece([1], false), next);
  assertEquals(type, "binary");
  assertEquals(await Array.fromAsync(readable), [new Uint8Array([1]), new Uint8Array([2])]);
});

Deno.test("messageStream() reads nothing that nobody asks for", async () => {
  let count = 0;
  const { readable } = messageStream(piece([1], false), () => {
    count++;
    return Promise.resolve(piece([2], true));
  });
  const reader = readable.getReader();
  await reader.read();
  assertEquals(count, 0);
  await reader.read();
  assertEquals((await reader.read()).done, true);
});

Deno.test("messageStream() skips the rest when it is cancelled", async () => {
  const rest = [piece([2], false), piece([3], true), piece([4], true)];
  const { next } = source(...rest);
  await messageStream(piece([1], false), next).readable.cancel();
  assertEquals(await next(), rest[2]);
});

Deno.test("messageStream() errors if the message does not end", async () => {
  const { next } = source(piece([2], false));
  const { readable } = messageStream(piece([1], false), next);
  await assertRejects(() => new Response(readable).bytes(), ConnectionClosedError);
});
