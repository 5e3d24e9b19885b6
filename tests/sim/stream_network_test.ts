import { assertEquals, assertRejects } from "@std/assert";
import { sendAll } from "../../nbio/send_all.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { isSettled } from "../../nbio/testing_settle.ts";
import type { Transport } from "../../nbio/transport.ts";
import type { LinkConditions } from "./link_conditions.ts";
import { StreamNetwork } from "./stream_network.ts";

const LATENCY_MS = 10;
const LINK: LinkConditions = {
  latencyMs: LATENCY_MS,
  jitterMs: 0,
  bytesPerMs: 100,
  maxSegmentBytes: 1_460,
  windowBytes: 1_000,
};
const [CLIENT, SERVER] = ["10.0.0.1", "10.0.0.2"] as const;
const ADDR = { transport: "tcp", hostname: SERVER, port: 80 } as const;

interface Scene {
  readonly clock: ManualClock;
  readonly network: StreamNetwork;
  readonly near: Transport;
  readonly far: Transport;
}

async function connected(): Promise<Scene> {
  const clock = new ManualClock();
  const network = new StreamNetwork(clock, new SeededRandom(1), () => LINK);
  const listener = network.listen(SERVER, 80);
  const { signal } = new AbortController();
  const accepted = listener.accept();
  const near = await clock.runUntil(network.connectFrom(CLIENT)(ADDR, { signal }));
  return { clock, network, near, far: await accepted };
}

Deno.test("StreamNetwork.connectFrom() takes a round trip", async () => {
  const { clock } = await connected();
  assertEquals(clock.now(), 2 * LATENCY_MS);
});

Deno.test("StreamNetwork.connectFrom() is refused where nobody listens", async () => {
  const clock = new ManualClock();
  const network = new StreamNetwork(clock, new SeededRandom(1), () => LINK);
  const { signal } = new AbortController();
  const connecting = network.connectFrom(CLIENT)(ADDR, { signal });
  await assertRejects(() => clock.runUntil(connecting), Deno.errors.ConnectionRefused);
});

Deno.test("StreamNetwork.connectFrom() waits behind a cut until its signal aborts", async () => {
  const clock = new ManualClock();
  const network = new StreamNetwork(clock, new SeededRandom(1), () => LINK);
  network.cut(CLIENT, SERVER);
  const controller = new AbortController();
  const reason = new Error("enough");
  const connecting = network.connectFrom(CLIENT)(ADDR, { signal: controller.signal });
  clock.setTimer(() => controller.abort(reason), 60_000);
  const error = await assertRejects(() => clock.runUntil(connecting));
  assertEquals([error, clock.pendingCount], [reason, 0]);
});

Deno.test("A stream has latency and bandwidth", async () => {
  const { clock, near, far } = await connected();
  const beginMs = clock.now();
  await near.write(new Uint8Array(500));
  const buffer = new Uint8Array(1_000);
  let count = 0;
  while (count < 500) count += (await clock.runUntil(far.read(buffer)))!;
  assertEquals(clock.now() - beginMs, LATENCY_MS + 5);
});

Deno.test("A stream takes no more than its window before somebody reads", async () => {
  const { clock, near, far } = await connected();
  const sent = sendAll(near, new Uint8Array(1_500));
  await clock.advanceAsync(60_000);
  assertEquals(await isSettled(sent), false);
  await far.read(new Uint8Array(1_000));
  await clock.runUntil(sent);
});

Deno.test("A stream goes on where it stopped when a cut is repaired", async () => {
  const { clock, network, near, far } = await connected();
  network.cut(CLIENT, SERVER);
  await near.write(new Uint8Array([7]));
  const read = far.read(new Uint8Array(1));
  await clock.advanceAsync(60_000);
  assertEquals(await isSettled(read), false);
  network.repair(CLIENT, SERVER);
  assertEquals(await clock.runUntil(read), 1);
});

Deno.test("A stream that is closed is read to its end", async () => {
  const { clock, near, far } = await connected();
  await near.write(new Uint8Array([7]));
  near.close();
  assertEquals(await clock.runUntil(far.read(new Uint8Array(2))), 1);
  assertEquals(await clock.runUntil(far.read(new Uint8Array(2))), null);
});

Deno.test("A stream that is closed with unread bytes is reset", async () => {
  const { clock, near, far } = await connected();
  await far.write(new Uint8Array([7]));
  await clock.advanceAsync(100);
  near.close();
  const read = far.read(new Uint8Array(2));
  await assertRejects(() => clock.runUntil(read), Deno.errors.ConnectionReset);
});

Deno.test("A host that loses power is silent, and resets what is sent once it is back", async () => {
  const { clock, network, near, far } = await connected();
  network.powerOff(SERVER);
  await assertRejects(() => far.read(new Uint8Array(1)), Deno.errors.ConnectionReset);
  const read = near.read(new Uint8Array(1));
  await near.write(new Uint8Array([7]));
  await clock.advanceAsync(60_000);
  assertEquals(await isSettled(read), false);
  network.powerOn(SERVER);
  await assertRejects(() => clock.runUntil(read), Deno.errors.ConnectionReset);
});
