import { assertEquals, assertRejects } from "@std/assert";
import { SessionQueue } from "../../http/session_queue.ts";
import { gate, turn } from "../_support/server_harness.ts";

Deno.test("SessionQueue runs what belongs to one session in order, and nothing else", async () => {
  const queue = new SessionQueue();
  const leave = gate();
  const log: string[] = [];
  const first = queue.run("a", async () => {
    log.push("a1 begins");
    await leave.passed;
    log.push("a1 ends");
    return 1;
  });
  const second = queue.run("a", () => Promise.resolve(void log.push("a2")));
  const third = queue.run("a", () => Promise.resolve(log.push("a3")));
  await queue.run("b", () => Promise.resolve(void log.push("b")));
  await turn();
  assertEquals(log, ["a1 begins", "b"]);
  assertEquals(queue.size, 1);
  leave.open();
  assertEquals(await first, 1);
  await Promise.all([second, third]);
  assertEquals(log, ["a1 begins", "b", "a1 ends", "a2", "a3"]);
  assertEquals(queue.size, 0);
});

Deno.test("SessionQueue goes on behind a task that fails", async () => {
  const queue = new SessionQueue();
  const failed = assertRejects(() => queue.run("a", () => Promise.reject(new TypeError())));
  assertEquals(await queue.run("a", () => Promise.resolve("next")), "next");
  await failed;
  assertEquals(queue.size, 0);
});
