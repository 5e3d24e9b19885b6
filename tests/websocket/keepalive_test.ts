import { assertEquals } from "@std/assert";
import { Keepalive } from "../../websocket/keepalive.ts";

Deno.test("Keepalive.check() asks for a ping after silence, and gives up after more", () => {
  const keepalive = new Keepalive(100, 30);
  keepalive.listen(1_000);
  assertEquals([keepalive.deadlineMs, keepalive.check(1_099)], [1_100, "nothing"]);
  assertEquals([keepalive.check(1_100), keepalive.deadlineMs], ["ping", 1_130]);
  assertEquals([keepalive.check(1_129), keepalive.check(1_130)], ["nothing", "dead"]);
});

Deno.test("Keepalive.hear() takes any byte for life", () => {
  const keepalive = new Keepalive(100, 30);
  keepalive.listen(0);
  keepalive.hear(50);
  assertEquals(keepalive.check(149), "nothing");
  assertEquals(keepalive.check(150), "ping");
  keepalive.hear(170);
  assertEquals([keepalive.check(269), keepalive.check(270)], ["nothing", "ping"]);
});

Deno.test("Keepalive counts nothing while nobody listens", () => {
  const keepalive = new Keepalive(100, 30);
  assertEquals([keepalive.deadlineMs, keepalive.check(1e9)], [Infinity, "nothing"]);
  keepalive.listen(0);
  keepalive.check(100);
  keepalive.pause();
  assertEquals([keepalive.deadlineMs, keepalive.check(1e9)], [Infinity, "nothing"]);
  // The pong may be among what waits: it has the whole time again.
  keepalive.listen(5_000);
  assertEquals([keepalive.check(5_029), keepalive.check(5_030)], ["nothing", "dead"]);
});

Deno.test("Keepalive.listen() twice does not start the silence again", () => {
  const keepalive = new Keepalive(100, 30);
  keepalive.listen(0);
  keepalive.listen(90);
  assertEquals(keepalive.deadlineMs, 100);
});

Deno.test("Keepalive can be switched off", () => {
  const never = new Keepalive(Infinity, 30);
  never.listen(0);
  assertEquals([never.deadlineMs, never.check(1e12)], [Infinity, "nothing"]);
  const patient = new Keepalive(100, Infinity);
  patient.listen(0);
  assertEquals([patient.check(100), patient.deadlineMs], ["ping", Infinity]);
});
