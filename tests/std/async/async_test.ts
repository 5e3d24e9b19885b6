import { assertEquals, assertRejects } from "@std/assert";
import { deadline, delay } from "@std/async";

Deno.test("deadline() settles as the promise does", async () => {
  assertEquals(await deadline(Promise.resolve(7), 1000), 7);
  await assertRejects(() => deadline(Promise.reject(new RangeError("no")), 1000), RangeError);
});

Deno.test("deadline() rejects with a TimeoutError when the time is over", async () => {
  const { promise } = Promise.withResolvers<void>();
  const error = await assertRejects(() => deadline(promise, 1), DOMException);
  assertEquals(error.name, "TimeoutError");
});

Deno.test("deadline() rejects with the reason of an aborted signal", async () => {
  const { promise } = Promise.withResolvers<void>();
  const controller = new AbortController();
  const waiting = deadline(promise, 1000, { signal: controller.signal });
  controller.abort(new RangeError("stop"));
  await assertRejects(() => waiting, RangeError);
  await assertRejects(() => deadline(promise, 1000, { signal: controller.signal }), RangeError);
});

Deno.test("delay() resolves, or rejects with the reason of an aborted signal", async () => {
  await delay(1);
  const controller = new AbortController();
  const waiting = delay(1000, { signal: controller.signal });
  controller.abort(new RangeError("stop"));
  await assertRejects(() => waiting, RangeError);
  await assertRejects(() => delay(1, { signal: controller.signal }), RangeError);
});
