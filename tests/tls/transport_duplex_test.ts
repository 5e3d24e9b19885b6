import type { Duplex } from "node:stream";
import { assert, assertEquals } from "@std/assert";
import { recvExactly } from "../../nbio/recv_exactly.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import type { Transport } from "../../nbio/transport.ts";
import { transportDuplex } from "../../tls/transport_duplex.ts";
import { eventually } from "../_support/peer.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

/** Reads to the end, and leaves the stream as it is. */
function readAll(stream: Duplex): Promise<string> {
  let text = "";
  stream.on("data", (chunk: Uint8Array) => text += textOf(chunk));
  return new Promise((resolve) => stream.once("end", () => resolve(text)));
}

Deno.test("transportDuplex() carries bytes and ends both ways, one end at a time", async () => {
  const [near, far] = memoryPipe();
  const stream = await transportDuplex(near, bytesOf("first "));
  await sendAll(far, bytesOf("second"));
  await far.closeWrite();
  assertEquals(await readAll(stream), "first second");
  // Our direction is still open.
  stream.end("back");
  const space = new Uint8Array(8);
  assertEquals(await far.read(space), 4);
  assertEquals(await far.read(space), null);
  far.close();
});

Deno.test("transportDuplex() writes whole chunks and ends behind them", async () => {
  const [near, far] = memoryPipe();
  const stream = await transportDuplex(near);
  const space = new Uint8Array(200_000);
  const received = recvExactly(far, space);
  stream.write(new Uint8Array(100_000).fill(1));
  stream.end(new Uint8Array(100_000).fill(2));
  await received;
  assertEquals([space[99_999], space[100_000]], [1, 2]);
  assertEquals(await far.read(space), null);
  const closed = new Promise((resolve) => stream.once("close", resolve));
  stream.destroy();
  await closed;
  far.close();
});

Deno.test("transportDuplex() reads nothing before it is asked, and no more than it holds", async () => {
  const [near, far] = memoryPipe();
  let readCount = 0;
  const counting: Transport = {
    read: (p) => (readCount++, near.read(p)),
    write: (p) => near.write(p),
    closeWrite: () => near.closeWrite(),
    close: () => near.close(),
    localAddr: near.localAddr,
    remoteAddr: near.remoteAddr,
  };
  const stream = await transportDuplex(counting);
  assertEquals(readCount, 0);
  stream.read(0);
  assertEquals(readCount, 1);
  const closed = new Promise((resolve) => stream.once("close", resolve));
  stream.on("error", () => {});
  stream.destroy();
  await closed;
  far.close();
});

Deno.test("transportDuplex() fails with what fails below, and with empty reads for ever", async () => {
  const reason = new Error("below");
  const [near, far] = memoryPipe();
  for (const read of [() => Promise.reject(reason), () => Promise.resolve(0)]) {
    let isClosed = false;
    const failing: Transport = {
      read,
      write: () => Promise.reject(reason),
      closeWrite: () => Promise.reject(reason),
      close: () => void (isClosed = true),
      localAddr: near.localAddr,
      remoteAddr: near.remoteAddr,
    };
    const stream = await transportDuplex(failing);
    const errors: unknown[] = [];
    stream.on("error", (error) => errors.push(error));
    stream.read();
    assert(await eventually(() => errors.length === 1));
    assertEquals(isClosed, true);
  }
  near.close();
  far.close();
});

/** A transport whose writes are what they are told to be, and that records them. */
function scriptedWrites(
  transport: Transport,
  write: (p: Uint8Array, index: number) => Promise<number>,
): Transport & { readonly sizes: number[]; isClosed: boolean } {
  const sizes: number[] = [];
  const scripted = {
    sizes,
    isClosed: false,
    read: (p: Uint8Array) => transport.read(p),
    write: (p: Uint8Array) => {
      sizes.push(p.length);
      return write(p, sizes.length - 1);
    },
    closeWrite: () => transport.closeWrite(),
    close: () => {
      scripted.isClosed = true;
      transport.close();
    },
    localAddr: transport.localAddr,
    remoteAddr: transport.remoteAddr,
  };
  return scripted;
}

Deno.test("transportDuplex() goes on where a write was short, in order", async () => {
  const [near, far] = memoryPipe();
  const short = scriptedWrites(
    near,
    (p, index) => near.write(p.subarray(0, index % 2 === 0 ? 3 : 1)),
  );
  const stream = await transportDuplex(short);
  stream.write(bytesOf("abcdefgh"));
  stream.end(bytesOf("ijk"));
  const space = new Uint8Array(11);
  await recvExactly(far, space);
  assertEquals(textOf(space), "abcdefghijk");
  assertEquals(short.sizes, [8, 5, 4, 1, 3]);
  assertEquals(await far.read(space), null);
  stream.destroy();
  far.close();
});

Deno.test("transportDuplex() confirms no write before it has left, and has one at a time", async () => {
  const [near, far] = memoryPipe();
  const gates: PromiseWithResolvers<void>[] = [];
  const slow = scriptedWrites(near, async (p) => {
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    await gate.promise;
    return await near.write(p);
  });
  const stream = await transportDuplex(slow);
  const confirmed: string[] = [];
  for (const text of ["one", "two"]) stream.write(bytesOf(text), () => confirmed.push(text));
  const space = new Uint8Array(3);
  for (const [index, text] of ["one", "two"].entries()) {
    assertEquals([gates.length, confirmed.length], [index + 1, index]);
    gates[index]!.resolve();
    await recvExactly(far, space);
    assertEquals(textOf(space), text);
    assert(await eventually(() => confirmed.length === index + 1));
  }
  stream.destroy();
  far.close();
});

Deno.test("transportDuplex() fails with what a write fails with, the first or the rest of it", async () => {
  for (const failing of [0, 1]) {
    const [near, far] = memoryPipe();
    const reason = new Error("below");
    const broken = scriptedWrites(
      near,
      (_, index) => index === failing ? Promise.reject(reason) : Promise.resolve(1),
    );
    const stream = await transportDuplex(broken);
    const errors: unknown[] = [];
    stream.on("error", (error) => errors.push(error));
    stream.write(bytesOf("abc"));
    assert(await eventually(() => errors.length === 1));
    assertEquals([errors[0], broken.isClosed], [reason, true]);
    far.close();
  }
});
