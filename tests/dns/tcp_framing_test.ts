import { assertEquals, assertThrows } from "@std/assert";
import { everySplit, randomSplit } from "../../nbio/testing.ts";
import { frameMessage, MessageDeframer } from "../../dns/tcp_framing.ts";

const MESSAGES: readonly Uint8Array[] = [
  new Uint8Array([1, 2, 3]),
  new Uint8Array(0),
  new Uint8Array([0, 9]),
  new Uint8Array([255]),
];

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

function deframe(chunks: Iterable<Uint8Array>): Uint8Array[] {
  const deframer = new MessageDeframer();
  const messages: Uint8Array[] = [];
  for (const chunk of chunks) {
    deframer.receive(chunk);
    for (let message; (message = deframer.next()) !== undefined;) messages.push(message);
  }
  return messages;
}

Deno.test("MessageDeframer.next() gives the same messages however the stream is split", () => {
  for (const chunks of everySplit(join(MESSAGES.map(frameMessage)))) {
    assertEquals(deframe(chunks), [...MESSAGES]);
  }
});

Deno.test("MessageDeframer.next() gives nothing for any strict prefix of a message", () => {
  const frame = frameMessage(new Uint8Array([5, 6, 7, 8]));
  for (let length = 0; length < frame.length; length++) {
    const deframer = new MessageDeframer();
    deframer.receive(frame.subarray(0, length));
    assertEquals(deframer.next(), undefined);
    assertEquals(deframer.pendingByteCount, length);
  }
});

Deno.test("MessageDeframer.next() gives long messages in pieces of any size", () => {
  const messages = [0, 1, 511, 512, 513, 65_534, 65_535, 40_000].map((length) =>
    Uint8Array.from({ length }, (_, index) => index * 31)
  );
  const stream = join(messages.map(frameMessage));
  for (let round = 0; round < 20; round++) {
    assertEquals(deframe(randomSplit(stream, { seed: round, emptyChance: 0.1 })), messages);
  }
});

Deno.test("MessageDeframer.next() gives memory that later chunks do not change", () => {
  const deframer = new MessageDeframer();
  deframer.receive(frameMessage(new Uint8Array([1, 1])));
  const message = deframer.next();
  for (let round = 0; round < 400; round++) {
    deframer.receive(frameMessage(new Uint8Array([2, 2])));
    deframer.next();
  }
  assertEquals(message, new Uint8Array([1, 1]));
});

Deno.test("frameMessage() takes 65535 bytes and no more", () => {
  assertEquals(frameMessage(new Uint8Array(65_535)).subarray(0, 2), new Uint8Array([255, 255]));
  assertThrows(() => frameMessage(new Uint8Array(65_536)), RangeError);
});
