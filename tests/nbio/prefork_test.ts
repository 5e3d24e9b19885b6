import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Prefork, prefork } from "../../nbio/prefork.ts";
import { PreforkError } from "../../nbio/prefork_error.ts";
import type { PreforkEvent } from "../../nbio/prefork_event.ts";
import type { PreforkOptions } from "../../nbio/prefork_options.ts";
import { resolvePreforkOptions } from "../../nbio/prefork_resolve.ts";
import type {
  PreforkHandle,
  PreforkLauncher,
  PreforkLaunchEvents,
  PreforkSettings,
} from "../../nbio/prefork_settings.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";

/** A worker that is none: it does what the test says. */
class FakeWorker implements PreforkHandle {
  readonly pid = 7;
  readonly words: string[] = [];

  constructor(readonly settings: PreforkSettings, readonly events: PreforkLaunchEvents) {}

  stop(): void {
    this.words.push("stop");
  }

  kill(): void {
    this.words.push("kill");
    queueMicrotask(() => this.events.onExit({ code: null, signal: "SIGKILL" }));
  }

  end(code = 0): void {
    this.events.onExit({ code, signal: null });
  }
}

/** Supervision of workers that are none, in virtual time. */
function fake(options: Partial<PreforkOptions> = {}, launcher: PreforkLauncher | null = null) {
  const clock = new ManualClock();
  const started: FakeWorker[] = [];
  const events: PreforkEvent[] = [];
  const resolved = resolvePreforkOptions({
    module: "file:///worker.ts",
    workers: 2,
    handleSignals: false,
    clock,
    onEvent: (event) => events.push(event),
    ...options,
  });
  const launch: PreforkLauncher = (settings, launchEvents) => {
    const worker = new FakeWorker(settings, launchEvents);
    started.push(worker);
    return worker;
  };
  return { clock, started, events, cluster: new Prefork(resolved, launcher ?? launch) };
}

async function fakeReady(options: Partial<PreforkOptions> = {}) {
  const bench = fake(options);
  await Promise.resolve();
  for (const worker of bench.started) worker.events.onReady();
  await bench.cluster.ready;
  return bench;
}

Deno.test("prefork() tells every worker what it is", async () => {
  const { started, cluster } = await fakeReady({ args: ["a"], drainMs: 5, graceMs: 6 });
  const common = { mode: "processes", workers: 2, args: ["a"], drainMs: 5, graceMs: 6 } as const;
  assertEquals(started.map(({ settings }) => settings), [
    { id: 1, index: 0, supervisorPid: Deno.pid, ...common },
    { id: 2, index: 1, supervisorPid: Deno.pid, ...common },
  ]);
  assertEquals(cluster.workers(), [
    { id: 1, index: 0, pid: 7, state: "ready" },
    { id: 2, index: 1, pid: 7, state: "ready" },
  ]);
  await cluster.kill();
  assertEquals(cluster.workers(), []);
});

Deno.test("stop() asks, and kills after drainMs and graceMs", async () => {
  const { clock, started, cluster } = await fakeReady({ drainMs: 500, graceMs: 1_000 });
  const stopped = cluster.stop();
  assertEquals(started.map(({ words }) => words), [["stop"], ["stop"]]);
  started[0]!.end();
  clock.advance(1_499);
  assertEquals(started[1]!.words, ["stop"]);
  clock.advance(1);
  assertEquals(started[1]!.words, ["stop", "kill"]);
  await stopped;
  await cluster.finished;
  assertEquals(clock.pendingCount, 0);
});

Deno.test("a crashed worker is replaced after the back-off", async () => {
  const { clock, started, cluster, events } = await fakeReady({ restart: { backoffMs: 100 } });
  started[0]!.end(1);
  clock.advance(99);
  assertEquals(started.length, 2);
  clock.advance(1);
  assertEquals([started.length, started[2]!.settings.index], [3, 0]);
  assert(events.some((event) => event.type === "backoff" && event.delayMs === 100));
  await cluster.kill();
  assertEquals(clock.pendingCount, 0);
});

Deno.test("finished rejects when workers crash too often, and ready with it", async () => {
  const { started, cluster, clock } = fake({ workers: 1, restart: { max: 1, backoffMs: 0 } });
  await Promise.resolve();
  started[0]!.end(3);
  clock.advance(0);
  started[1]!.end(4);
  const error = await assertRejects(() => cluster.finished, PreforkError);
  assertEquals([error.code, error.worker?.id, error.exit?.code], ["ERR_NET_PREFORK_CRASHED", 2, 4]);
  assert(await cluster.ready.catch((error) => error) === error);
});

Deno.test("a worker that cannot be started counts as crashed", async () => {
  const cause = new Error("no");
  const { cluster } = fake({ workers: 1, restart: { max: 0 } }, () => {
    throw cause;
  });
  const error = await assertRejects(() => cluster.finished, PreforkError);
  assert(error.cause === cause && error.exit?.error === cause);
});

Deno.test("finished rejects when workers of the mode cannot be started at all", async () => {
  const cause = new Deno.errors.NotSupported("no");
  const options = resolvePreforkOptions({ module: "file:///worker.ts", handleSignals: false });
  const cluster = new Prefork(options, Promise.reject(cause));
  assert(await cluster.finished.catch((error) => error) === cause);
});

Deno.test("restart() resolves when all are replaced", async () => {
  const { started, cluster } = await fakeReady();
  const restarted = cluster.restart();
  started[2]!.events.onReady();
  assertEquals(started[0]!.words, ["stop"]);
  started[0]!.end();
  started[3]!.events.onReady();
  started[1]!.end();
  await restarted;
  assertEquals(cluster.workers().map(({ id }) => id), [3, 4]);
  await cluster.kill();
});

Deno.test("restart() rejects when the new worker does not get ready; the old one stays", async () => {
  const { clock, started, cluster } = await fakeReady({ readyTimeoutMs: 50 });
  const restarted = cluster.restart();
  clock.advance(50);
  assertEquals(started[2]!.words, ["kill"]);
  const error = await assertRejects(() => restarted, PreforkError);
  assertEquals([error.code, error.worker?.id], ["ERR_NET_PREFORK_RESTART", 3]);
  assertEquals(cluster.workers().map(({ id, state }) => `${id} ${state}`), ["1 ready", "2 ready"]);
  await cluster.kill();
});

Deno.test("restart() rejects while, and when, all are to end", async () => {
  const { cluster } = await fakeReady();
  const overtaken = cluster.restart();
  const killed = cluster.kill();
  for (const restarted of [cluster.restart(), overtaken]) {
    const error = await assertRejects(() => restarted, PreforkError);
    assertEquals(error.code, "ERR_NET_PREFORK_STOPPING");
  }
  await killed;
});

Deno.test("prefork() kills all when its signal aborts, and rejects with the reason", async () => {
  const controller = new AbortController();
  const reason = { text: "not even an Error" };
  const { started, cluster, clock } = await fakeReady({ signal: controller.signal });
  controller.abort(reason);
  assert(await cluster.finished.catch((error) => error) === reason);
  assert(started.every(({ words }) => words.at(-1) === "kill"));
  assertEquals(clock.pendingCount, 0);
  const { signal } = controller;
  const late = () => prefork({ module: "file:///worker.ts", signal });
  let thrown: unknown;
  try {
    late();
  } catch (error) {
    thrown = error;
  }
  assert(thrown === reason);
});

Deno.test("an abort before the first worker starts none", async () => {
  const controller = new AbortController();
  const { started, cluster } = fake({ signal: controller.signal });
  controller.abort("now");
  assertEquals(await cluster.finished.catch((error) => error), "now");
  assertEquals(await cluster.ready.catch((error) => error), "now");
  assertEquals(started, []);
});

Deno.test("ready rejects when all are stopped before", async () => {
  const { cluster } = fake();
  await cluster.stop();
  const error = await assertRejects(() => cluster.ready, PreforkError);
  assertEquals(error.code, "ERR_NET_PREFORK_STOPPING");
});

Deno.test("onEvent may stop all, from within", async () => {
  const { cluster, started } = await fakeReady({
    onEvent: (event) => {
      if (event.type === "exit" && !event.expected) void cluster.kill();
    },
  });
  started[0]!.end(1);
  await cluster.finished;
  assertEquals(started.length, 2);
});

for (
  const [name, options] of [
    ["no worker", { workers: 0 }],
    ["half a worker", { workers: 1.5 }],
    ["too many workers", { workers: 1_025 }],
    ["a mode that is none", { mode: "fibres" as "threads" }],
    ["readyTimeoutMs 0", { readyTimeoutMs: 0 }],
    ["readyTimeoutMs NaN", { readyTimeoutMs: NaN }],
    ["a readyTimeoutMs no timer has", { readyTimeoutMs: 2 ** 31 }],
    ["drainMs -1", { drainMs: -1 }],
    ["graceMs -1", { graceMs: -1 }],
    ["graceMs Infinity", { graceMs: Infinity }],
    ["restart.max -1", { restart: { max: -1 } }],
    ["restart.max 0.5", { restart: { max: 0.5 } }],
    ["restart.windowMs 0", { restart: { windowMs: 0 } }],
    ["restart.backoffMs -1", { restart: { backoffMs: -1 } }],
  ] as const
) {
  Deno.test(`prefork() throws a RangeError on ${name}`, () => {
    assertThrows(() => prefork({ module: "file:///worker.ts", ...options }), RangeError);
  });
}

Deno.test("prefork() throws a TypeError on a relative module", () => {
  assertThrows(() => prefork({ module: "./worker.ts" }), TypeError);
});

Deno.test("prefork() takes the bounds of its options", async () => {
  for (
    const options of [
      { workers: 1, restart: { max: Infinity, windowMs: 2 ** 31 - 1, backoffMs: 0 } },
      { workers: 1_024, restart: { max: 0 }, readyTimeoutMs: 2 ** 31 - 1 },
      { drainMs: 0, graceMs: 0 },
      { drainMs: 1e9, graceMs: 1e9 },
    ]
  ) {
    const { cluster } = fake(options);
    await cluster.kill();
  }
});
