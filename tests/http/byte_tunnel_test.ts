import { assertEquals, assertRejects } from "@std/assert";
import { tunnelBytes } from "../../http/byte_tunnel.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import { recvExactly } from "../../nbio/recv_exactly.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

async function read(transport: Parameters<typeof recvExactly>[0], length: number): Promise<string> {
  const bytes = new Uint8Array(length);
  await recvExactly(transport, bytes);
  return textOf(bytes);
}

Deno.test("tunnelBytes() carries both ways, what was read first, and the end of each half", async () => {
  const [client, front] = memoryPipe();
  const [back, server] = memoryPipe();
  const tunnel = tunnelBytes(
    { transport: front, bytes: bytesOf("a") },
    { transport: back, bytes: bytesOf("z") },
  );
  await sendAll(client, bytesOf("b"));
  await sendAll(server, bytesOf("y"));
  assertEquals([await read(server, 2), await read(client, 2)], ["ab", "zy"]);
  await client.closeWrite();
  assertEquals(await server.read(new Uint8Array(1)), null);
  await sendAll(server, bytesOf("late"));
  assertEquals(await read(client, 4), "late");
  await server.closeWrite();
  await tunnel;
  assertEquals(await client.read(new Uint8Array(1)), null);
});

Deno.test("tunnelBytes() ends when nothing goes either way, and counts both", async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const [client, front] = memoryPipe();
  const [back, server] = memoryPipe();
  const tunnel = tunnelBytes({ transport: front }, { transport: back }, {
    idleTimeoutMs: 1_000,
    wheel,
  });
  const failed = assertRejects(() => tunnel, TimeoutError);
  for (let count = 0; count < 5; count++) {
    clock.advance(900);
    await sendAll(server, bytesOf("x"));
    assertEquals(await read(client, 1), "x");
  }
  clock.advance(1_200);
  assertEquals((await failed).phase, "tunnel");
});

Deno.test("tunnelBytes() ends with its signal, before and while it waits", async () => {
  const reason = new Error("enough");
  for (const isEarly of [true, false]) {
    const [, front] = memoryPipe();
    const [back] = memoryPipe();
    const controller = new AbortController();
    if (isEarly) controller.abort(reason);
    const tunnel = tunnelBytes({ transport: front, bytes: bytesOf("x") }, { transport: back }, {
      signal: controller.signal,
    });
    controller.abort(reason);
    assertEquals(await assertRejects(() => tunnel), reason);
  }
});

Deno.test("tunnelBytes() ends both directions when one breaks", async () => {
  const [client, front] = memoryPipe();
  const [back, server] = memoryPipe();
  const tunnel = tunnelBytes({ transport: front }, { transport: back });
  server.close();
  await sendAll(client, bytesOf("x")).catch(() => {});
  await tunnel.catch(() => {});
  assertEquals(await client.read(new Uint8Array(1)).catch(() => null), null);
});

Deno.test("tunnelBytes() throws on a time that is none, and leaves nothing open", async () => {
  const [client, front] = memoryPipe();
  const [back] = memoryPipe();
  await assertRejects(
    () => tunnelBytes({ transport: front }, { transport: back }, { idleTimeoutMs: -1 }),
    RangeError,
  );
  assertEquals(await client.read(new Uint8Array(1)).catch(() => null), null);
});
