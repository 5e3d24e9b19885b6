import process from "node:process";
import { createInterface } from "node:readline";

/** Text of an event: about what a price or a position takes. */
const DATA = JSON.stringify({ symbol: "ABCDEF", price: 1234.56, volume: 987654, at: "12:34:56" });
const INTERVAL_MS = 10;

/**
 * Broadcasts when it is asked to: `COUNT` events, one after another with a pause in between.
 *
 * @param {(id: string, data: string) => number} publish Tells how many clients it has reached.
 */
// deno-lint-ignore explicit-module-boundary-types
export async function broadcastOnDemand(publish) {
  let id = 0;
  for await (const line of createInterface({ input: process.stdin })) {
    let reached = 0;
    for (let left = Number(line); left > 0; left--) {
      reached += publish(String(++id), DATA);
      await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS));
    }
    console.log(reached);
  }
}
