/**
 * What tests of network code need: connections and datagrams in memory,
 * everything that can go wrong with them, time that a test moves, chance that
 * repeats itself, every way to cut an input, and conversations written down.
 *
 * | to | there is |
 * | --- | --- |
 * | connect two ends | {@linkcode memoryPipe} |
 * | have faults on any connection | {@linkcode faultTransport}, {@linkcode randomFaults} |
 * | send datagrams, and lose some | {@linkcode SimulatedNetwork} |
 * | let time pass | {@linkcode ManualClock} |
 * | let everything go on that can | {@linkcode settle}, {@linkcode isSettled} |
 * | cut an input | {@linkcode everySplit}, {@linkcode randomSplit} |
 * | draw what a seed repeats | {@linkcode SeededRandom} |
 * | hold a conversation byte by byte | {@linkcode runTranscript}, {@linkcode parseTranscript}, {@linkcode splitTranscript} |
 *
 * All of it works on the transports, clocks and datagram sockets of
 * `@nbio/net/nbio`, so that the code under test need not know of it; faults and
 * transcripts work on real sockets as well. The same seed gives the same faults
 * in every run, and what happened is in a `report()` for the message of a failed
 * test. None of it needs a permission.
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
 * @example A request, cut and delayed in a hundred ways
 * ```ts
 * import { ReceiveBuffer, recvUntil, sendAll, type Transport } from "@nbio/net/nbio";
 * import {
 *   faultTransport,
 *   ManualClock,
 *   memoryPipe,
 *   randomFaults,
 *   runTranscript,
 * } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * async function serve(transport: Transport): Promise<void> {
 *   const line = await recvUntil(transport, new ReceiveBuffer(), new Uint8Array([0x0a]));
 *   await sendAll(transport, line!);
 *   transport.close();
 * }
 *
 * for (let seed = 0; seed < 100; seed++) {
 *   const clock = new ManualClock();
 *   const [client, far] = memoryPipe();
 *   const server = faultTransport(far, { ...randomFaults(seed, { ends: [] }), clock });
 *   const talk = Promise.all([
 *     serve(server),
 *     runTranscript(client, [
 *       { type: "send", bytes: "hello\n" },
 *       { type: "expect", bytes: "hello\n" },
 *       { type: "expect-end" },
 *     ], { clock, timeoutMs: 60_000 }),
 *   ]);
 *   const [, { unread }] = await clock.runUntil(talk);
 *   assertEquals(unread.length, 0, server.report());
 * }
 * ```
 *
 * Errors: {@linkcode TranscriptError} if a conversation goes otherwise
 * (`ERR_TRANSCRIPT_MISMATCH`, `_ENDED`, `_TIMEOUT`, `_SEND`),
 * {@linkcode TranscriptSyntaxError} if a file is no transcript; else those of
 * the real things, such as `Deno.errors.ConnectionReset`.
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
