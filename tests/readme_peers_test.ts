/** Holds what README's comparison says of the runtime's own servers and clients, over sockets. */

import { Client } from "@nbio/net/http";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { honestAnswer, respond, ScriptedDnsServer } from "./_support/dns_server.ts";
import { RawClient } from "./_support/raw_client.ts";

const LOCAL = { hostname: "127.0.0.1", port: 0 } as const;
const UPGRADE = "Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/** A masked close frame without a code. */
const CLOSE_FRAME = new Uint8Array([0x88, 0x80, 0, 0, 0, 0]);

/**
 * What `Deno.serve` answers to a request that has it close the connection, and the fields its
 * handler has seen. The client ends nothing: the server would take that for a client that has left.
 */
async function askDenoServe(
  request: string | Uint8Array,
  handler: Deno.ServeHandler = async (request) => new Response(`${(await request.bytes()).length}`),
): Promise<{ answer: string; fields: [string, string][] }> {
  let fields: [string, string][] = [];
  await using server = Deno.serve({ ...LOCAL, onListen() {} }, (request, info) => {
    fields = [...request.headers];
    return handler(request, info);
  });
  const { port } = server.addr;
  await using client = await RawClient.connect({ hostname: "127.0.0.1", port });
  await client.send(request);
  await client.closed();
  return { answer: new TextDecoder().decode(client.leftover), fields };
}

/** A server that gives every connection the same bytes, and keeps what it was sent. */
class CannedServer implements AsyncDisposable {
  /** The first read of each connection. */
  readonly requests: string[] = [];
  readonly #listener = Deno.listen(LOCAL);
  readonly #tasks: Promise<void>[] = [];
  readonly #answer: Uint8Array<ArrayBuffer>;

  constructor(answer: string) {
    this.#answer = new TextEncoder().encode(answer);
    this.#tasks.push(this.#accept());
  }

  get authority(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) this.#tasks.push(this.#talk(connection));
  }

  async #talk(connection: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(4_096);
    const count = await connection.read(buffer) ?? 0;
    this.requests.push(new TextDecoder().decode(buffer.subarray(0, count)));
    if (this.#answer.length > 0) await connection.write(this.#answer);
    connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await Promise.all(this.#tasks);
  }
}

Deno.test("Deno.serve shows header fields sorted, joined and in lower case", async () => {
  const { fields } = await askDenoServe(
    "GET / HTTP/1.1\r\nHost: a\r\nX-B: 1\r\nx-a: 2\r\nX-B: 3\r\nConnection: close\r\n\r\n",
  );
  assertEquals(fields.filter(([name]) => name.startsWith("x-")), [["x-a", "2"], ["x-b", "1, 3"]]);
});

Deno.test("Deno.serve shows no trailers", async () => {
  const { answer, fields } = await askDenoServe(
    "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" +
      "3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n",
  );
  assert(answer.endsWith("\r\n\r\n3"));
  assertEquals(fields.some(([name]) => name === "x-late"), false);
  assertEquals("trailers" in Request.prototype, false);
});

Deno.test("Deno.serve sends 100 ahead of a refusal", async () => {
  const refuse = () => new Response(null, { status: 413 });
  await using server = Deno.serve({ ...LOCAL, onListen() {} }, refuse);
  await using client = await RawClient.connect({ hostname: "127.0.0.1", port: server.addr.port });
  await client.send(
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n",
  );
  const statuses = [(await client.response())?.status, (await client.response())?.status];
  assertEquals(statuses, [100, 413]);
});

for (
  const [name, head] of [["bare LF", "GET / HTTP/1.1\nHost: a\n"], [
    "no Host",
    "GET / HTTP/1.1\r\n",
  ]]
) {
  Deno.test(`Deno.serve accepts a request with ${name}`, async () => {
    const end = head!.includes("\r") ? "\r\n" : "\n";
    const { answer } = await askDenoServe(`${head}Connection: close${end}${end}`);
    assert(answer.startsWith("HTTP/1.1 200 "));
  });
}

Deno.test("Deno.serve refuses two Host fields, and has no bound on a body", async () => {
  const { answer } = await askDenoServe("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
  assert(answer.startsWith("HTTP/1.1 400 "));
  const size = 17 * 1024 * 1024;
  const large = await askDenoServe(
    `POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n` +
      "x".repeat(size),
  );
  assert(large.answer.endsWith(`\r\n\r\n${size}`));
});

Deno.test("Deno gives a connection away to WebSocket only", () => {
  assertEquals(Object.keys(Deno).filter((name) => /upgrade|hijack/i.test(name)), [
    "upgradeWebSocket",
  ]);
});

Deno.test("fetch shows neither informational responses nor trailers, and keeps no cookies", async () => {
  await using server = new CannedServer(
    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nSet-Cookie: s=1\r\n" +
      "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Late: 1\r\n\r\n",
  );
  using client = Deno.createHttpClient({});
  for (let count = 0; count < 2; count++) {
    const response = await fetch(`http://${server.authority}/`, { client });
    assertEquals([response.status, await response.text()], [200, "abc"]);
    assertEquals([response.headers.has("link"), response.headers.has("x-late")], [false, false]);
    assertEquals("trailers" in response, false);
  }
  assertEquals(server.requests.some((request) => /^cookie:/im.test(request)), false);
});

Deno.test("fetch sends fields in lower case and another order, and asks for gzip and br", async () => {
  await using server = new CannedServer("HTTP/1.1 204 No Content\r\n\r\n");
  using client = Deno.createHttpClient({});
  const headers: [string, string][] = [["X-B", "1"], ["x-a", "2"], ["X-B", "3"]];
  await fetch(`http://${server.authority}/`, { client, headers });
  const lines = server.requests[0]!.split("\r\n");
  assertEquals(lines.filter((line) => /^x-/i.test(line)), ["x-b: 1", "x-b: 3", "x-a: 2"]);
  assert(lines.includes("accept-encoding: gzip,br"));
});

Deno.test("Client sends fields as they are given, and asks again for what could be cached", async () => {
  await using server = new CannedServer(
    "HTTP/1.1 204 No Content\r\nCache-Control: max-age=60\r\nConnection: close\r\n\r\n",
  );
  await using client = new Client();
  const headers: [string, string][] = [["X-B", "1"], ["x-a", "2"], ["X-B", "3"]];
  for (let count = 0; count < 2; count++) {
    await (await client.get(`http://${server.authority}/`, { headers })).bytes();
  }
  const lines = server.requests.map((one) => one.split("\r\n").filter((line) => /^x-/i.test(line)));
  assertEquals(lines, [["X-B: 1", "x-a: 2", "X-B: 3"], ["X-B: 1", "x-a: 2", "X-B: 3"]]);
});

Deno.test("new WebSocket offers no compression, sends own fields, and cannot be slowed", async () => {
  await using server = new CannedServer("");
  const options = { headers: { "x-own": "1" } } as unknown as string[];
  const socket = new WebSocket(`ws://${server.authority}/`, options);
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.onerror = () => {};
  socket.onclose = () => resolve();
  await promise;
  const request = server.requests[0]!;
  assert(/^x-own: 1\r$/m.test(request));
  assertEquals(/^sec-websocket-extensions:/im.test(request), false);
  assertEquals(["pause", "ping", "readMessage"].filter((name) => name in WebSocket.prototype), []);
});

Deno.test("Deno.upgradeWebSocket accepts any origin, and declines compression", async () => {
  const head = new TextEncoder().encode(
    `GET / HTTP/1.1\r\n${UPGRADE}Origin: http://evil.example\r\n` +
      "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
  );
  const { answer } = await askDenoServe(
    new Uint8Array([...head, ...CLOSE_FRAME]),
    (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onerror = () => {};
      return response;
    },
  );
  assert(answer.startsWith("HTTP/1.1 101 "));
  assertEquals(/^sec-websocket-extensions:/im.test(answer), false);
});

Deno.test("Deno.resolveDns tells no TTL, no reason, and asks every time", async () => {
  await using server = await ScriptedDnsServer.open((query) => {
    const { name } = query.message.questions[0]!;
    if (name.startsWith("www.")) return query.send(honestAnswer(query));
    return query.send(respond(query, name.startsWith("none.") ? { rcode: "NXDOMAIN" } : {}));
  });
  const nameServer = { ipAddr: server.address.address, port: server.address.port };
  const ask = (name: string, type: Deno.RecordType = "A") =>
    Deno.resolveDns(name, type as "A", { nameServer });
  assertEquals(await ask("www.example."), ["192.0.2.1"]);
  assertEquals(await ask("www.example."), ["192.0.2.1"]);
  assertEquals(server.queries.length, 2);
  await assertRejects(() => ask("none.example."), Deno.errors.NotFound);
  await assertRejects(() => ask("empty.example."), Deno.errors.NotFound);
  await assertRejects(() => ask("www.example.", "TYPE65280" as Deno.RecordType), TypeError);
});
