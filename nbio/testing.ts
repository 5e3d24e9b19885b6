/**
 * What tests of network code need: connections in memory, time that a test
 * moves, chance that repeats itself, and every way to cut an input. None of it
 * needs a permission.
 *
 * @example A timeout tested without waiting
 * ```ts
 * import { DeadlineWheel } from "@nbio/net/nbio";
 * import { ManualClock, memoryPipe } from "@nbio/net/nbio/testing";
 * import { assertRejects } from "@std/assert";
 *
 * const clock = new ManualClock();
 * const [client] = memoryPipe();
 * const deadline = new DeadlineWheel(clock).create(() => client.close());
 * deadline.arm(10_000);
 * const read = client.read(new Uint8Array(1));
 * clock.advance(10_100);
 * await assertRejects(() => read);
 * ```
 *
 * @module
 */

export * from "./testing_clock.ts";
export * from "./testing_memory_pipe.ts";
export * from "./testing_random.ts";
export * from "./testing_split.ts";
