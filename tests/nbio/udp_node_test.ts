import { assert, assertEquals, assertRejects } from "@std/assert";
import { Buffer } from "node:buffer";
import type { DatagramSocket, MulticastOptions } from "../../nbio/datagram_socket.ts";
import { parseIpAddress } from "../../nbio/ip_address.ts";
import { bindUdp } from "../../nbio/udp.ts";
import { openNodeHandle } from "../../nbio/udp_node.ts";

/** An interface that can carry groups, and its addresses; the loopback can only for IPv4. */
interface Interface {
  readonly name: string;
  readonly ipv4: string | undefined;
  readonly ipv6: boolean;
}

function findInterface(): Interface | undefined {
  try {
    const all = Deno.networkInterfaces();
    const found = all.find(({ address }) => address.startsWith("fe80:")) ??
      all.find(({ address, family }) => family === "IPv4" && !address.startsWith("127."));
    if (found === undefined) return undefined;
    const own = all.filter(({ name }) => name === found.name);
    return {
      name: found.name,
      ipv4: own.find(({ family }) => family === "IPv4")?.address,
      ipv6: own.some(({ address }) => address.startsWith("fe80:")),
    };
  } catch {
    // Not everybody may look.
    return undefined;
  }
}

const INTERFACE = findInterface();

async function bindMember(hostname: string, port = 0): Promise<DatagramSocket> {
  return await bindUdp({ hostname, port, reuseAddress: true, multicast: true });
}

/**
 * Nothing came to a member: a datagram sent to it alone comes first. Of several that share a port,
 * the last gets what is for no group.
 */
async function expectNothing(member: DatagramSocket): Promise<void> {
  using marker = await bindUdp({ hostname: "127.0.0.1" });
  const to = { ...member.localAddr, hostname: "127.0.0.1" };
  await marker.send(new Uint8Array([0xff]), to);
  assertEquals((await member.receive({ timeoutMs: 10_000 })).bytes[0], 0xff);
}

/** Two members of a group on one port. */
async function meet(
  hostname: string,
  group: string,
  options: MulticastOptions,
  talk: (first: DatagramSocket, second: DatagramSocket, to: Deno.NetAddr) => Promise<void>,
): Promise<void> {
  using first = await bindMember(hostname);
  const { port } = first.localAddr;
  using second = await bindMember(hostname, port);
  await first.joinMulticast(group, options);
  await second.joinMulticast(group, options);
  await talk(first, second, { transport: "udp", hostname: group, port });
  await first.leaveMulticast(group, options);
  await second.leaveMulticast(group, options);
}

Deno.test("joinMulticast() brings what is sent to an IPv4 group, leaveMulticast() ends it", async () => {
  const options = { interfaceAddress: "127.0.0.1", timeToLive: 255 };
  using sender = await bindMember("127.0.0.1");
  // Sends through the interface it joins on.
  await sender.joinMulticast("239.255.77.1", options);
  await meet("0.0.0.0", "239.255.77.1", options, async (first, second, to) => {
    await first.send(new Uint8Array([1]), to);
    for (const member of [first, second]) {
      const { bytes, from } = await member.receive({ timeoutMs: 10_000 });
      assertEquals([bytes[0], from.port], [1, first.localAddr.port]);
    }
    // A socket bound to all addresses sees the groups that others joined, so all leave.
    for (const member of [first, second, sender]) {
      await member.leaveMulticast("239.255.77.1", options);
    }
    await first.send(new Uint8Array([2]), to);
    await expectNothing(second);
    for (const member of [first, second]) await member.joinMulticast("239.255.77.1", options);
  });
});

Deno.test({
  name: "joinMulticast() can keep from this machine what it sends",
  ignore: INTERFACE?.ipv4 === undefined, // the loopback interface does not heed it
  async fn() {
    const options = { interfaceAddress: INTERFACE!.ipv4!, loopback: false };
    await meet("0.0.0.0", "239.255.77.2", options, async (first, second, to) => {
      await first.send(new Uint8Array([1]), to);
      await expectNothing(second);
      // Joining again without a word leaves it as it is; saying it changes it.
      await first.joinMulticast("239.255.77.3", { interfaceAddress: INTERFACE!.ipv4! });
      await first.send(new Uint8Array([2]), to);
      await expectNothing(second);
      await first.leaveMulticast("239.255.77.3", { interfaceAddress: INTERFACE!.ipv4! });
      await first.joinMulticast("239.255.77.3", { ...options, loopback: true });
      await first.send(new Uint8Array([3]), to);
      assertEquals((await second.receive({ timeoutMs: 10_000 })).bytes[0], 3);
    });
  },
});

Deno.test({
  name: "joinMulticast() brings what is sent to an IPv6 group",
  ignore: !INTERFACE?.ipv6, // no interface with a link-local address
  async fn() {
    const options = { interfaceAddress: `::%${INTERFACE!.name}` };
    await meet("::", "ff02::4d:1", options, async (first, second, to) => {
      await first.send(new Uint8Array([1]), to);
      assertEquals((await second.receive({ timeoutMs: 10_000 })).bytes[0], 1);
    });
    using member = await bindMember("::");
    await assertRejects(
      () => member.joinMulticast("ff02::4d:1", { ...options, timeToLive: 255 }),
      Deno.errors.NotSupported,
    );
  },
});

Deno.test("joinMulticast() on an interface that is not there is the error of the system", async () => {
  using member = await bindMember("0.0.0.0");
  const options = { interfaceAddress: "203.0.113.77" };
  await assertRejects(() => member.joinMulticast("239.255.77.4", options), Error);
  await assertRejects(() => member.leaveMulticast("239.255.77.4"), Error);
});

Deno.test("openNodeHandle() says where it is bound, without the zone", async () => {
  const address = parseIpAddress("127.0.0.1")!;
  const handle = await openNodeHandle({ address, port: 0, reuseAddress: false });
  assertEquals(handle.hostname, "127.0.0.1");
  assert(handle.port > 0);
  handle.close();
});

Deno.test("openNodeHandle() tells nothing of what came after it was closed", async () => {
  const address = parseIpAddress("127.0.0.1")!;
  const handle = await openNodeHandle({ address, port: 0, reuseAddress: false });
  handle.start({
    onDatagram: () => {
      throw new Error("it is closed");
    },
    onReceiveError: (error) => {
      throw error;
    },
  });
  const sent = handle.send(Buffer.from("x"), "127.0.0.1", handle.port);
  handle.close();
  await sent.catch(() => {});
});
