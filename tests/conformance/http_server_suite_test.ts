import { assert, assertEquals } from "@std/assert";
import { RawClient } from "../_support/raw_client.ts";
import { HTTP_CASES, runSuite } from "./http_server_suite.ts";
import { startTarget } from "./http_target.ts";

Deno.test("serve() passes every case of the raw-socket suite", async () => {
  await using target = startTarget();
  const results = await runSuite(target.address);
  const failed = results.filter((result) => result.failure !== undefined);
  const lines = failed.map(({ name, clause, failure }) => `${name} [${clause}]: ${failure}`);
  assertEquals(lines, []);
});

Deno.test("HTTP_CASES has each name once", () => {
  const names = HTTP_CASES.map((item) => item.name);
  assertEquals(names.filter((name, index) => names.indexOf(name) !== index), []);
});

Deno.test("serve() keeps an unfinished request apart from one that overtakes it", async () => {
  await using target = startTarget();
  const wire = "\r\nPOST /target/slow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
    "3;a=b\r\nabc\r\n0\r\nX: 1\r\n\r\n";
  for (let length = 0; length < wire.length; length++) {
    await using slow = await RawClient.connect(target.address);
    await slow.send(wire.slice(0, length));
    await using quick = await RawClient.connect(target.address);
    await quick.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assertEquals((await quick.response())?.body, "OK", `behind ${length} bytes`);
    await slow.send(wire.slice(length));
    assertEquals((await slow.response())?.body, "/target/slow", `behind ${length} bytes`);
  }
});

Deno.test("serve() keeps connections apart whose requests come in turns", async () => {
  await using target = startTarget();
  const requests = Array.from(
    { length: 8 },
    (_, index) =>
      `\r\nPOST / HTTP/1.1\r\nHost: a\r\nX: ${index}\r\nTransfer-Encoding: chunked\r\n\r\n` +
      `4;a="b"\r\nab${index}c\r\n0\r\nX: 1\r\n\r\n`,
  );
  const clients = await Promise.all(requests.map(() => RawClient.connect(target.address)));
  const longest = Math.max(...requests.map((wire) => wire.length));
  for (let offset = 0; offset < longest; offset++) {
    for (const [index, client] of clients.entries()) {
      await client.send(requests[index]!.charAt(offset));
    }
  }
  for (const [index, client] of clients.entries()) {
    assertEquals((await client.response())?.body, `ab${index}c`);
    await client[Symbol.asyncDispose]();
  }
});

const CARELESS = [
  ["takes everything for a request", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", true],
  ["refuses everything", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", false],
] as const;

for (const [name, answer, isRefusal] of CARELESS) {
  Deno.test(`runSuite() fails on a server that ${name}`, async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = serveCarelessly(listener, new TextEncoder().encode(answer));
    const { hostname, port } = listener.addr;
    const cases = HTTP_CASES.filter((item) => (item.isRefusal ?? false) === isRefusal).slice(0, 8);
    const results = await runSuite({ hostname, port }, { cases, timeoutMs: 200 });
    listener.close();
    await serving;
    assertEquals(results.length, cases.length);
    assert(results.every((result) => result.failure !== undefined));
  });
}

/** Answers each read in the same way, and never closes. */
async function serveCarelessly(listener: Deno.TcpListener, answer: Uint8Array): Promise<void> {
  const answering: Promise<void>[] = [];
  try {
    for await (const conn of listener) answering.push(answerAll(conn, answer));
  } catch {
    // The listener was closed.
  }
  await Promise.all(answering);
}

async function answerAll(conn: Deno.TcpConn, answer: Uint8Array): Promise<void> {
  using connection = conn;
  const buffer = new Uint8Array(4096);
  try {
    while (await connection.read(buffer) !== null) await connection.write(answer);
  } catch {
    // The client left.
  }
}
