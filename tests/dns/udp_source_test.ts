import { assertEquals, assertRejects } from "@std/assert";
import { UdpSource } from "../../dns/udp_source.ts";
import type { DatagramSocket } from "../../nbio/datagram_socket.ts";
import { ConnectionClosedError } from "../../nbio/errors.ts";
import { ManualClock, settle, SimulatedNetwork } from "../../nbio/testing.ts";

const NOBODY = { receiveMessage: () => false, receiveFailure: () => {} };
const SERVER = { address: "192.0.2.53", port: 53 };

/** A source, its socket, and how often each was told to hold the process or not. */
async function openSource(): Promise<{
  source: UdpSource;
  socket: DatagramSocket;
  calls: string[];
}> {
  const network = new SimulatedNetwork(new ManualClock());
  const socket = await network.bind();
  const calls: string[] = [];
  socket.ref = () => void calls.push("ref");
  socket.unref = () => void calls.push("unref");
  const source = new UdpSource(() => Promise.resolve(socket), () => calls.push("end"));
  await settle();
  return { source, socket, calls };
}

Deno.test("UdpSource holds the process while it is used, until it is told to rest", async () => {
  const { source, calls } = await openSource();
  source.enter();
  source.rest();
  source.enter();
  source.leave();
  source.rest();
  assertEquals(calls, []);
  source.leave();
  source.rest();
  source.rest();
  source.enter();
  assertEquals([calls, source.isUsed, source.usedCount], [["unref", "ref"], true, 3]);
  source.end();
  await source.finished;
});

Deno.test("UdpSource closes after its last user when it is retired", async () => {
  const { source, socket, calls } = await openSource();
  source.enter();
  source.enter();
  source.retire();
  source.leave();
  assertEquals(calls, []);
  source.leave();
  assertEquals(calls, ["end"]);
  await assertRejects(() => socket.receive(), ConnectionClosedError);
  await source.finished;
});

Deno.test("UdpSource fails its queries when its socket fails, once each", async () => {
  const { source, socket, calls } = await openSource();
  const failed: number[] = [];
  const receiver = { ...NOBODY, receiveFailure: (tag: number) => void failed.push(tag) };
  source.enter();
  const query = source.send(SERVER, new Uint8Array(12), receiver, 1);
  source.send(SERVER, new Uint8Array(12), receiver, 2);
  source.forget(query);
  socket.close();
  await source.finished;
  assertEquals([failed, calls], [[2], ["end"]]);
  source.send(SERVER, new Uint8Array(12), receiver, 3);
  assertEquals(failed, [2, 3]);
});

Deno.test("UdpSource closes a socket that is bound when it is over", async () => {
  const network = new SimulatedNetwork(new ManualClock());
  const socket = await network.bind();
  const bound = Promise.withResolvers<DatagramSocket>();
  const source = new UdpSource(() => bound.promise, () => {});
  source.end();
  bound.resolve(socket);
  await source.finished;
  await assertRejects(() => socket.receive(), ConnectionClosedError);
});
