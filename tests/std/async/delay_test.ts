import { assertRejects } from "@std/assert";
import { delay } from "@std/async/delay";

Deno.test("delay() resolves, or rejects with the reason of an aborted signal", async () => {
  await delay(1);
  const controller = new AbortController();
  const waiting = delay(1000, { signal: controller.signal });
  controller.abort(new RangeError("stop"));
  await assertRejects(() => waiting, RangeError);
  await assertRejects(() => delay(1, { signal: controller.signal }), RangeError);
});
