import { assertEquals } from "@std/assert";
import { parseKeepAlive } from "../../http/keep_alive.ts";

const ROWS: readonly (readonly [value: string, timeoutMs?: number, maxRequests?: number])[] = [
  ["timeout=5", 5_000],
  ["timeout=5, max=100", 5_000, 100],
  ["max=0,timeout=0", 0, 0],
  ["TIMEOUT = 15 ,Max=1", 15_000, 1],
  ['timeout="5"', 5_000],
  ["timeout=5, timeout=6, max=1, max=2", 5_000, 1],
  ["timeout=999999999", 999_999_999_000],
  ["timeout=9999999999"],
  ["timeout=-1, max=1.5"],
  ["timeout=, max"],
  ["timeouts=5, xmax=5"],
  ["timeout=5 seconds"],
  [""],
  [",,,, timeout=5", 5_000],
  [",".repeat(16) + "timeout=5"],
];

for (const [value, timeoutMs, maxRequests] of ROWS) {
  Deno.test(`parseKeepAlive() reads ${JSON.stringify(value)}`, () => {
    assertEquals(parseKeepAlive(value), { timeoutMs, maxRequests });
  });
}

Deno.test("parseKeepAlive() takes time in proportion to what it is given", () => {
  for (const junk of [" ", "timeout= ", "timeout", "1", "="]) {
    assertEquals(parseKeepAlive(junk.repeat(100_000)).maxRequests, undefined);
  }
});
