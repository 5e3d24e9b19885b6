import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { ConnectionClosedError } from "../../nbio/errors.ts";
import { recvExactly } from "../../nbio/recv_exactly.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import type { TlsTransport } from "../../nbio/tls_provider.ts";
import { closeQuietly, type Transport } from "../../nbio/transport.ts";
import { nodeProvider } from "../../tls/node_provider.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { ca, server, tcpPair } from "../_support/tls_pki.ts";

/** The transports that `nodeProvider` makes over a connection. */
async function secure(
  [near, far]: readonly [Transport, Transport],
): Promise<[client: TlsTransport, server: TlsTransport]> {
  const options = { hostname: "localhost", caCerts: [ca.certificatePem] };
  return await Promise.all([nodeProvider.client(near, options), nodeProvider.server(far, server)]);
}

/** Counts what passes, and does nothing else. */
function counting(transport: Transport): Transport & { readByteCount: number } {
  const counter = {
    readByteCount: 0,
    read: async (p: Uint8Array) => {
      const count = await transport.read(p);
      counter.readByteCount += count ?? 0;
      return count;
    },
    write: (p: Uint8Array) => transport.write(p),
    closeWrite: () => transport.closeWrite(),
    close: () => transport.close(),
    localAddr: transport.localAddr,
    remoteAddr: transport.remoteAddr,
  };
  return counter;
}

Deno.test("tlsSocketTransport() gives the addresses of the connection below", async () => {
  const ends = await tcpPair();
  const { localAddr, remoteAddr } = ends[0];
  const [near, far] = await secure(ends);
  assertEquals([near.localAddr, near.remoteAddr], [localAddr, remoteAddr]);
  near.close();
  far.close();
});

for (const size of [1, 100, 16_384, 100_000, 1_048_576]) {
  Deno.test(`tlsSocketTransport() carries ${size} bytes and an end, however they are read`, async () => {
    for (const spaceBytes of size > 1_000 ? [4_096, 65_536] : [1, 7, 4_096]) {
      const [near, far] = await secure(memoryPipe());
      const sent = Uint8Array.from({ length: size }, (_, index) => index % 251);
      const sending = sendAll(near, sent).then(() => near.closeWrite());
      const received = new Uint8Array(size);
      const space = new Uint8Array(spaceBytes);
      let length = 0;
      for (;;) {
        const count = await far.read(space);
        if (count === null) break;
        received.set(space.subarray(0, count), length);
        length += count;
      }
      await sending;
      assertEquals(length, size);
      assert(received.every((byte, index) => byte === sent[index]));
      assertEquals(await far.read(space), null);
      near.close();
      far.close();
    }
  });
}

Deno.test("tlsSocketTransport() reads no more ahead than a bound while nobody asks", async () => {
  const [end, other] = memoryPipe();
  const counted = counting(end);
  const [near, far] = await secure([counted, other]);
  const before = counted.readByteCount;
  const space = new Uint8Array(1);
  const first = near.read(space);
  const TOTAL = 4_194_304;
  const sending = sendAll(far, new Uint8Array(TOTAL)).then(() => "sent", () => "cut");
  await first;
  // The same bytes take a few hundred turns over another connection, which flows.
  const [one, two] = await secure(memoryPipe());
  await Promise.all([sendAll(one, new Uint8Array(TOTAL)), recvExactly(two, new Uint8Array(TOTAL))]);
  const ahead = counted.readByteCount - before;
  // What lies in TLS, in the stream and here.
  assert(ahead < 1_048_576, `${ahead}`);
  await recvExactly(near, new Uint8Array(TOTAL - 1));
  assertEquals(await sending, "sent");
  for (const transport of [near, far, one, two]) transport.close();
});

Deno.test("tlsSocketTransport() reads few pieces ahead, however small they are", async () => {
  // Each byte is a record of 23, and each record a piece.
  const [end, other] = memoryPipe({ maxReadBytes: 23 });
  const counted = counting(end);
  const [near, far] = await secure([counted, other]);
  const COUNT = 10_000;
  const drip = async (to: Transport) => {
    for (let count = 0; count < COUNT; count++) await sendAll(to, new Uint8Array(1));
  };
  await Promise.all([near.read(new Uint8Array(1)), sendAll(far, new Uint8Array(1))]);
  const before = counted.readByteCount;
  const sending = drip(far);
  const [one, two] = await secure(memoryPipe({ maxReadBytes: 23 }));
  await Promise.all([drip(one), recvExactly(two, new Uint8Array(COUNT))]);
  const ahead = counted.readByteCount - before;
  // What the stream below holds, and a few pieces.
  assert(ahead < 160_000, `${ahead}`);
  await Promise.all([sending, recvExactly(near, new Uint8Array(COUNT))]);
  for (const transport of [near, far, one, two]) transport.close();
});

Deno.test("tlsSocketTransport() takes one read at a time, and nothing into an empty space", async () => {
  const [near, far] = await secure(memoryPipe());
  assertEquals(await near.read(new Uint8Array(0)), 0);
  const space = new Uint8Array(8);
  const waiting = near.read(space);
  await assertRejects(() => near.read(space), TypeError);
  await sendAll(far, bytesOf("hello"));
  assertEquals(await waiting, 5);
  near.close();
  far.close();
});

Deno.test("tlsSocketTransport().close() rejects what waits, drops what lies there, and works once", async () => {
  const [near, far] = await secure(memoryPipe());
  await sendAll(far, bytesOf("hello"));
  assertEquals(await near.read(new Uint8Array(1)), 1);
  const space = new Uint8Array(8);
  assertEquals(await near.read(space), 4);
  const waiting = assertRejects(() => near.read(space), Deno.errors.Interrupted);
  near.close();
  await waiting;
  await assertRejects(() => near.read(space), Deno.errors.BadResource);
  await assertRejects(() => near.write(space), Deno.errors.BadResource);
  let error: unknown;
  try {
    near.close();
  } catch (thrown) {
    error = thrown;
  }
  assert(error instanceof Deno.errors.BadResource);
  // The goodbye has come.
  assertEquals(await far.read(space), null);
  far.close();
});

Deno.test("tlsSocketTransport() gives what came before it tells of a cut", async () => {
  const [end, other] = memoryPipe();
  const [near, far] = await secure([end, other]);
  await sendAll(far, bytesOf("hello"));
  await other.closeWrite();
  const space = new Uint8Array(3);
  assertEquals(await near.read(space), 3);
  assertEquals(await near.read(space), 2);
  await assertRejects(() => near.read(space), ConnectionClosedError);
  await assertRejects(() => near.read(space), ConnectionClosedError);
  near.close();
  closeQuietly(far);
});

Deno.test("tlsSocketTransport() tells a reader that waits, and the next one, of a failure below", async () => {
  const [end, other] = memoryPipe();
  const reason = new Error("below");
  const gate = Promise.withResolvers<never>();
  let isFailing = false;
  const failing = counting(end);
  const { read } = failing;
  failing.read = (p) => isFailing ? Promise.reject(reason) : Promise.race([read(p), gate.promise]);
  const [near, far] = await secure([failing, other]);
  const waiting = assertRejects(() => near.read(new Uint8Array(1)));
  isFailing = true;
  gate.reject(reason);
  assertStrictEquals(await waiting, reason);
  await assertRejects(() => near.read(new Uint8Array(1)));
  closeQuietly(near);
  closeQuietly(far);
});

Deno.test("tlsSocketTransport() says goodbye behind all that was written", async () => {
  const [near, far] = await secure(await tcpPair());
  const SIZE = 300_000;
  const sending = sendAll(near, new Uint8Array(SIZE).fill(7)).then(() => near.closeWrite());
  const received = new Uint8Array(SIZE);
  await Promise.all([sending, recvExactly(far, received)]);
  assert(received.every((byte) => byte === 7));
  assertEquals(await far.read(new Uint8Array(1)), null);
  near.close();
  far.close();
});

for (const hasPeerEnded of [false, true]) {
  const when = hasPeerEnded ? "to a peer that has said so first" : "while it is still on its way";
  for (const size of [0, 100, 200_000]) {
    Deno.test(`tlsSocketTransport().close() says goodbye ${when}, behind ${size} bytes`, async () => {
      // So little room that nothing leaves before the peer reads.
      const [near, far] = await secure(memoryPipe({ highWaterMarkBytes: 16 }));
      const space = new Uint8Array(4_096);
      if (hasPeerEnded) {
        const ending = near.closeWrite();
        assertEquals(await far.read(space), null);
        await ending;
      }
      const leaving = async () => {
        await sendAll(far, new Uint8Array(size));
        await far.closeWrite();
        far.close();
      };
      const left = leaving();
      if (size === 0) await left;
      let length = 0;
      for (let count; (count = await near.read(space)) !== null;) length += count;
      assertEquals(length, size);
      await left;
      near.close();
    });
  }
}

Deno.test("tlsSocketTransport().close() waits for a peer that does not read, but not for long", async () => {
  const [end, other] = memoryPipe({ highWaterMarkBytes: 16 });
  const closed = Promise.withResolvers<void>();
  const { close } = other;
  other.close = () => {
    closed.resolve();
    close.call(other);
  };
  const [near, far] = await secure([end, other]);
  await far.closeWrite();
  far.close();
  await assertRejects(() => far.write(new Uint8Array(1)), Deno.errors.BadResource);
  await closed.promise;
  closeQuietly(near);
});

Deno.test("tlsSocketTransport().close() ends at once what the peer does not take", async () => {
  const [end, other] = memoryPipe({ highWaterMarkBytes: 16 });
  let isClosed = false;
  const { close } = other;
  other.close = () => {
    isClosed = true;
    close.call(other);
  };
  const [near, far] = await secure([end, other]);
  const waiting = assertRejects(() => far.write(new Uint8Array(100_000)), Deno.errors.Interrupted);
  far.close();
  assert(isClosed);
  await waiting;
  closeQuietly(near);
});
