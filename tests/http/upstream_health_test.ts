import { assertEquals, assertThrows } from "@std/assert";
import { UpstreamHealth } from "../../http/upstream_health.ts";

const SURE = { random: () => 1 };

Deno.test("UpstreamHealth leaves a server alone after failures in a row, and for longer each time", () => {
  const health = new UpstreamHealth({ ...SURE, maxFailures: 2, baseDownMs: 100, maxDownMs: 350 });
  health.fail(0);
  health.succeed();
  health.fail(0);
  assertEquals([health.state, health.retryAtMs], ["up", 0]);
  let nowMs = 0;
  for (const downMs of [100, 200, 350, 350]) {
    health.fail(nowMs);
    assertEquals([health.state, health.retryAtMs], ["down", nowMs + downMs]);
    assertEquals([health.admits(nowMs + downMs - 1), health.admits(nowMs + downMs)], [false, true]);
    nowMs += downMs;
    health.begin(nowMs);
    assertEquals([health.state, health.admits(nowMs)], ["trial", false]);
  }
  health.succeed();
  assertEquals([health.state, health.admits(nowMs)], ["up", true]);
  health.fail(nowMs);
  health.fail(nowMs);
  assertEquals(health.retryAtMs, nowMs + 100);
});

Deno.test("UpstreamHealth lets the next one try where a trial said nothing", () => {
  const health = new UpstreamHealth({ ...SURE, maxFailures: 1 });
  health.fail(0);
  health.begin(500);
  assertEquals(health.state, "down");
  health.begin(1_000);
  health.release(1_500);
  assertEquals([health.state, health.admits(1_500)], ["down", true]);
});

Deno.test("UpstreamHealth takes late failures and a late success for what they are", () => {
  const health = new UpstreamHealth({ ...SURE, maxFailures: 1 });
  health.fail(0);
  health.fail(900);
  assertEquals(health.retryAtMs, 1_000);
  health.succeed();
  assertEquals(health.state, "up");
  health.release(0);
  assertEquals(health.state, "up");
});

Deno.test("UpstreamHealth keeps at least half of each time, however the dice fall", () => {
  const health = new UpstreamHealth({ random: () => 0, maxFailures: 1 });
  health.fail(0);
  assertEquals(health.retryAtMs, 500);
});

Deno.test("UpstreamHealth.check() needs several in a row, and overrules requests", () => {
  const health = new UpstreamHealth({ ...SURE, maxFailedChecks: 2, minGoodChecks: 2 });
  for (const isGood of [false, true, false]) health.check(isGood);
  assertEquals(health.isChecked, true);
  health.check(false);
  health.succeed();
  assertEquals([health.isChecked, health.admits(0), health.retryAtMs], [false, false, Infinity]);
  for (const isGood of [true, false, true]) health.check(isGood);
  assertEquals(health.isChecked, false);
  for (let count = 0; count < 3; count++) health.fail(0);
  health.check(true);
  assertEquals([health.isChecked, health.state], [true, "up"]);
});

Deno.test("UpstreamHealth throws on options that are out of range", () => {
  for (
    const options of [
      { maxFailures: -1 },
      { maxFailedChecks: 0 },
      { minGoodChecks: 1.5 },
      { baseDownMs: 0 },
      { maxDownMs: 2 ** 31 },
    ]
  ) assertThrows(() => new UpstreamHealth(options), RangeError);
  const never = new UpstreamHealth({ maxFailures: 0 });
  for (let count = 0; count < 100; count++) never.fail(0);
  assertEquals(never.state, "up");
});
