import { assert, assertEquals } from "@std/assert";
import type { HttpServer } from "../../http/serve.ts";
import type { ServeOptions } from "../../http/server_options.ts";
import type { Handler } from "../../http/server_shared.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { type RawAddress, RawClient } from "../_support/raw_client.ts";
import { post, postChunks, request, ServerHarness, turn } from "../_support/server_harness.ts";
import { serve } from "../_support/tls_switch.ts";

const BODY_BYTES = 20_000;

/** A handler with every way to read and to answer. */
const everything: Handler = (ctx) => {
  switch (ctx.path) {
    case "/echo":
      return ctx.body.bytes().then((bytes) => ctx.bytes(bytes));
    case "/chunks":
      return (async () => {
        const writer = ctx.writer();
        for await (const chunk of ctx.body) await writer.write(chunk);
        await writer.close();
      })();
    case "/stream":
      return ctx.stream(ReadableStream.from(["a", "b".repeat(BODY_BYTES), "c"]));
    case "/large":
      return ctx.bytes(new Uint8Array(BODY_BYTES * 20));
    case "/wait":
      return new Promise((_, reject) => ctx.signal.onabort = () => reject(ctx.signal.reason));
    default:
      return ctx.text("hello");
  }
};

const WIRES: readonly string[] = [
  request("GET /"),
  request("GET /stream"),
  request("GET /large"),
  request("GET /wait"),
  post("/", "x".repeat(BODY_BYTES)),
  post("/echo", "x".repeat(BODY_BYTES)),
  post("/chunks", "x".repeat(BODY_BYTES)),
  postChunks("/echo", ["x".repeat(100), "y".repeat(BODY_BYTES)]),
  postChunks("/chunks", ["x".repeat(100), "y".repeat(BODY_BYTES)]),
  post("/echo", "x".repeat(10), ["Expect: 100-continue"]),
  request("GET /") + post("/echo", "body") + request("GET /stream") + request("GET /large"),
  "nonsense\r\n\r\n",
  request("POST /echo", ["Transfer-Encoding: chunked"], "zz\r\n"),
];

for (const how of ["reset", "close", "end", "silence"] as const) {
  Deno.test(`a client may leave anywhere by ${how}: the server blames nobody and holds nothing`, async () => {
    const random = new SeededRandom(how.length);
    for (const wire of WIRES) {
      for (let round = 0; round < 6; round++) {
        const cut = round === 0 ? wire.length : random.int(wire.length);
        await using harness = new ServerHarness(everything);
        const client = await harness.connect({
          highWaterMarkBytes: 1 + random.int(100_000),
          maxReadBytes: 1 + random.int(10_000),
        });
        if (random.int(2) === 0) client.pause();
        await client.send(wire.slice(0, cut));
        if (how === "reset") await client.reset();
        else if (how === "close") client.close();
        else if (how === "end") void client.end();
        await turn();
        // Whatever it waits for, a deadline ends it; only a handler may wait on.
        for (let count = 0; count < 4; count++) await harness.advance(66_000);
        if (!wire.includes("/wait") || how === "reset") {
          assertEquals([client.server.isClosed, harness.server.stats().connectionCount], [true, 0]);
        }
        assertEquals([harness.reported, client.server.violations], [[], []], wire.slice(0, 60));
      }
    }
  });
}

Deno.test("byte by byte, every request is answered as in one piece", async () => {
  for (const wire of WIRES) {
    if (wire.includes("/wait") || wire.includes("Expect")) continue;
    const texts = [];
    for (const maxReadBytes of [Infinity, 1]) {
      await using harness = new ServerHarness(everything);
      const client = await harness.open(wire, { maxReadBytes });
      for (let count = 0; count < 5; count++) await turn();
      const bodies = [];
      for (let next; (next = await client.maybeResponse()) !== undefined;) {
        bodies.push([next.status, next.fields, next.body]);
      }
      texts.push(bodies);
      assertEquals([await client.text(), client.server.violations], ["", []]);
    }
    assertEquals(texts[0], texts[1]);
    assert(texts[0]!.length >= 1);
  }
});

function serveHere(options: ServeOptions = {}): { server: HttpServer; reported: unknown[] } {
  const reported: unknown[] = [];
  const server = serve(everything, {
    hostname: "127.0.0.1",
    port: 0,
    onError: (error) => reported.push(error),
    ...options,
  });
  return { server, reported };
}

function addressOf(server: HttpServer): RawAddress {
  const { hostname, port } = server.addr as Deno.NetAddr;
  return { hostname, port };
}

/** What a badly behaved client does on a socket of its own. */
const BEHAVIOURS: Record<string, (client: RawClient, random: SeededRandom) => Promise<unknown>> = {
  good: async (client) => {
    for (let count = 0; count < 3; count++) {
      await client.send(post("/echo", "body"));
      assertEquals((await client.response())?.body, "body");
    }
  },
  silent: () => Promise.resolve(),
  halfHead: (client) => client.send("GET / HTTP/1.1\r\nHo"),
  halfClosed: async (client) => {
    await client.send(request("GET /stream"));
    await client.sendEnd();
    assertEquals((await client.response())?.body.length, BODY_BYTES + 2);
    assertEquals(await client.closed(), "eof");
  },
  leaves: async (client, random) => {
    const wire = random.pick(WIRES);
    await client.send(wire.slice(0, random.int(wire.length)));
  },
  leavesInAnswer: async (client) => {
    await client.send(request("GET /large"));
    await client.bytes(1);
  },
  waits: (client) => client.send(request("GET /wait")),
  slow: async (client) => {
    for (const byte of request("GET /")) await client.send(byte);
    assertEquals((await client.response())?.body, "hello");
  },
  floods: async (client) => {
    await client.send(request("GET /").repeat(60));
    for (let count = 0; count < 60; count++) {
      assertEquals((await client.response())?.status, 200);
    }
  },
  garbage: async (client, random) => {
    await client.send(random.bytes(2_000));
    await client.sendEnd();
    const response = await client.response();
    assert(response === undefined || response.status >= 400, `${response?.status}`);
  },
  oversized: async (client) => {
    await client.send(request("POST /echo", ["Content-Length: 99999999"]));
    await client.send("x".repeat(100_000));
    assertEquals((await client.response())?.status, 413);
  },
};

Deno.test("200 connections of every kind at once, and the server serves on", async () => {
  const { server, reported } = serveHere();
  const names = Object.keys(BEHAVIOURS);
  const address = addressOf(server);
  const clients: RawClient[] = [];
  try {
    await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const client = await RawClient.connect(address, { timeoutMs: 20_000 });
        clients.push(client);
        const name = names[index % names.length]!;
        await BEHAVIOURS[name]!(client, new SeededRandom(index));
        if (name.startsWith("leaves")) await client[Symbol.asyncDispose]();
      }),
    );
    await using last = await RawClient.connect(address);
    await last.send(request("GET /"));
    assertEquals((await last.response())?.body, "hello");
  } finally {
    await server.shutdown({ graceMs: 0 });
    for (const client of clients) await client[Symbol.asyncDispose]();
  }
  assertEquals([reported, server.stats().connectionCount], [[], 0]);
});

Deno.test("shutdown in the middle of uploads and pipelines leaves nothing behind", async () => {
  for (const graceMs of [0, Infinity]) {
    const { server, reported } = serveHere();
    const address = addressOf(server);
    const clients = await Promise.all(
      Array.from({ length: 20 }, () => RawClient.connect(address)),
    );
    await Promise.all(clients.map(async (client, index) => {
      if (index % 2 === 0) await client.send(post("/echo", "x".repeat(BODY_BYTES)).slice(0, -1));
      else await client.send(request("GET /").repeat(50) + request("GET /large"));
    }));
    const stopped = server.shutdown({ graceMs });
    await Promise.all(clients.map(async (client) => {
      await client.send("x");
      await client.sendEnd();
      await client.closed();
      await client[Symbol.asyncDispose]();
    }));
    await stopped;
    assertEquals([reported, server.stats().connectionCount], [[], 0]);
  }
});

Deno.test("a client that has sent too much still reads why it was refused", async () => {
  const { server } = serveHere();
  await using client = await RawClient.connect(addressOf(server));
  // Far more than socket buffers hold: closing at once would reset it away.
  const sent = client.send(
    request("POST /echo", ["Content-Length: 99999999"]) + "x".repeat(200_000),
  );
  assertEquals((await client.response())?.status, 413);
  await sent;
  await client.sendEnd();
  assertEquals(await client.closed(), "eof");
  await server.shutdown({ graceMs: 0 });
});

Deno.test("a failed write that nobody waits for does not end the process", async () => {
  await using harness = new ServerHarness((ctx) => {
    const writer = ctx.writer();
    for (let count = 0; count < 20; count++) void writer.write(new Uint8Array(50_000));
    void writer.close();
  });
  const client = await harness.connect();
  client.pause();
  await client.send(request("GET /"));
  await client.reset();
  await turn();
  assertEquals([client.server.isClosed, harness.reported], [true, []]);
});
