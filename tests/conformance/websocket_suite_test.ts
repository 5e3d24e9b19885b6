import { assert, assertEquals } from "@std/assert";
import { dial } from "../../websocket/dial.ts";
import { frame } from "../_support/websocket_frames.ts";
import { echo, portOf, serveWebSocket } from "../_support/websocket_harness.ts";
import { close, SHORT_SCALE } from "./websocket_case.ts";
import { runClientSuite } from "./websocket_client_suite.ts";
import type { WebSocketCaseResult } from "./websocket_run_case.ts";
import { openAsServer } from "./websocket_handshake.ts";
import { runServerSuite } from "./websocket_server_suite.ts";
import { websocketCases } from "./websocket_suite.ts";

const CASES = websocketCases(SHORT_SCALE);
const OPTIONS = {
  maxMessageBytes: 16 * 1024 * 1024,
  compression: { serverMaxWindowBits: 15, clientMaxWindowBits: 15 },
};

/** What is not as it should be, and how often there is no right and wrong. */
function blame(results: readonly WebSocketCaseResult[]): [string[], number] {
  const lines = results.filter(({ verdict }) => verdict !== "ok" && verdict !== "informational")
    .map(({ id, name, verdict, detail }) => `${id} ${name}: ${verdict}, ${detail}`);
  return [lines, results.filter(({ verdict }) => verdict === "informational").length];
}

Deno.test("upgrade() passes every case of the raw-socket suite, strictly", async () => {
  await using server = serveWebSocket((ws) => echo(ws).catch(() => {}), OPTIONS);
  const results = await runServerSuite({ hostname: "127.0.0.1", port: portOf(server) }, {
    cases: CASES,
  });
  assertEquals(blame(results), [[], 3]);
});

Deno.test("dial() passes every case of the raw-socket suite, strictly", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `ws://127.0.0.1:${listener.addr.port}/`;
  const running = runClientSuite(listener, { cases: CASES });
  let dialed = 0;
  const work = async (): Promise<void> => {
    while (dialed++ < CASES.length) await dial(url, OPTIONS).then(echo).catch(() => {});
  };
  await Promise.all(Array.from({ length: 4 }, work));
  assertEquals(blame(await running), [[], 3]);
});

Deno.test("websocketCases() has each number once, 517 of them", () => {
  const ids = CASES.map(({ id }) => id);
  assertEquals(ids.filter((id, index) => ids.indexOf(id) !== index), []);
  assertEquals(ids.length, 517);
});

for (const code of [1000, 1002]) {
  Deno.test(`runServerSuite() fails on a server that says ${code} to everybody`, async () => {
    // What such a server gets right by chance.
    const cases = CASES.filter(({ closeCodes = [1000], answers, steps }) =>
      !closeCodes.includes(code) || answers.length > 0 ||
      steps.some((step) => "message" in Object(step))
    ).filter(({ isInformational }) => isInformational !== true);
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const serving = sayToEverybody(listener, frame(close(code)));
    const { hostname, port } = listener.addr;
    const results = await runServerSuite({ hostname, port }, { cases, concurrency: 8 });
    listener.close();
    await serving;
    const right = results.filter(({ verdict }) => verdict === "ok" || verdict === "informational");
    assertEquals(right, []);
    assert(results.length > 200);
  });
}

/** Opens every connection, ends it with those bytes, and reads nothing. */
async function sayToEverybody(listener: Deno.TcpListener, bytes: Uint8Array): Promise<void> {
  const answering: Promise<void>[] = [];
  try {
    for await (const conn of listener) answering.push(sayAndLeave(conn, bytes));
  } catch {
    // The listener was closed.
  }
  await Promise.all(answering);
}

async function sayAndLeave(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  using connection = conn;
  try {
    await openAsServer(connection, { id: "", name: "", steps: [], answers: [] });
    await connection.write(bytes);
    await connection.closeWrite();
    while (await connection.read(new Uint8Array(65_536)) !== null);
  } catch {
    // The client left.
  }
}
