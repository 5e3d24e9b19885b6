import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import type { AcceptSource } from "../../nbio/accept_source.ts";
import { ConnectionClosedError, LimitExceededError, TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe, type MemoryTransport } from "../../nbio/testing_memory_pipe.ts";
import { settle } from "../../nbio/testing_settle.ts";
import type { Transport } from "../../nbio/transport.ts";
import {
  proxyHeader,
  type ProxyListener,
  proxyListener,
  type ProxyListenerOptions,
} from "../../http/proxy_listener.ts";
import { ProxyProtocolError, ProxyTlvType } from "../../http/proxy_protocol.ts";
import { type HttpServer, serve } from "../../http/serve.ts";
import { proxyV2, proxyV2Tcp4, tlv } from "../_support/proxy_header.ts";
import { RawClient } from "../_support/raw_client.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { ScriptedSource } from "../_support/scripted_source.ts";
import { request } from "../_support/server_harness.ts";

const PROXY: Deno.Addr = { transport: "tcp", hostname: "10.0.0.1", port: 4000 };
const STRANGER: Deno.Addr = { transport: "tcp", hostname: "192.0.2.9", port: 4000 };
const V1 = "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n";

/** A listener in memory, with the test at both ends. */
class Bench {
  readonly clock = new ManualClock();
  readonly source = new ScriptedSource();
  readonly refused: [unknown, Deno.Addr][] = [];
  readonly listener: ProxyListener;

  constructor(options: ProxyListenerOptions = {}) {
    this.listener = proxyListener(this.source, ["10.0.0.0/8", "unix"], {
      clock: this.clock,
      onRefuse: (error, remoteAddr) => void this.refused.push([error, remoteAddr]),
      ...options,
    });
  }

  async connect(clientAddr = PROXY, maxReadBytes = Infinity): Promise<MemoryTransport> {
    const [client, server] = memoryPipe({ clientAddr, maxReadBytes });
    await this.source.give(server);
    return client;
  }

  get errors(): unknown[] {
    return this.refused.map(([error]) => error);
  }
}

async function readText(transport: Transport, size = 100): Promise<string | null> {
  const bytes = new Uint8Array(size);
  const count = await transport.read(bytes);
  return count === null ? null : textOf(bytes.subarray(0, count));
}

for (
  const [name, header] of [
    ["version 1", bytesOf(V1)],
    ["version 2", proxyV2(0x21, 0x11, [192, 0, 2, 1, 198, 51, 100, 2, 0xdc, 4, 1, 0xbb])],
  ] as const
) {
  for (const maxReadBytes of [Infinity, 7, 1]) {
    Deno.test(`proxyListener() takes ${name} in reads of ${maxReadBytes}, and loses no byte`, async () => {
      const bench = new Bench();
      const accepted = bench.listener.accept();
      const client = await bench.connect(PROXY, maxReadBytes);
      await client.write(Uint8Array.of(...header, ...bytesOf("GET / HTTP/1.1\r\n")));
      const transport = await accepted;
      assertEquals(transport.remoteAddr, { transport: "tcp", hostname: "192.0.2.1", port: 56324 });
      assertEquals(transport.localAddr, { transport: "tcp", hostname: "198.51.100.2", port: 443 });
      assertStrictEquals(transport.remoteAddr, transport.remoteAddr);
      let text = "";
      while (text.length < 16) text += await readText(transport, 5);
      assertEquals(text, "GET / HTTP/1.1\r\n");
      await client.write(bytesOf("more"));
      assertEquals((await readText(transport))?.[0], "m");
      await transport.write(bytesOf("out"));
      await transport.closeWrite();
      transport.close();
      assertThrows(() => transport.close(), Deno.errors.BadResource);
      bench.listener.close();
      assertEquals([bench.refused, bench.clock.pendingCount], [[], 0]);
    });
  }
}

for (
  const [name, header] of [
    ["LOCAL", proxyV2(0x20, 0, [])],
    ["UNSPEC", proxyV2(0x21, 0, [])],
    ["UNKNOWN", bytesOf("PROXY UNKNOWN\r\n")],
  ] as const
) {
  Deno.test(`proxyListener() keeps the addresses of the connection with ${name}`, async () => {
    const bench = new Bench();
    const accepted = bench.listener.accept();
    const client = await bench.connect();
    await client.write(header);
    const transport = await accepted;
    assertEquals(transport.remoteAddr, PROXY);
    assertEquals(transport.localAddr, client.remoteAddr);
    transport.close();
  });
}

Deno.test("proxyListener() holds nobody up while a header is awaited", async () => {
  const bench = new Bench();
  const accepted = bench.listener.accept();
  const slow = await bench.connect();
  await slow.write(bytesOf("PROXY "));
  const other = await bench.connect();
  assertEquals(bench.listener.stats().pendingCount, 2);
  await other.write(bytesOf(V1));
  assertEquals((await accepted as { remoteAddr: { port?: number } }).remoteAddr.port, 56324);
  const second = bench.listener.accept();
  await slow.write(bytesOf("TCP4 192.0.2.1 198.51.100.2 7 443\r\n"));
  assertEquals(((await second).remoteAddr as Deno.NetAddr).port, 7);
  bench.listener.close();
});

Deno.test("proxyListener() keeps what becomes ready until it is asked for", async () => {
  const bench = new Bench();
  const first = bench.listener.accept();
  const clients = [await bench.connect(), await bench.connect()];
  for (const client of clients) await client.write(bytesOf(V1));
  await first;
  await settle();
  assertEquals(bench.listener.stats().pendingCount, 1);
  await bench.listener.accept();
  assertEquals(bench.listener.stats().pendingCount, 0);
  bench.listener.close();
});

for (
  const [name, wire, matches] of [
    ["a request", "GET / HTTP/1.1\r\n\r\n", isCode("ERR_PROXY_NO_HEADER")],
    ["a malformed header", "PROXY TCP4 1 2 3 4\r\n", isCode("ERR_PROXY_BAD_HEADER")],
    ["datagrams", textOf(proxyV2(0x21, 0x12, [])), isCode("ERR_PROXY_UNSUPPORTED_HEADER")],
    [
      "a header too long",
      textOf(proxyV2(0x21, 0, new Array(5000).fill(0))),
      (error: unknown) => error instanceof LimitExceededError,
    ],
  ] as [string, string, (error: unknown) => boolean][]
) {
  Deno.test(`proxyListener() closes a connection that begins with ${name}`, async () => {
    const bench = new Bench();
    const accepted = bench.listener.accept();
    const client = await bench.connect();
    await client.write(bytesOf(wire));
    assertEquals(await readText(client), null);
    assertEquals(bench.errors.map(matches), [true]);
    assertEquals(bench.refused[0]![1], PROXY);
    const good = await bench.connect();
    await good.write(bytesOf(V1));
    await accepted;
    assertEquals(bench.listener.stats(), { pendingCount: 0, refusedCount: 1 });
    bench.listener.close();
  });
}

function isCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof ProxyProtocolError && error.code === code;
}

Deno.test("proxyListener() refuses strangers before they say anything", async () => {
  const bench = new Bench();
  const accepted = bench.listener.accept();
  const client = await bench.connect(STRANGER);
  assertEquals(await readText(client), null);
  assertEquals(bench.errors.map(isCode("ERR_PROXY_UNTRUSTED_SENDER")), [true]);
  const local = await bench.connect({ transport: "unix", path: "" });
  await local.write(bytesOf(V1));
  assertEquals(((await accepted).remoteAddr as Deno.NetAddr).hostname, "192.0.2.1");
  bench.listener.close();
});

Deno.test("required: false takes strangers and what has no header as they are", async () => {
  const bench = new Bench({ required: false });
  const stranger = bench.listener.accept();
  const client = await bench.connect(STRANGER);
  await client.write(bytesOf(V1));
  assertEquals((await stranger).remoteAddr, STRANGER);
  // What a stranger calls a header is nothing but bytes.
  assertEquals(await readText(await stranger), V1);
  const plain = bench.listener.accept();
  const monitor = await bench.connect(PROXY, 3);
  await monitor.write(bytesOf("PRINT / HTTP/1.1\r\n"));
  assertEquals((await plain).remoteAddr, PROXY);
  assertEquals(await readText(await plain), "PRI");
  const told = bench.listener.accept();
  await (await bench.connect()).write(bytesOf(V1));
  assertEquals(((await told).remoteAddr as Deno.NetAddr).hostname, "192.0.2.1");
  bench.listener.close();
  assertEquals(bench.refused, []);
});

Deno.test("a header that does not come in time ends its connection only", async () => {
  const bench = new Bench({ headerTimeoutMs: 1_000 });
  const accepted = bench.listener.accept();
  const client = await bench.connect();
  for (const byte of "PROXY TCP") {
    await client.write(bytesOf(byte));
    bench.clock.advance(100);
    await settle();
  }
  assertEquals(bench.refused, []);
  bench.clock.advance(201);
  await settle();
  const [error] = bench.errors;
  assert(error instanceof TimeoutError);
  assertEquals([error.phase, error.timeoutMs], ["proxy-header", 1_000]);
  assertEquals(await readText(client), null);
  await (await bench.connect()).write(bytesOf(V1));
  await accepted;
  assertEquals(bench.clock.pendingCount, 0);
  bench.listener.close();
});

Deno.test("headerTimeoutMs is 5 s by default, and 0 waits as long as it takes", async () => {
  for (const [options, refusedCount] of [[{}, 1], [{ headerTimeoutMs: 0 }, 0]] as const) {
    const bench = new Bench(options);
    const accepted = bench.listener.accept();
    await bench.connect();
    bench.clock.advance(4_999);
    await settle();
    assertEquals(bench.refused.length, 0);
    bench.clock.advance(101);
    await settle();
    assertEquals(bench.refused.length, refusedCount);
    bench.listener.close();
    await assertRejects(() => accepted, Deno.errors.BadResource);
  }
});

Deno.test("a connection that ends or breaks before its header is forgotten", async () => {
  const bench = new Bench();
  const accepted = bench.listener.accept();
  const ended = await bench.connect();
  await ended.write(bytesOf("PROX"));
  await ended.closeWrite();
  await settle();
  const broken = await bench.connect();
  broken.reset();
  await settle();
  const [first, second] = bench.errors;
  assert(first instanceof ConnectionClosedError && first.bytesReceived === 4);
  assert(second instanceof Deno.errors.ConnectionReset);
  assertEquals(bench.listener.stats(), { pendingCount: 0, refusedCount: 2 });
  bench.listener.close();
  await assertRejects(() => accepted, Deno.errors.BadResource);
});

Deno.test("maxPendingCount bounds those who have sent no header yet", async () => {
  const bench = new Bench({ maxPendingCount: 2 });
  const accepted = bench.listener.accept();
  const first = await bench.connect();
  assert(bench.source.isAwaited);
  const second = await bench.connect();
  assertEquals([bench.source.isAwaited, bench.listener.stats().pendingCount], [false, 2]);
  second.close();
  await settle();
  assert(bench.source.isAwaited);
  await bench.connect();
  assert(!bench.source.isAwaited);
  await first.write(bytesOf(V1));
  await accepted;
  assert(!bench.source.isAwaited, "nobody asks for more");
  const next = bench.listener.accept();
  assert(bench.source.isAwaited);
  bench.listener.close();
  await assertRejects(() => next, Deno.errors.BadResource);
});

Deno.test("close() ends those who wait, on both sides, also where all places are taken", async () => {
  for (const maxPendingCount of [1, 10]) {
    const bench = new Bench({ maxPendingCount });
    const accepted = bench.listener.accept();
    const client = await bench.connect();
    bench.listener.close();
    await assertRejects(() => accepted, Deno.errors.BadResource);
    assertEquals(await readText(client), null);
    await assertRejects(() => bench.listener.accept(), Deno.errors.BadResource);
    await settle();
    bench.listener.close();
    assertEquals([bench.refused, bench.clock.pendingCount], [[], 0]);
  }
});

Deno.test("an error of the source goes to who waits, and the next call goes on", async () => {
  const bench = new Bench();
  const failed = bench.listener.accept();
  const error = new Error("EMFILE");
  const [, outcome] = await Promise.all([bench.source.fail(error), assertRejects(() => failed)]);
  assertStrictEquals(outcome, error);
  const accepted = bench.listener.accept();
  await (await bench.connect()).write(bytesOf(V1));
  await accepted;
  bench.listener.close();
});

Deno.test("a second accept() is refused while one waits", async () => {
  const bench = new Bench();
  const accepted = bench.listener.accept();
  await assertRejects(() => bench.listener.accept(), TypeError);
  bench.listener.close();
  await assertRejects(() => accepted, Deno.errors.BadResource);
});

Deno.test("what onRefuse throws ends nothing", async () => {
  const bench = new Bench({
    onRefuse: () => {
      throw new Error("onRefuse");
    },
  });
  const log = console.error;
  let loggedCount = 0;
  console.error = () => loggedCount++;
  try {
    const accepted = bench.listener.accept();
    await bench.connect(STRANGER);
    await (await bench.connect()).write(bytesOf(V1));
    await accepted;
  } finally {
    console.error = log;
  }
  assertEquals(loggedCount, 1);
  bench.listener.close();
});

Deno.test("proxyListener() refuses options out of range and passes ref() on", () => {
  const source = new ScriptedSource(7);
  for (
    const options of [
      { headerTimeoutMs: -1 },
      { headerTimeoutMs: NaN },
      { maxHeaderBytes: 100 },
      { maxPendingCount: -1 },
      { maxPendingCount: 1.5 },
    ]
  ) assertThrows(() => proxyListener(source, [], options), RangeError);
  assertThrows(() => proxyListener(source, ["nobody"]), RangeError);
  const listener: AcceptSource = proxyListener(source, []);
  assertEquals(listener.addr, source.addr);
  listener.unref!();
  assertEquals(source.refed, false);
  listener.ref!();
  assertEquals(source.refed, true);
});

function serveBehindProxy(options: ProxyListenerOptions = {}): HttpServer {
  const socket = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return serve((ctx) => {
    const authority = proxyHeader(ctx)?.tlvs.find(({ type }) => type === ProxyTlvType.AUTHORITY);
    const name = authority && new TextDecoder().decode(authority.value);
    ctx.json([(ctx.remoteAddr as Deno.NetAddr).hostname, name ?? null]);
  }, { listener: proxyListener(socket, ["127.0.0.1"], options) });
}

Deno.test("serve() over a proxyListener() sees clients and fields, over keep-alive and sockets", async () => {
  await using server = serveBehindProxy();
  const { port } = server.addr as Deno.NetAddr;
  await using client = await RawClient.connect({ hostname: "127.0.0.1", port });
  const header = proxyV2Tcp4([192, 0, 2, 7], 99, tlv(ProxyTlvType.AUTHORITY, "a.example"));
  await client.send(Uint8Array.of(...header, ...bytesOf(request("GET /").repeat(2))));
  for (let count = 0; count < 3; count++) {
    if (count === 2) await client.send(request("GET /"));
    assertEquals((await client.response())?.body, '["192.0.2.7","a.example"]');
  }
});

Deno.test("shutdown() closes connections that wait for their header", async () => {
  const server = serveBehindProxy();
  const { port } = server.addr as Deno.NetAddr;
  await using silent = await RawClient.connect({ hostname: "127.0.0.1", port });
  await using started = await RawClient.connect({ hostname: "127.0.0.1", port });
  await started.send("PROXY ");
  await using served = await RawClient.connect({ hostname: "127.0.0.1", port });
  await served.send(V1 + request("GET /"));
  assertEquals((await served.response())?.body, '["192.0.2.1",null]');
  await server.shutdown({ graceMs: Infinity });
  for (const client of [silent, started, served]) assert(await client.closed() !== "timeout");
});

Deno.test("a stranger over a socket is closed without an answer", async () => {
  const socket = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using server = serve((ctx) => ctx.text("hello"), {
    listener: proxyListener(socket, ["192.0.2.1"]),
  });
  const { port } = server.addr as Deno.NetAddr;
  await using client = await RawClient.connect({ hostname: "127.0.0.1", port });
  await client.send(V1 + request("GET /"));
  assert(await client.closed() !== "timeout");
  assertEquals([client.leftover.length, server.stats().requestCount], [0, 0]);
});
