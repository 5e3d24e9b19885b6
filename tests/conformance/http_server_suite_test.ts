import { assert, assertEquals } from "@std/assert";
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

Deno.test("runSuite() fails on a server that takes everything for a request", async () => {
  // Answers each read with 200 and never closes: no refusal may pass here.
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = serveCarelessly(listener);
  const { hostname, port } = listener.addr;
  const cases = HTTP_CASES.filter((item) => item.isRefusal).slice(0, 8);
  const results = await runSuite({ hostname, port }, { cases, timeoutMs: 200 });
  listener.close();
  await serving;
  assertEquals(results.length, cases.length);
  assert(results.every((result) => result.failure !== undefined));
});

async function serveCarelessly(listener: Deno.TcpListener): Promise<void> {
  const answer = new TextEncoder().encode("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
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
