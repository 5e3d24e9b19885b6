import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { FrameEncoder } from "../../websocket/frame_encoder.ts";
import { frame, join, KEY, KEY_NUMBER } from "../_support/websocket_frames.ts";

/** Everything that is to be written, copied in time. */
function drain(encoder: FrameEncoder): Uint8Array<ArrayBuffer> {
  const chunks: Uint8Array[] = [];
  for (let chunk; (chunk = encoder.take()) !== undefined;) chunks.push(chunk.slice());
  return join(...chunks);
}

const LENGTHS = [0, 1, 125, 126, 65_535, 65_536, 131_071, 131_072, 300_000];

for (const key of [undefined, KEY]) {
  const how = key === undefined ? "plain" : "masked";
  const options = key === undefined ? {} : { randomMaskKey: () => KEY_NUMBER };

  for (const length of LENGTHS) {
    Deno.test(`FrameEncoder.writeFrame() writes ${length} bytes ${how}`, () => {
      const payload = new Uint8Array(length).fill(0x5a);
      const encoder = new FrameEncoder(options);
      encoder.writeFrame(2, payload);
      assertEquals(drain(encoder), frame({ opcode: 2, payload, key }));
      assert(payload.every((byte) => byte === 0x5a));
    });
  }

  for (const unit of ["a", "é", "€", "😀", "\ud800"]) {
    Deno.test(`FrameEncoder.writeText() writes ${JSON.stringify(unit)} ${how} at any length`, () => {
      const encoder = new FrameEncoder(options);
      const counts = [0, 1, 31, 32, 33, 41, 42, 62, 63, 64, 65, 125, 126, 127, 1_023, 1_024];
      for (const count of [...counts, 16_384, 21_846, 32_768, 65_535, 65_536, 140_000]) {
        encoder.writeText(1, unit.repeat(count));
        const expected = frame({ opcode: 1, payload: unit.repeat(count), key });
        assertEquals(drain(encoder), expected, `${count} times`);
      }
    });
  }

  Deno.test(`FrameEncoder.writeText() writes long text that is ASCII only at first, ${how}`, () => {
    const encoder = new FrameEncoder(options);
    for (const text of ["a".repeat(100) + "é".repeat(30), "a".repeat(65_500) + "€".repeat(100)]) {
      encoder.writeText(1, text);
      assertEquals(drain(encoder), frame({ opcode: 1, payload: text, key }));
    }
  });
}

Deno.test("FrameEncoder puts the frames of one turn into one write", () => {
  const encoder = new FrameEncoder();
  encoder.writeText(1, "a", { isFinal: false });
  encoder.writeFrame(9, new Uint8Array([1]));
  encoder.writeText(0, "b");
  const expected = join(
    frame({ opcode: 1, payload: "a", isFinal: false }),
    frame({ opcode: 9, payload: new Uint8Array([1]) }),
    frame({ opcode: 0, payload: "b" }),
  );
  assertEquals(encoder.queuedBytes, expected.length);
  assertEquals(encoder.take(), expected);
  // It is on its way, and counts until the next call.
  assertEquals([encoder.queuedBytes, encoder.waitingBytes], [expected.length, 0]);
  assertEquals(encoder.take(), undefined);
  assertEquals(encoder.queuedBytes, 0);
});

Deno.test("FrameEncoder asks for a key for every frame", () => {
  let key = 0;
  const encoder = new FrameEncoder({ randomMaskKey: () => ++key });
  encoder.writeText(1, "a");
  encoder.writeText(1, "b");
  const expected = [1, 2].map((last) =>
    frame({ opcode: 1, payload: last === 1 ? "a" : "b", key: [0, 0, 0, last] })
  );
  assertEquals(encoder.take(), join(...expected));
});

Deno.test("FrameEncoder leaves what it gave alone until the next take()", () => {
  const encoder = new FrameEncoder();
  // Memory it uses again is the harder case.
  for (let turn = 0; turn < 3; turn++) {
    encoder.writeText(1, "warm");
    encoder.take();
  }
  encoder.writeText(1, "first");
  const given = encoder.take()!;
  const copy = given.slice();
  for (let index = 0; index < 1_000; index++) encoder.writeText(1, "later".repeat(20));
  assertEquals(given, copy);
  assertEquals(drain(encoder).length, 1_000 * 102);
});

Deno.test("FrameEncoder lends a large payload instead of copying it, in order", () => {
  const encoder = new FrameEncoder();
  const payload = new Uint8Array(131_072);
  encoder.writeText(1, "before");
  encoder.writeFrame(2, payload);
  encoder.writeText(1, "after");
  const head = frame({ opcode: 2, length: 131_072n, lengthBits: 64 });
  assertEquals(encoder.take(), join(frame({ opcode: 1, payload: "before" }), head));
  assertStrictEquals(encoder.take(), payload);
  assertEquals(encoder.take(), frame({ opcode: 1, payload: "after" }));
});

Deno.test("FrameEncoder copies a large payload that is masked, or used again", () => {
  const payload = new Uint8Array(131_072);
  const masking = new FrameEncoder({ randomMaskKey: () => KEY_NUMBER });
  masking.writeFrame(2, payload);
  assertEquals(drain(masking), frame({ opcode: 2, payload, key: KEY }));
  const copying = new FrameEncoder();
  copying.writeFrame(2, payload, { mustCopy: true });
  const chunk = copying.take()!;
  assert(chunk.buffer !== payload.buffer);
  assertEquals(chunk.length, 10 + payload.length);
});

Deno.test("FrameEncoder bounds what it gives at a time", () => {
  const encoder = new FrameEncoder();
  for (let index = 0; index < 10_000; index++) encoder.writeText(1, "a".repeat(100));
  let total = 0;
  for (let chunk; (chunk = encoder.take()) !== undefined;) {
    assert(chunk.length <= 131_072);
    total += chunk.length;
  }
  assertEquals(total, 10_000 * 102);
});

Deno.test("FrameEncoder uses its memory again, and lets go of much that lies idle", () => {
  const encoder = new FrameEncoder();
  const buffers = new Set<ArrayBufferLike>();
  for (let turn = 0; turn < 100; turn++) {
    encoder.writeText(1, "hello");
    for (let chunk; (chunk = encoder.take()) !== undefined;) buffers.add(chunk.buffer);
  }
  assert(buffers.size <= 2);
  encoder.writeFrame(2, new Uint8Array(100_000));
  const large = encoder.take()!.buffer;
  const sizes: number[] = [];
  for (let turn = 0; turn < 3; turn++) {
    for (let chunk; (chunk = encoder.take()) !== undefined;) sizes.push(chunk.buffer.byteLength);
    encoder.writeText(1, "hello");
  }
  assert(large.byteLength >= 100_000);
  assert(sizes.at(-1)! <= 16_384);
});

Deno.test("FrameEncoder takes the memory of long frames from who has written before", () => {
  const payload = new Uint8Array(65_536);
  const buffers = new Set<ArrayBufferLike>();
  for (let turn = 0; turn < 20; turn++) {
    const encoder = new FrameEncoder();
    for (let message = 0; message < 5; message++) {
      encoder.writeFrame(2, payload);
      buffers.add(encoder.take()!.buffer);
      // A driver asks again when it has written, and again before it reads.
      for (let count = 0; count < 3; count++) assertEquals(encoder.take(), undefined);
    }
  }
  assertEquals(buffers.size, 1);
});

Deno.test("FrameEncoder shares no memory with another before it is written", () => {
  const encoders = Array.from({ length: 10 }, () => new FrameEncoder());
  for (const length of [10, 1_000, 65_536]) {
    const given = encoders.map((encoder, index) => {
      encoder.writeFrame(2, new Uint8Array(length).fill(index));
      return encoder.take()!;
    });
    assertEquals(new Set(given.map(({ buffer }) => buffer)).size, encoders.length);
    for (const [index, bytes] of given.entries()) assertEquals(bytes.at(-1), index);
    for (const encoder of encoders) encoder.take();
  }
});

Deno.test("FrameEncoder keeps no memory of a frame that was far larger than a write", () => {
  const encoder = new FrameEncoder({ randomMaskKey: () => KEY_NUMBER });
  encoder.writeFrame(2, new Uint8Array(1_000_000));
  encoder.take();
  encoder.writeText(1, "a");
  assert(encoder.take()!.buffer.byteLength <= 262_144);
  encoder.writeText(1, "a");
  assert(encoder.take()!.buffer.byteLength <= 262_144);
});

Deno.test("FrameEncoder.shrink() keeps what waits", () => {
  const encoder = new FrameEncoder();
  encoder.writeText(1, "hello");
  encoder.shrink();
  assertEquals(encoder.take(), frame({ opcode: 1, payload: "hello" }));
  encoder.take();
  encoder.shrink();
  encoder.writeText(1, "again");
  assertEquals(encoder.take(), frame({ opcode: 1, payload: "again" }));
});
