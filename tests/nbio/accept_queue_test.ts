import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { AcceptQueue } from "../../nbio/accept_queue.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";

Deno.test("AcceptQueue.accept() gives connections in order, and says when they have gone", async () => {
  const queue = new AcceptQueue();
  const [one, two] = memoryPipe();
  const gone: string[] = [];
  const leaving = [
    queue.add(one).then(() => gone.push("one")),
    queue.add(two).then(() => gone.push("two")),
  ];
  assertEquals(queue.readyCount, 2);
  assertStrictEquals(await queue.accept(), one);
  await leaving[0];
  assertEquals([gone.join(), queue.readyCount], ["one", 1]);
  assertStrictEquals(await queue.accept(), two);
  await leaving[1];
  one.close();
  two.close();
});

Deno.test("AcceptQueue.accept() waits, one call at a time", async () => {
  const queue = new AcceptQueue();
  const accepting = queue.accept();
  await assertRejects(() => queue.accept(), TypeError);
  const [one, two] = memoryPipe();
  await queue.add(one);
  assertStrictEquals(await accepting, one);
  assertEquals(queue.readyCount, 0);
  one.close();
  two.close();
});

Deno.test("AcceptQueue.close() closes what waits, and what comes later", async () => {
  const queue = new AcceptQueue();
  const [one, two] = memoryPipe();
  const leaving = queue.add(one);
  queue.close();
  await leaving;
  await queue.add(two);
  for (const transport of [one, two]) assertThrows(() => transport.close());
  await assertRejects(() => queue.accept(), Deno.errors.BadResource);
  queue.close();

  const other = new AcceptQueue();
  const waiting = assertRejects(() => other.accept(), Deno.errors.BadResource);
  other.close();
  await waiting;
});
