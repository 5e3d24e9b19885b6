import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { ConnectionClosedError } from "../../nbio/errors.ts";
import type { HttpServer } from "../../http/serve.ts";
import type { ServeOptions } from "../../http/server_options.ts";
import type { Handler } from "../../http/server_shared.ts";
import { eventually, runPeer } from "../_support/peer.ts";
import { type RawAddress, RawClient } from "../_support/raw_client.ts";
import { fieldOf } from "../_support/raw_response.ts";
import { gate, post, request, ServerHarness } from "../_support/server_harness.ts";
import { connect, serve } from "../_support/tls_switch.ts";

const hello: Handler = (ctx) => ctx.text("hello");

function serveHere(handler: Handler, options: ServeOptions = {}): HttpServer {
  return serve(handler, { hostname: "127.0.0.1", port: 0, ...options });
}

function addressOf(server: HttpServer): RawAddress {
  const { port } = server.addr as Deno.NetAddr;
  return { hostname: "127.0.0.1", port };
}

async function open(server: HttpServer, wire: string): Promise<RawClient> {
  const client = await RawClient.connect(addressOf(server));
  await client.send(wire);
  return client;
}

/** The system may still finish a handshake or two while the socket closes; nobody takes them. */
async function assertRefusing(server: HttpServer): Promise<void> {
  const { acceptedCount } = server.stats();
  for (let isRefused = false; !isRefused;) {
    try {
      (await connect(addressOf(server))).close();
    } catch (error) {
      isRefused = error instanceof Deno.errors.ConnectionRefused;
    }
  }
  assertEquals(server.stats().acceptedCount, acceptedCount);
}

/** A server that answers when it is told to, with its handlers counted. */
function slowServer(options: ServeOptions = {}) {
  const work = gate();
  let startedCount = 0;
  const server = serveHere(async (ctx) => {
    startedCount++;
    await work.passed;
    ctx.text("done");
  }, options);
  const started = (count = 1) => eventually(() => startedCount >= count);
  return { server, work, started };
}

Deno.test("shutdown() accepts no more while it answers what is under way", async () => {
  const { server, work, started } = slowServer();
  await using client = await open(server, request("GET /"));
  assert(await started());
  const stopped = server.shutdown({ graceMs: Infinity });
  await assertRefusing(server);
  work.open();
  const response = await client.response();
  assertEquals([response?.body, fieldOf(response!, "connection")], ["done", "close"]);
  assertEquals(fieldOf(response!, "keep-alive"), undefined);
  await client.sendEnd();
  await stopped;
  assertEquals(await client.closed(), "eof");
});

Deno.test("shutdown() closes at once what is idle, silent, or has sent nothing but an empty line", async () => {
  const server = serveHere(hello);
  await using silent = await open(server, "");
  await using idle = await open(server, request("GET /"));
  assertEquals((await idle.response())?.status, 200);
  await using blank = await open(server, "\r\n");
  assert(await eventually(() => server.stats().connectionCount === 3));
  await server.shutdown({ graceMs: Infinity });
  assertEquals([await silent.closed(), await idle.closed()], ["eof", "eof"]);
  assert(await blank.closed() !== "timeout");
  assertEquals([silent.leftover.length, idle.leftover.length], [0, 0]);
});

Deno.test("shutdown() does not wait for a client of which it has read an empty line", async () => {
  await using harness = new ServerHarness(hello);
  const client = await harness.open("\r\n");
  await harness.server.shutdown({ graceMs: Infinity });
  assertEquals(await client.isEnded(), true);
});

Deno.test("shutdown() still answers a request whose head or body is on its way", async () => {
  const server = serveHere(async (ctx) => ctx.text(await ctx.body.text()));
  await using head = await open(server, "POST / HTTP/1.1\r\nHost: a\r\n");
  await using body = await open(server, post("/", "body").slice(0, -2));
  assert(await eventually(() => server.stats().requestCount === 1));
  const stopped = server.shutdown({ graceMs: Infinity });
  await head.send("Content-Length: 4\r\n\r\nhead");
  await body.send("dy");
  for (const [client, text] of [[head, "head"], [body, "body"]] as const) {
    const response = await client.response();
    assertEquals([response?.body, fieldOf(response!, "connection")], [text, "close"]);
    await client.sendEnd();
    assertEquals(await client.closed(), "eof");
  }
  await stopped;
});

Deno.test("shutdown() lets a response end that is being streamed", async () => {
  const work = gate();
  const server = serveHere(async (ctx) => {
    const writer = ctx.writer();
    await writer.write("a");
    await work.passed;
    await writer.write("b");
    await writer.close();
  });
  await using client = await open(server, request("GET /"));
  await client.bytes(100);
  const stopped = server.shutdown({ graceMs: Infinity });
  work.open();
  assertEquals((await client.response())?.body, "ab");
  await client.sendEnd();
  await stopped;
  assertEquals(await client.closed(), "eof");
});

Deno.test("shutdown() answers no pipelined request behind the one under way", async () => {
  const { server, work, started } = slowServer();
  await using client = await open(server, request("GET /").repeat(5));
  assert(await started());
  const stopped = server.shutdown({ graceMs: Infinity });
  work.open();
  assertEquals(fieldOf((await client.response())!, "connection"), "close");
  await client.sendEnd();
  assertEquals([await client.response(), await client.closed()], [undefined, "eof"]);
  await stopped;
  assertEquals(server.stats().requestCount, 1);
});

Deno.test("shutdown() cuts at the end of its grace, and tells the handlers why", async () => {
  const reasons: unknown[] = [];
  let startedCount = 0;
  const reported: unknown[] = [];
  const server = serveHere((ctx) => {
    startedCount++;
    ctx.signal.addEventListener("abort", () => reasons.push(ctx.signal.reason));
    // One that does not listen must not hold the server.
    return new Promise(() => {});
  }, { onError: (error) => reported.push(error) });
  await using client = await open(server, request("GET /"));
  await using half = await open(server, "GET / HTTP/1.1\r\n");
  assert(await eventually(() => startedCount === 1 && server.stats().connectionCount === 2));
  await server.shutdown({ graceMs: 150 });
  assert(await client.closed() !== "timeout" && await half.closed() !== "timeout");
  assertEquals([client.leftover.length, half.leftover.length], [0, 0]);
  assertEquals(reasons.length, 1);
  assert(reasons[0] instanceof ConnectionClosedError);
  assertEquals(reported, []);
});

Deno.test("shutdown() with a shorter grace overtakes one with a longer, and both resolve", async () => {
  const { server, work, started } = slowServer();
  await using client = await open(server, request("GET /"));
  assert(await started());
  const patient = server.shutdown({ graceMs: Infinity });
  await server.shutdown({ graceMs: 0 });
  await patient;
  await server.finished;
  assertEquals(client.leftover.length, 0);
  work.open();
});

Deno.test("shutdown() does not wait for a client that does not read", async () => {
  const started = gate();
  const server = serveHere((ctx) => {
    started.open();
    ctx.bytes(new Uint8Array(50_000_000));
  });
  const conn = await connect(addressOf(server));
  await conn.write(new TextEncoder().encode(request("GET /")));
  await started.passed;
  await server.shutdown({ graceMs: 100 });
  assertEquals(server.stats().connectionCount, 0);
  conn.close();
});

Deno.test("shutdown() from within a handler lets that handler answer", async () => {
  let stopped: Promise<void> | undefined;
  const server = serveHere(async (ctx) => {
    stopped = server.shutdown();
    await undefined;
    ctx.text("bye");
  });
  await using client = await open(server, request("GET /"));
  const response = await client.response();
  assertEquals([response?.body, fieldOf(response!, "connection")], ["bye", "close"]);
  await client.sendEnd();
  await stopped;
});

Deno.test("of several servers in one process, one goes down and the others serve on", async () => {
  const servers = ["a", "b", "c"].map((name) => serveHere((ctx) => ctx.text(name)));
  const clients = await Promise.all(servers.map((server) => open(server, request("GET /"))));
  for (const [index, name] of ["a", "b", "c"].entries()) {
    assertEquals((await clients[index]!.response())?.body, name);
  }
  await servers[1]!.shutdown();
  assertEquals(await clients[1]!.closed(), "eof");
  for (const index of [0, 2]) {
    await clients[index]!.send(request("GET /"));
    assertEquals((await clients[index]!.response())?.status, 200);
  }
  assertEquals(servers.map((server) => server.stats().requestCount), [2, 1, 2]);
  await Promise.all(servers.map((server) => server.shutdown()));
  for (const client of clients) await client[Symbol.asyncDispose]();
});

for (const isAsync of [false, true]) {
  Deno.test(`maxRequestsPerConnection ends a connection in order, ${isAsync ? "later" : "at once"}`, async () => {
    await using server = serveHere(
      isAsync ? async (ctx) => (await undefined, ctx.text("hello")) : hello,
      { maxRequestsPerConnection: 3 },
    );
    for (const isPipelined of [false, true]) {
      await using client = await open(server, isPipelined ? request("GET /").repeat(5) : "");
      const told = [];
      for (let count = 0; count < 3; count++) {
        if (!isPipelined) await client.send(request("GET /"));
        told.push(fieldOf((await client.response())!, "connection"));
      }
      assertEquals(told, ["keep-alive", undefined, "close"]);
      await client.sendEnd();
      assertEquals([await client.response(), await client.closed()], [undefined, "eof"]);
    }
    assertEquals(server.stats().requestCount, 6);
  });
}

Deno.test("maxRequestsPerConnection of 1 answers with Connection: close, 0 means no end", async () => {
  for (const [most, expected] of [[1, "close"], [0, undefined]] as const) {
    await using server = serveHere(hello, { maxRequestsPerConnection: most });
    await using client = await open(server, request("GET /").repeat(most === 1 ? 1 : 50));
    let last;
    for (let count = 0; count < (most === 1 ? 1 : 50); count++) last = await client.response();
    assertEquals(fieldOf(last!, "connection"), expected);
  }
});

Deno.test("finished resolves once, with nothing, however the server ends", async () => {
  const server = serveHere(hello);
  const first = server.finished;
  await Promise.all([server.shutdown(), server.shutdown({ graceMs: 0 }), server.shutdown()]);
  assertStrictEquals(server.finished, first);
  assertEquals(await first, undefined);
});

Deno.test("shutdown() keeps the process alive for its grace, where nothing else does", async () => {
  const [serveUrl, pipeUrl] = ["../../http/serve.ts", "../../nbio/testing_memory_pipe.ts"]
    .map((path) => JSON.stringify(import.meta.resolve(path)));
  // Not awaited at the top: the runtime would wait for that whatever happens.
  const program = `
    import { serve } from ${serveUrl};
    import { memoryPipe } from ${pipeUrl};
    async function main() {
      const [near, far] = memoryPipe();
      const asked = Promise.withResolvers();
      const closed = Promise.withResolvers();
      const offers = [far];
      const listener = {
        addr: far.localAddr,
        accept: async () => offers.pop() ?? await closed.promise,
        close: () => closed.reject(new Deno.errors.BadResource()),
      };
      const server = serve(() => {
        asked.resolve();
        return new Promise(() => {});
      }, { listener });
      await near.write(new TextEncoder().encode("GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n"));
      await asked.promise;
      await server.shutdown({ graceMs: 200 });
      console.log("down");
    }
    main();
  `;
  const url = `data:text/javascript,${encodeURIComponent(program)}`;
  const { code, text } = await runPeer(Deno.execPath(), ["run", "--no-check", url]);
  assertEquals([code, text], [0, "down\n"]);
});
