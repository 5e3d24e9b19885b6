import { assert, assertEquals, assertThrows } from "@std/assert";
import { LimitExceededError } from "../../nbio/errors.ts";
import { ReceiveBuffer } from "../../nbio/receive_buffer.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";

/** Does what a read of `byteCount` bytes does. */
function receive(buffer: ReceiveBuffer, byteCount: number): void {
  buffer.writable(byteCount);
  buffer.commit(byteCount);
}

/** Does what reads do that give whatever there is room for. */
function receiveFull(buffer: ReceiveBuffer): number {
  const byteCount = buffer.writable().length;
  buffer.commit(byteCount);
  return byteCount;
}

Deno.test("ReceiveBuffer gives back the bytes that came, in order, whatever the sizes", () => {
  for (let seed = 0; seed < 50; seed++) {
    const random = new SeededRandom(seed);
    const maxBytes = random.pick([1, 7, 64, 1_000, 5_000]);
    const buffer = new ReceiveBuffer({ maxBytes, idleBytes: random.pick([1, 16, 1_024]) });
    let sent = 0;
    let seen = 0;
    for (let step = 0; step < 500; step++) {
      if (buffer.length < maxBytes) {
        const space = buffer.writable(1 + random.int(maxBytes - buffer.length));
        const byteCount = random.int(space.length + 1);
        for (let i = 0; i < byteCount; i++) space[i] = sent++;
        buffer.commit(byteCount);
        assert(buffer.length <= maxBytes);
      }
      const byteCount = random.int(buffer.length + 1);
      for (const byte of buffer.view().subarray(0, byteCount)) assertEquals(byte, seen++ & 0xff);
      buffer.consume(byteCount);
      assertEquals(buffer.length, sent - seen);
    }
  }
});

Deno.test("ReceiveBuffer is small before anything comes", () => {
  assertEquals(new ReceiveBuffer().capacity, 1_024);
  assertEquals(new ReceiveBuffer({ maxBytes: 100 }).capacity, 100);
});

Deno.test("ReceiveBuffer.writable() makes no view while the buffer is empty", () => {
  const buffer = new ReceiveBuffer();
  assert(buffer.writable() === buffer.bytes);
  receive(buffer, 300);
  buffer.consume(300);
  assert(buffer.writable() === buffer.bytes);
});

Deno.test("ReceiveBuffer grows four times per read that fills it, to 64 KiB", () => {
  const buffer = new ReceiveBuffer({ maxBytes: 1 << 20 });
  const sizes: number[] = [];
  for (let i = 0; i < 6; i++) {
    sizes.push(receiveFull(buffer));
    buffer.consume(buffer.length);
  }
  assertEquals(sizes, [1_024, 4_096, 16_384, 65_536, 65_536, 65_536]);
});

Deno.test("ReceiveBuffer does not grow beyond maxBytes to read more at once", () => {
  const buffer = new ReceiveBuffer({ maxBytes: 3_000 });
  receiveFull(buffer);
  buffer.consume(buffer.length);
  assertEquals(buffer.writable().length, 3_000);
});

Deno.test("ReceiveBuffer is small again after little came", () => {
  const buffer = new ReceiveBuffer();
  for (let i = 0; i < 3; i++) {
    receiveFull(buffer);
    buffer.consume(buffer.length);
  }
  receive(buffer, 100);
  buffer.consume(100);
  assertEquals(buffer.capacity, 65_536);
  buffer.writable();
  assertEquals(buffer.capacity, 1_024);
});

Deno.test("ReceiveBuffer stays large for messages that need it, however they are split", () => {
  const buffer = new ReceiveBuffer();
  for (let round = 0; round < 3; round++) {
    // 1,500 bytes: the second read of a message is a small one.
    for (let left = 1_500; left > 0;) {
      const byteCount = Math.min(left, buffer.writable().length);
      buffer.commit(byteCount);
      left -= byteCount;
    }
    buffer.consume(1_500);
    buffer.writable();
    assertEquals(buffer.capacity, 4_096);
  }
});

Deno.test("ReceiveBuffer.shrink() makes an empty buffer small, and no other", () => {
  const buffer = new ReceiveBuffer();
  receive(buffer, 10_000);
  buffer.shrink();
  assertEquals(buffer.length, 10_000);
  buffer.consume(10_000);
  buffer.shrink();
  assertEquals(buffer.capacity, 1_024);
});

Deno.test("ReceiveBuffer holds maxBytes and no more", () => {
  const buffer = new ReceiveBuffer({ maxBytes: 2_000 });
  while (buffer.length < 2_000) receiveFull(buffer);
  assertEquals(buffer.length, 2_000);
  const error = assertThrows(() => buffer.writable(), LimitExceededError);
  assertEquals(error.code, "ERR_NET_LIMIT_EXCEEDED");
  assertEquals([error.limit, error.max], ["maxBytes", 2_000]);
  assertEquals(buffer.length, 2_000);
  buffer.consume(1);
  assertEquals(buffer.writable().length, 1);
});

Deno.test("ReceiveBuffer.writable() gives the space asked for up to maxBytes", () => {
  const buffer = new ReceiveBuffer({ maxBytes: 5_000 });
  assert(buffer.writable(5_000).length >= 5_000);
  assertThrows(() => buffer.writable(5_001), LimitExceededError);
  receive(buffer, 10);
  assert(buffer.writable(4_990).length >= 4_990);
  assertThrows(() => buffer.writable(4_991), LimitExceededError);
});

Deno.test("ReceiveBuffer uses at most twice maxBytes", () => {
  const random = new SeededRandom(3);
  const buffer = new ReceiveBuffer({ maxBytes: 10_000 });
  for (let step = 0; step < 2_000; step++) {
    if (buffer.length < 10_000) buffer.commit(random.int(buffer.writable().length + 1));
    buffer.consume(random.int(buffer.length + 1));
    assert(buffer.capacity <= 20_000);
  }
});

for (
  const { maxBytes, heldBytes } of [
    { maxBytes: 4_096, heldBytes: 4_096 },
    { maxBytes: 1 << 20, heldBytes: 65_536 },
  ]
) {
  Deno.test(`ReceiveBuffer moves few bytes while it holds ${heldBytes} of ${maxBytes}`, () => {
    // The worst case: the memory is full but for one byte, which comes and goes.
    const buffer = new ReceiveBuffer({ maxBytes });
    while (buffer.length < heldBytes) receiveFull(buffer);
    let movedBytes = 0;
    const rounds = 4 * heldBytes;
    for (let round = 0; round < rounds; round++) {
      buffer.consume(1);
      const { start, bytes } = buffer;
      buffer.writable();
      if (buffer.start !== start || buffer.bytes !== bytes) movedBytes += buffer.length;
      buffer.commit(1);
    }
    assert(movedBytes <= 2 * rounds, `${movedBytes} bytes moved in ${rounds} rounds`);
  });
}

Deno.test("ReceiveBuffer.commit() throws on more than there is room for", () => {
  const buffer = new ReceiveBuffer();
  for (const byteCount of [-1, 1_025, NaN]) {
    assertThrows(() => buffer.commit(byteCount), RangeError);
  }
  buffer.commit(0);
  assertEquals(buffer.length, 0);
});

Deno.test("ReceiveBuffer.consume() throws on more than waits", () => {
  const buffer = new ReceiveBuffer();
  receive(buffer, 5);
  for (const byteCount of [-1, 6, NaN]) assertThrows(() => buffer.consume(byteCount), RangeError);
  buffer.consume(5);
  assertEquals(buffer.length, 0);
});

Deno.test("ReceiveBuffer.consume() does not disturb a read that is under way", () => {
  const buffer = new ReceiveBuffer();
  receive(buffer, 3);
  const space = buffer.writable();
  buffer.consume(3);
  space.set([7, 8]);
  buffer.commit(2);
  assertEquals([...buffer.view()], [7, 8]);
});

for (const options of [{ maxBytes: 0 }, { maxBytes: 1.5 }, { idleBytes: 0 }, { maxBytes: NaN }]) {
  Deno.test(`ReceiveBuffer throws on ${Deno.inspect(options)}`, () => {
    assertThrows(() => new ReceiveBuffer(options), RangeError);
  });
}

Deno.test("ReceiveBuffer.detach() gives its memory away and keeps what waits", () => {
  const buffer = new ReceiveBuffer({ idleBytes: 16 });
  const space = buffer.writable(200);
  space.set(Array.from({ length: 200 }, (_, i) => i));
  buffer.commit(200);
  buffer.consume(190);
  const memory = buffer.detach();
  assertEquals(memory.subarray(0, 190), Uint8Array.from({ length: 190 }, (_, i) => i));
  assertEquals([buffer.length, buffer.capacity], [10, 26]);
  assertEquals(buffer.view(), memory.subarray(190, 200));
  buffer.view().fill(0);
  buffer.writable(500).fill(0);
  assertEquals(memory[195], 195);
});

Deno.test("ReceiveBuffer.detach() leaves no memory where nothing waits, until the next read", () => {
  const buffer = new ReceiveBuffer({ idleBytes: 16 });
  const memory = buffer.bytes;
  assertEquals(receiveFull(buffer), 16);
  buffer.consume(16);
  assert(buffer.detach() === memory);
  assertEquals([buffer.length, buffer.capacity], [0, 0]);
  assertEquals(buffer.writable().length, 16);
  receive(buffer, 3);
  assertEquals(buffer.length, 3);
});
