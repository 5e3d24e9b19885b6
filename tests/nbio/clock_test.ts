import { assert, assertEquals, assertThrows } from "@std/assert";
import { now, systemClock } from "../../nbio/clock.ts";

/** Waits for a later macrotask, and for the system's clock to move on. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => systemClock.setTimer(resolve, 2));
}

/** Computes until the system's clock has moved on. */
function spin(): void {
  const startMs = performance.now();
  while (performance.now() - startMs < 2);
}

Deno.test("now() gives the same instant throughout a synchronous run", () => {
  const first = now();
  spin();
  assertEquals(now(), first);
});

Deno.test("now() is newer in a later turn", async () => {
  const first = now();
  await nextTurn();
  assert(now() > first);
});

Deno.test("now() is newer in a later turn that follows a long run", async () => {
  const first = now();
  spin();
  await nextTurn();
  assert(now() - first >= 2);
});

Deno.test("now() is not ahead of the system's clock", () => {
  assert(now() <= performance.now());
});

// A timer of the runtime would fire at once, and node would warn about it.
for (const delayMs of [2 ** 31, 1e12, Infinity, NaN]) {
  Deno.test(`systemClock.setTimer() refuses to wait ${delayMs} ms`, () => {
    assertThrows(() => systemClock.setTimer(() => {}, delayMs), RangeError);
  });
}

Deno.test("systemClock.setTimer() takes the longest delay there is", () => {
  systemClock.clearTimer(systemClock.setTimer(() => {}, 2 ** 31 - 1));
});

Deno.test("systemClock.now() is now()", () => {
  assertEquals(systemClock.now(), now());
});

Deno.test("systemClock.wallNow() is Unix time in milliseconds", () => {
  const before = Date.now();
  const wallMs = systemClock.wallNow();
  assert(before <= wallMs && wallMs <= Date.now());
});

Deno.test("systemClock.clearTimer() keeps a timer from firing", async () => {
  let fired = false;
  systemClock.clearTimer(systemClock.setTimer(() => fired = true, 0));
  await nextTurn();
  assertEquals(fired, false);
});

Deno.test("systemClock.clearTimer() accepts a timer that has fired", async () => {
  const fired = Promise.withResolvers<void>();
  const timer = systemClock.setTimer(fired.resolve, 0);
  await fired.promise;
  systemClock.clearTimer(timer);
});

for (
  const { name, options, output } of [
    { name: "lets the process end with unref", options: "{ unref: true }", output: "" },
    { name: "keeps the process alive by default", options: "undefined", output: "fired\n" },
  ]
) {
  Deno.test(`systemClock.setTimer() ${name}`, async () => {
    const url = new URL("../../nbio/clock.ts", import.meta.url);
    const code = `import { systemClock } from "${url}";
      systemClock.setTimer(() => console.log("fired"), ${output ? 1 : 3_600_000}, ${options});`;
    const { stdout, success } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-config", code],
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals([success, new TextDecoder().decode(stdout)], [true, output]);
  });
}
