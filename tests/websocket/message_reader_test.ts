import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { LimitExceededError } from "../../nbio/errors.ts";
import { everySplit, randomSplit } from "../../nbio/testing_split.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { WebSocketProtocolError } from "../../websocket/errors.ts";
import {
  MessageReader,
  type MessageReaderOptions,
  type ReadEvent,
} from "../../websocket/message_reader.ts";
import { frame, type FrameParts, join, KEY } from "../_support/websocket_frames.ts";
import { RunLengthInflater } from "../_support/websocket_run_length.ts";

const ENCODER = new TextEncoder();

function createReader(options: Partial<MessageReaderOptions> = {}): MessageReader {
  return new MessageReader({
    isMasked: false,
    maxMessageBytes: 1 << 20,
    maxBufferedBytes: 1 << 21,
    inflater: undefined,
    ...options,
  });
}

function drain(reader: MessageReader, events: ReadEvent[] = []): ReadEvent[] {
  for (let event; (event = reader.next()) !== undefined;) events.push(event);
  return events;
}

/** By copying, as `receive()` takes it. */
function read(chunks: Iterable<Uint8Array>, reader = createReader()): ReadEvent[] {
  const events: ReadEvent[] = [];
  for (const chunk of chunks) {
    reader.receive(chunk);
    drain(reader, events);
  }
  return events;
}

/** As a socket would: as much at a time as there is room for. */
function readDirectly(chunks: Iterable<Uint8Array>, reader = createReader()): ReadEvent[] {
  const events: ReadEvent[] = [];
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length;) {
      const space = reader.writable();
      assert(space.length > 0);
      const part = chunk.subarray(at, at + space.length);
      space.set(part);
      reader.commit(part.length);
      at += part.length;
      drain(reader, events);
    }
  }
  return events;
}

/** In how many reads a wire comes that is there as a whole; every message is taken. */
function countReads(reader: MessageReader, wire: Uint8Array): number {
  let count = 0;
  for (let at = 0; at < wire.length; count++) {
    const space = reader.writable();
    const part = wire.subarray(at, at + space.length);
    space.set(part);
    reader.commit(part.length);
    at += part.length;
    drain(reader);
  }
  return count;
}

const MESSAGES: { name: string; frames: FrameParts[]; events: ReadEvent[] }[] = [
  { name: "a text", frames: [{ opcode: 1, payload: "Héllo" }], events: [text("Héllo")] },
  { name: "an empty text", frames: [{ opcode: 1 }], events: [text("")] },
  { name: "an empty binary", frames: [{ opcode: 2 }], events: [binary("")] },
  {
    name: "fragments that cut a character",
    frames: [
      { opcode: 1, payload: new Uint8Array([0x61, 0xf0, 0x9f]), isFinal: false },
      { opcode: 0, payload: new Uint8Array([0x98]), isFinal: false },
      { opcode: 0, isFinal: false },
      { opcode: 0, payload: new Uint8Array([0x80, 0x62]) },
    ],
    events: [text("a😀b")],
  },
  {
    name: "control frames between fragments",
    frames: [
      { opcode: 2, payload: "a", isFinal: false },
      { opcode: 9, payload: "p" },
      { opcode: 0, payload: "b", isFinal: false },
      { opcode: 10 },
      { opcode: 0, payload: "c" },
    ],
    events: [control("ping", "p"), control("pong", ""), binary("abc")],
  },
  {
    name: "empty fragments",
    frames: [{ opcode: 1, isFinal: false }, { opcode: 0, isFinal: false }, { opcode: 0 }],
    events: [text("")],
  },
  {
    name: "several messages and a Close frame",
    frames: [
      { opcode: 1, payload: "one" },
      { opcode: 2, payload: "two" },
      { opcode: 8, payload: new Uint8Array([3, 232]) },
    ],
    events: [text("one"), binary("two"), { type: "close-payload", data: new Uint8Array([3, 232]) }],
  },
];

function text(data: string): ReadEvent {
  return { type: "text", data };
}

function binary(data: string): ReadEvent {
  return { type: "binary", data: ENCODER.encode(data) };
}

function control(type: "ping" | "pong", data: string): ReadEvent {
  return { type, data: ENCODER.encode(data) };
}

for (const { name, frames, events } of MESSAGES) {
  for (const key of [undefined, KEY]) {
    const wire = join(...frames.map((parts) => frame({ ...parts, key })));
    const isMasked = key !== undefined;

    Deno.test(`MessageReader reads ${name}, ${isMasked ? "masked" : "plain"}, however it is split`, () => {
      for (const chunks of everySplit(wire)) {
        assertEquals(read(chunks, createReader({ isMasked })), events);
        assertEquals(readDirectly(chunks, createReader({ isMasked })), events);
      }
    });
  }
}

Deno.test("MessageReader asks for more after every strict prefix", () => {
  const wire = frame({ opcode: 1, payload: "a".repeat(200), key: KEY });
  for (let length = 0; length < wire.length; length++) {
    assertEquals(read([wire.slice(0, length)], createReader({ isMasked: true })), []);
  }
});

Deno.test("MessageReader reads long messages to where they belong, at random splits", () => {
  const random = new SeededRandom(9);
  for (let seed = 0; seed < 30; seed++) {
    const frames: Uint8Array[] = [];
    const expected: ReadEvent[] = [];
    for (let count = 0; count < 6; count++) {
      const data = random.bytes(random.length(400_000));
      if (random.chance(0.5)) {
        frames.push(frame({ opcode: 2, payload: data, key: KEY }));
      } else {
        const cut = random.int(data.length + 1);
        frames.push(
          frame({ opcode: 2, payload: data.subarray(0, cut), isFinal: false, key: KEY }),
          frame({ opcode: 9, key: KEY }),
          frame({ opcode: 0, payload: data.subarray(cut), key: KEY }),
        );
        expected.push(control("ping", ""));
      }
      expected.push({ type: "binary", data });
    }
    const chunks = randomSplit(join(...frames), { seed, maxChunkBytes: 300_000 });
    assertEquals(readDirectly(chunks, createReader({ isMasked: true })), expected);
    assertEquals(read(chunks, createReader({ isMasked: true })), expected);
  }
});

Deno.test("MessageReader gives memory that it never writes to again", () => {
  const reader = createReader();
  const wire = frame({ opcode: 2, payload: new Uint8Array(100).fill(7) });
  const [first] = readDirectly([wire], reader);
  readDirectly([frame({ opcode: 2, payload: new Uint8Array(100).fill(8) })], reader);
  assertEquals(first, { type: "binary", data: new Uint8Array(100).fill(7) });
});

Deno.test("MessageReader pins no large read by a small message", () => {
  const wire = join(
    frame({ opcode: 2, payload: new Uint8Array(100) }),
    frame({ opcode: 2, payload: new Uint8Array(60_000) }),
  );
  const [small] = readDirectly([wire]);
  assert(small?.type === "binary" && small.data.buffer.byteLength <= 8_192);
});

Deno.test("MessageReader gives a longer message memory of its own", () => {
  for (const [byteCount, isOwn] of [[1_024, false], [1_025, true]] as const) {
    const [event] = read([frame({ opcode: 2, payload: new Uint8Array(byteCount) })]);
    assert(event?.type === "binary");
    assertEquals(event.data.length, byteCount);
    assertEquals(event.data.buffer.byteLength === byteCount, isOwn);
  }
});

/** A frame of 64 KiB, which begins with its number. */
function longFrame(number: number, parts: Partial<FrameParts> = {}): Uint8Array<ArrayBuffer> {
  const payload = Uint8Array.from({ length: 65_536 }, (_, index) => index * 7 + number);
  return frame({ opcode: 2, payload, ...parts });
}

/** Has a reader expect frames of 64 KiB. */
function expectLong(reader: MessageReader): void {
  readDirectly([longFrame(0)], reader);
}

Deno.test("MessageReader gives a long message in the memory that it was read to", () => {
  for (const key of [undefined, KEY]) {
    const reader = createReader({ isMasked: key !== undefined });
    readDirectly([longFrame(0, { key })], reader);
    const wire = longFrame(1, { key });
    const space = reader.writable();
    space.set(wire);
    reader.commit(wire.length);
    const [event] = drain(reader);
    assertEquals(event, { type: "binary", data: longFrame(1).slice(-65_536) });
    assertStrictEquals((event as { data: Uint8Array }).data.buffer, space.buffer);
    assert(reader.heldBytes <= 1_024);
    assert(reader.writable().buffer !== space.buffer);
  }
});

Deno.test("MessageReader never asks for just as much as a long frame has", () => {
  // A read that fills all of its room makes the runtime try once more, in vain.
  const reader = createReader();
  expectLong(reader);
  assert(reader.writable().length > longFrame(0).length);
});

Deno.test("MessageReader goes on with what came behind a long message", () => {
  const wire = join(longFrame(1), frame({ opcode: 1, payload: "next" }), longFrame(2));
  for (let extraBytes = 0; extraBytes <= 30; extraBytes++) {
    const reader = createReader();
    expectLong(reader);
    const space = reader.writable();
    const count = longFrame(1).length + extraBytes;
    space.set(wire.subarray(0, count));
    reader.commit(count);
    const events = drain(reader);
    const given = structuredClone(events);
    readDirectly([wire.subarray(count)], reader).forEach((event) => events.push(event));
    assertEquals(events.slice(0, given.length), given);
    assertEquals(events, read([wire]));
  }
});

Deno.test("MessageReader gives no memory away that a read may write to", () => {
  const reader = createReader();
  expectLong(reader);
  const wire = longFrame(1);
  reader.writable().set(wire);
  reader.commit(wire.length);
  const space = reader.writable();
  const [event] = drain(reader);
  assert((event as { data: Uint8Array }).data.buffer !== space.buffer);
  space.set(frame({ opcode: 1, payload: "more" }));
  reader.commit(6);
  assertEquals(event, { type: "binary", data: wire.slice(-65_536) });
  assertEquals(drain(reader), [text("more")]);
});

Deno.test("MessageReader keeps little of its memory alive by a message", () => {
  const reader = createReader();
  reader.receive(join(longFrame(1), longFrame(2)));
  for (const event of drain(reader)) {
    assert((event as { data: Uint8Array }).data.buffer.byteLength <= 1.4 * 65_536);
  }
});

Deno.test("MessageReader reads frames that are longer than what may wait", () => {
  const reader = createReader({ maxBufferedBytes: 40_000 });
  assertEquals(readDirectly([longFrame(1), longFrame(2)], reader).length, 2);
  assert(reader.writable().length <= 40_000);
});

Deno.test("MessageReader reads a batch at once when others of its size have come", () => {
  const reader = createReader();
  const message = frame({ opcode: 2, payload: new Uint8Array(1_024) });
  const batch = join(...Array<Uint8Array>(8).fill(message));
  assert(countReads(reader, batch) > 1);
  countReads(reader, batch);
  for (let round = 0; round < 3; round++) assertEquals(countReads(reader, batch), 1);
  assert(reader.heldBytes >= batch.length);
  // Little comes for a while: the memory goes.
  const short = frame({ opcode: 2, payload: new Uint8Array(10) });
  for (let round = 0; round < 20; round++) assertEquals(countReads(reader, short), 1);
  assertEquals(reader.heldBytes, 512);
});

Deno.test("MessageReader asks for no more room than may wait", () => {
  const reader = createReader({ maxBufferedBytes: 600 });
  const batch = join(...Array<Uint8Array>(400).fill(frame({ opcode: 2, payload: "ab" })));
  for (let round = 0; round < 20; round++) {
    countReads(reader, batch);
    assert(reader.writable().length <= 600);
  }
});

Deno.test("MessageReader gives a good message in front of a bad frame", () => {
  const reader = createReader();
  reader.receive(join(frame({ opcode: 1, payload: "good" }), frame({ opcode: 3 })));
  assertEquals(reader.next(), text("good"));
  assertThrows(() => reader.next(), WebSocketProtocolError);
});

Deno.test("MessageReader refuses invalid text at every position of three fragments", () => {
  const message = ENCODER.encode("aé€😀bcdéfgh€i");
  const third = Math.floor(message.length / 3);
  for (let at = 0; at < message.length; at++) {
    const bytes = message.slice();
    bytes[at] = 0xff;
    const fragments = [
      bytes.slice(0, third),
      bytes.slice(third, 2 * third),
      bytes.slice(2 * third),
    ];
    const wire = join(
      ...fragments.map((payload, index) =>
        frame({ opcode: index === 0 ? 1 : 0, payload, isFinal: index === 2, key: KEY })
      ),
    );
    // No later than with the bad byte itself, and never before it.
    const badAt = [6, 12, 18][Math.min(2, Math.floor(at / third))]! + at;
    const reader = createReader({ isMasked: true });
    for (let index = 0; index < badAt; index++) {
      reader.receive(wire.slice(index, index + 1));
      assertEquals(reader.next(), undefined);
    }
    reader.receive(wire.slice(badAt, badAt + 1));
    const error = assertThrows(() => reader.next(), WebSocketProtocolError);
    assertEquals([error.code, error.closeCodeHint], ["ERR_WEBSOCKET_BAD_UTF8", 1007]);
    for (const chunks of randomSplits(wire)) {
      assertThrows(() => read(chunks, createReader({ isMasked: true })), WebSocketProtocolError);
    }
  }
});

function randomSplits(wire: Uint8Array): Uint8Array[][] {
  return Array.from({ length: 20 }, (_, seed) => randomSplit(wire, { seed, maxChunkBytes: 20 }));
}

Deno.test("MessageReader refuses text that ends within a character, and only at its end", () => {
  const wire = join(
    frame({ opcode: 1, payload: new Uint8Array([0x61, 0xe2]), isFinal: false }),
    frame({ opcode: 0, payload: new Uint8Array([0x82]) }),
  );
  for (const chunks of everySplit(wire)) {
    const error = assertThrows(() => read(chunks), WebSocketProtocolError);
    assertEquals(error.code, "ERR_WEBSOCKET_BAD_UTF8");
  }
  const whole = frame({ opcode: 1, payload: new Uint8Array([0x61, 0xe2, 0x82]) });
  for (const chunks of everySplit(whole)) assertThrows(() => read(chunks), WebSocketProtocolError);
});

Deno.test("MessageReader refuses invalid text within a large frame that is read directly", () => {
  const payload = new Uint8Array(200_000).fill(0x61);
  payload[150_000] = 0xff;
  const wire = frame({ opcode: 1, payload });
  const reader = createReader();
  assertThrows(
    () => readDirectly(randomSplit(wire.subarray(0, 160_000), { maxChunkBytes: 9_000 }), reader),
    WebSocketProtocolError,
  );
});

for (const max of [1, 100, 70_000]) {
  Deno.test(`MessageReader takes a message of ${max} bytes and none of ${max + 1}`, () => {
    for (const length of [max - 1, max]) {
      const payload = new Uint8Array(length);
      const whole = frame({ opcode: 2, payload });
      assertEquals(read([whole], createReader({ maxMessageBytes: max })).length, 1);
      const cut = join(
        frame({ opcode: 2, payload: payload.subarray(1), isFinal: false }),
        frame({ opcode: 0, payload: payload.subarray(0, Math.min(1, length)) }),
      );
      assertEquals(readDirectly([cut], createReader({ maxMessageBytes: max })).length, 1);
    }
    // By its head alone.
    const head = frame({ opcode: 2, length: BigInt(max + 1) });
    const error = assertThrows(
      () => read([head], createReader({ maxMessageBytes: max })),
      LimitExceededError,
    );
    assertEquals([error.limit, error.max], ["maxMessageBytes", max]);
    const fragments = join(
      frame({ opcode: 2, payload: new Uint8Array(max), isFinal: false }),
      frame({ opcode: 0, isFinal: false }),
      frame({ opcode: 0, length: 1n }),
    );
    assertThrows(
      () => read([fragments], createReader({ maxMessageBytes: max })),
      LimitExceededError,
    );
  });
}

Deno.test("MessageReader takes 65,536 fragments of 64 bytes", () => {
  const reader = createReader({ maxMessageBytes: 65_536 * 64 });
  const fragment = frame({ opcode: 0, payload: new Uint8Array(64).fill(3), isFinal: false });
  const first = frame({ opcode: 2, payload: new Uint8Array(64).fill(3), isFinal: false });
  const batch = join(...new Array(512).fill(fragment));
  readDirectly([first], reader);
  for (let count = 1; count < 65_536 - 512; count += 512) {
    assertEquals(readDirectly([batch], reader), []);
  }
  const last = join(
    ...new Array(510).fill(fragment),
    frame({ opcode: 0, payload: new Uint8Array(64).fill(3) }),
  );
  const [message] = readDirectly([last], reader);
  assert(message?.type === "binary");
  assertEquals(message.data.length, 65_536 * 64);
  assert(message.data.every((byte) => byte === 3));
});

for (const [name, payload] of [["empty", ""], ["one-byte", "a"]] as const) {
  Deno.test(`MessageReader holds no more for two million ${name} fragments`, () => {
    const reader = createReader({ isMasked: true, maxMessageBytes: 4 << 20 });
    const fragment = frame({ opcode: 0, payload, isFinal: false, key: KEY });
    const batch = join(...new Array(8_000).fill(fragment));
    readDirectly([frame({ opcode: 1, isFinal: false, key: KEY })], reader);
    for (let count = 0; count < 2_000_000; count += 8_000) readDirectly([batch], reader);
    assert(reader.heldBytes <= 300_000 + 2 * payload.length * 2_000_000);
    const [message] = readDirectly([frame({ opcode: 0, key: KEY })], reader);
    assert(message?.type === "text");
    assertEquals(message.data.length, payload.length * 2_000_000);
  });
}

Deno.test("MessageReader sets no memory aside for what was only announced", () => {
  const reader = createReader({ maxMessageBytes: Infinity });
  readDirectly([frame({ opcode: 2, length: 1n << 50n, lengthBits: 64 })], reader);
  reader.writable();
  assert(reader.heldBytes < 200_000);
});

Deno.test("MessageReader gives a message in pieces as it comes", () => {
  const reader = createReader();
  reader.deliversPieces = true;
  const piece = (data: string, isFinal: boolean): ReadEvent => ({
    type: "piece",
    kind: "text",
    data: ENCODER.encode(data),
    isFinal,
  });
  assertEquals(
    read([
      frame({ opcode: 1, payload: "abcd", isFinal: false }).subarray(0, 4),
      ENCODER.encode("cd"),
      frame({ opcode: 0, isFinal: false }),
      frame({ opcode: 9 }),
    ], reader),
    [piece("ab", false), piece("cd", false), control("ping", "")],
  );
  // What began in pieces goes on in pieces.
  reader.deliversPieces = false;
  assertEquals(
    read([frame({ opcode: 0, payload: "e" }), frame({ opcode: 1, payload: "whole" })], reader),
    [piece("e", true), text("whole")],
  );
});

Deno.test("MessageReader gives pieces of messages that are longer than it would hold", () => {
  const reader = createReader({ maxMessageBytes: 10 });
  reader.deliversPieces = true;
  const payload = new SeededRandom(1).bytes(100_000);
  const events = readDirectly(randomSplit(frame({ opcode: 2, payload })), reader);
  const pieces = events.map((event) => event.type === "piece" ? event.data : new Uint8Array());
  assertEquals(join(...pieces), payload);
  assert(reader.heldBytes < 200_000);
});

Deno.test("MessageReader refuses invalid text in pieces", () => {
  const reader = createReader();
  reader.deliversPieces = true;
  assertThrows(
    () => read([frame({ opcode: 1, payload: new Uint8Array([0x61, 0xff]) })], reader),
    WebSocketProtocolError,
  );
  const other = createReader();
  other.deliversPieces = true;
  assertThrows(
    () => read([frame({ opcode: 1, payload: new Uint8Array([0x61, 0xc3]) })], other),
    WebSocketProtocolError,
  );
});

Deno.test("MessageReader.discard() finds the Close frame behind whatever else comes", () => {
  const wire = join(
    frame({ opcode: 1, payload: new Uint8Array([0xff, 0xff, 0xff]), isFinal: false, key: KEY }),
    frame({ opcode: 0, payload: new Uint8Array(200), key: KEY }),
    frame({ opcode: 2, payload: new Uint8Array(10), key: KEY }),
    frame({ opcode: 8, payload: new Uint8Array([3, 232]), key: KEY }),
  );
  for (const feed of [read, readDirectly]) {
    for (const chunks of randomSplits(wire)) {
      const reader = createReader({ isMasked: true, maxMessageBytes: 1 });
      reader.discard();
      const events = feed(chunks, reader);
      assertEquals(events, [{ type: "close-payload", data: new Uint8Array([3, 232]) }]);
    }
  }
});

Deno.test("MessageReader.discard() may come at any byte, while a read is under way", () => {
  const wire = join(
    frame({ opcode: 2, payload: new Uint8Array(20_000), isFinal: false, key: KEY }),
    frame({ opcode: 9, payload: "p", key: KEY }),
    frame({ opcode: 0, payload: new Uint8Array(40_000), key: KEY }),
    frame({ opcode: 8, key: KEY }),
  );
  for (let discardAt = 0; discardAt < wire.length; discardAt += 997) {
    const reader = createReader({ isMasked: true });
    const events: ReadEvent[] = [];
    let isDiscarded = false;
    for (let at = 0; at < wire.length;) {
      const space = reader.writable();
      if (at >= discardAt && !isDiscarded) {
        isDiscarded = true;
        reader.discard();
      }
      const part = wire.subarray(at, at + Math.min(space.length, 700));
      space.set(part);
      reader.commit(part.length);
      at += part.length;
      drain(reader, events);
    }
    assertEquals(events.at(-1)?.type, "close-payload");
  }
});

Deno.test("MessageReader.discard() drops what was read to its place and not looked at", () => {
  const reader = createReader();
  const wire = join(
    frame({ opcode: 2, payload: new Uint8Array(50_000) }),
    frame({ opcode: 8, payload: new Uint8Array([3, 232]) }),
  );
  readDirectly([wire.subarray(0, 20_000)], reader);
  const space = reader.writable();
  const part = wire.subarray(20_000, 20_000 + Math.min(space.length, 10_000));
  space.set(part);
  reader.commit(part.length);
  assertEquals(reader.bufferedBytes, 10_000);
  reader.discard();
  assertEquals(reader.bufferedBytes, 0);
  const [event] = readDirectly([wire.subarray(30_000)], reader);
  assertEquals(event, { type: "close-payload", data: new Uint8Array([3, 232]) });
});

Deno.test("MessageReader.receive() takes all or nothing", () => {
  const reader = createReader({ maxBufferedBytes: 10 });
  reader.receive(frame({ opcode: 1, payload: "abc" }));
  assertThrows(() => reader.receive(new Uint8Array(6)), LimitExceededError);
  assertEquals(reader.bufferedBytes, 5);
  assertEquals(reader.next(), text("abc"));
});

// Compression.

Deno.test("MessageReader inflates messages however they are split", () => {
  const wire = join(
    frame({ opcode: 1, payload: new Uint8Array([2, 0x61, 1]), isFinal: false, reserved: 4 }),
    frame({ opcode: 9 }),
    frame({ opcode: 0, payload: new Uint8Array([0x62]), isFinal: false }),
    frame({ opcode: 0 }),
    frame({ opcode: 2, payload: "plain" }),
    frame({ opcode: 2, payload: new Uint8Array([3, 9]), reserved: 4 }),
    frame({ opcode: 1, reserved: 4 }),
  );
  for (const chunks of everySplit(wire)) {
    const inflater = new RunLengthInflater();
    assertEquals(read(chunks, createReader({ inflater })), [
      control("ping", ""),
      text("aab"),
      binary("plain"),
      { type: "binary", data: new Uint8Array([9, 9, 9]) },
      text(""),
    ]);
    assertEquals(inflater.messageCount, 3);
  }
});

Deno.test("MessageReader bounds a message while it is inflated", () => {
  const max = 1_000_000;
  for (const [length, isLegal] of [[max - 1, true], [max, true], [max + 1, false]] as const) {
    const payload = new Uint8Array([1, 0x61]);
    const inflater = new RunLengthInflater(length);
    const reader = createReader({ inflater, maxMessageBytes: max });
    const run = () => read([frame({ opcode: 1, payload, reserved: 4 })], reader);
    if (isLegal) assertEquals(run().length, 1);
    else assertEquals(assertThrows(run, LimitExceededError).limit, "maxMessageBytes");
  }
  const bomb = new RunLengthInflater(1 << 28);
  const reader = createReader({ inflater: bomb, maxMessageBytes: max });
  assertThrows(
    () => read([frame({ opcode: 2, payload: new Uint8Array([1, 0]), reserved: 4 })], reader),
    LimitExceededError,
  );
  assert(bomb.inflatedBytes <= max + 65_536);
});

Deno.test("MessageReader bounds compressed bytes that never give anything", () => {
  const silent = { inflate: () => {}, close: () => {} };
  const reader = createReader({ inflater: silent, maxMessageBytes: 1_000 });
  const payload = new Uint8Array(100);
  read([frame({ opcode: 2, payload, isFinal: false, reserved: 4 })], reader);
  read([frame({ opcode: 0 })], reader);
  // Each message has its own bound.
  const whole = frame({ opcode: 2, payload: new Uint8Array(900), reserved: 4 });
  assertEquals(read([whole, whole, whole], reader).length, 3);
  read([frame({ opcode: 2, payload, isFinal: false, reserved: 4 })], reader);
  assertThrows(() => {
    for (let count = 0; count < 20; count++) {
      read([frame({ opcode: 0, payload, isFinal: false })], reader);
    }
  }, LimitExceededError);
});

Deno.test("MessageReader refuses invalid text that was compressed, before the message ends", () => {
  const payload = new Uint8Array([1, 0xff]);
  const reader = createReader({ inflater: new RunLengthInflater() });
  const wire = frame({ opcode: 1, payload, isFinal: false, reserved: 4 });
  const error = assertThrows(() => read([wire], reader), WebSocketProtocolError);
  assertEquals(error.code, "ERR_WEBSOCKET_BAD_UTF8");
});

Deno.test("MessageReader passes on what the inflater finds", () => {
  const reader = createReader({ inflater: new RunLengthInflater() });
  const wire = frame({ opcode: 1, payload: new Uint8Array([0]), reserved: 4 });
  const error = assertThrows(() => read([wire], reader), WebSocketProtocolError);
  assertEquals(error.code, "ERR_WEBSOCKET_BAD_COMPRESSED_DATA");
});

Deno.test("MessageReader gives compressed messages in bounded pieces", () => {
  const reader = createReader({ inflater: new RunLengthInflater(4), maxMessageBytes: 100 });
  reader.deliversPieces = true;
  const payload = new Uint8Array(20_000).fill(255);
  const events = read([frame({ opcode: 2, payload, reserved: 4 })], reader);
  let total = 0;
  for (const [index, event] of events.entries()) {
    assert(event.type === "piece" && event.data.length <= 512 * 255 * 4);
    assertEquals(event.isFinal, index === events.length - 1);
    total += event.data.length;
  }
  assertEquals(total, 10_000 * 255 * 4);
});
