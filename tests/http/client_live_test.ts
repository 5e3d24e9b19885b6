/** The client's connection over real sockets: our own server, that of node, and hostile ones. */

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { createServer, type Server } from "node:http";
import { ClientConnection } from "../../http/client_connection.ts";
import { exchange } from "../../http/client_exchange.ts";
import type { ExchangeRequest } from "../../http/client_sender.ts";
import { dialHttp } from "../../http/dial.ts";
import { HttpProtocolError } from "../../http/errors.ts";
import type { Handler } from "../../http/server_shared.ts";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import { closeQuietly, type Transport } from "../../nbio/transport.ts";
import { errorOf, GET } from "../_support/client_harness.ts";
import { eventually } from "../_support/peer.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { resettablePair, socketPair } from "../_support/socket_pair.ts";
import { CA_CERT, startTlsServer } from "../_support/tls_server.ts";
import { originAt, serve, trust } from "../_support/tls_switch.ts";

/** Runs a test against our own server. */
async function withServer(
  handler: Handler,
  test: (connection: ClientConnection) => Promise<void>,
): Promise<void> {
  await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
  const { port } = server.addr as Deno.NetAddr;
  const { transport } = await dialHttp(originAt(port), trust);
  const connection = new ClientConnection(transport);
  try {
    await test(connection);
  } finally {
    connection.close();
  }
}

async function* pieces(count: number, length: number): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < count; index++) yield await new Uint8Array(length).fill(index);
}

Deno.test("a connection to our own server takes many exchanges of every kind", async () => {
  const handler: Handler = async (ctx) => {
    if (ctx.method === "POST") ctx.bytes(await ctx.body.bytes());
    else ctx.text(ctx.path);
  };
  await withServer(handler, async (connection) => {
    for (let round = 0; round < 50; round++) {
      const got = await connection.exchange({ ...GET, target: `/${round}` });
      assertEquals(textOf(await got.bytes()), `/${round}`);
      const head = await connection.exchange({ ...GET, method: "HEAD" });
      assertEquals((await head.bytes()).length, 0);
      const request: ExchangeRequest = { ...GET, method: "POST", body: pieces(5, round * 1_000) };
      const posted = await connection.exchange(request);
      assertEquals((await posted.bytes()).length, 5_000 * round);
      await posted.ended;
      assertEquals(connection.endReason, undefined);
    }
  });
});

Deno.test("a connection carries megabytes in both directions at once", async () => {
  await withServer((ctx) => ctx.stream(ctx.body.stream), async (connection) => {
    const response = await connection.exchange({
      ...GET,
      method: "POST",
      body: pieces(200, 50_000),
    });
    let length = 0;
    for await (const chunk of response) length += chunk.length;
    assertEquals(length, 10_000_000);
    await response.ended;
    assertEquals(connection.isReusable, true);
  });
});

Deno.test("a connection waits for the 100 of a server that looks before it reads", async () => {
  const handler: Handler = async (ctx) => {
    if (ctx.path === "/no") return ctx.text("no");
    ctx.text(`${(await ctx.body.bytes()).length}`);
  };
  const request = { method: "POST", headers: { host: "a", expect: "100-continue" } };
  await withServer(handler, async (connection) => {
    const told: number[] = [];
    const taken = await connection.exchange(
      { ...request, target: "/yes", body: pieces(3, 100) },
      { onInformational: ({ status }) => told.push(status), continueTimeoutMs: 0 },
    );
    assertEquals([textOf(await taken.bytes()), told], ["300", [100]]);
    const refused = await connection.exchange(
      { ...request, target: "/no", body: pieces(3, 100) },
      { continueTimeoutMs: 0 },
    );
    assertEquals(textOf(await refused.bytes()), "no");
    await refused.ended;
    assertEquals(connection.isReusable, false);
  });
});

Deno.test("a connection reads the refusal of a body that is far too large", async () => {
  const handler: Handler = async (ctx) => {
    await ctx.body.bytes({ maxBytes: 1_000 });
  };
  await withServer(handler, async (connection) => {
    const body = new Uint8Array(50_000_000);
    const response = await connection.exchange({ ...GET, method: "POST", body });
    assertEquals(response.status, 413);
    await response.bytes();
    await response.ended;
    assertEquals(connection.endReason !== undefined, true);
  });
});

Deno.test("a connection is handed over by our own server", async () => {
  const handler: Handler = async (ctx) => {
    const { transport } = await ctx.upgrade("echo");
    const space = new Uint8Array(100);
    for (let count; (count = await transport.read(space)) !== null;) {
      await transport.write(space.subarray(0, count));
    }
    transport.close();
  };
  await withServer(handler, async (connection) => {
    const { status, handover } = await connection.exchange({
      target: "/",
      headers: { host: "a", connection: "upgrade", upgrade: "echo" },
    });
    const { transport, bytes } = handover!;
    assertEquals([status, bytes.length], [101, 0]);
    await transport.write(bytesOf("hello"));
    const space = new Uint8Array(100);
    assertEquals(textOf(space.subarray(0, (await transport.read(space))!)), "hello");
    transport.close();
  });
});

Deno.test("an exchange works over TLS", async () => {
  await using server = startTlsServer({
    alpnProtocols: ["http/1.1"],
    serve: async (connection) => {
      const space = new Uint8Array(1_000);
      for (let text = ""; !text.endsWith("\r\n\r\n");) {
        text += textOf(space.subarray(0, (await connection.read(space)) ?? 0));
      }
      await connection.write(bytesOf("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
      await connection.closeWrite();
    },
  });
  const { transport } = await dialHttp(`https://localhost:${server.port}`, {
    family: 4,
    tls: { caCerts: [CA_CERT] },
  });
  const response = await exchange(transport, GET);
  assertEquals(textOf(await response.bytes()), "ok");
  await response.ended;
});

async function startNodeServer(): Promise<{ server: Server; port: number } & AsyncDisposable> {
  const server = createServer((request, response) => {
    const chunks: Uint8Array[] = [];
    request.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    request.on("end", () => {
      const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      response.setHeader("x-length", length);
      if (request.url === "/chunked") {
        response.write("one ");
        response.end("two");
      } else response.end("whole");
    });
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const closed = Promise.withResolvers<void>();
  return {
    server,
    port: (server.address() as { port: number }).port,
    async [Symbol.asyncDispose](): Promise<void> {
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}

Deno.test("a connection understands the server of node", async () => {
  await using node = await startNodeServer();
  const { transport } = await dialHttp(`http://127.0.0.1:${node.port}`);
  const connection = new ClientConnection(transport);
  const bodies = [undefined, bytesOf("hello"), pieces(10, 10_000)];
  for (const [index, body] of bodies.entries()) {
    for (const target of ["/whole", "/chunked"]) {
      const isUsed = index === 2 && target === "/chunked";
      const response = await connection.exchange({
        method: body === undefined ? "GET" : "POST",
        target,
        headers: { host: "a" },
        ...body !== undefined && { body: isUsed ? pieces(10, 10_000) : body },
      });
      assertEquals(response.headers.get("x-length"), ["0", "5", "100000"][index]);
      assertEquals(textOf(await response.bytes()), target === "/whole" ? "whole" : "one two");
      assertEquals(connection.endReason, undefined);
    }
  }
  connection.close();
});

/** What a server does with a connection that has sent it a request. */
type Behaviour = (connection: Transport) => Promise<unknown>;

const HOSTILE: readonly { name: string; act: Behaviour; judge: (error: unknown) => void }[] = [
  {
    name: "leaves without a word",
    act: (connection) => Promise.resolve(connection.close()),
    judge: (error) => {
      assertInstanceOf(error, ConnectionClosedError);
      assertEquals(error.bytesReceived, 0);
    },
  },
  {
    name: "leaves in the middle of a body",
    act: async (connection) => {
      await connection.write(bytesOf("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"));
      connection.close();
    },
    judge: (error) => {
      assertInstanceOf(error, HttpProtocolError);
      assertEquals(error.code, "ERR_HTTP_TRUNCATED_MESSAGE");
    },
  },
  {
    name: "ends only its direction in the middle of a head",
    act: async (connection) => {
      await connection.write(bytesOf("HTTP/1.1 200 OK\r\n"));
      await connection.closeWrite();
    },
    judge: (error) => assertInstanceOf(error, HttpProtocolError),
  },
  {
    name: "floods with informational responses",
    act: async (connection) => {
      const flood = bytesOf("HTTP/1.1 102 P\r\n\r\n".repeat(1_000));
      for (let round = 0; round < 1_000; round++) await connection.write(flood);
    },
    judge: (error) => assertEquals((error as { limit: string }).limit, "maxInformationalResponses"),
  },
  {
    name: "floods with a head",
    act: async (connection) => {
      await connection.write(bytesOf("HTTP/1.1 200 OK\r\n"));
      const flood = bytesOf(`x: ${"y".repeat(10_000)}\r\n`);
      for (let round = 0; round < 1_000; round++) await connection.write(flood);
    },
    judge: (error) => assertEquals((error as { limit: string }).limit, "maxHeaderBytes"),
  },
  {
    name: "is silent",
    act: () => Promise.resolve(),
    judge: (error) => {
      assertInstanceOf(error, TimeoutError);
      assertEquals(error.phase, "first-byte");
    },
  },
  {
    name: "falls silent in the middle of a body",
    act: (connection) =>
      connection.write(bytesOf("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")),
    judge: (error) => {
      assertInstanceOf(error, TimeoutError);
      assertEquals(error.phase, "body");
    },
  },
];

for (const { name, act, judge } of HOSTILE) {
  Deno.test(`an exchange survives a server that ${name}`, async () => {
    const [client, server] = await socketPair();
    const acting = (async () => {
      try {
        await server.read(new Uint8Array(1_000));
        await act(server);
      } catch {
        // The client has closed.
      }
    })();
    const answered = exchange(client, GET, { firstByteTimeoutMs: 200, bodyTimeoutMs: 200 })
      .then((response) => response.bytes());
    judge(await errorOf(answered));
    await acting;
    closeQuietly(server);
  });
}

Deno.test("an exchange survives a reset at every point", async () => {
  const wire = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel";
  for (const length of [0, 10, wire.length]) {
    const [socket, client] = await resettablePair();
    const answered = exchange(client, GET).then((response) => response.bytes());
    answered.catch(() => {});
    const requested = Promise.withResolvers<void>();
    socket.once("data", () => requested.resolve());
    await requested.promise;
    if (length > 0) {
      const written = Promise.withResolvers<void>();
      socket.write(wire.slice(0, length), () => written.resolve());
      await written.promise;
    }
    socket.resetAndDestroy();
    const error = await errorOf(answered);
    assertInstanceOf(error, ConnectionClosedError);
    assert(error.bytesReceived <= length);
  }
});

Deno.test("a watched connection notices a server that closes it while it is idle", async () => {
  const [client, server] = await socketPair();
  const connection = new ClientConnection(client);
  let isTold = false;
  connection.watch(() => isTold = true);
  server.close();
  assert(await eventually(() => isTold));
  assertEquals(connection.endReason, "peer-ended");
});
