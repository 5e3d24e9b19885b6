import { assertEquals, assertThrows } from "@std/assert";
import { WebSocketStateError } from "../../websocket/errors.ts";
import { MessageWriter } from "../../websocket/message_writer.ts";
import { frame, join, KEY, KEY_NUMBER } from "../_support/websocket_frames.ts";
import { RunLengthDeflater, RunLengthInflater } from "../_support/websocket_run_length.ts";

function createWriter(thresholdBytes?: number): MessageWriter {
  if (thresholdBytes === undefined) return new MessageWriter(undefined, undefined);
  const engines = { inflater: new RunLengthInflater(), deflater: new RunLengthDeflater() };
  return new MessageWriter(undefined, { ...engines, thresholdBytes });
}

Deno.test("MessageWriter writes whole messages and control frames in order", () => {
  const writer = createWriter();
  writer.writeText("é");
  writer.writeBinary(new Uint8Array([1, 2]));
  writer.writeControl(9, new Uint8Array([3]));
  assertEquals(
    writer.take(),
    join(
      frame({ opcode: 1, payload: "é" }),
      frame({ opcode: 2, payload: new Uint8Array([1, 2]) }),
      frame({ opcode: 9, payload: new Uint8Array([3]) }),
    ),
  );
  assertEquals(writer.take(), undefined);
});

Deno.test("MessageWriter masks where it has keys", () => {
  const writer = new MessageWriter(() => KEY_NUMBER, undefined);
  writer.writeText("Hello");
  assertEquals(writer.take(), frame({ opcode: 1, payload: "Hello", key: KEY }));
});

Deno.test("MessageWriter writes a message in fragments, with control frames between", () => {
  const writer = createWriter();
  writer.writeFragment("a", false);
  writer.writeControl(9, new Uint8Array());
  writer.writeFragment("", false);
  writer.writeFragment("b", true);
  writer.writeFragment(new Uint8Array([7]), true);
  assertEquals(
    writer.take(),
    join(
      frame({ opcode: 1, payload: "a", isFinal: false }),
      frame({ opcode: 9 }),
      frame({ opcode: 0, isFinal: false }),
      frame({ opcode: 0, payload: "b" }),
      frame({ opcode: 2, payload: new Uint8Array([7]) }),
    ),
  );
});

Deno.test("MessageWriter keeps a surrogate pair whole that two fragments share", () => {
  const writer = createWriter();
  writer.writeFragment("a\ud83d", false);
  writer.writeFragment("", false);
  writer.writeFragment("\ude00b\ud83d", true);
  assertEquals(
    writer.take(),
    join(
      frame({ opcode: 1, payload: "a", isFinal: false }),
      frame({ opcode: 0, isFinal: false }),
      frame({ opcode: 0, payload: "😀b\ufffd" }),
    ),
  );
});

Deno.test("MessageWriter refuses a message within a message", () => {
  const writer = createWriter();
  writer.writeFragment("a", false);
  for (
    const act of [
      () => writer.writeText("x"),
      () => writer.writeBinary(new Uint8Array()),
      () => writer.writeFragment(new Uint8Array(), true),
    ]
  ) {
    assertEquals(assertThrows(act, WebSocketStateError).code, "ERR_WEBSOCKET_MESSAGE_OPEN");
  }
  writer.writeFragment("b", true);
  writer.writeText("c");
  assertEquals(
    writer.take(),
    join(
      frame({ opcode: 1, payload: "a", isFinal: false }),
      frame({ opcode: 0, payload: "b" }),
      frame({ opcode: 1, payload: "c" }),
    ),
  );
});

Deno.test("MessageWriter compresses from the threshold on, in bytes", () => {
  const rows: [text: string, isCompressed: boolean][] = [
    ["aaa", false],
    ["aaaa", true],
    ["éa", false],
    ["éé", true],
  ];
  for (const [text, isCompressed] of rows) {
    for (const write of ["writeText", "writeBinary"] as const) {
      const writer = createWriter(4);
      const bytes = new TextEncoder().encode(text);
      if (write === "writeText") writer.writeText(text);
      else writer.writeBinary(bytes);
      const opcode = write === "writeText" ? 1 : 2;
      const deflated = new RunLengthDeflater().deflate(bytes, true);
      assertEquals(
        writer.take(),
        isCompressed
          ? frame({ opcode, payload: deflated, reserved: 4 })
          : frame({ opcode, payload: bytes }),
      );
    }
  }
});

Deno.test("MessageWriter compresses nothing that the caller forbids", () => {
  const writer = createWriter(0);
  writer.writeText("aaaa", { compress: false });
  writer.writeBinary(new Uint8Array([1]), { compress: false });
  writer.writeFragment("b", false, { compress: false });
  writer.writeFragment("c", true);
  assertEquals(
    writer.take(),
    join(
      frame({ opcode: 1, payload: "aaaa" }),
      frame({ opcode: 2, payload: new Uint8Array([1]) }),
      frame({ opcode: 1, payload: "b", isFinal: false }),
      frame({ opcode: 0, payload: "c" }),
    ),
  );
});

Deno.test("MessageWriter sets RSV1 on the first fragment only", () => {
  const writer = createWriter(100);
  writer.writeFragment("aa", false);
  writer.writeFragment("b", true);
  assertEquals(
    writer.take(),
    join(
      frame({ opcode: 1, payload: new Uint8Array([2, 0x61]), isFinal: false, reserved: 4 }),
      frame({ opcode: 0, payload: new Uint8Array([1, 0x62]) }),
    ),
  );
});

Deno.test("MessageWriter copies what the deflater uses again", () => {
  const writer = createWriter(0);
  const noise = Uint8Array.from({ length: 100_000 }, (_, index) => index & 255);
  writer.writeBinary(noise);
  writer.writeBinary(noise.subarray(0, 2));
  const deflated = new RunLengthDeflater().deflate(noise, true).slice();
  const chunks: Uint8Array[] = [];
  for (let chunk; (chunk = writer.take()) !== undefined;) chunks.push(chunk.slice());
  assertEquals(
    join(...chunks),
    join(
      frame({ opcode: 2, payload: deflated, reserved: 4 }),
      frame({ opcode: 2, payload: new Uint8Array([1, 0, 1, 1]), reserved: 4 }),
    ),
  );
});

Deno.test("MessageWriter.close() frees the deflater", () => {
  const deflater = new RunLengthDeflater();
  const compression = { inflater: new RunLengthInflater(), deflater, thresholdBytes: 0 };
  new MessageWriter(undefined, compression).close();
  assertEquals(deflater.closedCount, 1);
});
