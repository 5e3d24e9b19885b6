import { assertEquals, assertRejects } from "@std/assert";
import { isSettled, settle } from "../../nbio/testing_settle.ts";

async function hop(count: number): Promise<number> {
  for (let i = 0; i < count; i++) await undefined;
  return count;
}

for (const count of [0, 1, 10, 100_000]) {
  Deno.test(`settle() waits for a chain of ${count} promises`, async () => {
    let done = false;
    hop(count).then(() => done = true);
    await settle();
    assertEquals(done, true);
  });
}

Deno.test("settle() waits for what settled code starts", async () => {
  const log: string[] = [];
  hop(5).then(() => {
    log.push("first");
    hop(5).then(() => log.push("second"));
  });
  await settle();
  assertEquals(log, ["first", "second"]);
});

Deno.test("settle() with more turns waits for work in another thread", async () => {
  const digest = crypto.subtle.digest("SHA-256", new Uint8Array(1));
  // How many it takes is up to the machine.
  for (let round = 0; round < 1_000 && !(await isSettled(digest)); round++) {
    await settle({ turnCount: 100 });
  }
  assertEquals(await isSettled(digest), true);
});

for (const turnCount of [0, -1, 1.5, NaN, 10_001]) {
  Deno.test(`settle() rejects on a turnCount of ${turnCount}`, async () => {
    await assertRejects(() => settle({ turnCount }), RangeError);
    await assertRejects(() => isSettled(Promise.resolve(), { turnCount }), RangeError);
  });
}

Deno.test("isSettled() tells what waits from what does not", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  assertEquals(await isSettled(promise), false);
  resolve();
  assertEquals(await isSettled(promise), true);
  assertEquals(await isSettled(Promise.reject(new Error("handled"))), true);
  assertEquals(await isSettled(hop(1_000)), true);
});
