import { assertEquals } from "@std/assert";
import { onNextTurn } from "../../nbio/next_turn.ts";

Deno.test("onNextTurn() calls back behind the promises of this turn, in order", async () => {
  const seen: string[] = [];
  const called = new Promise<void>((resolve) => {
    onNextTurn(() => seen.push("first"));
    onNextTurn(() => {
      seen.push("second");
      resolve();
    });
  });
  for (let count = 0; count < 5; count++) await Promise.resolve();
  seen.push("promises");
  await called;
  assertEquals(seen, ["promises", "first", "second"]);
});
