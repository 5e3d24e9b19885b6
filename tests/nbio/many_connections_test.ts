import { assert, assertEquals } from "@std/assert";
import { describeResult, runManyConnections } from "./many_connections.ts";

/** Small enough for every run; `deno run -A tests/nbio/many_connections.ts 10000` for more. */
const CONNECTION_COUNT = 2_000;

Deno.test("serve() echoes over many connections at once, and forgets none and keeps none", {
  ignore: Deno.build.os === "windows", // no ulimit to read
}, async () => {
  const result = await runManyConnections(CONNECTION_COUNT);
  console.log(describeResult(result));
  const { connectionCount, echoCount, open, closed, bytesPerConnection } = result;
  assertEquals(echoCount, connectionCount);
  for (
    const [report, activeCount] of [[open, connectionCount], [closed, 0]] as const
  ) {
    assertEquals([report.acceptedCount, report.activeCount], [connectionCount, activeCount]);
    assertEquals([report.acceptErrorCount, report.errorCount], [0, 0]);
  }
  // It had as many places as there were connections.
  assertEquals([open.waiting, closed.waiting], [true, false]);
  // A promise, a buffer of 64 bytes and what the runtime and its allocator keep: an order of
  // magnitude, to notice a buffer of 64 KiB.
  assert(bytesPerConnection < 32 * 1_024, `Takes ${bytesPerConnection} bytes`);
});
