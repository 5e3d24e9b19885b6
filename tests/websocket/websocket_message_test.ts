import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { copySmall } from "../../websocket/copy_small.ts";
import {
  eventOf,
  MessageIterator,
  messageOf,
  resultOf,
  type WebSocketMessage,
  wholePiece,
} from "../../websocket/websocket_message.ts";

const TEXT: WebSocketMessage = { type: "text", data: "é" };
const PIECE = { type: "piece", kind: "text", data: new Uint8Array(1), isFinal: true } as const;

Deno.test("messageOf() and resultOf() give messages, and the end for anything else", () => {
  assertStrictEquals(messageOf(TEXT), TEXT);
  assertEquals(resultOf(TEXT), { done: false, value: TEXT });
  for (const event of ["end", PIECE] as const) {
    assertEquals(messageOf(event), undefined);
    assertEquals(resultOf(event), { done: true, value: undefined });
    assertStrictEquals(eventOf(event), event);
  }
});

Deno.test("wholePiece() gives a message as its only piece, in memory of its own", () => {
  const data = copySmall(new Uint8Array([1, 2, 3]), 0, 3);
  const piece = wholePiece({ type: "binary", data });
  assertEquals(piece, {
    type: "piece",
    kind: "binary",
    data: new Uint8Array([1, 2, 3]),
    isFinal: true,
  });
  assert(piece.data.buffer !== data.buffer);
  assertEquals(wholePiece(TEXT).data, new Uint8Array([0xc3, 0xa9]));
});

Deno.test("MessageIterator is its own iterator, and iterates as it is told", async () => {
  const messages: WebSocketMessage[] = [TEXT, { type: "text", data: "b" }];
  const iterator = new MessageIterator(() => Promise.resolve(resultOf(messages.shift() ?? "end")));
  assertStrictEquals(iterator[Symbol.asyncIterator](), iterator);
  const seen: unknown[] = [];
  for await (const { data } of iterator) seen.push(data);
  assertEquals(seen, ["é", "b"]);
});
