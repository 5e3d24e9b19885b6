import { assert, assertEquals } from "@std/assert";
import type { PreforkEvent } from "../../nbio/prefork_event.ts";
import { PreforkSupervisor, type PreforkSupervisorOptions } from "../../nbio/prefork_supervisor.ts";

const CRASH = { code: 1, signal: null };
const CLEAN = { code: 0, signal: null };

/** A supervisor, and what it wants done, as lines: `spawn 0/1` is place 0, worker 1. */
class Bench {
  readonly core: PreforkSupervisor;
  readonly events: PreforkEvent[] = [];
  finish: { readonly error: unknown } | undefined;
  nowMs = 0;

  constructor(options: Partial<PreforkSupervisorOptions> = {}) {
    this.core = new PreforkSupervisor({
      workers: 2,
      readyTimeoutMs: 1_000,
      stopTimeoutMs: 500,
      maxRestarts: 4,
      windowMs: 10_000,
      backoffMs: 100,
      ...options,
    });
    this.core.start(0);
  }

  /** What is to be done now. */
  take(): string[] {
    const lines: string[] = [];
    for (let action; (action = this.core.nextAction()) !== undefined;) {
      if (action.type === "finish") {
        assert(this.finish === undefined);
        this.finish = { error: action.error };
        lines.push("finish");
      } else if (action.type === "report") this.events.push(action.event);
      else lines.push(`${action.type} ${action.worker.index}/${action.worker.id}`);
    }
    return lines;
  }

  ready(...ids: number[]): string[] {
    for (const id of ids) this.core.handleReady(id, this.nowMs);
    return this.take();
  }

  exit(id: number, exit = CRASH): string[] {
    this.core.handleExit(id, exit, this.nowMs);
    return this.take();
  }

  /** Goes to the next deadline. */
  pass(): string[] {
    this.nowMs = this.core.deadlineMs;
    assert(this.nowMs < Infinity);
    this.core.handleTimeout(this.nowMs);
    return this.take();
  }

  /** What was told since the last time, by name. */
  told(): string[] {
    return this.events.splice(0).map(({ type }) => type);
  }
}

/** One whose workers are ready. */
function running(options: Partial<PreforkSupervisorOptions> = {}): Bench {
  const bench = new Bench(options);
  bench.take();
  bench.ready(...Array.from({ length: options.workers ?? 2 }, (_, index) => index + 1));
  bench.told();
  return bench;
}

Deno.test("start() starts every worker, and isReady waits for the last", () => {
  const bench = new Bench({ workers: 3 });
  assertEquals(bench.take(), ["spawn 0/1", "spawn 1/2", "spawn 2/3"]);
  assertEquals(bench.ready(1, 2), []);
  assert(!bench.core.isReady);
  bench.ready(3);
  assert(bench.core.isReady);
  assertEquals(bench.core.deadlineMs, Infinity);
  assertEquals(bench.told(), ["spawn", "spawn", "spawn", "ready", "ready", "ready"]);
});

Deno.test("handleReady() again, late or of a stranger changes nothing", () => {
  const bench = running();
  assertEquals(bench.ready(1, 1, 99), []);
  bench.exit(1);
  assertEquals(bench.ready(1), []);
  assertEquals(bench.core.stateOf(1), undefined);
  assertEquals(bench.exit(1), []);
});

Deno.test("a worker that is not ready in time is killed, and counts as a crash", () => {
  const bench = new Bench({ workers: 1 });
  bench.take();
  assertEquals(bench.core.deadlineMs, 1_000);
  bench.core.handleTimeout(999);
  assertEquals(bench.take(), []);
  assertEquals(bench.pass(), ["kill 0/1"]);
  assertEquals(bench.core.deadlineMs, Infinity);
  assertEquals(bench.ready(1), []);
  assertEquals(bench.exit(1), []);
  assertEquals(bench.core.deadlineMs, 1_100);
  assertEquals(bench.pass(), ["spawn 0/2"]);
});

Deno.test("a crashed worker is replaced, later after each crash within the window", () => {
  const bench = running({ workers: 1, maxRestarts: 9 });
  const delaysMs: number[] = [];
  for (let id = 1; id < 8; id++) {
    assertEquals(bench.exit(id), []);
    delaysMs.push(bench.core.deadlineMs - bench.nowMs);
    assertEquals(bench.pass(), [`spawn 0/${id + 1}`]);
  }
  // 10,000 ms / (2 * 10) is the most.
  assertEquals(delaysMs, [100, 200, 400, 500, 500, 500, 500]);
  bench.ready(8);
  bench.nowMs += 10_000;
  bench.exit(8);
  assertEquals(bench.core.deadlineMs - bench.nowMs, 100);
});

for (const maxRestarts of [0, 1, 4, 10]) {
  Deno.test(`more than ${maxRestarts} crashes within the window end all`, () => {
    const bench = running({ maxRestarts });
    let id = 1;
    let crashCount = 0;
    while (bench.core.stateOf(id) !== undefined && bench.finish === undefined) {
      crashCount++;
      const lines = bench.exit(id);
      if (bench.core.isStopping) {
        assertEquals(lines, ["stop 1/2"]);
        break;
      }
      assertEquals(bench.pass().length, 1);
      id = Math.max(3, id + 1);
    }
    assertEquals(crashCount, maxRestarts + 1);
    assertEquals(bench.exit(2, CLEAN), ["finish"]);
    const error = bench.finish!.error as { code: string; worker: unknown; exit: unknown };
    assertEquals([error.code, error.exit], ["ERR_NET_PREFORK_CRASHED", CRASH]);
    assertEquals(error.worker, { id, index: 0 });
    assertEquals(bench.core.deadlineMs, Infinity);
  });
}

Deno.test("workers that never start pass the cap, whatever the back-off", () => {
  for (const backoffMs of [0, 1, 100, 1e9]) {
    for (const maxRestarts of [0, 1, 20, 1_000]) {
      const bench = new Bench({ workers: 1, backoffMs, maxRestarts });
      bench.take();
      let count = 0;
      for (let id = 1; bench.finish === undefined; id++) {
        bench.exit(id);
        count++;
        if (bench.finish === undefined) bench.pass();
      }
      assertEquals(count, maxRestarts + 1);
    }
  }
});

Deno.test("workers that are silent for longer than the window pass the cap, too", () => {
  const bench = new Bench({ workers: 1, readyTimeoutMs: 20_000, maxRestarts: 3 });
  bench.take();
  for (let id = 1; id <= 4; id++) {
    assertEquals(bench.pass(), [`kill 0/${id}`]);
    const lines = bench.exit(id);
    if (id < 4) assertEquals(bench.pass(), [`spawn 0/${id + 1}`]);
    else assertEquals(lines, ["finish"]);
  }
});

Deno.test("with no cap workers are replaced for ever, at least once in a window", () => {
  const bench = new Bench({ workers: 1, maxRestarts: Infinity });
  bench.take();
  for (let id = 1; id < 1_000; id++) {
    assertEquals(bench.exit(id), []);
    assert(bench.core.deadlineMs - bench.nowMs <= 10_000);
    assertEquals(bench.pass(), [`spawn 0/${id + 1}`]);
  }
});

Deno.test("crashes longer ago than the window are forgotten", () => {
  const bench = running({ workers: 1, maxRestarts: 1 });
  for (let id = 1; id < 20; id++) {
    bench.exit(id);
    assertEquals(bench.pass(), [`spawn 0/${id + 1}`]);
    bench.ready(id + 1);
    bench.nowMs += 9_900;
  }
});

Deno.test("stop() asks who is ready, kills who is not, and ends with the last", () => {
  const bench = new Bench({ workers: 3 });
  bench.take();
  bench.ready(1, 3);
  bench.core.stop(0);
  bench.core.stop(0);
  assertEquals(bench.take(), ["stop 0/1", "kill 1/2", "stop 2/3"]);
  assertEquals(bench.exit(2), []);
  assertEquals(bench.exit(1, CLEAN), []);
  assertEquals(bench.core.deadlineMs, 500);
  assertEquals(bench.pass(), ["kill 2/3"]);
  assertEquals(bench.exit(3), ["finish"]);
  assertEquals(bench.finish, { error: undefined });
  assert(bench.events.every((event) => event.type !== "exit" || event.expected));
});

Deno.test("stop() before anything runs, or between two workers, ends at once", () => {
  const bench = running({ workers: 1 });
  bench.exit(1);
  bench.core.stop(0);
  assertEquals(bench.take(), ["finish"]);
  assertEquals(bench.core.deadlineMs, Infinity);
  assert(!bench.core.restart(0));
});

Deno.test("kill() kills all, those that were asked to stop too", () => {
  const bench = running();
  bench.core.stop(0);
  bench.take();
  bench.core.kill(1);
  assertEquals(bench.take(), ["kill 0/1", "kill 1/2"]);
  bench.core.kill(1);
  assertEquals(bench.take(), []);
  bench.exit(1);
  assertEquals(bench.exit(2), ["finish"]);
  const atOnce = running();
  atOnce.core.kill(0);
  assertEquals(atOnce.take(), ["stop 0/1", "stop 1/2", "kill 0/1", "kill 1/2"]);
});

Deno.test("restart() replaces one after the other, new before old", () => {
  const bench = running();
  assert(bench.core.restart(0));
  assertEquals(bench.take(), ["spawn 0/3"]);
  assertEquals(bench.ready(3), ["stop 0/1"]);
  assert(bench.core.isReady);
  assertEquals(bench.exit(1, CLEAN), ["spawn 1/4"]);
  assertEquals(bench.ready(4), ["stop 1/2"]);
  bench.told();
  assertEquals(bench.exit(2, CLEAN), []);
  assertEquals(bench.told(), ["exit", "restarted"]);
  assertEquals(bench.core.deadlineMs, Infinity);
});

Deno.test("restart() kills an old worker that does not stop in time, and goes on", () => {
  const bench = running();
  bench.core.restart(0);
  bench.ready(3);
  assertEquals(bench.pass(), ["kill 0/1"]);
  assertEquals(bench.exit(1), ["spawn 1/4"]);
});

for (const way of ["ends", "is silent"]) {
  Deno.test(`restart() leaves the old worker where the new one ${way}`, () => {
    const bench = running();
    bench.core.restart(0);
    bench.take();
    if (way === "is silent") assertEquals(bench.pass(), ["kill 0/3"]);
    bench.told();
    assertEquals(bench.exit(3), []);
    assertEquals(bench.told(), ["exit", "restart-failed"]);
    assertEquals([bench.core.stateOf(1), bench.core.stateOf(2)], ["ready", "ready"]);
    assertEquals(bench.core.deadlineMs, Infinity);
    // It can be tried again.
    bench.core.restart(bench.nowMs);
    assertEquals(bench.take(), ["spawn 0/4"]);
  });
}

Deno.test("restart() during restart() replaces again who was replaced", () => {
  const bench = running();
  bench.core.restart(0);
  bench.take();
  bench.ready(3);
  bench.core.restart(0);
  assertEquals(bench.take(), []);
  assertEquals(bench.exit(1, CLEAN), ["spawn 0/4"]);
  assertEquals(bench.ready(4), ["stop 0/3"]);
  assertEquals(bench.exit(3, CLEAN), ["spawn 1/5"]);
  assertEquals(bench.ready(5), ["stop 1/2"]);
  bench.exit(2, CLEAN);
  assertEquals(bench.told().filter((type) => type === "restarted"), ["restarted"]);
});

Deno.test("an old worker that crashes is replaced by the new one that is on its way", () => {
  const bench = running();
  bench.core.restart(0);
  bench.take();
  assertEquals(bench.exit(1), []);
  assertEquals(bench.core.deadlineMs, 1_000);
  assertEquals(bench.ready(3), ["spawn 1/4"]);
});

Deno.test("a new worker that crashes in the place of a crashed one is replaced, and all stay", () => {
  const bench = running();
  bench.core.restart(0);
  bench.take();
  bench.exit(1);
  assertEquals(bench.exit(3), []);
  assert(bench.told().includes("restart-failed"));
  assertEquals(bench.pass(), ["spawn 0/4"]);
  assertEquals(bench.ready(4), []);
});

Deno.test("restart() passes over an empty place, which gets a new worker anyway", () => {
  const bench = running();
  bench.exit(1);
  bench.core.restart(0);
  assertEquals(bench.take(), ["spawn 1/3"]);
  assertEquals(bench.pass(), ["spawn 0/4"]);
  assertEquals(bench.ready(4), []);
  assertEquals(bench.ready(3), ["stop 1/2"]);
  assertEquals(bench.exit(2, CLEAN), []);
  assert(bench.told().includes("restarted"));
});

Deno.test("restart() while the first workers start replaces them when the new ones are ready", () => {
  const bench = new Bench({ workers: 1 });
  bench.take();
  bench.core.restart(0);
  assertEquals(bench.take(), ["spawn 0/2"]);
  assertEquals(bench.ready(2), ["kill 0/1"]);
  bench.exit(1);
  assert(bench.told().includes("restarted"));
});

Deno.test("stop() in the middle of restart() ends new and old", () => {
  const bench = running();
  bench.core.restart(0);
  bench.take();
  bench.core.stop(0);
  assertEquals(bench.take(), ["stop 0/1", "stop 1/2", "kill 0/3"]);
  for (const id of [3, 1]) assertEquals(bench.exit(id), []);
  assertEquals(bench.exit(2), ["finish"]);
  assertEquals(bench.finish, { error: undefined });
});

Deno.test("whatever happens in whatever order, no more run than there may be, and all end", () => {
  let state = 12_345;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  for (let round = 0; round < 300; round++) {
    const workers = 1 + random(4);
    const bench = new Bench({ workers, maxRestarts: random(30) });
    const live = new Set<number>();
    const apply = (lines: readonly string[]): void => {
      for (const line of lines) {
        const id = Number(line.split("/")[1]);
        if (line.startsWith("spawn")) live.add(id);
        else if (line !== "finish") assert(live.has(id), `${line} of one that has ended`);
      }
      assert(live.size <= workers + 1, `${live.size} of ${workers} run`);
    };
    apply(bench.take());
    for (let step = 0; step < 60 && bench.finish === undefined; step++) {
      const id = [...live][random(Math.max(1, live.size))] ?? 0;
      const what = random(20);
      if (what < 8) apply(bench.ready(id));
      else if (what < 12) live.delete(id), apply(bench.exit(id));
      else if (what < 15) bench.core.restart(bench.nowMs), apply(bench.take());
      else if (what < 19 && bench.core.deadlineMs < Infinity) apply(bench.pass());
    }
    bench.core.kill(bench.nowMs);
    apply(bench.take());
    for (const id of [...live]) live.delete(id), apply(bench.exit(id));
    assert(bench.finish !== undefined);
    assertEquals(bench.core.deadlineMs, Infinity);
  }
});
