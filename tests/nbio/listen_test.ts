import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  type AcceptSource,
  listen,
  type ListenOptions,
  type TransportListener,
} from "../../nbio/listen.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import type { Transport } from "../../nbio/transport.ts";
import { sendAll } from "../../nbio/send_all.ts";

function fail(error: unknown): void {
  throw error;
}

function listenHere(options: ListenOptions = {}): TransportListener {
  return listen({ hostname: "127.0.0.1", onAcceptError: fail, onError: fail, ...options });
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

/** Lets everything run that waits for nothing but promises. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** A source whose `accept` is answered by the test. */
class ScriptedSource implements AcceptSource {
  readonly addr: Deno.Addr = { transport: "tcp", hostname: "127.0.0.1", port: 1 };
  acceptCount = 0;
  #waiting: PromiseWithResolvers<Transport> | undefined;

  accept(): Promise<Transport> {
    this.acceptCount++;
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  async give(transport: Transport): Promise<void> {
    this.#waiting!.resolve(transport);
    await settle();
  }

  async fail(error: Error): Promise<void> {
    this.#waiting!.reject(error);
    await settle();
  }

  close(): void {
    this.#waiting?.reject(new Deno.errors.BadResource("Closed"));
  }
}

Deno.test("listen() serves TCP connections and counts them", async () => {
  await using listener = listenHere();
  listener.serve(echo);
  for (let round = 1; round <= 3; round++) {
    using client = await connectTo(listener);
    await client.write(new Uint8Array([1, 2]));
    assertEquals(await client.read(new Uint8Array(8)), 2);
    assertEquals(listener.stats().acceptedCount, round);
  }
});

Deno.test("listen() hands over the very connection the source gave", async () => {
  const source = new ScriptedSource();
  const listener = listen({ listener: source, onError: fail });
  const [client, server] = memoryPipe();
  let given: Transport | undefined;
  listener.serve((transport) => void (given = transport));
  await source.give(server);
  assert(given === server);
  client.close();
  await listener[Symbol.asyncDispose]();
});

Deno.test("listen() binds a free port by default, on every interface", async () => {
  await using listener = listen();
  const { hostname, port } = listener.addr as Deno.NetAddr;
  assertEquals(hostname, "0.0.0.0");
  assert(port > 0);
});

Deno.test("listen() throws the runtime's error when the address is taken", async () => {
  await using listener = listenHere();
  const { port } = listener.addr as Deno.NetAddr;
  assertThrows(() => listenHere({ port }), Deno.errors.AddrInUse);
});

for (const maxConnections of [-1, NaN]) {
  Deno.test(`listen() throws on maxConnections ${maxConnections}`, () => {
    assertThrows(() => listenHere({ maxConnections }), RangeError);
  });
}

Deno.test("listen() throws on options that exclude each other", () => {
  for (
    const listener of [{ path: "/tmp/x", port: 0 }, { listener: new ScriptedSource(), port: 0 }]
  ) {
    assertThrows(() => listen(listener), TypeError);
  }
});

Deno.test("listen() switches Nagle's algorithm off where there is such a method", async () => {
  const source = new ScriptedSource();
  const listener = listen({ listener: source, onError: fail });
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
  const listener = listenHere();
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

Deno.test("serve() throws when called twice", async () => {
  await using listener = listenHere();
  listener.serve(echo);
  assertThrows(() => listener.serve(echo), TypeError);
});

Deno.test("drain() resolves for a listener closed before it was served", async () => {
  const listener = listenHere();
  listener.close();
  await listener.drain();
  await listener.serve(echo);
});

Deno.test("listen() with a signal closes when it aborts", async () => {
  const controller = new AbortController();
  const listener = listenHere({ signal: controller.signal });
  const served = listener.serve(echo);
  controller.abort();
  await served;
});

Deno.test("listen() throws the reason of a signal that is aborted already", () => {
  const reason = new RangeError("no");
  const thrown = assertThrows(() => listenHere({ signal: AbortSignal.abort(reason) }), RangeError);
  assert(thrown === reason);
});

Deno.test("serve() accepts no more than maxConnections at a time", async () => {
  const source = new ScriptedSource();
  const listener = listen({ listener: source, maxConnections: 2, onError: fail });
  const gates: PromiseWithResolvers<void>[] = [];
  listener.serve(() => {
    const gate = Promise.withResolvers<void>();
    gates.push(gate);
    return gate.promise;
  });
  await source.give(memoryPipe()[0]);
  await source.give(memoryPipe()[0]);
  assertEquals(source.acceptCount, 2);
  assertEquals(listener.stats(), {
    acceptedCount: 2,
    activeCount: 2,
    acceptErrorCount: 0,
    waiting: true,
  });
  gates[0]!.resolve();
  await settle();
  assertEquals([source.acceptCount, listener.stats().waiting], [3, false]);
  await source.give(memoryPipe()[0]);
  assertEquals([source.acceptCount, listener.stats().waiting], [3, true]);
  listener.close();
  for (const gate of gates) gate.resolve();
  await listener.drain();
  assertEquals(listener.stats().acceptedCount, 3);
});

Deno.test("serve() leaves connections over the limit in the queue of the system", async () => {
  const listener = listenHere({ maxConnections: 1 });
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
    const source = new ScriptedSource();
    const listener = listen({ listener: source, maxConnections, onError: fail });
    const gate = Promise.withResolvers<void>();
    listener.serve(() => gate.promise);
    for (let i = 0; i < 100; i++) await source.give(memoryPipe()[0]);
    assertEquals(listener.stats().activeCount, 100);
    gate.resolve();
    await listener[Symbol.asyncDispose]();
  });
}

Deno.test("serve() gives the place back at once when a handler returns no promise", async () => {
  const source = new ScriptedSource();
  const listener = listen({ listener: source, maxConnections: 1, onError: fail });
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
    const source = new ScriptedSource();
    const errors: unknown[] = [];
    const onError = (error: unknown): void => void errors.push(error);
    const listener = listen({ listener: source, maxConnections: 1, onError, onAcceptError: fail });
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

Deno.test("serve() pauses after failures to accept, longer each time, up to a second", async () => {
  const source = new ScriptedSource();
  const clock = new ManualClock();
  const errors: unknown[] = [];
  const onAcceptError = (error: unknown): void => void errors.push(error);
  const listener = listen({ listener: source, clock, onAcceptError, onError: fail });
  listener.serve(() => {});
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
  assertEquals([listener.stats().acceptErrorCount, errors.length], [12, 12]);
  await listener[Symbol.asyncDispose]();
});

Deno.test("close() ends the pause after a failure, and leaves no timer", async () => {
  const source = new ScriptedSource();
  const clock = new ManualClock();
  const listener = listen({ listener: source, clock, onAcceptError: () => {} });
  const served = listener.serve(() => {});
  await source.fail(new Error("Too many open files"));
  assertEquals(clock.pendingCount, 1);
  listener.close();
  assertEquals(clock.pendingCount, 0);
  await served;
});

Deno.test("close() ends the wait for a place under the limit", async () => {
  const source = new ScriptedSource();
  const gate = Promise.withResolvers<void>();
  const listener = listen({ listener: source, maxConnections: 1 });
  const served = listener.serve(() => gate.promise);
  await source.give(memoryPipe()[0]);
  listener.close();
  gate.resolve();
  await served;
  assertEquals(source.acceptCount, 1);
});

Deno.test("serve() ends when somebody else closes the listener", async () => {
  const source = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const listener = listen({ listener: source, onAcceptError: fail, onError: fail });
  const served = listener.serve(echo);
  source.close();
  await served;
  assertEquals(listener.stats().acceptErrorCount, 0);
});

Deno.test("serve() closes a connection that comes with the close", async () => {
  const source = new ScriptedSource();
  const listener = listen({ listener: source, onError: fail });
  const served = listener.serve(() => fail(new Error("handled")));
  const [client, server] = memoryPipe();
  const given = source.give(server);
  listener.close();
  await given;
  await served;
  assertEquals(await client.read(new Uint8Array(1)), null);
});

Deno.test("serve() survives callbacks that throw", async () => {
  const source = new ScriptedSource();
  const clock = new ManualClock();
  const logged: unknown[] = [];
  const { error: consoleError } = console;
  console.error = (error: unknown): void => void logged.push(error);
  try {
    const listener = listen({ listener: source, clock, onAcceptError: fail, onError: fail });
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

Deno.test("listen() with a path serves a Unix socket and removes it in the end", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/socket`;
  const listener = listen({ path, onError: fail, onAcceptError: fail });
  listener.serve(echo);
  const client = await Deno.connect({ transport: "unix", path });
  await client.write(new Uint8Array([1, 2, 3]));
  assertEquals(await client.read(new Uint8Array(8)), 3);
  client.close();
  await listener[Symbol.asyncDispose]();
  await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
  await Deno.remove(directory, { recursive: true });
});

Deno.test("listen() with a path leaves a file that is already there", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/file`;
  await Deno.writeTextFile(path, "mine");
  assertThrows(() => listen({ path }), Deno.errors.AddrInUse);
  assertEquals(await Deno.readTextFile(path), "mine");
  await Deno.remove(directory, { recursive: true });
});

Deno.test("serve() outlives running out of file descriptors", {
  ignore: Deno.build.os === "windows",
}, async () => {
  const program = new URL("./listen_few_descriptors.ts", import.meta.url).pathname;
  const child = new Deno.Command("sh", {
    args: ["-c", `ulimit -n 64; exec "$0" run --allow-net "$1"`, Deno.execPath(), program],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const port = Number((await lines.read()).value);
  const connect = (): Promise<Deno.TcpConn> => Deno.connect({ hostname: "127.0.0.1", port });
  const storm = await Promise.all(Array.from({ length: 100 }, connect));
  assertEquals((await lines.read()).value?.split("\n")[0], "EMFILE");
  for (const connection of storm) connection.close();
  const client = await connect();
  await client.write(new Uint8Array([1, 2, 3]));
  assertEquals(await client.read(new Uint8Array(8)), 3);
  client.close();
  await child.stdin.close();
  while (!(await lines.read()).done);
  assertEquals((await child.status).success, true);
});

Deno.test("unref() lets the process end while listening", async () => {
  const url = new URL("../../nbio/listen.ts", import.meta.url);
  const code = `import { listen } from "${url}";
    const listener = listen({ hostname: "127.0.0.1" });
    listener.serve(() => {});
    listener.unref();
    listener.ref();
    listener.unref();`;
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", code],
  }).output();
  assertEquals(success, true);
});
