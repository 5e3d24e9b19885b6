import { assert, assertEquals, assertRejects } from "@std/assert";
import { HttpError, HttpStateError } from "../../http/errors.ts";
import type { HttpServer } from "../../http/serve.ts";
import type { Handler } from "../../http/server_shared.ts";
import type { ServeOptions } from "../../http/server_options.ts";
import type { HandedConnection } from "../../http/server_handover.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { logger } from "../../http/middleware_logger.ts";
import { cors } from "../../http/middleware_cors.ts";
import { requestId } from "../../http/middleware_request_id.ts";
import { secureHeaders } from "../../http/middleware_secure_headers.ts";
import { timeout } from "../../http/middleware_timeout.ts";
import { Router } from "../../http/router.ts";
import { isSettled } from "../../nbio/testing_settle.ts";
import { eventually } from "../_support/peer.ts";
import { connect, serve } from "../_support/tls_switch.ts";

const ASK = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n" +
  "Upgrade: other/1, Echo\r\n\r\n";

/** A client that sees bytes, and nothing else. */
class Client implements Disposable {
  readonly #conn: Deno.Conn;
  #text = "";

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  static async connect(server: HttpServer): Promise<Client> {
    const { port } = server.addr as Deno.NetAddr;
    return new Client(await connect({ hostname: "127.0.0.1", port }));
  }

  async send(text: string): Promise<void> {
    await sendAll(this.#conn, new TextEncoder().encode(text));
  }

  async end(): Promise<void> {
    await this.#conn.closeWrite();
  }

  /** Reads up to and with a text, and gives all that has come so far. */
  async until(text: string): Promise<string> {
    const buffer = new Uint8Array(4_096);
    while (!this.#text.includes(text)) {
      const count = await this.#conn.read(buffer);
      if (count === null) throw new Error(`ended after ${JSON.stringify(this.#text)}`);
      this.#text += new TextDecoder().decode(buffer.subarray(0, count));
    }
    const end = this.#text.indexOf(text) + text.length;
    const taken = this.#text.slice(0, end);
    this.#text = this.#text.slice(end);
    return taken;
  }

  /** Whatever comes until the end of the stream. */
  async rest(): Promise<string> {
    const buffer = new Uint8Array(4_096);
    for (let count; (count = await this.#conn.read(buffer).catch(() => null)) !== null;) {
      this.#text += new TextDecoder().decode(buffer.subarray(0, count));
    }
    return this.#text;
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }
}

function serveHere(handler: Handler, options: ServeOptions = {}): HttpServer {
  return serve(handler, { hostname: "127.0.0.1", port: 0, onError: () => {}, ...options });
}

/** Sends back what comes until the peer ends, first what had been read. */
async function echo({ transport, bytes }: HandedConnection): Promise<void> {
  if (bytes.length > 0) await sendAll(transport, bytes);
  const buffer = new Uint8Array(1_024);
  for (let count; (count = await transport.read(buffer)) !== null;) {
    await sendAll(transport, buffer.subarray(0, count));
  }
  transport.close();
}

Deno.test("ctx.upgrade() answers 101 and gives the connection away", async () => {
  let closedCount = 0;
  await using server = serveHere(async (ctx) => {
    await echo(await ctx.upgrade("echo", [["x-room", "7"]]));
    closedCount++;
    // Ignored, as everything that a handler says afterwards.
    return new Response("late");
  });
  using client = await Client.connect(server);
  // The first bytes of the next protocol come with the request.
  await client.send(`${ASK}first`);
  const head = await client.until("\r\n\r\n");
  assert(head.startsWith("HTTP/1.1 101 Switching Protocols\r\n"));
  assert(/\r\nupgrade: echo\r\nconnection: Upgrade\r\nx-room: 7\r\n\r\n$/i.test(head));
  assertEquals(await client.until("first"), "first");
  await client.send("GET / HTTP/1.1\r\n\r\n");
  assertEquals(await client.until("\r\n\r\n"), "GET / HTTP/1.1\r\n\r\n");
  await client.end();
  assertEquals(await client.rest(), "");
  assertEquals(closedCount, 1);
  assert(await eventually(() => server.stats().connectionCount === 0));
});

Deno.test("ctx.upgrade() loses nothing, however late the handler decides", async () => {
  const { promise: decision, resolve: decide } = Promise.withResolvers<void>();
  await using server = serveHere(async (ctx) => {
    // Long enough for the server to have begun to read ahead.
    await decision;
    await echo(await ctx.upgrade("echo"));
  });
  using client = await Client.connect(server);
  await client.send(`${ASK}one `);
  decide();
  await client.until("\r\n\r\n");
  await client.send("two ");
  await client.send("three");
  assertEquals(await client.until("three"), "one two three");
});

Deno.test("ctx.upgrade() lets the server speak first although a read is under way", async () => {
  const waiting = Promise.withResolvers<void>();
  await using server = serveHere(async (ctx) => {
    await waiting.promise;
    const handed = await ctx.upgrade("echo");
    await sendAll(handed.transport, new TextEncoder().encode("hello"));
    await echo(handed);
  });
  using client = await Client.connect(server);
  await client.send(ASK);
  waiting.resolve();
  assert((await client.until("hello")).endsWith("\r\n\r\nhello"));
  await client.send("x");
  assertEquals(await client.until("x"), "x");
});

Deno.test("answers to pipelined requests leave before the 101", async () => {
  await using server = serveHere((ctx) => {
    if (ctx.path !== "/chat") return ctx.text(ctx.path);
    return ctx.upgrade("echo").then(echo);
  });
  using client = await Client.connect(server);
  await client.send(`GET /a HTTP/1.1\r\nHost: a\r\n\r\n${ASK}tail`);
  const all = await client.until("tail");
  assert(all.indexOf("\r\n\r\n/a") < all.indexOf("HTTP/1.1 101"));
});

for (
  const [name, request] of Object.entries({
    "no Upgrade": "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n",
    "another protocol":
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo2\r\n\r\n",
    "no Connection": "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: echo\r\n\r\n",
    "HTTP/1.0": "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n",
  })
) {
  Deno.test(`ctx.upgrade() refuses a request with ${name}`, async () => {
    let error: unknown;
    await using server = serveHere(async (ctx) => {
      error = await assertRejects(() => ctx.upgrade("echo"), HttpError);
      throw error;
    });
    using client = await Client.connect(server);
    await client.send(request);
    const head = await client.until("\r\n\r\n");
    assert(head.startsWith("HTTP/1.1 426 "), head);
    assert(/\r\nupgrade: echo\r\n/.test(head), head);
    assertEquals((error as HttpError).status, 426);
  });
}

Deno.test("ctx.upgrade() refuses what cannot stand in a 101, and a body that was not read", async () => {
  const codes: string[] = [];
  await using server = serveHere(async (ctx) => {
    const { error, code } = await ctx.upgrade("echo", [["upgrade", "x"]]).then(
      () => ({ error: undefined, code: "" }),
      (error) => ({ error, code: String(error.code) }),
    );
    assert(error instanceof TypeError);
    await assertRejects(() => ctx.upgrade("echo", [["content-length", "1"]]), TypeError);
    await assertRejects(() => ctx.upgrade("e cho"), TypeError);
    codes.push(code, (await assertRejects(() => ctx.upgrade("echo"), HttpStateError)).code);
    assertEquals(await ctx.body.text(), "body");
    await echo(await ctx.upgrade("echo"));
    codes.push((await assertRejects(() => ctx.upgrade("echo"), HttpStateError)).code);
    codes.push((await assertRejects(() => ctx.hijack(), HttpStateError)).code);
  });
  using client = await Client.connect(server);
  await client.send(ASK.replace("Host: a", "Host: a\r\nContent-Length: 4"));
  await client.send("bodyrest");
  await client.until("rest");
  await client.end();
  await client.rest();
  assert(await eventually(() => codes.length === 4));
  assertEquals(codes.slice(1), [
    "ERR_HTTP_BODY_UNREAD",
    "ERR_HTTP_HEAD_COMMITTED",
    "ERR_HTTP_HEAD_COMMITTED",
  ]);
});

Deno.test("an Upgrade that nobody claims is ignored", async () => {
  await using server = serveHere((ctx) => ctx.text("HTTP it is"));
  using client = await Client.connect(server);
  await client.send(`${ASK}${ASK}`);
  for (let count = 0; count < 2; count++) {
    assert((await client.until("HTTP it is")).startsWith("HTTP/1.1 200 "));
  }
});

Deno.test("ctx.hijack() gives the bare connection, also to a synchronous handler", async () => {
  await using server = serveHere((ctx) => {
    void ctx.hijack().then(async ({ transport, bytes }) => {
      const text = `${bytes.length} bytes behind`;
      await sendAll(transport, new TextEncoder().encode(text));
      transport.close();
    });
  });
  using client = await Client.connect(server);
  await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\nabc");
  assertEquals(await client.rest(), "3 bytes behind");
  assert(await eventually(() => server.stats().connectionCount === 0));
});

Deno.test("a connection that was given away outlives its handler and counts until it closes", async () => {
  const handed = Promise.withResolvers<HandedConnection>();
  await using server = serveHere(async (ctx) => handed.resolve(await ctx.upgrade("echo")));
  using client = await Client.connect(server);
  await client.send(ASK);
  await client.until("\r\n\r\n");
  const { transport } = await handed.promise;
  assertEquals(server.stats().connectionCount, 1);
  await sendAll(transport, new TextEncoder().encode("still here"));
  assertEquals(await client.until("here"), "still here");
  transport.close();
  assert(await eventually(() => server.stats().connectionCount === 0));
});

Deno.test("deadlines of HTTP do not hold on a connection that was given away", async () => {
  const options = {
    handlerTimeoutMs: 20,
    idleTimeoutMs: 20,
    headTimeoutMs: 20,
    bodyTimeoutMs: 20,
    writeTimeoutMs: 20,
  };
  let aborted = false;
  await using server = serveHere(async (ctx) => {
    ctx.signal.addEventListener("abort", () => aborted = true);
    await echo(await ctx.upgrade("echo"));
  }, options);
  using client = await Client.connect(server);
  using other = await Client.connect(server);
  await client.send(ASK);
  await client.until("\r\n\r\n");
  // What has no request by then is closed: so much time has passed.
  await other.rest();
  await client.send("alive");
  assertEquals(await client.until("alive"), "alive");
  assertEquals(aborted, false);
});

Deno.test("an error behind the 101 closes the connection and is reported", async () => {
  const reported: unknown[] = [];
  await using server = serveHere(async (ctx) => {
    await ctx.upgrade("echo");
    throw new Error("broken");
  }, { onError: (error) => reported.push(error) });
  using client = await Client.connect(server);
  await client.send(ASK);
  const all = await client.rest();
  assert(all.startsWith("HTTP/1.1 101 ") && !all.includes("500"));
  assertEquals(reported.map(String), ["Error: broken"]);
  assert(await eventually(() => server.stats().connectionCount === 0));
});

Deno.test("a connection that was given away counts until its handler has settled, too", async () => {
  const handler = Promise.withResolvers<void>();
  const server = serveHere(async (ctx) => {
    await echo(await ctx.upgrade("echo"));
    await handler.promise;
  });
  using client = await Client.connect(server);
  await client.send(ASK);
  await client.until("\r\n\r\n");
  await client.end();
  assertEquals(await client.rest(), "");
  assertEquals(server.stats().connectionCount, 1);
  const down = server.shutdown({ graceMs: 60_000 });
  assertEquals(await isSettled(down), false);
  handler.resolve();
  await down;
  assertEquals(server.stats().connectionCount, 0);
});

Deno.test("an error of a handler behind the end of its connection is reported", async () => {
  const reported: unknown[] = [];
  const closed = Promise.withResolvers<void>();
  const server = serveHere(async (ctx) => {
    const { transport } = await ctx.upgrade("echo");
    transport.close();
    await closed.promise;
    throw new Error("late");
  }, { onError: (error) => reported.push(error) });
  using client = await Client.connect(server);
  await client.send(ASK);
  assert((await client.rest()).endsWith("\r\n\r\n"));
  closed.resolve();
  assert(await eventually(() => server.stats().connectionCount === 0));
  assertEquals(reported.map(String), ["Error: late"]);
  await server.shutdown();
});

Deno.test("shutdown() does not wait for a handler that never settles", async () => {
  let signal: AbortSignal | undefined;
  const server = serveHere(async (ctx) => {
    signal = ctx.signal;
    await ctx.upgrade("echo");
    await new Promise(() => {});
  });
  using client = await Client.connect(server);
  await client.send(ASK);
  await client.until("\r\n\r\n");
  await server.shutdown({ graceMs: 0 });
  assertEquals([signal?.aborted, server.stats().connectionCount], [true, 0]);
  assertEquals(await client.rest(), "");
});

Deno.test("a context keeps what it is asked for when its connection was given away", async () => {
  const seen: unknown[] = [];
  const server = serveHere(async (ctx) => {
    const { transport } = await ctx.upgrade("echo");
    // Another request has used the reader since.
    await second.promise;
    seen.push(ctx.path, ctx.headers.get("host"), ctx.status, ctx.signal.aborted);
    seen.push(JSON.stringify(ctx.remoteAddr) === JSON.stringify(transport.remoteAddr));
    try {
      ctx.body;
    } catch (error) {
      seen.push(error instanceof HttpStateError && error.code);
    }
    transport.close();
  });
  const second = Promise.withResolvers<void>();
  using client = await Client.connect(server);
  await client.send(ASK);
  await client.until("\r\n\r\n");
  using other = await Client.connect(server);
  await other.send(ASK.replaceAll("/chat", "/other").replace("Host: a", "Host: b"));
  await other.until("\r\n\r\n");
  second.resolve();
  assertEquals(await client.rest(), "");
  await server.shutdown({ graceMs: 0 });
  const first = ["/chat", "a", 101, false, true, "ERR_HTTP_CONTEXT_EXPIRED"];
  assertEquals(seen.slice(0, 6), first);
});

Deno.test("shutdown() tells who was given a connection, and cuts it at the end of its grace", async () => {
  const told: boolean[] = [];
  const server = serveHere(async (ctx) => {
    const handed = await ctx.upgrade("echo");
    handed.shutdownSignal.addEventListener("abort", () => told.push(true));
    await assertRejects(() => echo(handed));
    told.push(false);
  });
  using client = await Client.connect(server);
  await client.send(ASK);
  await client.until("\r\n\r\n");
  await server.shutdown({ graceMs: 50 });
  assert(await eventually(() => told.length === 2));
  assertEquals(told, [true, false]);
  assertEquals(await client.rest(), "");
});

Deno.test("shutdown() waits for a connection that was given away and says goodbye", async () => {
  const server = serveHere(async (ctx) => {
    const { transport, shutdownSignal } = await ctx.upgrade("echo");
    shutdownSignal.addEventListener("abort", async () => {
      await sendAll(transport, new TextEncoder().encode("bye"));
      transport.close();
    });
  });
  using client = await Client.connect(server);
  await client.send(ASK);
  await client.until("\r\n\r\n");
  const down = server.shutdown({ graceMs: 60_000 });
  assertEquals(await client.rest(), "bye");
  await down;
});

const CONNECT = "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n";

Deno.test("onConnect opens a tunnel by ctx.tunnel()", async () => {
  await using server = serveHere(() => assert(false), {
    onConnect: async (ctx) => {
      assertEquals(ctx.url, "example.com:443");
      await echo(await ctx.tunnel([["x-via", "test"]]));
    },
  });
  using client = await Client.connect(server);
  await client.send(`${CONNECT}early`);
  const head = await client.until("\r\n\r\n");
  assert(/^HTTP\/1.1 200 OK\r\nx-via: test\r\n\r\n$/.test(head), head);
  await client.send(" late");
  assertEquals(await client.until("late"), "early late");
});

Deno.test("CONNECT is 501 without a hook, and what the hook says with one", async () => {
  await using plain = serveHere((ctx) => ctx.text("no"));
  using first = await Client.connect(plain);
  await first.send(CONNECT);
  assert((await first.until("\r\n\r\n")).startsWith("HTTP/1.1 501 "));

  await using hooked = serveHere((ctx) => ctx.tunnel().then(() => {}), {
    onConnect: () => {
      throw new HttpError(403, "Not there");
    },
  });
  using second = await Client.connect(hooked);
  await second.send(CONNECT);
  assert((await second.until("\r\n\r\n")).startsWith("HTTP/1.1 403 "));
  // And no tunnel without CONNECT.
  using third = await Client.connect(hooked);
  await third.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assert((await third.until("\r\n\r\n")).startsWith("HTTP/1.1 500 "));
});

Deno.test("what stands around a handler leaves a connection that was given away alone", async () => {
  const reported: unknown[] = [];
  const app = new Router();
  const lines: string[] = [];
  app.use(
    logger({ sink: (line) => lines.push(line) }),
    requestId(),
    secureHeaders(),
    cors(),
    timeout(20, { graceMs: 0 }),
  );
  app.get("/chat", async (ctx) => {
    await echo(await ctx.upgrade("echo"));
    return new Response("late");
  });
  await using server = serveHere(app.handler, {
    onError: (error) => reported.push(error),
    idleTimeoutMs: 200,
  });
  using client = await Client.connect(server);
  using other = await Client.connect(server);
  await client.send(ASK);
  await client.until("\r\n\r\n");
  // Closed for being idle: much longer than the time limit of the handler.
  await other.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  await other.rest();
  await client.send("alive");
  assertEquals(await client.until("alive"), "alive");
  await client.end();
  assertEquals(await client.rest(), "");
  assert(await eventually(() => lines.some((line) => line.includes(" 101 "))));
  assertEquals(reported, []);
});
