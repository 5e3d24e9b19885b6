import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { PrefixedTransport } from "../../tls/prefixed_transport.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

Deno.test("PrefixedTransport.read() gives the prefix first, at any size of the reads", async () => {
  for (const size of [1, 2, 3, 4, 5, 8]) {
    const [near, far] = memoryPipe();
    await far.write(bytesOf("def"));
    await far.closeWrite();
    const transport = new PrefixedTransport(near, bytesOf("abc"));
    let text = "";
    const space = new Uint8Array(size);
    for (;;) {
      const count = await transport.read(space);
      if (count === null) break;
      text += textOf(space.subarray(0, count));
    }
    assertEquals(text, "abcdef");
    assertEquals(await transport.read(space), null);
    transport.close();
    far.close();
  }
});

Deno.test("PrefixedTransport.read() takes nothing for an empty space, and waits for nothing", async () => {
  const [near, far] = memoryPipe();
  const transport = new PrefixedTransport(near, bytesOf("a"));
  assertEquals(await transport.read(new Uint8Array(0)), 0);
  assertEquals(await transport.read(new Uint8Array(9)), 1);
  const waiting = transport.read(new Uint8Array(9));
  await far.write(bytesOf("bc"));
  assertEquals(await waiting, 2);
  transport.close();
  far.close();
});

Deno.test("PrefixedTransport writes, ends and has the addresses of the one below", async () => {
  const [near, far] = memoryPipe();
  const transport = new PrefixedTransport(near, bytesOf("unread"));
  assertStrictEquals(transport.localAddr, near.localAddr);
  assertStrictEquals(transport.remoteAddr, near.remoteAddr);
  assertEquals(await transport.write(bytesOf("hi")), 2);
  await transport.closeWrite();
  const space = new Uint8Array(8);
  assertEquals([await far.read(space), await far.read(space)], [2, null]);
  transport.close();
  far.close();
});

Deno.test("PrefixedTransport.close() closes, and what was in front is gone with it", async () => {
  const [near, far] = memoryPipe();
  const transport = new PrefixedTransport(near, bytesOf("unread"));
  transport.close();
  await assertRejects(() => transport.read(new Uint8Array(8)), Deno.errors.BadResource);
  far.close();
});
