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
export * from "./testing_datagram_event.ts";
export * from "./testing_datagram_faults.ts";
export * from "./testing_datagram_host.ts";
export * from "./testing_datagram_network.ts";
export * from "./testing_fault_transport.ts";
export * from "./testing_faults.ts";
export * from "./testing_memory_pipe.ts";
export * from "./testing_parse_transcript.ts";
export * from "./testing_random.ts";
export * from "./testing_settle.ts";
export * from "./testing_split.ts";
export * from "./testing_transcript.ts";
export * from "./testing_transcript_error.ts";
export * from "./testing_transcript_step.ts";
