import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { serve } from "../../http/serve.ts";
import type { PreforkLink, PreforkLinkEvents } from "../../nbio/prefork_link.ts";
import { PreforkWorker } from "../../nbio/prefork_worker.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { freePort } from "../_support/listening_program.ts";
import { eventually } from "../_support/peer.ts";
import { RawClient } from "../_support/raw_client.ts";

const ignore = Deno.build.os !== "linux";

/** A worker, and what its supervisor hears and says. */
function create(drainMs = 0) {
  const words: string[] = [];
  let events: PreforkLinkEvents | undefined;
  const link: PreforkLink = {
    open: (given) => events = given,
    ready: () => words.push("ready"),
    close: () => words.push("close"),
    exit: (code) => words.push(`exit ${code}`),
  };
  const common = { id: 1, index: 0, mode: "processes", workers: 1, args: [] } as const;
  const settings = { ...common, drainMs, graceMs: 60_000, supervisorPid: 1 };
  const clock = new ManualClock();
  return {
    worker: new PreforkWorker(settings, link, clock),
    words,
    clock,
    stop: () => events!.onStop(),
    /** Lets time pass until it has said a number of words. */
    says: (count: number) =>
      eventually(() => {
        clock.advance(10);
        return words.length === count;
      }),
  };
}

Deno.test("serve() with a worker gets it ready, and stops with it", { ignore }, async () => {
  const { worker, words, stop, says } = create();
  const port = freePort();
  const server = serve((ctx) => ctx.text(`worker ${worker.index}`), {
    hostname: "127.0.0.1",
    port,
    worker,
  });
  assert(await says(1));
  const response = await fetch(`http://127.0.0.1:${port}/`);
  assertEquals(await response.text(), "worker 0");
  stop();
  assert(await says(2));
  await server.finished;
  assertEquals(words, ["ready", "close"]);
  await assertRejects(() => Deno.connect({ hostname: "127.0.0.1", port }));
});

Deno.test("two servers with workers share a port", { ignore }, async () => {
  const port = freePort();
  const workers = [create(), create()];
  const servers = workers.map(({ worker }, index) =>
    serve((ctx) => ctx.text(String(index)), { hostname: "127.0.0.1", port, worker })
  );
  for (const { says } of workers) assert(await says(1));
  const names = new Set<string>();
  for (let i = 0; i < 64; i++) {
    const headers = { connection: "close" };
    names.add(await (await fetch(`http://127.0.0.1:${port}/`, { headers })).text());
  }
  assertEquals(names.size, 2);
  for (const { stop } of workers) stop();
  for (const { says } of workers) assert(await says(2));
  await Promise.all(servers.map(({ finished }) => finished));
});

Deno.test("serve() with a worker sends clients that ask on away before it cuts anybody off", {
  ignore,
}, async () => {
  const { worker, stop, clock, says } = create(100);
  const address = { hostname: "127.0.0.1", port: freePort() };
  const server = serve((ctx) => ctx.text("x"), { ...address, worker });
  assert(await says(1));
  await using client = await RawClient.connect(address);
  const ask = async () => {
    await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const response = await client.response();
    return response?.fields.find(([name]) => name.toLowerCase() === "connection")?.[1];
  };
  assertEquals(await ask(), "keep-alive");
  stop();
  // It accepts for a while yet, and whoever came back could get to it again.
  assertEquals([await ask(), worker.isLeaving], [undefined, false]);
  assert(await eventually(() => (clock.advance(10), worker.isLeaving)));
  assertEquals([await ask(), server.stats().requestCount], ["close", 3]);
  assertEquals(await client.closed(), "eof");
  assert(await says(2));
  await server.finished;
});

Deno.test("serve() with a worker ends it when the server ends by itself", { ignore }, async () => {
  const { worker, words, says } = create();
  const server = serve(() => {}, { hostname: "127.0.0.1", port: freePort(), worker });
  assert(await says(1));
  await server.shutdown();
  assert(await says(2));
  assertEquals(words, ["ready", "close"]);
});

Deno.test("serve() with a worker throws a RangeError on port 0", () => {
  const { worker } = create();
  assertThrows(() => serve(() => {}, { port: 0, worker }), RangeError);
});

Deno.test("serve() without a worker serves alone", async () => {
  const options = { hostname: "127.0.0.1", port: 0, worker: undefined };
  await using server = serve((ctx) => ctx.text("alone"), options);
  const { port } = server.addr as Deno.NetAddr;
  const response = await fetch(`http://127.0.0.1:${port}/`);
  assertEquals(await response.text(), "alone");
});
