import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ClientInput } from "../../http/client_input.ts";
import { HttpConnection } from "../../http/connection.ts";
import { ConnectionClosedError } from "../../nbio/errors.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { type Script, ScriptedTransport } from "../_support/scripted_transport.ts";

/** An input over a transport that does what a list says, with a request outstanding. */
function inputOf(
  script: Script,
): { input: ClientInput; core: HttpConnection; transport: ScriptedTransport; settled: number[] } {
  const core = new HttpConnection({ role: "client" });
  core.send({ type: "request", method: "GET", target: "/", headers: { host: "a" } });
  core.send({ type: "end" });
  const transport = new ScriptedTransport(script);
  const settled: number[] = [];
  const input = new ClientInput(transport, core, () => settled.push(input.receivedBytes));
  return { input, core, transport, settled };
}

Deno.test("ClientInput.fill() reads once, whoever asks, and tells first who owns it", async () => {
  const { input, core, transport, settled } = inputOf({ reads: [bytesOf("HTTP/1.1 ")] });
  const [first, second] = [input.fill(), input.fill()];
  assertStrictEquals(first, second);
  await first;
  assertEquals([transport.spaces.length, core.bufferedBytes, settled], [1, 9, [9]]);
  await input.fill();
  assertEquals([input.isEnded, settled], [true, [9, 9]]);
});

Deno.test("ClientInput.fill() takes more room while much comes, and gives it back", async () => {
  const head = `HTTP/1.1 200 OK\r\nx: ${"y".repeat(30_000)}\r\n\r\n`;
  const { input, core, transport } = inputOf({ reads: [bytesOf(head)] });
  while (core.nextEvent() === undefined) await input.fill();
  const rooms = transport.spaces.map(({ length }) => length);
  assertEquals(rooms[0], 4_096);
  assert(rooms.at(-1)! > 16_384);
  input.rest();
  void input.fill();
  assertEquals(transport.spaces.at(-1)!.length, 4_096);
});

Deno.test("ClientInput.pass() reads a body past the core, and joins a read that waits", async () => {
  const head = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n";
  const { input, core } = inputOf({ reads: [bytesOf(head), bytesOf("abcd"), bytesOf("ef")] });
  const room = new Uint8Array(6);
  const waiting = input.fill();
  await input.pass(room);
  await waiting;
  assertEquals([input.passedBytes, core.nextEvent()?.type, core.passableBytes], [0, "response", 6]);
  await input.pass(room);
  assertEquals([input.passedBytes, core.bufferedBytes, core.passableBytes], [4, 0, 2]);
  await input.pass(room.subarray(4));
  assertEquals([input.passedBytes, room], [2, bytesOf("abcdef")]);
  assertEquals([input.receivedBytes, core.nextEvent()?.type], [head.length + 6, "end"]);
});

Deno.test("ClientInput.throwIfOver() throws where nothing came, or the connection broke", async () => {
  const whole = inputOf({ reads: [bytesOf("HTTP")] });
  whole.input.throwIfOver(undefined);
  await whole.input.fill();
  await whole.input.fill();
  // In the middle of a response: that is the core's to judge.
  whole.input.throwIfOver(undefined);
  whole.input.begin();
  const earlier = new Error("writing failed first");
  const left = assertThrows(() => whole.input.throwIfOver(earlier), ConnectionClosedError);
  assertEquals([left.bytesReceived, left.cause], [0, earlier]);

  const reset = new Error("reset");
  const broken = inputOf({ reads: [bytesOf("HTTP"), reset] });
  await broken.input.fill();
  await broken.input.fill();
  const error = assertThrows(() => broken.input.throwIfOver(undefined), ConnectionClosedError);
  assertEquals([error.bytesReceived, error.cause, broken.input.isBroken], [4, reset, true]);
});

Deno.test("ClientInput.fill() calls a transport broken that brings what it cannot", async () => {
  for (const count of [-1, 0.5, NaN, 4_097]) {
    const { input } = inputOf({ reads: [count] });
    await input.fill();
    assertEquals(input.isBroken, true);
  }
});

Deno.test("ClientInput.fill() bears 15 empty reads in a row, and not 16", async () => {
  const reads = [...Array<number>(15).fill(0), bytesOf("H"), ...Array<number>(16).fill(0)];
  const { input } = inputOf({ reads });
  for (let count = 1; count <= 31; count++) {
    await input.fill();
    assertEquals(input.isBroken, false, `${count}`);
  }
  await input.fill();
  assertEquals(input.isBroken, true);
});
