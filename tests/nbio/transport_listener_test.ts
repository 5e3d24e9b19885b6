import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { sendAll } from "../../nbio/send_all.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { isSettled, settle } from "../../nbio/testing_settle.ts";
import type { Transport } from "../../nbio/transport.ts";
import { TransportListener, type TransportListenerOptions } from "../../nbio/transport_listener.ts";
import { CountedSignal } from "../_support/counted_signal.ts";
import { ScriptedSource } from "../_support/scripted_source.ts";

const HERE = { hostname: "127.0.0.1", port: 0 } as const;

function fail(error: unknown): void {
  throw error;
}

function scripted(
  options: TransportListenerOptions = {},
  sourceCount = 1,
): { listener: TransportListener; sources: ScriptedSource[]; source: ScriptedSource } {
  const sources = Array.from({ length: sourceCount }, (_, index) => new ScriptedSource(index + 1));
  const strict = { onAcceptError: fail, onError: fail };
  const listener = new TransportListener(sources, { ...strict, ...options });
  return { listener, sources, source: sources[0]! };
}

/** A handler that holds its connections until the test lets them go, the oldest first. */
function holder(): { handle: (transport: Transport) => Promise<void>; letGo: () => Promise<void> } {
  const gates: PromiseWithResolvers<void>[] = [];
  return {
    handle(): Promise<void> {
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      return gate.promise;
    },
    async letGo(): Promise<void> {
      gates.shift()!.resolve();
      await settle();
    },
  };
}

function connectTo(listener: TransportListener): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port: (listener.addr as Deno.NetAddr).port });
}

async function echo(transport: Transport): Promise<void> {
  const buffer = new Uint8Array(64);
  for (let byteCount; (byteCount = await transport.read(buffer)) !== null;) {
    await sendAll(transport, buffer.subarray(0, byteCount));
  }
  transport.close();
}

Deno.test("TransportListener() throws without a source or with a limit that is none", () => {
  assertThrows(() => new TransportListener([]), RangeError);
  for (const maxConnections of [-1, NaN, 0.5]) {
    assertThrows(() => scripted({ maxConnections }), RangeError);
  }
});

Deno.test("serve() hands over the very connection the source gave", async () => {
  const { listener, source } = scripted();
  const [client, server] = memoryPipe();
  let given: Transport | undefined;
  listener.serve((transport) => void (given = transport));
  await source.give(server);
  assert(given === server);
  client.close();
  await listener[Symbol.asyncDispose]();
});

Deno.test("serve() hands over the very Deno.Conn, of each source", async () => {
  const inner = [Deno.listen(HERE), Deno.listen(HERE)] as const;
  const given = new Set<Transport>();
  const handled: Transport[] = [];
  const sources = inner.map((listener) => ({
    addr: listener.addr,
    async accept(): Promise<Deno.TcpConn> {
      const conn = await listener.accept();
      given.add(conn);
      return conn;
    },
    close: () => listener.close(),
  }));
  await using listener = new TransportListener(sources, { onAcceptError: fail });
  const both = Promise.withResolvers<void>();
  listener.serve((transport) => {
    handled.push(transport);
    transport.close();
    if (handled.length === 2) both.resolve();
  });
  for (const { addr: { port } } of inner) (await Deno.connect({ ...HERE, port })).close();
  await both.promise;
  assert(handled.every((transport) => given.has(transport) && "setNoDelay" in transport));
});

Deno.test("serve() switches Nagle's algorithm off where there is such a method", async () => {
  const { listener, source } = scripted();
  const calls: boolean[] = [];
  let handledCount = 0;
  listener.serve(() => void handledCount++);
  const [transport] = memoryPipe();
  const setNoDelay = (on: boolean): void => void calls.push(on);
  await source.give(Object.assign(transport, { setNoDelay }));
  await source.give(memoryPipe()[0]);
  const refuse = (): void => fail(new Deno.errors.NotConnected("Gone"));
  await source.give(Object.assign(memoryPipe()[0], { setNoDelay: refuse }));
  assertEquals([calls, handledCount], [[true], 3]);
  await listener[Symbol.asyncDispose]();
});

Deno.test("serve() resolves when the listener is closed and every handler has settled", async () => {
  const listener = new TransportListener([Deno.listen(HERE)], { onAcceptError: fail });
  const gate = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<void>();
  let finished = false;
  const served = listener.serve(async (transport) => {
    entered.resolve();
    await gate.promise;
    transport.close();
  }).then(() => finished = true);
  using client = await connectTo(listener);
  await entered.promise;
  listener.close();
  listener.close();
  // The connection goes on: its handler is still running.
  await client.write(new Uint8Array([1]));
  assertEquals([finished, listener.stats().activeCount], [false, 1]);
  gate.resolve();
  await Promise.all([served, listener.drain()]);
  assertEquals([finished, listener.stats().activeCount], [true, 0]);
  await assertRejects(() => connectTo(listener), Deno.errors.ConnectionRefused);
});

Deno.test("serve() throws when called twice, also after the end", async () => {
  const { listener } = scripted();
  listener.serve(echo);
  assertThrows(() => listener.serve(echo), TypeError);
  await listener[Symbol.asyncDispose]();
  assertThrows(() => listener.serve(echo), TypeError);
});

Deno.test("drain() resolves for a listener closed before it was served", async () => {
  const { listener, source } = scripted();
  listener.close();
  await listener.drain();
  await listener.serve(echo);
  assertEquals([source.acceptCount, source.closeCount], [0, 1]);
});

Deno.test("TransportListener with a signal closes when it aborts, and lets go of it", async () => {
  const counted = new CountedSignal();
  const { listener, source } = scripted({ signal: counted.signal });
  const served = listener.serve(echo);
  counted.abort(new Error("enough"));
  await served;
  assertEquals([source.closeCount, counted.listenerCount], [1, 0]);

  const unused = new CountedSignal();
  const other = scripted({ signal: unused.signal }).listener;
  assertEquals(unused.listenerCount, 1);
  other.close();
  assertEquals(unused.listenerCount, 0);
});

Deno.test("TransportListener closes its sources if the signal is aborted already", async () => {
  const { listener, sources } = scripted({ signal: AbortSignal.abort() }, 2);
  await listener.drain();
  assertEquals(sources.map(({ closeCount }) => closeCount), [1, 1]);
});

Deno.test("serve() accepts no more than maxConnections at a time", async () => {
  const { listener, source } = scripted({ maxConnections: 2 });
  const { handle, letGo } = holder();
  listener.serve(handle);
  await source.give(memoryPipe()[0]);
  await source.give(memoryPipe()[0]);
  assertEquals(source.acceptCount, 2);
  assertEquals(listener.stats(), {
    acceptedCount: 2,
    activeCount: 2,
    acceptErrorCount: 0,
    waiting: true,
  });
  await letGo();
  assertEquals([source.acceptCount, listener.stats().waiting], [3, false]);
  await source.give(memoryPipe()[0]);
  assertEquals([source.acceptCount, listener.stats().waiting], [3, true]);
  listener.close();
  await letGo();
  await letGo();
  await listener.drain();
  assertEquals(listener.stats().acceptedCount, 3);
});

Deno.test("serve() bounds all its sources together, and counts them together", async () => {
  const { listener, sources } = scripted({ maxConnections: 2 }, 3);
  const { handle, letGo } = holder();
  listener.serve(handle);
  for (const source of sources) await source.give(memoryPipe()[0]);
  const { acceptedCount, activeCount, waiting } = listener.stats();
  assertEquals([acceptedCount, activeCount, waiting], [2, 2, true]);
  // What the third one had accepted by then is next.
  await letGo();
  assertEquals([listener.stats().acceptedCount, listener.stats().activeCount], [3, 2]);
  assertEquals(sources.map(({ acceptCount }) => acceptCount), [2, 2, 1]);
  for (let count = 0; count < 2; count++) await letGo();
  assertEquals([listener.stats().activeCount, listener.stats().waiting], [0, false]);
  await listener[Symbol.asyncDispose]();
});

Deno.test("serve() leaves connections over the limit in the queue of the system", async () => {
  const listener = new TransportListener([Deno.listen(HERE)], { maxConnections: 1 });
  listener.serve(echo);
  const first = await connectTo(listener);
  await first.write(new Uint8Array([1]));
  assertEquals(await first.read(new Uint8Array(8)), 1);
  const second = await connectTo(listener);
  await second.write(new Uint8Array([1, 2]));
  assertEquals(listener.stats().acceptedCount, 1);
  first.close();
  assertEquals(await second.read(new Uint8Array(8)), 2);
  second.close();
  await listener[Symbol.asyncDispose]();
});

for (const maxConnections of [0, Infinity]) {
  Deno.test(`serve() has no limit with maxConnections ${maxConnections}`, async () => {
    const { listener, source } = scripted({ maxConnections });
    const gate = Promise.withResolvers<void>();
    listener.serve(() => gate.promise);
    for (let i = 0; i < 100; i++) await source.give(memoryPipe()[0]);
    assertEquals(listener.stats().activeCount, 100);
    gate.resolve();
    await listener[Symbol.asyncDispose]();
  });
}

Deno.test("serve() gives the place back at once when a handler returns no promise", async () => {
  const { listener, source } = scripted({ maxConnections: 1 });
  listener.serve(() => {});
  for (let i = 0; i < 3; i++) await source.give(memoryPipe()[0]);
  assertEquals([listener.stats().acceptedCount, listener.stats().activeCount], [3, 0]);
  await listener[Symbol.asyncDispose]();
});

for (
  const { name, handler } of [
    { name: "throws", handler: (error: Error) => fail(error) },
    { name: "rejects", handler: (error: Error) => Promise.reject(error) },
  ]
) {
  Deno.test(`serve() reports a handler that ${name}, closes its connection, goes on`, async () => {
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    const { listener, source } = scripted({ maxConnections: 1, onError });
    const failures = [new Error("first"), new Error("second")];
    let index = 0;
    listener.serve(() => handler(failures[index++]!));
    for (const failure of failures) {
      const [client, server] = memoryPipe();
      await source.give(server);
      assert(errors.at(-1) === failure);
      assertEquals(await client.read(new Uint8Array(1)), null);
    }
    assertEquals(listener.stats().activeCount, 0);
    await listener[Symbol.asyncDispose]();
  });
}

Deno.test("serve() goes on with the other sources while one fails", async () => {
  const clock = new ManualClock();
  const errors: unknown[] = [];
  const onAcceptError = (error: unknown): void => void errors.push(error);
  const { listener, sources } = scripted({ clock, onAcceptError }, 2);
  listener.serve(() => {});
  const failure = new Error("Too many open files");
  await sources[0]!.fail(failure);
  await sources[1]!.give(memoryPipe()[0]);
  assertEquals(listener.stats(), {
    acceptedCount: 1,
    activeCount: 0,
    acceptErrorCount: 1,
    waiting: false,
  });
  assert(errors[0] === failure);
  clock.advance(5);
  await settle();
  assertEquals(sources.map(({ acceptCount }) => acceptCount), [2, 2]);
  await listener[Symbol.asyncDispose]();
  assertEquals(clock.pendingCount, 0);
});

Deno.test("close() ends the wait for a place under the limit", async () => {
  const gate = Promise.withResolvers<void>();
  const { listener, sources } = scripted({ maxConnections: 1 }, 2);
  const served = listener.serve(() => gate.promise);
  const [client, server] = memoryPipe();
  await sources[0]!.give(memoryPipe()[0]);
  await sources[1]!.give(server);
  listener.close();
  // At once, though the first goes on: nobody had begun with it.
  assertEquals(await client.read(new Uint8Array(1)), null);
  assertEquals(await isSettled(served), false);
  gate.resolve();
  await served;
  assertEquals(sources.map(({ acceptCount }) => acceptCount), [1, 1]);
  assertEquals(listener.stats().acceptedCount, 1);
});

Deno.test("serve() ends when somebody else closes the only source", async () => {
  const source = Deno.listen(HERE);
  const listener = new TransportListener([source], { onAcceptError: fail, onError: fail });
  const served = listener.serve(echo);
  source.close();
  await served;
  assertEquals(listener.stats().acceptErrorCount, 0);
});

Deno.test("serve() goes on until somebody else has closed the last source", async () => {
  const { listener, sources } = scripted({}, 2);
  const served = listener.serve(() => {});
  sources[0]!.close();
  await sources[1]!.give(memoryPipe()[0]);
  assertEquals([await isSettled(served), listener.stats().acceptedCount], [false, 1]);
  sources[1]!.close();
  await served;
});

Deno.test("close() closes every source, whatever one of them throws", async () => {
  const { sources } = scripted({}, 3);
  sources[0]!.close = () => fail(new Deno.errors.BadResource("Closed"));
  const listener = new TransportListener(sources);
  listener.close();
  await listener.drain();
  assertEquals(sources.map(({ closeCount }) => closeCount), [0, 1, 1]);
});

Deno.test("addr is the first of addrs", async () => {
  const { listener, sources } = scripted({}, 3);
  assertEquals(listener.addrs, sources.map(({ addr }) => addr));
  assert(listener.addr === sources[0]!.addr);
  listener.addrs.length = 0;
  assertEquals(listener.addrs.length, 3);
  await listener[Symbol.asyncDispose]();
});

Deno.test("ref() and unref() reach every source, and pass over those that have none", async () => {
  const sources = [new ScriptedSource(1), new ScriptedSource(2)];
  const { addr } = sources[0]!;
  const bare = { addr, accept: () => sources[0]!.accept(), close: () => {} };
  const listener = new TransportListener([...sources, bare]);
  const seen = (): boolean[] => sources.map(({ refed }) => refed);
  listener.unref();
  assertEquals(seen(), [false, false]);
  listener.ref();
  assertEquals(seen(), [true, true]);
  await listener[Symbol.asyncDispose]();
});

Deno.test("serve() survives callbacks that throw", async () => {
  const clock = new ManualClock();
  const logged: unknown[] = [];
  const { error: consoleError } = console;
  console.error = (error: unknown): void => void logged.push(error);
  try {
    const { listener, source } = scripted({ clock });
    listener.serve(() => Promise.reject(new Error("from the handler")));
    await source.give(memoryPipe()[0]);
    await source.fail(new Error("from accept"));
    clock.advance(5);
    await settle();
    assertEquals(source.acceptCount, 3);
    await listener[Symbol.asyncDispose]();
  } finally {
    console.error = consoleError;
  }
  assertEquals(logged.map((error) => (error as Error).message), [
    "from the handler",
    "from accept",
  ]);
});
