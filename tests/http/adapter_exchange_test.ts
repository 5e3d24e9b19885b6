import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { AdapterExchange, type AdapterSettings } from "../../http/adapter_exchange.ts";
import { HttpError, HttpStateError } from "../../http/errors.ts";
import type { Context } from "../../http/server_context.ts";
import type { Handler } from "../../http/server_shared.ts";
import { ConnectionClosedError } from "../../nbio/errors.ts";
import { eventually } from "../_support/peer.ts";
import { turn } from "../_support/server_harness.ts";

const REMOTE: Deno.Addr = { transport: "tcp", hostname: "192.0.2.1", port: 1 };

/** Runs a handler; tells of what went wrong. */
function run(handler: Handler, request = new Request("http://a.b:81/c?d")) {
  const reported: unknown[] = [];
  const settings: AdapterSettings = {
    maxBodyBytes: 10,
    decodeBodies: false,
    onError: (error) => void reported.push(error),
  };
  return { response: new AdapterExchange(request, REMOTE, settings).run(handler), reported };
}

/** What a handler sees. */
async function seen<T>(look: (ctx: Context) => T, request?: Request): Promise<T> {
  let value: T;
  await run((ctx) => {
    value = look(ctx);
    ctx.text("");
  }, request).response;
  return value!;
}

Deno.test("AdapterExchange tells of the request", async () => {
  const headers = { "x-a": "1" };
  const request = new Request("http://a.b:81/c?d", { method: "PUT", headers });
  const told = await seen(({ method, url, headers, remoteAddr, tlsInfo }) => {
    return [method, url, headers.get("x-a"), remoteAddr, tlsInfo];
  }, request);
  assertEquals(told, ["PUT", "/c?d", "1", REMOTE, undefined]);
});

for (
  const [url, port, target] of [
    ["http://a/", 80, "/"],
    ["https://a", 443, "/"],
    ["https://a:8443/b", 8443, "/b"],
    ["http://a:80/?", 80, "/?"],
  ] as const
) {
  Deno.test(`AdapterExchange has port ${port} and target ${target} of ${url}`, async () => {
    const request = new Request(url);
    const [local, told] = await seen((ctx) => [ctx.localAddr, ctx.url] as const, request);
    assertEquals([(local as Deno.NetAddr).port, told], [port, target]);
  });
}

Deno.test("AdapterExchange.run() gives an untouched Response back as it is", async () => {
  const web = new Response("a");
  assert(await run(() => web).response === web);
  const other = await run((ctx) => {
    ctx.set("x-a", "b");
    return web;
  }).response;
  assertEquals([other === web, other.headers.get("x-a"), await other.text()], [false, "b", "a"]);
});

Deno.test("AdapterExchange.run() tells once of what breaks a response off", async () => {
  const failure = new Error("no");
  const { response, reported } = run(async (ctx) => {
    await ctx.writer().write(new Uint8Array(1));
    throw failure;
  });
  const reader = (await response).body!.getReader();
  assertEquals((await reader.read()).value, new Uint8Array(1));
  assertEquals(await assertRejects(() => reader.read()), failure);
  await turn();
  assertEquals(reported, [failure]);
});

Deno.test("AdapterExchange.run() takes it for nobody's fault that a client leaves", async () => {
  const caught: unknown[] = [];
  const { response, reported } = run(async (ctx) => {
    const writer = ctx.writer();
    try {
      for (;;) await writer.write(new Uint8Array(1));
    } catch (error) {
      caught.push(error);
      throw error;
    }
  });
  const reader = (await response).body!.getReader();
  await reader.read();
  await reader.cancel();
  assert(await eventually(() => caught.length === 1));
  await turn();
  assertInstanceOf(caught[0], ConnectionClosedError);
  assertEquals(reported, []);
});

Deno.test("AdapterExchange.run() never rejects", async () => {
  const failure = new Error("no");
  for (
    const fail of [() => Promise.reject(failure), () => {
      throw failure;
    }]
  ) {
    const { response, reported } = run(fail);
    assertEquals([(await response).status, reported], [500, [failure]]);
  }
});

Deno.test("AdapterExchange.run() answers an HttpError with its status, and reports no fault", async () => {
  const { response, reported } = run(() => {
    throw new HttpError(404, "none");
  });
  assertEquals([(await response).status, reported], [404, []]);
});

Deno.test("AdapterExchange answers a body that is too long with 413", async () => {
  const request = new Request("http://a/", { method: "POST", body: "x".repeat(11) });
  const { response } = run(async (ctx) => ctx.text(await ctx.body.text()), request);
  assertEquals((await response).status, 413);
});

Deno.test("AdapterExchange sends pieces as they are written, with the head before them", async () => {
  let close!: () => void;
  const closed = new Promise<void>((resolve) => close = resolve);
  const { response, reported } = run(async (ctx) => {
    ctx.status = 201;
    const writer = ctx.writer();
    const bytes = Uint8Array.of(65);
    await writer.write(bytes);
    // The other server must not see it.
    bytes[0] = 66;
    await closed;
    await writer.close();
  });
  const { status, body } = await response;
  const reader = body!.getReader();
  assertEquals([status, [...(await reader.read()).value!]], [201, [65]]);
  close();
  assertEquals([(await reader.read()).done, reported], [true, []]);
});

Deno.test("AdapterExchange breaks a body off whose writer was not closed", async () => {
  const { response, reported } = run((ctx) => void ctx.writer());
  await assertRejects(async () => await (await response).text());
  assertInstanceOf(reported[0], HttpStateError);
});

Deno.test("AdapterExchange tells writer and signal of a client that leaves", async () => {
  let signal!: AbortSignal;
  let failure: unknown;
  const { response } = run(async (ctx) => {
    ({ signal } = ctx);
    const writer = ctx.writer();
    try {
      for (;;) await writer.write("a");
    } catch (error) {
      failure = error;
    }
    await writer.close().catch(() => {});
  });
  await (await response).body!.cancel("gone");
  assert(await eventually(() => failure !== undefined && signal.aborted));
  assertInstanceOf(failure, ConnectionClosedError);
});

Deno.test("AdapterExchange.signal aborts with that of the request, early or late", async () => {
  for (const isEarly of [true, false]) {
    const controller = new AbortController();
    const reason = new Error("gone");
    if (isEarly) controller.abort(reason);
    const request = new Request("http://a/", { signal: controller.signal });
    const signal = await seen((ctx) => ctx.signal, request);
    assertEquals(signal.aborted, isEarly);
    controller.abort(reason);
    assertEquals([signal.aborted, signal.reason], [true, reason]);
  }
});

Deno.test("AdapterExchange lets go of a stream that nobody will read", async () => {
  for (const method of ["HEAD", "GET"]) {
    let cancelCount = 0;
    const request = new Request("http://a/", { method });
    const { response } = run((ctx) => {
      if (method === "GET") ctx.status = 204;
      ctx.stream(new ReadableStream({ cancel: () => void cancelCount++ }));
    }, request);
    assertEquals((await response).body, null);
    await turn();
    assertEquals(cancelCount, 1);
  }
});

Deno.test("AdapterExchange gives no connection away", async () => {
  for (const ask of ["upgrade", "hijack", "tunnel"] as const) {
    const { response } = run(async (ctx) => {
      await (ask === "upgrade" ? ctx.upgrade("x") : ctx[ask]());
    });
    assertEquals((await response).status, 501);
  }
});
