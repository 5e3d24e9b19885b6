import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import type { HttpServer } from "../../http/serve.ts";
import type { ServeOptions } from "../../http/server_options.ts";
import type { Handler } from "../../http/server_shared.ts";
import { bindReusePort } from "../../nbio/bind_reuse_port.ts";
import { type RawAddress, RawClient } from "../_support/raw_client.ts";
import { fieldOf } from "../_support/raw_response.ts";
import { gate, request } from "../_support/server_harness.ts";
import { fetch, serve } from "../_support/tls_switch.ts";

const HERE = { hostname: "127.0.0.1", port: 0 } as const;
const hello: Handler = (ctx) => ctx.text("hello");

function serveHere(handler: Handler, options: ServeOptions = {}): HttpServer {
  return serve(handler, {
    ...HERE,
    onError: (error) => {
      throw error;
    },
    ...options,
  });
}

function addressOf(server: HttpServer, index = 0): RawAddress {
  const { hostname, port } = server.addrs[index] as Deno.NetAddr;
  return { hostname, port };
}

async function statusFrom(address: RawAddress): Promise<number | undefined> {
  await using client = await RawClient.connect(address);
  await client.send(request("GET /", ["Connection: close"]));
  return (await client.response())?.status;
}

Deno.test("serve() answers over TCP, as fetch() sees it", async () => {
  await using server = serveHere(async (ctx) => {
    ctx.set("x-method", ctx.method);
    ctx.json({ path: ctx.path, body: await ctx.body.text() });
  });
  const { port } = addressOf(server);
  for (let count = 0; count < 3; count++) {
    const response = await fetch(`http://127.0.0.1:${port}/a?b`, { method: "POST", body: "body" });
    assertEquals([response.status, response.headers.get("x-method")], [200, "POST"]);
    assertEquals(await response.json(), { path: "/a", body: "body" });
  }
  await server.shutdown();
});

Deno.test("serve() passes on what fetch() got from another server", async () => {
  await using origin = serveHere((ctx) => {
    ctx.set("x-origin", "yes");
    ctx.stream(ReadableStream.from(["a", "b"]));
  });
  await using proxy = serveHere(() => fetch(`http://127.0.0.1:${addressOf(origin).port}/`));
  const response = await fetch(`http://127.0.0.1:${addressOf(proxy).port}/`);
  assertEquals([response.headers.get("x-origin"), await response.text()], ["yes", "ab"]);
});

Deno.test("serve() throws what cannot be bound, at once", async () => {
  await using server = serveHere(hello);
  const { port } = addressOf(server);
  assertThrows(() => serveHere(hello, { port }), Deno.errors.AddrInUse);
  assertThrows(() => serveHere(hello, { path: "/nowhere/at/all" }), Error);
});

Deno.test("serve() throws a RangeError for options out of range, and binds nothing", () => {
  let listenCount = 0;
  const onListen = () => void listenCount++;
  for (
    const name of ["maxConnections", "maxBodyBytes", "headTimeoutMs", "maxHeaderCount", "port"]
  ) {
    assertThrows(() => serveHere(hello, { [name]: -1, onListen }), RangeError);
  }
  assertThrows(() => serveHere(hello, { listeners: [], onListen }), RangeError);
  assertEquals(listenCount, 0);
});

Deno.test("serve() tells onListen the address before it returns", async () => {
  const seen: Deno.Addr[] = [];
  await using server = serveHere(hello, { onListen: (addr) => seen.push(addr) });
  assertEquals([seen, server.addrs], [[server.addr], [server.addr]]);
  assert(addressOf(server).port > 0);
});

Deno.test("serve() closes again if onListen throws", async () => {
  const failure = new Error("onListen");
  const listener = Deno.listen(HERE);
  const thrown = assertThrows(() =>
    serve(hello, {
      listener,
      onListen: () => {
        throw failure;
      },
    })
  );
  assertStrictEquals(thrown, failure);
  await assertRejects(() => Deno.connect(listener.addr as Deno.ConnectOptions));
});

Deno.test("serve() takes listeners that are open already, several at once", async () => {
  const listeners = [Deno.listen(HERE), Deno.listen(HERE)];
  await using server = serve(hello, { listeners });
  assertEquals(server.addrs, listeners.map((listener) => listener.addr));
  assertEquals(server.addr, listeners[0]!.addr);
  assertEquals([await statusFrom(addressOf(server, 0)), await statusFrom(addressOf(server, 1))], [
    200,
    200,
  ]);
  assertEquals(server.stats().acceptedCount, 2);
  await using single = serve(hello, { listener: Deno.listen(HERE) });
  assertEquals(await statusFrom(addressOf(single)), 200);
});

Deno.test("serve() serves a port that it shares", {
  ignore: Deno.build.os !== "linux", // the only system that balances
}, async () => {
  const first = await bindReusePort(HERE);
  const { port } = first.addr as Deno.NetAddr;
  const listeners = [first, await bindReusePort({ ...HERE, port })];
  await using server = serve(async (ctx) => ctx.text(await ctx.body.text()), { listeners });
  const bodies = ["", "short", "long".repeat(100_000)];
  for (const body of bodies) {
    await using client = await RawClient.connect(addressOf(server));
    for (let round = 0; round < 2; round++) {
      await client.send(request("POST /", [`Content-Length: ${body.length}`]) + body);
      assertEquals((await client.response())?.body, body);
    }
  }
  await server.shutdown();
});

Deno.test({
  name: "serve() listens on a Unix socket, and removes it afterwards",
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/socket`;
    try {
      const server = serve((ctx) => ctx.json([ctx.localAddr.transport, ctx.remoteAddr.transport]), {
        path,
      });
      assertEquals(server.addr, { transport: "unix", path });
      const conn = await Deno.connect({ transport: "unix", path });
      await conn.write(new TextEncoder().encode(request("GET /", ["Connection: close"])));
      const text = await new Response(conn.readable).text();
      assert(text.startsWith("HTTP/1.1 200 OK\r\n") && text.endsWith('["unix","unix"]'), text);
      await server.shutdown();
      await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test("HttpServer.stats() counts", async () => {
  await using server = serveHere(hello);
  assertEquals(server.stats(), {
    acceptedCount: 0,
    connectionCount: 0,
    requestCount: 0,
    protocolErrorCount: 0,
    acceptErrorCount: 0,
  });
  await using good = await RawClient.connect(addressOf(server));
  await good.send(request("GET /").repeat(3));
  for (let count = 0; count < 3; count++) await good.response();
  await using bad = await RawClient.connect(addressOf(server));
  await bad.send("nonsense\r\n\r\n");
  assertEquals((await bad.response())?.status, 400);
  const { acceptedCount, connectionCount, requestCount, protocolErrorCount } = server.stats();
  assertEquals([acceptedCount, connectionCount, requestCount, protocolErrorCount], [2, 2, 3, 1]);
});

Deno.test("maxConnections lets further connections wait", async () => {
  await using server = serveHere(hello, { maxConnections: 1 });
  await using first = await RawClient.connect(addressOf(server));
  await first.send(request("GET /"));
  assertEquals((await first.response())?.status, 200);
  await using second = await RawClient.connect(addressOf(server));
  await second.send(request("GET /"));
  await first.send(request("GET /", ["Connection: close"]));
  assertEquals((await first.response())?.status, 200);
  assertEquals([second.leftover.length, server.stats().acceptedCount], [0, 1]);
  await first[Symbol.asyncDispose]();
  assertEquals((await second.response())?.status, 200);
});

Deno.test("maxConnections bounds all listeners together", async () => {
  const listeners = [Deno.listen(HERE), Deno.listen(HERE)];
  await using server = serve(hello, { listeners, maxConnections: 1 });
  await using first = await RawClient.connect(addressOf(server, 0));
  await first.send(request("GET /"));
  assertEquals((await first.response())?.status, 200);
  await using second = await RawClient.connect(addressOf(server, 1));
  await second.send(request("GET /"));
  await first.send(request("GET /", ["Connection: close"]));
  assertEquals((await first.response())?.status, 200);
  assertEquals([second.leftover.length, server.stats().acceptedCount], [0, 1]);
  await first[Symbol.asyncDispose]();
  assertEquals((await second.response())?.status, 200);
  assertEquals(server.stats().acceptedCount, 2);
});

Deno.test("a server goes on while one of its listeners is left", async () => {
  const listeners = [Deno.listen(HERE), Deno.listen(HERE)];
  await using server = serve(hello, { listeners });
  listeners[0]!.close();
  assertEquals(await statusFrom(addressOf(server, 1)), 200);
  listeners[1]!.close();
  await server.finished;
});

Deno.test("HttpServer.unref() lets the process end, ref() does not", async () => {
  for (
    const [calls, ends] of [["server.unref();", true], ["server.unref(); server.ref();", false]]
  ) {
    const module = new URL("../../http/serve.ts", import.meta.url).href;
    const code = `import { serve } from "${module}";
      const server = serve(() => {}, { hostname: "127.0.0.1", port: 0 });
      ${calls}
      console.log("ready");`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", code],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    if (!ends) child.kill("SIGKILL");
    const { success } = await child.status;
    assertEquals(success, ends);
    await reader.cancel();
  }
});

Deno.test("HttpServer.shutdown() closes what is idle at once, and resolves finished", async () => {
  const server = serveHere(hello);
  await using silent = await RawClient.connect(addressOf(server));
  await using idle = await RawClient.connect(addressOf(server));
  await idle.send(request("GET /"));
  assertEquals((await idle.response())?.status, 200);
  await server.shutdown({ graceMs: Infinity });
  await server.finished;
  assertEquals([await silent.closed(), await idle.closed()], ["eof", "eof"]);
  await assertRejects(() => RawClient.connect(addressOf(server)), Deno.errors.ConnectionRefused);
  assertEquals(server.stats().connectionCount, 0);
});

Deno.test("HttpServer.shutdown() lets what is under way finish, with Connection: close", async () => {
  const started = gate();
  const work = gate();
  const server = serveHere(async (ctx) => {
    started.open();
    await work.passed;
    ctx.text("done");
  });
  await using client = await RawClient.connect(addressOf(server));
  await client.send(request("GET /").repeat(2));
  await started.passed;
  const shutdowns = [server.shutdown(), server.shutdown({ graceMs: Infinity })];
  work.open();
  const response = await client.response();
  assertEquals([response?.body, fieldOf(response!, "connection")], ["done", "close"]);
  await client.sendEnd();
  await Promise.all(shutdowns);
  assertEquals([await client.response(), await client.closed()], [undefined, "eof"]);
  await server.shutdown();
});

Deno.test("HttpServer.shutdown() aborts at the end of the grace", async () => {
  const started = gate();
  let signal: AbortSignal | undefined;
  const server = serveHere((ctx) => {
    signal = ctx.signal;
    started.open();
    // A handler that does not listen must not hold the server.
    return new Promise(() => {});
  });
  await using client = await RawClient.connect(addressOf(server));
  await client.send(request("GET /"));
  await started.passed;
  await server.shutdown({ graceMs: 0 });
  assertEquals([signal!.aborted, await client.closed()], [true, "eof"]);
  assertEquals(client.leftover.length, 0);
});

Deno.test("HttpServer.shutdown() rejects a grace that is no duration", async () => {
  await using server = serveHere(hello);
  for (const graceMs of [-1, NaN]) {
    await assertRejects(() => server.shutdown({ graceMs }), RangeError);
  }
  assertEquals(await statusFrom(addressOf(server)), 200);
});

Deno.test("an aborted signal ends the server, before or after the start", async () => {
  const controller = new AbortController();
  const started = gate();
  const server = serveHere(() => {
    started.open();
    return new Promise(() => {});
  }, { signal: controller.signal });
  await using client = await RawClient.connect(addressOf(server));
  await client.send(request("GET /"));
  await started.passed;
  controller.abort();
  await server.finished;
  const dead = serveHere(hello, { signal: AbortSignal.abort() });
  await dead.finished;
  await assertRejects(() => RawClient.connect(addressOf(dead)));
});

Deno.test("await using shuts the server down", async () => {
  let address: RawAddress;
  {
    await using server = serveHere(hello);
    address = addressOf(server);
    assertEquals(await statusFrom(address), 200);
  }
  await assertRejects(() => RawClient.connect(address));
});

Deno.test("a listener closed by its maker ends the server", async () => {
  const listener = Deno.listen(HERE);
  const server = serve(hello, { listener });
  listener.close();
  await server.finished;
});

Deno.test("errors of the listener go to onError without a context", async () => {
  const told = Promise.withResolvers<[unknown, unknown]>();
  const failure = new Error("EMFILE");
  let failCount = 0;
  const inner = Deno.listen(HERE);
  await using server = serve(hello, {
    listener: {
      addr: inner.addr,
      accept: () => failCount++ === 0 ? Promise.reject(failure) : inner.accept(),
      close: () => inner.close(),
    },
    onError: (error, ctx) => told.resolve([error, ctx]),
  });
  assertEquals(await told.promise, [failure, undefined]);
  assertEquals(await statusFrom(addressOf(server)), 200);
  assertEquals(server.stats().acceptErrorCount, 1);
});

Deno.test("several servers run beside each other", async () => {
  await using first = serveHere((ctx) => ctx.text("first"));
  await using second = serveHere((ctx) => ctx.text("second"));
  const text = async (server: HttpServer) =>
    await (await fetch(`http://127.0.0.1:${addressOf(server).port}/`)).text();
  assertEquals([await text(first), await text(second)], ["first", "second"]);
});
