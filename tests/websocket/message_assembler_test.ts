import { assert, assertEquals, assertThrows } from "@std/assert";
import { LimitExceededError } from "../../nbio/errors.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { MessageAssembler } from "../../websocket/message_assembler.ts";

const ENCODER = new TextEncoder();

Deno.test("MessageAssembler puts pieces of any size together", () => {
  const random = new SeededRandom(2);
  const assembler = new MessageAssembler(1 << 20);
  for (let message = 0; message < 50; message++) {
    const bytes = random.bytes(random.length(200_000));
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + random.length(70_000));
      assembler.append(bytes, at, end, random.chance(0.5) ? bytes.length - end : 0);
      at = end;
    }
    assertEquals(assembler.length, bytes.length);
    assertEquals(assembler.takeBytes(), bytes);
    assertEquals(assembler.length, 0);
  }
});

Deno.test("MessageAssembler gives memory away and never writes to it again", () => {
  const assembler = new MessageAssembler(1_000);
  const taken: Uint8Array[] = [];
  for (let index = 0; index < 20; index++) {
    assembler.append(new Uint8Array(index * 10).fill(index), 0, index * 10, 0);
    taken.push(assembler.takeBytes());
  }
  for (const [index, bytes] of taken.entries()) {
    assertEquals(bytes, new Uint8Array(index * 10).fill(index));
    assert(bytes.buffer.byteLength <= Math.ceil(bytes.length * 4 / 3));
  }
});

Deno.test("MessageAssembler holds no view of what it was given", () => {
  const assembler = new MessageAssembler(1_000);
  const chunk = ENCODER.encode("abc");
  assembler.append(chunk, 0, 3);
  chunk.fill(0);
  const bytes = assembler.takeBytes();
  assertEquals(bytes, ENCODER.encode("abc"));
  assert(bytes.buffer !== chunk.buffer);
});

for (const max of [1, 100, 65_536]) {
  Deno.test(`MessageAssembler takes ${max} bytes and no more`, () => {
    for (const length of [max - 1, max]) {
      const assembler = new MessageAssembler(max);
      assembler.announce(length);
      for (let at = 0; at < length; at++) assembler.append(new Uint8Array(1), 0, 1);
      assertEquals(assembler.takeBytes().length, length);
    }
    const assembler = new MessageAssembler(max);
    const error = assertThrows(() => assembler.announce(max + 1), LimitExceededError);
    assertEquals([error.limit, error.max], ["maxMessageBytes", max]);
    assembler.append(new Uint8Array(max), 0, max);
    assertThrows(() => assembler.append(new Uint8Array(1), 0, 1), LimitExceededError);
  });
}

Deno.test("MessageAssembler sets no memory aside for what was only announced", () => {
  const assembler = new MessageAssembler(1 << 30);
  assembler.announce(1 << 30);
  assertEquals(assembler.capacity, 0);
  assembler.append(new Uint8Array(1), 0, 1, (1 << 30) - 1);
  assert(assembler.capacity <= 65_536);
  assembler.append(new Uint8Array(65_536), 0, 65_536, 1 << 29);
  assert(assembler.capacity <= 4 * 65_537);
});

Deno.test("MessageAssembler sets as much aside at once as a message before has filled", () => {
  const assembler = new MessageAssembler(1 << 20);
  assembler.append(new Uint8Array(1 << 20), 0, 1 << 20);
  assembler.takeBytes();
  assembler.append(new Uint8Array(10), 0, 10, (1 << 20) - 10);
  assertEquals(assembler.capacity, 1 << 20);
});

Deno.test("MessageAssembler reads into its memory without a copy", () => {
  const assembler = new MessageAssembler(1 << 20);
  const bytes = new SeededRandom(4).bytes(300_000);
  assembler.append(bytes, 0, 10, 299_990);
  for (let at = 10; at < bytes.length;) {
    const space = assembler.writable(bytes.length - at);
    assert(space.length >= 1 && space.length <= bytes.length - at);
    const count = Math.min(space.length, 50_000);
    space.set(bytes.subarray(at, at + count));
    assembler.commit(count);
    at += count;
  }
  assertEquals(assembler.takeBytes(), bytes);
});

Deno.test("MessageAssembler.takeText() decodes what is UTF-8, and only that", () => {
  const assembler = new MessageAssembler(1_000);
  assertEquals(assembler.takeText(), "");
  assembler.append(new Uint8Array([0xc3]), 0, 1);
  assembler.append(new Uint8Array([0xa9]), 0, 1);
  assertEquals(assembler.takeText(), "é");
  assembler.append(new Uint8Array([0xc3]), 0, 1);
  assertEquals(assembler.takeText(), undefined);
  assembler.append(ENCODER.encode("next"), 0, 4);
  assertEquals(assembler.takeText(), "next");
});

Deno.test("MessageAssembler keeps a small memory for text, and no large one", () => {
  const assembler = new MessageAssembler(1 << 20);
  assembler.append(new Uint8Array(1_000), 0, 1_000);
  assembler.takeText();
  assert(assembler.capacity > 0 && assembler.capacity <= 16_384);
  assembler.append(new Uint8Array(100_000), 0, 100_000);
  assembler.takeText();
  assertEquals(assembler.capacity, 0);
});

Deno.test("MessageAssembler.clear() forgets what it holds", () => {
  const assembler = new MessageAssembler(1_000);
  assembler.append(new Uint8Array(10), 0, 10);
  assembler.clear();
  assertEquals([assembler.length, assembler.capacity], [0, 0]);
});
