import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { memoryPipe, type MemoryTransport } from "../../nbio/testing_memory_pipe.ts";
import { settle } from "../../nbio/testing_settle.ts";
import type { ConnectionHandler } from "../../nbio/transport_listener.ts";
import { type AddressLimitOptions, limitPerAddress } from "../../http/address_limit.ts";
import { proxyListener } from "../../http/proxy_listener.ts";
import type { HttpServer } from "../../http/serve.ts";
import { eventually } from "../_support/peer.ts";
import { RawClient } from "../_support/raw_client.ts";
import { request } from "../_support/server_harness.ts";
import { serve } from "../_support/tls_switch.ts";

/** A limited handler whose connections end when the test says so. */
class Door {
  readonly open: { end: () => void; fail: (error: unknown) => void }[] = [];
  readonly #handler: ConnectionHandler;

  constructor(options: AddressLimitOptions) {
    this.#handler = limitPerAddress(() => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.open.push({ end: resolve, fail: reject });
      return promise;
    }, options);
  }

  /** Opens a connection; whether it was taken. */
  enter(hostname: string): { isTaken: boolean; done: Promise<void>; client: MemoryTransport } {
    const clientAddr: Deno.Addr = hostname === "unix"
      ? { transport: "unix", path: "" }
      : { transport: "tcp", hostname, port: 1 };
    const [client, server] = memoryPipe({ clientAddr });
    const before = this.open.length;
    const done = Promise.resolve(this.#handler(server));
    return { isTaken: this.open.length > before, done, client };
  }

  takes(...hostnames: string[]): boolean[] {
    return hostnames.map((hostname) => this.enter(hostname).isTaken);
  }
}

Deno.test("limitPerAddress() takes as many as it is told, per address", () => {
  const door = new Door({ maxConnectionsPerAddress: 2 });
  assertEquals(door.takes("192.0.2.1", "192.0.2.1", "192.0.2.1"), [true, true, false]);
  assertEquals(door.takes("::ffff:192.0.2.1", "192.0.2.2"), [false, true]);
});

Deno.test("limitPerAddress() takes 100 by default", () => {
  const door = new Door({});
  assertEquals(door.takes(...Array(101).fill("192.0.2.1")).lastIndexOf(true), 99);
});

Deno.test("limitPerAddress() closes what is too much, at once", async () => {
  const door = new Door({ maxConnectionsPerAddress: 1 });
  door.enter("192.0.2.1");
  const { client, isTaken, done } = door.enter("192.0.2.1");
  assert(!isTaken);
  assertEquals(await client.read(new Uint8Array(1)), null);
  await done;
});

Deno.test("limitPerAddress() gives the place back however a connection ends", async () => {
  const door = new Door({ maxConnectionsPerAddress: 1 });
  const first = door.enter("192.0.2.1");
  door.open[0]!.end();
  await first.done;
  const second = door.enter("192.0.2.1");
  const failure = new Error("handler");
  const [, caught] = await Promise.all([
    door.open[1]!.fail(failure),
    assertRejects(() => second.done),
  ]);
  assertStrictEquals(caught, failure);
  assertEquals(door.takes("192.0.2.1", "192.0.2.1"), [true, false]);
  const thrower = limitPerAddress(() => {
    throw failure;
  }, { maxConnectionsPerAddress: 1 });
  for (let count = 0; count < 3; count++) {
    await assertRejects(async () => await thrower(memoryPipe()[1]));
  }
  await settle();
});

for (
  const [bits, same, other] of [
    [undefined, "2001:db8:1:2:ffff::1", "2001:db8:1:3::1"],
    [48, "2001:db8:1:ffff::1", "2001:db8:2::1"],
    [63, "2001:db8:1:3::1", "2001:db8:1:4::1"],
    [1, "7fff::1", "8000::1"],
    [128, "2001:db8:1:2::1", "2001:db8:1:2::2"],
  ] as const
) {
  Deno.test(`limitPerAddress() counts IPv6 networks of /${bits ?? 64}`, () => {
    const options = bits === undefined ? {} : { ipv6PrefixBits: bits };
    const door = new Door({ maxConnectionsPerAddress: 1, ...options });
    assertEquals(door.takes("2001:db8:1:2::1", same, other), [true, false, true]);
  });
}

Deno.test("limitPerAddress() keeps links apart, and does not limit Unix sockets", () => {
  const door = new Door({ maxConnectionsPerAddress: 1 });
  assertEquals(door.takes("fe80::1%eth0", "fe80::2%eth0", "fe80::1%eth1"), [true, false, true]);
  assertEquals(door.takes("unix", "unix", "unix"), [true, true, true]);
});

Deno.test("limitPerAddress() refuses options out of range, and 0 is no limit", () => {
  const handler: ConnectionHandler = () => {};
  for (
    const options of [
      { maxConnectionsPerAddress: -1 },
      { maxConnectionsPerAddress: 0.5 },
      { ipv6PrefixBits: 0 },
      { ipv6PrefixBits: 129 },
      { ipv6PrefixBits: 64.5 },
    ]
  ) assertThrows(() => limitPerAddress(handler, options), RangeError);
  for (const maxConnectionsPerAddress of [0, Infinity]) {
    assertStrictEquals(limitPerAddress(handler, { maxConnectionsPerAddress }), handler);
  }
});

function addressOf(server: HttpServer): { hostname: string; port: number } {
  const { port } = server.addr as Deno.NetAddr;
  return { hostname: "127.0.0.1", port };
}

Deno.test("serve({ maxConnectionsPerAddress }) closes what is too much, and takes it later", async () => {
  await using server = serve((ctx) => ctx.text("hello"), {
    hostname: "127.0.0.1",
    port: 0,
    maxConnectionsPerAddress: 2,
  });
  const first = await RawClient.connect(addressOf(server));
  await using second = await RawClient.connect(addressOf(server));
  for (const client of [first, second]) {
    await client.send(request("GET /"));
    assertEquals((await client.response())?.status, 200);
  }
  await using third = await RawClient.connect(addressOf(server));
  await third.send(request("GET /"));
  assert(await third.closed() !== "timeout");
  assertEquals(third.leftover.length, 0);
  await first[Symbol.asyncDispose]();
  assert(await eventually(() => server.stats().connectionCount === 1));
  await using fourth = await RawClient.connect(addressOf(server));
  await fourth.send(request("GET /"));
  assertEquals((await fourth.response())?.status, 200);
  assertThrows(() => serve(() => {}, { maxConnectionsPerAddress: -1 }), RangeError);
});

Deno.test("serve({ maxConnectionsPerAddress }) counts the clients behind a proxy", async () => {
  const socket = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using server = serve((ctx) => ctx.text("hello"), {
    listener: proxyListener(socket, ["127.0.0.1"]),
    maxConnectionsPerAddress: 1,
  });
  const statuses = [];
  const clients: RawClient[] = [];
  for (const who of ["192.0.2.1", "192.0.2.2", "192.0.2.1"]) {
    const client = await RawClient.connect(addressOf(server));
    clients.push(client);
    await client.send(`PROXY TCP4 ${who} 10.0.0.1 5 80\r\n${request("GET /")}`);
    statuses.push((await client.response())?.status);
  }
  assertEquals(statuses, [200, 200, undefined]);
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
});
