import { assertEquals } from "@std/assert";
import type { QueryOutcome, QueryRun } from "../../dns/query_run.ts";
import { ServerCall } from "../../dns/server_call.ts";
import { Semaphore } from "../../nbio/semaphore.ts";
import { settle } from "../../nbio/testing.ts";

/** Stands for a run: it ends when it is told to. */
class Run {
  readonly outcome = Promise.withResolvers<QueryOutcome>();
  hasBegun = false;

  run(): Promise<QueryOutcome> {
    this.hasBegun = true;
    return this.outcome.promise;
  }

  cancel(reason: unknown): void {
    this.outcome.reject(reason);
  }
}

function call(run: Run, slots: Semaphore): ServerCall<string> {
  return new ServerCall(run as unknown as QueryRun, slots, ({ type }) => type);
}

const OUTCOME = { type: "answer" } as QueryOutcome;

Deno.test("ServerCall waits for its turn, and gives it back however it ends", async () => {
  const slots = new Semaphore(1);
  const runs = [new Run(), new Run(), new Run()];
  const calls = runs.map((run) => call(run, slots));
  await settle();
  assertEquals(runs.map(({ hasBegun }) => hasBegun), [true, false, false]);
  runs[0]!.outcome.resolve(OUTCOME);
  assertEquals(await calls[0]!.result, "answer");
  await settle();
  assertEquals(runs.map(({ hasBegun }) => hasBegun), [true, true, false]);
  runs[1]!.outcome.reject("failed");
  assertEquals(await calls[1]!.result.catch((reason) => reason), "failed");
  await settle();
  runs[2]!.outcome.resolve(OUTCOME);
  await calls[2]!.result;
  assertEquals(slots.available, 1);
});

Deno.test("ServerCall.cancel() ends a run, or the wait for a turn", async () => {
  const slots = new Semaphore(1);
  const runs = [new Run(), new Run()];
  const [first, second] = runs.map((run) => call(run, slots));
  second!.cancel("no more");
  assertEquals(await second!.result.catch((reason) => reason), "no more");
  assertEquals([runs[1]!.hasBegun, slots.waiterCount], [false, 0]);
  first!.cancel("over");
  assertEquals(await first!.result.catch((reason) => reason), "over");
  assertEquals(slots.available, 1);
});

Deno.test("ServerCall.cancel() ends a call whose turn comes at the same moment", async () => {
  const slots = new Semaphore(1);
  const permit = slots.tryAcquire()!;
  const run = new Run();
  const waiting = call(run, slots);
  permit.release();
  waiting.cancel("no more");
  assertEquals(await waiting.result.catch((reason) => reason), "no more");
  assertEquals([run.hasBegun, slots.available], [false, 1]);
});
