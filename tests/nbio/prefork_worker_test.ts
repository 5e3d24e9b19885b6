import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { PreforkLink, PreforkLinkEvents } from "../../nbio/prefork_link.ts";
import type { PreforkSettings } from "../../nbio/prefork_settings.ts";
import { PreforkWorker, preforkWorker } from "../../nbio/prefork_worker.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { freePort } from "../_support/listening_program.ts";
import { eventually } from "../_support/peer.ts";

const SETTINGS: PreforkSettings = {
  id: 5,
  index: 1,
  mode: "processes",
  workers: 2,
  args: ["a"],
  drainMs: 500,
  graceMs: 1_000,
  supervisorPid: 1,
};

class FakeLink implements PreforkLink {
  readonly words: string[] = [];
  events: PreforkLinkEvents | undefined;

  open(events: PreforkLinkEvents): void {
    this.events = events;
  }
  ready(): void {
    this.words.push("ready");
  }
  close(): void {
    this.words.push("close");
  }
  exit(code: number): void {
    this.words.push(`exit ${code}`);
  }
}

class FakeServer {
  readonly graces: number[] = [];
  readonly ended = Promise.withResolvers<void>();
  readonly finished: Promise<void> = this.ended.promise;

  shutdown({ graceMs }: { readonly graceMs: number }): Promise<void> {
    this.graces.push(graceMs);
    return this.finished;
  }
}

function create(settings: Partial<PreforkSettings> = {}) {
  const link = new FakeLink();
  const clock = new ManualClock();
  const worker = new PreforkWorker({ ...SETTINGS, ...settings }, link, clock);
  return { link, clock, worker };
}

Deno.test("preforkWorker() is undefined in a program that is no worker", () => {
  assertEquals(preforkWorker(), undefined);
});

Deno.test("a worker knows what it was told", () => {
  const { worker } = create();
  const { id, index, workers, mode, args, isStopping } = worker;
  assertEquals({ id, index, workers, mode, args, isStopping }, {
    id: 5,
    index: 1,
    workers: 2,
    mode: "processes",
    args: ["a"],
    isStopping: false,
  });
});

Deno.test("manage() says ready, goes on for drainMs, shuts down, ends", async () => {
  const { worker, link, clock } = create();
  const server = new FakeServer();
  const managed = worker.manage(server);
  await clock.advanceAsync(10_000);
  assertEquals([link.words, server.graces, worker.isStopping], [["ready"], [], false]);
  link.events!.onStop();
  link.events!.onStop();
  assert(worker.isStopping && worker.signal.aborted);
  await clock.advanceAsync(499);
  assertEquals(server.graces, []);
  await clock.advanceAsync(1);
  // The rest of the grace is for the worker's own end.
  assertEquals([server.graces, link.words], [[900], ["ready"]]);
  server.ended.resolve();
  await managed;
  assertEquals(link.words, ["ready", "close"]);
});

Deno.test("a worker that does not end is ended, supervised or not", async () => {
  const { worker, link, clock } = create();
  void worker.manage(new FakeServer());
  await clock.advanceAsync(0);
  link.events!.onStop();
  await clock.advanceAsync(1_499);
  assertEquals(link.words, ["ready"]);
  await clock.advanceAsync(1);
  assertEquals(link.words, ["ready", "exit 1"]);
});

Deno.test("a worker whose supervisor is gone stops without a pause", async () => {
  const { worker, link, clock } = create();
  const server = new FakeServer();
  const managed = worker.manage(server);
  await clock.advanceAsync(0);
  link.events!.onGone();
  await clock.advanceAsync(0);
  assertEquals(server.graces, [900]);
  server.ended.resolve();
  await managed;
  assertEquals(link.words, ["ready", "close"]);
});

Deno.test("a worker whose supervisor is gone before it is ready ends at once", () => {
  const { link } = create();
  link.events!.onGone();
  assertEquals(link.words, ["exit 1"]);
});

Deno.test("a worker that is asked to stop before it is ready does not say so any more", async () => {
  const { worker, link, clock } = create({ drainMs: 0 });
  link.events!.onStop();
  const server = new FakeServer();
  server.ended.resolve();
  await worker.manage(server);
  assertEquals([link.words, server.graces], [["close"], [900]]);
  assertEquals(clock.pendingCount, 1);
});

Deno.test("a worker of several servers ends with the last", async () => {
  const { worker, link, clock } = create({ drainMs: 0 });
  const servers = [new FakeServer(), new FakeServer()];
  const managed = servers.map((server) => worker.manage(server));
  await clock.advanceAsync(0);
  link.events!.onStop();
  await clock.advanceAsync(0);
  servers[0]!.ended.resolve();
  await managed[0];
  assertEquals(link.words, ["ready"]);
  servers[1]!.ended.resolve();
  await managed[1];
  assertEquals(link.words, ["ready", "close"]);
});

Deno.test("a worker ends when its server has ended by itself", async () => {
  const { worker, link } = create();
  const server = new FakeServer();
  server.ended.resolve();
  await worker.manage(server);
  assertEquals([link.words, server.graces], [["ready", "close"], []]);
});

Deno.test("manage() rejects with what shutdown() rejects with", async () => {
  const { worker, link } = create({ drainMs: 0 });
  const managed = worker.manage({ shutdown: () => Promise.reject(new RangeError("no")) });
  link.events!.onStop();
  await assertRejects(() => managed, RangeError);
});

Deno.test("manage() says ready when the port is bound, and closes it before the server", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  const { worker, link, clock } = create({ drainMs: 100, graceMs: 1_000 });
  const port = freePort();
  const source = worker.listen({ hostname: "127.0.0.1", port });
  const server = new FakeServer();
  const managed = worker.manage(server);
  assertEquals(link.words, []);
  assert(await eventually(() => link.words.length === 1));
  link.events!.onStop();
  await clock.advanceAsync(99);
  (await Deno.connect({ hostname: "127.0.0.1", port })).close();
  assertEquals([worker.isStopping, worker.isLeaving], [true, false]);
  await clock.advanceAsync(1);
  assertEquals(worker.isLeaving, true);
  await assertRejects(() => source.accept(), Deno.errors.BadResource);
  // What was accepted last has a moment to say something.
  await clock.advanceAsync(49);
  assertEquals(server.graces, []);
  await clock.advanceAsync(1);
  assertEquals(server.graces, [900]);
  server.ended.resolve();
  await managed;
  assertEquals(link.words, ["ready", "close"]);
});

Deno.test("listen() throws on port 0, which nobody could share", () => {
  const { worker } = create();
  for (const options of [{}, { port: 0 }, { port: -1 }]) {
    assertThrows(() => worker.listen(options), RangeError);
  }
});
