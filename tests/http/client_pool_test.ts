import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { ClientPool } from "../../http/client_pool.ts";
import type { ClientPoolOptions, PooledConnection } from "../../http/client_pool_options.ts";
import { dialHttp } from "../../http/dial.ts";
import { serve } from "../../http/serve.ts";
import { ConnectionClosedError, LimitExceededError, TimeoutError } from "../../nbio/errors.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { isSettled, settle } from "../../nbio/testing_settle.ts";
import { CountedSignal } from "../_support/counted_signal.ts";
import { errorOf } from "../_support/client_harness.ts";
import { PoolHarness } from "../_support/pool_harness.ts";
import { bytesOf } from "../_support/raw_bytes.ts";

const EMPTY = { connections: 0, idle: 0, queued: 0, dialing: 0, perHost: [] };

Deno.test("ClientPool.acquire() dials once, and lends the same connection again", async () => {
  await using harness = new PoolHarness();
  assertEquals([await harness.use(), await harness.use(), await harness.use()], [
    false,
    true,
    true,
  ]);
  assertEquals(harness.clients.length, 1);
  const counts = { connections: 1, idle: 1, queued: 0, dialing: 0 };
  assertEquals(harness.pool.stats(), { ...counts, perHost: [{ key: "a", ...counts }] });
});

Deno.test("ClientPool.acquire() lends the connection that was used last", async () => {
  await using harness = new PoolHarness();
  const [first, second] = [await harness.lend(), await harness.lend()];
  first.release();
  second.release();
  const third = await harness.lend();
  assertEquals([third.connection === second.connection, third.reused], [true, true]);
});

Deno.test("ClientPool.acquireIdle() lends what lies idle, and does nothing else", async () => {
  await using harness = new PoolHarness();
  const { pool } = harness;
  const target = harness.target();
  assertEquals([pool.acquireIdle(target), harness.dialing, pool.stats()], [undefined, [], EMPTY]);
  const first = await harness.lend();
  assertEquals(pool.acquireIdle(target), undefined);
  first.release();
  assertEquals(pool.acquireIdle(harness.target("b")), undefined);
  const again = pool.acquireIdle(target)!;
  assertEquals([again.connection === first.connection, again.reused], [true, true]);
  assertEquals(pool.acquireIdle(target), undefined);
  again.release();
  await pool.close();
  assertEquals(pool.acquireIdle(target), undefined);
});

Deno.test("ClientPool.acquire() gives one who waits what is free first", async (t) => {
  await t.step("a connection given back; the dial then goes into the pool", async () => {
    await using harness = new PoolHarness();
    const first = await harness.lend();
    const second = harness.ask();
    first.release();
    assertEquals((await second).connection, first.connection);
    await harness.accept();
    assertEquals(harness.pool.stats().idle, 1);
    assert((await harness.lend()).reused);
  });
  await t.step("the dial", async () => {
    await using harness = new PoolHarness();
    const first = await harness.lend();
    const second = await harness.lend();
    assertEquals([second.reused, second.connection === first.connection], [false, false]);
  });
});

Deno.test("ClientPool.acquire() serves those who wait in their order", async () => {
  await using harness = new PoolHarness({ maxConnectionsPerHost: 2 });
  const [first, second] = [await harness.lend(), await harness.lend()];
  const served: number[] = [];
  const asked = [0, 1, 2].map((index) =>
    harness.ask().then((lent) => {
      served.push(index);
      return lent;
    })
  );
  await settle();
  assertEquals([harness.dialing, harness.pool.stats().queued], [[], 3]);
  second.release();
  await settle();
  first.release();
  await settle();
  (await asked[0])!.release();
  await settle();
  assertEquals([served, harness.clients.length], [[0, 1, 2], 2]);
});

Deno.test("ClientPool.acquire() takes no dial from those who come after one that left", async () => {
  await using harness = new PoolHarness();
  const controller = new CountedSignal();
  const left = harness.ask("a", { signal: controller.signal });
  const stays = harness.ask();
  await settle();
  assertEquals([harness.dialing.length, controller.listenerCount], [2, 1]);
  const reason = new Error("enough");
  controller.abort(reason);
  assertEquals([await errorOf(left), controller.listenerCount], [reason, 0]);
  assertEquals(harness.signals.map(({ aborted }) => aborted), [false, false]);
  await harness.accept();
  await harness.accept();
  assertEquals([(await stays).reused, harness.pool.stats().idle], [false, 1]);
});

Deno.test("ClientPool.acquire() leaves nothing behind 10,000 that were cancelled", async () => {
  await using harness = new PoolHarness({ maxConnectionsPerHost: 2, maxQueuedRequests: 0 });
  const controller = new CountedSignal();
  const asked = Array.from({ length: 10_000 }, () => harness.ask("a", controller));
  await settle();
  assertEquals([controller.listenerCount, harness.pool.stats().queued], [10_000, 10_000]);
  controller.abort(new Error("enough"));
  await Promise.allSettled(asked);
  assertEquals([controller.listenerCount, harness.wheel.armedCount], [0, 0]);
  const { queued, dialing } = harness.pool.stats();
  assertEquals([queued, dialing, harness.dialing.length], [0, 2, 2]);
});

Deno.test("ClientPool.acquire() begins nothing for an aborted signal", async () => {
  await using harness = new PoolHarness();
  const reason = new Error("before");
  assertEquals(await errorOf(harness.ask("a", { signal: AbortSignal.abort(reason) })), reason);
  assertEquals([harness.dialing, harness.pool.stats()], [[], EMPTY]);
});

Deno.test("ClientPool.acquire() tells one who waits that a dial has failed", async () => {
  await using harness = new PoolHarness({ maxConnectionsPerHost: 2 });
  const asked = [harness.ask(), harness.ask(), harness.ask()];
  await settle();
  const error = new Error("refused");
  await harness.refuse(error);
  // The place is free for the third, which waits for its own dial.
  assertEquals([await errorOf(asked[0]!), harness.dialing.length], [error, 2]);
  await harness.refuse(error);
  await harness.refuse(error);
  assertEquals([await errorOf(asked[1]!), await errorOf(asked[2]!)], [error, error]);
  assertEquals([harness.dialing, harness.pool.stats()], [[], EMPTY]);
});

Deno.test("ClientPool.acquire() tells nobody of a dial that nobody waits for", async () => {
  await using harness = new PoolHarness();
  const first = await harness.lend();
  const second = harness.ask();
  first.release();
  await second;
  await harness.refuse(new Error("refused"));
  assertEquals(harness.pool.stats().connections, 1);
});

Deno.test("ClientPool.acquire() bears a dial that throws at once", async () => {
  await using pool = new ClientPool();
  const error = new TypeError("no");
  const target = {
    key: "a",
    dial: () => {
      throw error;
    },
  };
  assertEquals(await errorOf(pool.acquire(target)), error);
  assertEquals(pool.stats(), EMPTY);
});

Deno.test("ClientPool.acquire() lends a fresh connection where that is asked for", async (t) => {
  await t.step("beside an idle one", async () => {
    await using harness = new PoolHarness();
    await harness.use();
    const lent = await harness.lend("a", { fresh: true });
    assertEquals([lent.reused, harness.pool.stats().connections], [false, 2]);
  });
  await t.step("in the place of an idle one", async () => {
    await using harness = new PoolHarness({ maxConnectionsPerHost: 1 });
    await harness.use();
    const lent = await harness.lend("a", { fresh: true });
    assertEquals([lent.reused, await harness.closed()], [false, [true, false]]);
  });
  await t.step("in the place of one that is given back", async () => {
    await using harness = new PoolHarness({ maxConnectionsPerHost: 1 });
    const busy = await harness.lend();
    const fresh = harness.ask("a", { fresh: true });
    const other = harness.ask();
    busy.release();
    // The other is content with it.
    assertEquals((await other).connection, busy.connection);
    (await other).release();
    await harness.accept();
    assertEquals([(await fresh).reused, await harness.closed()], [false, [true, false]]);
  });
});

Deno.test("ClientPool.acquire() lets so many wait, and not one more", async () => {
  await using harness = new PoolHarness({ maxConnectionsPerHost: 1, maxQueuedRequests: 2 });
  const first = await harness.lend();
  const waiting = [harness.ask(), harness.ask()];
  const error = await errorOf(harness.ask());
  assertInstanceOf(error, LimitExceededError);
  assertEquals([error.limit, error.max], ["maxQueuedRequests", 2]);
  first.release();
  // There is room again.
  waiting.push(harness.ask());
  for (const lent of waiting) (await lent).release();
  assertEquals(harness.pool.stats().queued, 0);
});

Deno.test("ClientPool.acquire() waits for its turn for a time, and not for a dial", async () => {
  await using harness = new PoolHarness({ maxConnectionsPerHost: 1, queueTimeoutMs: 5_000 });
  const dialled = harness.ask();
  const queued = harness.ask();
  await harness.advance(5_200);
  const error = await errorOf(queued);
  assertInstanceOf(error, TimeoutError);
  assertEquals([error.phase, await isSettled(dialled)], ["queue", false]);
  // One whose turn has come before its time was up may wait for its dial.
  const next = harness.ask();
  await harness.refuse(new Error("refused"));
  await harness.advance(60_000);
  assertEquals([await isSettled(next), harness.dialing.length], [false, 1]);
  await harness.accept();
  (await next).release();
  await settle();
});

const UNFIT: readonly {
  name: string;
  options?: ClientPoolOptions;
  answer?: string;
  act?: (lent: PooledConnection, harness: PoolHarness) => Promise<void> | void;
}[] = [
  { name: "has served its requests", options: { maxRequestsPerConnection: 1 } },
  {
    name: "is of age",
    options: { maxConnectionAgeMs: 1_000 },
    act: (_lent, harness) => harness.advance(1_000),
  },
  {
    name: "the server will keep for no longer than the margin",
    answer: "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=4\r\nContent-Length: 0\r\n\r\n",
  },
  {
    name: "the server will take no request on",
    answer: "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=60, max=0\r\nContent-Length: 0\r\n\r\n",
  },
  {
    name: "the server has said to close",
    answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
  },
  {
    name: "has bytes behind the response",
    answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1",
  },
  {
    name: "has a body nobody has read",
    act: async (lent, harness) => {
      const response = lent.connection.exchange({ target: "/", headers: { host: "a" } });
      await harness.serverOf(lent).write(
        bytesOf("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123"),
      );
      await response;
    },
  },
];

for (const { name, options = {}, answer, act } of UNFIT) {
  Deno.test(`PooledConnection.release() closes a connection that ${name}`, async () => {
    await using harness = new PoolHarness(options);
    const lent = await harness.lend();
    await harness.exchange(lent, answer);
    await act?.(lent, harness);
    lent.release();
    lent.release();
    assertEquals([await harness.closed(), harness.pool.stats()], [[true], EMPTY]);
    assertEquals(harness.wheel.armedCount, 0);
  });
}

Deno.test("PooledConnection.release() makes room for one who waits, where it closes", async () => {
  await using harness = new PoolHarness({ maxConnectionsPerHost: 1, maxRequestsPerConnection: 1 });
  const first = await harness.lend();
  const second = harness.ask();
  first.release();
  await harness.accept();
  assertEquals([(await second).reused, await harness.closed()], [false, [true, false]]);
});

Deno.test("PooledConnection.release() leaves alone what was handed over", async () => {
  await using harness = new PoolHarness();
  const lent = await harness.lend();
  const response = lent.connection.exchange({
    target: "/",
    headers: { host: "a", connection: "upgrade", upgrade: "x" },
  });
  await harness.serverOf(lent).write(
    bytesOf("HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"),
  );
  const { handover } = await response;
  lent.release();
  assertEquals([await harness.closed(), harness.pool.stats()], [[false], EMPTY]);
  handover!.transport.close();
});

Deno.test("ClientPool closes what lies idle for too long", async (t) => {
  const SAYS = "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=60\r\nContent-Length: 0\r\n\r\n";
  const FOREVER = "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=99999\r\nContent-Length: 0\r\n\r\n";
  for (
    const { name, answer, limitMs, options = {} } of [
      { name: "without a hint", answer: undefined, limitMs: 30_000 },
      { name: "by the server's hint less the margin", answer: SAYS, limitMs: 56_000 },
      { name: "by our bound above the hint", answer: FOREVER, limitMs: 600_000 },
      {
        name: "at its age",
        answer: SAYS,
        limitMs: 10_000,
        options: { maxConnectionAgeMs: 10_000 },
      },
      { name: "by another bound", answer: undefined, limitMs: 50, options: { idleTimeoutMs: 50 } },
    ]
  ) {
    await t.step(name, async () => {
      await using harness = new PoolHarness(options);
      await harness.use("a", answer);
      await harness.advance(limitMs - 1);
      assertEquals(await harness.closed(), [false]);
      await harness.advance(202);
      assertEquals([await harness.closed(), harness.pool.stats()], [[true], EMPTY]);
    });
  }
});

Deno.test("ClientPool notices what happens to an idle connection", async (t) => {
  for (
    const [name, act] of [
      ["the server ends it", (h: PoolHarness) => h.servers[0]!.closeWrite()],
      ["the server resets it", (h: PoolHarness) => h.servers[0]!.reset()],
      ["bytes come unasked", (h: PoolHarness) => h.servers[0]!.write(bytesOf("HTTP/1.1 408 "))],
    ] as const
  ) {
    await t.step(name, async () => {
      await using harness = new PoolHarness();
      await harness.use();
      await act(harness);
      assertEquals([await harness.closed(), harness.pool.stats()], [[true], EMPTY]);
      assertEquals(await harness.use(), false);
    });
  }
});

Deno.test("ClientPool closes idle connections of other hosts to make room", async () => {
  await using harness = new PoolHarness({ maxConnections: 2 });
  for (const key of ["a", "b", "a", "c"]) await harness.use(key);
  // The one of b had lain idle longest.
  assertEquals([await harness.closed(), harness.pool.stats().connections], [
    [false, true, false],
    2,
  ]);
});

Deno.test("ClientPool lets hosts take turns where all are busy", async (t) => {
  await t.step("one place, two hosts", async () => {
    await using harness = new PoolHarness({ maxConnections: 1 });
    let lent = await harness.lend("a");
    const order: string[] = [];
    const asked = ["a", "b", "a", "b"].map(async (key) => {
      const got = await harness.ask(key);
      order.push(key);
      lent = got;
    });
    for (let round = 0; round < 4; round++) {
      lent.release();
      await settle();
      if (harness.dialing.length > 0) await harness.accept();
    }
    await Promise.all(asked);
    assertEquals(order, ["a", "b", "a", "b"]);
  });
  await t.step("one with all the places gives them up", async () => {
    await using harness = new PoolHarness({ maxConnections: 4 });
    const lent = [];
    for (let index = 0; index < 4; index++) lent.push(await harness.lend("a"));
    for (let index = 0; index < 50; index++) void harness.ask("a");
    const late = [harness.ask("b"), harness.ask("b"), harness.ask("b")];
    for (const connection of lent) connection.release();
    await settle();
    // An equal share, and no more.
    assertEquals(harness.dialing, ["b", "b"]);
    await harness.accept();
    await harness.accept();
    assertEquals(await Promise.all(late.map((ask) => isSettled(ask))), [true, true, false]);
  });
  await t.step("one whose share is one is not passed over for ever", async () => {
    await using harness = new PoolHarness({ maxConnections: 2 });
    const lent = [await harness.lend("a"), await harness.lend("b")];
    for (let index = 0; index < 3; index++) {
      void harness.ask("a").then((got) => lent.push(got));
      void harness.ask("b").then((got) => lent.push(got));
    }
    const third = harness.ask("c");
    let rounds = 0;
    while (!(await isSettled(third)) && rounds++ < 20) {
      for (const got of lent.splice(0)) got.release();
      await settle();
      while (harness.dialing.length > 0) await harness.accept();
    }
    assert(rounds < 20);
  });
});

Deno.test("ClientPool.close() refuses, gives up and closes everything", async () => {
  await using harness = new PoolHarness({ maxConnectionsPerHost: 1 });
  await harness.use("idle");
  const busy = await harness.lend("busy");
  const exchange = errorOf(
    busy.connection.exchange({ target: "/", headers: { host: "a" } }),
  );
  const waiting = [harness.ask("busy"), harness.ask("dialled")];
  await settle();
  const reason = new Error("over");
  await harness.pool.close(reason);
  assertEquals(await Promise.all(waiting.map(errorOf)), [reason, reason]);
  assertInstanceOf(await exchange, ConnectionClosedError);
  assertEquals([await harness.closed(), harness.pool.stats()], [[true, true], EMPTY]);
  assertEquals([await errorOf(harness.ask()), harness.wheel.armedCount], [reason, 0]);
  busy.release();
  await harness.pool.close();
  assertEquals(harness.pool.stats(), EMPTY);
});

Deno.test("ClientPool.close() closes what a dial brings too late", async () => {
  const harness = new PoolHarness();
  const { promise, resolve } = Promise.withResolvers<void>();
  const target = harness.target();
  const asked = harness.pool.acquire({
    key: "a",
    dial: async ({ signal: _ }) => {
      // Heeds no signal.
      await promise;
      const dialed = target.dial({ signal: new AbortController().signal });
      await harness.accept();
      return await dialed;
    },
  });
  const closing = harness.pool.close();
  await assertRejects(() => asked, ConnectionClosedError);
  assertEquals(await isSettled(closing), false);
  resolve();
  await closing;
  assertEquals([await harness.closed(), harness.pool.stats()], [[true], EMPTY]);
});

for (
  const options of [
    { maxConnectionsPerHost: -1 },
    { maxConnections: 1.5 },
    { maxQueuedRequests: NaN },
    { queueTimeoutMs: -1 },
    { idleTimeoutMs: NaN },
    { maxIdleTimeoutMs: -1 },
    { maxConnectionAgeMs: -1 },
    { maxRequestsPerConnection: 0.5 },
    { keepAliveMarginMs: -1 },
    { connection: { maxHeaderBytes: -1 } },
    { connection: { maxInformationalResponses: -1 } },
  ]
) {
  Deno.test(`ClientPool refuses ${JSON.stringify(options)}`, () => {
    assertThrows(() => new ClientPool(options), RangeError);
  });
}

for (let seed = 1; seed <= 200; seed++) {
  Deno.test(`ClientPool keeps its bounds and its promises, seed ${seed}`, async () => {
    const random = new SeededRandom(seed);
    const limits = {
      maxConnectionsPerHost: 1 + random.int(3),
      maxConnections: 1 + random.int(4),
    };
    await using harness = new PoolHarness({ ...limits, queueTimeoutMs: 0, maxQueuedRequests: 0 });
    const lent: PooledConnection[] = [];
    let [askedCount, endedCount] = [0, 0];
    for (let step = 0; step < 120; step++) {
      const choice = random.int(6);
      if (choice < 2 && step < 80) {
        const controller = new AbortController();
        const options = { signal: controller.signal, fresh: random.int(5) === 0 };
        askedCount++;
        harness.ask("abc"[random.int(3)]!, options).then((got) => lent.push(got), () => {})
          .finally(() => endedCount++);
        if (random.int(4) === 0) controller.abort(new Error("left"));
      } else if (choice === 2 && harness.dialing.length > 0) {
        if (random.int(4) === 0) await harness.refuse(new Error("refused"));
        else await harness.accept();
      } else if (choice === 3 && harness.servers.length > 0) {
        harness.servers[random.int(harness.servers.length)]!.reset();
      } else if (lent.length > 0) {
        lent.splice(random.int(lent.length), 1)[0]!.release();
      }
      await settle();
      const stats = harness.pool.stats();
      assert(stats.connections + stats.dialing <= limits.maxConnections);
      const alive = lent.filter(({ connection }) => connection.endReason === undefined);
      assertEquals(stats.connections - stats.idle, alive.length);
      for (const host of stats.perHost) {
        assert(host.connections + host.dialing <= limits.maxConnectionsPerHost);
        assert(host.connections + host.dialing + host.queued > 0);
      }
    }
    // Whoever waits is served in the end.
    for (let round = 0; endedCount < askedCount && round < 400; round++) {
      for (const got of lent.splice(0)) got.release();
      await settle();
      while (harness.dialing.length > 0) await harness.accept();
    }
    assertEquals(endedCount, askedCount);
  });
}

Deno.test("ClientPool does what it says over sockets, and lets the process end", async () => {
  await using server = serve((ctx) => ctx.text("hello"), { hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}`;
  await using pool = new ClientPool({ maxConnectionsPerHost: 4 });
  const target = { key: url, dial: () => dialHttp(url) };
  const ask = async (): Promise<void> => {
    const lent = await pool.acquire(target);
    const response = await lent.connection.exchange({ target: "/", headers: { host: "a" } });
    assertEquals((await response.bytes()).length, 5);
    await response.ended;
    lent.release();
  };
  await Promise.all(Array.from({ length: 100 }, ask));
  const { connections, idle } = pool.stats();
  assertEquals([connections, idle], [4, 4]);
  // A script that leaves its connections idle ends by itself, and soon.
  const script = `
    import { ClientPool } from ${JSON.stringify(import.meta.resolve("../../http/client_pool.ts"))};
    import { dialHttp } from ${JSON.stringify(import.meta.resolve("../../http/dial.ts"))};
    const pool = new ClientPool();
    const lent = await pool.acquire({ key: "a", dial: () => dialHttp("${url}") });
    const response = await lent.connection.exchange({ target: "/", headers: { host: "a" } });
    await response.bytes();
    await response.ended;
    lent.release();
    console.log(pool.stats().idle);
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-lock", "--allow-net", "--ext=ts", "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
    signal: AbortSignal.timeout(20_000),
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(script));
  await writer.close();
  const { code, stdout } = await child.output();
  assertEquals([code, new TextDecoder().decode(stdout).trim()], [0, "1"]);
});
