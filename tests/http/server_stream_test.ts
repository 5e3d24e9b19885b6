import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { bytesOf, dropBody, ServerStream, type StreamSource } from "../../http/server_stream.ts";
import { textOf } from "../_support/raw_bytes.ts";
import { gate, turn } from "../_support/server_harness.ts";

async function* generate(pieces: readonly (string | Uint8Array)[], onEnd = () => {}) {
  try {
    yield* pieces;
  } finally {
    onEnd();
  }
}

for (const kind of ["ReadableStream", "generator"] as const) {
  const make = (pieces: readonly (string | Uint8Array)[], onCancel = () => {}): StreamSource =>
    kind === "generator" ? generate(pieces, onCancel) : new ReadableStream({
      start(controller) {
        for (const piece of pieces) controller.enqueue(piece);
        if (pieces.length > 0) controller.close();
      },
      cancel: onCancel,
    });

  Deno.test(`ServerStream.next() gives the pieces of a ${kind} as bytes, then undefined`, async () => {
    const stream = new ServerStream(make(["\u00fc", Uint8Array.of(97), ""]));
    const pieces = [];
    for (let piece; (piece = await stream.next()) !== undefined;) pieces.push(textOf(piece));
    assertEquals(pieces, ["\xc3\xbc", "a", ""]);
    stream.cancel("late");
  });

  Deno.test(`ServerStream.cancel() lets go of a ${kind} once`, async () => {
    let cancelCount = 0;
    const source = kind === "generator"
      ? generate(["a", "b"], () => void cancelCount++)
      : new ReadableStream<string>({
        start: (controller) => controller.enqueue("a"),
        cancel: () => void cancelCount++,
      });
    const stream = new ServerStream(source);
    await stream.next();
    stream.cancel("reason");
    stream.cancel("reason");
    await turn();
    assertEquals(cancelCount, 1);
  });
}

Deno.test("ServerStream.cancel() ends a next() that waits, with its reason", async () => {
  const never = gate();
  const sources: StreamSource[] = [
    new ReadableStream(),
    (async function* () {
      yield await never.passed.then(() => "late");
    })(),
  ];
  for (const source of sources) {
    const stream = new ServerStream(source);
    const reason = new Error("gone");
    const waiting = assertRejects(() => stream.next());
    stream.cancel(reason);
    assertStrictEquals(await waiting, reason);
  }
  never.open();
});

Deno.test("ServerStream.next() rejects with what its source fails with", async () => {
  const failure = new Error("source");
  const stream = new ServerStream(
    (async function* () {
      yield await Promise.reject(failure);
    })(),
  );
  assertStrictEquals(await assertRejects(() => stream.next()), failure);
});

Deno.test("ServerStream swallows what a source says about being cancelled", async () => {
  const failure = new Error("cancel");
  const readable = new ReadableStream({ cancel: () => Promise.reject(failure) });
  new ServerStream(readable).cancel("reason");
  const iterator = {
    next: () => new Promise<never>(() => {}),
    return: () => Promise.reject(failure),
  };
  new ServerStream({ [Symbol.asyncIterator]: () => iterator }).cancel("reason");
  new ServerStream({ [Symbol.asyncIterator]: () => ({ next: iterator.next }) }).cancel("reason");
  await turn();
});

for (
  const [what, stop] of [
    ["answers at once", () => ({ done: true, value: undefined })],
    ["answers nothing", () => undefined],
    ["throws", () => {
      throw new Error("return");
    }],
  ] as const
) {
  Deno.test(`ServerStream.cancel() survives an iterator whose return() ${what}`, async () => {
    let stopCount = 0;
    const iterator = {
      next: () => new Promise<never>(() => {}),
      return: () => {
        stopCount++;
        return stop();
      },
    };
    const source = { [Symbol.asyncIterator]: () => iterator } as unknown as StreamSource;
    const stream = new ServerStream(source);
    const waiting = stream.next();
    stream.cancel("reason");
    assertStrictEquals(await waiting.catch((reason) => reason), "reason");
    await turn();
    assertEquals(stopCount, 1);
  });
}

Deno.test("ServerStream.next() takes pieces that an iterator gives at once", async () => {
  const values = ["a", "b"];
  const iterator = { next: () => ({ done: values.length === 0, value: values.shift() }) };
  const source = { [Symbol.asyncIterator]: () => iterator } as unknown as StreamSource;
  const stream = new ServerStream(source);
  const pieces = [];
  for (let piece; (piece = await stream.next()) !== undefined;) pieces.push(textOf(piece));
  assertEquals(pieces, ["a", "b"]);
});

Deno.test("ServerStream throws on what cannot be read", () => {
  const locked = new ReadableStream();
  locked.getReader();
  for (const source of [locked, {}, 7]) {
    assertThrows(() => new ServerStream(source as StreamSource), TypeError);
  }
});

Deno.test("dropBody() cancels sources and leaves everything else alone", async () => {
  let cancelCount = 0;
  dropBody(new ReadableStream({ cancel: () => void cancelCount++ }), "reason");
  const locked = new ReadableStream();
  locked.getReader();
  for (const body of [undefined, null, "text", new Uint8Array(1), locked, {}]) {
    dropBody(body, "reason");
  }
  await turn();
  assertEquals(cancelCount, 1);
});

Deno.test("bytesOf() takes text and bytes, nothing else", () => {
  assertEquals(bytesOf("\u00fc"), Uint8Array.of(0xc3, 0xbc));
  const bytes = Uint8Array.of(1);
  assertStrictEquals(bytesOf(bytes), bytes);
  for (
    const piece of [
      7,
      null,
      undefined,
      {},
      [1],
      new ArrayBuffer(1),
      new DataView(new ArrayBuffer(1)),
      new Uint16Array(1),
    ]
  ) {
    assertThrows(() => bytesOf(piece), TypeError);
  }
});
