import { assert, assertEquals } from "@std/assert";
import { AcceptLoop, type AcceptLoopOwner } from "../../nbio/accept_loop.ts";
import { ConnectionLimit } from "../../nbio/connection_limit.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import type { Transport } from "../../nbio/transport.ts";
import { ScriptedSource } from "../_support/scripted_source.ts";
import { isSettled, settle } from "../../nbio/testing_settle.ts";

interface Setup {
  readonly clock: ManualClock;
  readonly limit: ConnectionLimit;
  readonly accepted: Transport[];
  readonly errors: unknown[];
  readonly owner: AcceptLoopOwner;
}

function setUp(maxConnections = 0): Setup {
  const clock = new ManualClock();
  const limit = new ConnectionLimit(maxConnections);
  const accepted: Transport[] = [];
  const errors: unknown[] = [];
  const onAccept = (transport: Transport): void => {
    limit.enter();
    accepted.push(transport);
  };
  const onAcceptError = (error: unknown): void => void errors.push(error);
  return {
    clock,
    limit,
    accepted,
    errors,
    owner: { limit, clock, onAccept, onAcceptError },
  };
}

Deno.test("AcceptLoop passes on what comes, until it is closed", async () => {
  const { owner, accepted, errors } = setUp();
  const source = new ScriptedSource();
  const loop = new AcceptLoop(source, owner);
  const ran = loop.run();
  const ends = [memoryPipe()[0], memoryPipe()[0]];
  for (const end of ends) await source.give(end);
  assert(accepted[0] === ends[0] && accepted[1] === ends[1]);
  loop.close();
  await ran;
  assertEquals([source.acceptCount, source.closeCount, errors], [3, 1, []]);
});

const { NotConnected, ConnectionAborted, ConnectionReset } = Deno.errors;
for (const PeerError of [NotConnected, ConnectionAborted, ConnectionReset]) {
  Deno.test(`AcceptLoop does not pause for a client that is gone: ${PeerError.name}`, async () => {
    const { owner, accepted, errors, clock } = setUp();
    const source = new ScriptedSource();
    const loop = new AcceptLoop(source, owner);
    const ran = loop.run();
    for (let count = 0; count < 20; count++) await source.fail(new PeerError("gone"));
    await source.give(memoryPipe()[0]);
    assertEquals([accepted.length, errors.length, clock.pendingCount], [1, 0, 0]);
    loop.close();
    await ran;
  });
}

Deno.test("AcceptLoop pauses when nothing but clients that are gone comes", async () => {
  const { owner, errors, clock } = setUp();
  const source = new ScriptedSource();
  const loop = new AcceptLoop(source, owner);
  const ran = loop.run();
  for (let count = 0; count < 999; count++) await source.fail(new Deno.errors.NotConnected());
  assertEquals([errors.length, clock.pendingCount], [0, 0]);
  await source.fail(new Deno.errors.NotConnected());
  assertEquals([errors.length, clock.pendingCount], [1, 1]);
  loop.close();
  await ran;
});

Deno.test("AcceptLoop pauses after failures, longer each time, up to a second", async () => {
  const { owner, clock, errors } = setUp();
  const source = new ScriptedSource();
  const loop = new AcceptLoop(source, owner);
  const ran = loop.run();
  const expectFailure = async (pauseMs: number): Promise<void> => {
    const failure = new Error("Too many open files");
    const before = source.acceptCount;
    await source.fail(failure);
    assert(errors.at(-1) === failure);
    clock.advance(pauseMs - 1);
    await settle();
    assertEquals([source.acceptCount, clock.pendingCount], [before, 1]);
    clock.advance(1);
    await settle();
    assertEquals([source.acceptCount, clock.pendingCount], [before + 1, 0]);
  };
  for (const pauseMs of [5, 10, 20, 40, 80, 160, 320, 640, 1_000, 1_000]) {
    await expectFailure(pauseMs);
  }
  await source.give(memoryPipe()[0]);
  for (const pauseMs of [5, 10]) await expectFailure(pauseMs);
  assertEquals(errors.length, 12);
  loop.close();
  await ran;
});

Deno.test("AcceptLoop takes a source that throws for one that fails", async () => {
  const { owner, clock, errors } = setUp();
  const failure = new TypeError("Not a promise");
  let callCount = 0;
  const loop = new AcceptLoop({
    addr: { transport: "tcp", hostname: "127.0.0.1", port: 1 },
    accept(): Promise<Transport> {
      callCount++;
      throw failure;
    },
    close: () => {},
  }, owner);
  const ran = loop.run();
  await settle();
  assertEquals([callCount, errors.length, clock.pendingCount], [1, 1, 1]);
  loop.close();
  await ran;
  assert(errors[0] === failure);
});

Deno.test("AcceptLoop closed during a pause ends at once and leaves no timer", async () => {
  const { owner, clock } = setUp();
  const source = new ScriptedSource();
  const loop = new AcceptLoop(source, owner);
  const ran = loop.run();
  await source.fail(new Error("Too many open files"));
  assertEquals(clock.pendingCount, 1);
  loop.close();
  assertEquals(clock.pendingCount, 0);
  await ran;
  assertEquals(source.acceptCount, 1);
});

Deno.test("AcceptLoop closed by whoever is told of a failure does not pause", async () => {
  const { owner, clock } = setUp();
  const source = new ScriptedSource();
  const loop = new AcceptLoop(source, { ...owner, onAcceptError: () => loop.close() });
  const ran = loop.run();
  await source.fail(new Error("Too many open files"));
  await ran;
  assertEquals([source.acceptCount, clock.pendingCount], [1, 0]);
});

Deno.test("AcceptLoop ends without an error when somebody else closes the source", async () => {
  const { owner, clock, errors } = setUp();
  const source = new ScriptedSource();
  const ran = new AcceptLoop(source, owner).run();
  await source.fail(new Deno.errors.BadResource("Closed"));
  await ran;
  assertEquals([errors, clock.pendingCount], [[], 0]);
});

Deno.test("AcceptLoop asks for nothing while the limit is reached", async () => {
  const { owner, limit, accepted } = setUp(1);
  const source = new ScriptedSource();
  const loop = new AcceptLoop(source, owner);
  const ran = loop.run();
  await source.give(memoryPipe()[0]);
  assertEquals([source.acceptCount, limit.isAwaited], [1, true]);
  limit.leave();
  await settle();
  assertEquals([source.acceptCount, limit.isAwaited], [2, false]);
  await source.give(memoryPipe()[0]);
  assertEquals([accepted.length, limit.isAwaited], [2, true]);
  loop.close();
  assertEquals(await isSettled(ran), false);
  limit.wake();
  await ran;
});

Deno.test("AcceptLoop keeps what comes too late for the last place until one is free", async () => {
  const { owner, limit, accepted } = setUp(1);
  const sources = [new ScriptedSource(1), new ScriptedSource(2)] as const;
  const loops = sources.map((source) => new AcceptLoop(source, owner));
  const ran = Promise.all(loops.map((loop) => loop.run()));
  await sources[0].give(memoryPipe()[0]);
  const late = memoryPipe()[0];
  await sources[1].give(late);
  assertEquals([accepted.length, limit.activeCount, limit.isAwaited], [1, 1, true]);
  limit.leave();
  await settle();
  assert(accepted[1] === late);
  assertEquals([limit.activeCount, sources[1].acceptCount], [1, 1]);
  for (const loop of loops) loop.close();
  limit.wake();
  await ran;
});

Deno.test("AcceptLoop gives each of several sources its turn at one place", async () => {
  const { owner, limit, accepted } = setUp(1);
  const sources = [1, 2, 3].map((port) => new ScriptedSource(port));
  const loops = sources.map((source) => new AcceptLoop(source, owner));
  const ran = Promise.all(loops.map((loop) => loop.run()));
  const given = new Map<Transport, number>();
  for (let round = 0; round < 30; round++) {
    for (const [index, source] of sources.entries()) {
      if (!source.isAwaited) continue;
      const [end] = memoryPipe();
      given.set(end, index);
      await source.give(end);
    }
    assertEquals(limit.activeCount, 1);
    limit.leave();
    await settle();
  }
  const counts = [0, 0, 0];
  for (const transport of accepted) counts[given.get(transport)!]!++;
  assert(Math.min(...counts) >= 9, `Handled ${counts} of 30`);
  for (const loop of loops) loop.close();
  limit.wake();
  await ran;
});

Deno.test("AcceptLoop closes what it keeps, or what comes with the close", async () => {
  const { owner, limit, accepted } = setUp(1);
  const sources = [new ScriptedSource(1), new ScriptedSource(2)] as const;
  const loops = sources.map((source) => new AcceptLoop(source, owner));
  const ran = Promise.all(loops.map((loop) => loop.run()));
  await sources[0].give(memoryPipe()[0]);
  const [client, server] = memoryPipe();
  await sources[1].give(server);
  for (const loop of loops) loop.close();
  limit.wake();
  await ran;
  assertEquals(await client.read(new Uint8Array(1)), null);

  const source = new ScriptedSource();
  const loop = new AcceptLoop(source, setUp().owner);
  const ranToo = loop.run();
  const [lateClient, lateServer] = memoryPipe();
  const given = source.give(lateServer);
  loop.close();
  await Promise.all([given, ranToo]);
  assertEquals([await lateClient.read(new Uint8Array(1)), accepted.length], [null, 1]);
});

Deno.test("AcceptLoop passes ref() and unref() on, also to its pauses", async () => {
  const { owner } = setUp();
  const unrefs: (boolean | undefined)[] = [];
  const clock = new ManualClock();
  const source = new ScriptedSource();
  const loop = new AcceptLoop(source, {
    ...owner,
    clock: {
      now: () => clock.now(),
      wallNow: () => clock.wallNow(),
      setTimer(callback, delayMs, options): unknown {
        unrefs.push(options?.unref);
        return clock.setTimer(callback, delayMs);
      },
      clearTimer: (timer) => clock.clearTimer(timer),
    },
  });
  const ran = loop.run();
  loop.unref();
  assertEquals(source.refed, false);
  await source.fail(new Error("Too many open files"));
  clock.advance(5);
  await settle();
  loop.ref();
  assertEquals(source.refed, true);
  await source.fail(new Error("Too many open files"));
  assertEquals(unrefs, [true, false]);
  loop.close();
  await ran;
});
