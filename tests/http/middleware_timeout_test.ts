import { assertEquals, assertThrows } from "@std/assert";
import { HttpError } from "../../http/errors.ts";
import { compose, type Middleware } from "../../http/middleware.ts";
import { type HandlerTimeoutOptions, timeout } from "../../http/middleware_timeout.ts";
import { Router } from "../../http/router.ts";
import type { Handler } from "../../http/server_shared.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { RawClient } from "../_support/raw_client.ts";
import { fieldOf } from "../_support/raw_response.ts";
import { gate, post, request, ServerHarness, turn } from "../_support/server_harness.ts";
import { serve } from "../_support/tls_switch.ts";

const LIMIT_MS = 1_000;
const GRACE_MS = 500;
/** A deadline may pass this late. */
const LATE_MS = 101;

/** A server with a limit, on time of the test's own. */
class Limited implements AsyncDisposable {
  readonly clock: ManualClock = new ManualClock();
  readonly harness: ServerHarness;

  constructor(handler: Handler, options: HandlerTimeoutOptions = {}) {
    const limit = timeout(LIMIT_MS, { graceMs: GRACE_MS, clock: this.clock, ...options });
    this.harness = new ServerHarness(compose([limit], handler));
  }

  async advance(durationMs: number): Promise<void> {
    this.clock.advance(durationMs);
    await turn();
  }

  get errors(): unknown[] {
    return this.harness.reported.map(({ error }) => error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.harness[Symbol.asyncDispose]();
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  );
}

Deno.test("timeout() lets what is quick pass and leaves nothing armed", async () => {
  const door = gate();
  for (const handler of [() => {}, () => door.passed] as (() => void | Promise<void>)[]) {
    await using limited = new Limited(async (ctx) => {
      await handler();
      ctx.text("quick");
    });
    const client = await limited.harness.open(request("GET /"));
    await limited.advance(LIMIT_MS - 1);
    door.open();
    await turn();
    assertEquals((await client.response()).body, "quick");
    assertEquals(limited.clock.pendingCount, 0);
    assertEquals(limited.errors, []);
  }
});

Deno.test("timeout() answers 503 when a handler fails with the reason of its signal", async () => {
  const reasons: unknown[] = [];
  await using limited = new Limited((ctx) => {
    ctx.signal.addEventListener("abort", () => reasons.push(ctx.signal.reason));
    return untilAborted(ctx.signal);
  });
  const client = await limited.harness.open(request("GET /"));
  await limited.advance(LIMIT_MS - 1);
  assertEquals(await client.maybeResponse(), undefined);
  await limited.advance(LATE_MS);
  const response = await client.response();
  assertEquals(response.status, 503);
  assertEquals(fieldOf(response, "connection"), "keep-alive");
  const [reason] = reasons;
  assertEquals(reason instanceof TimeoutError, true);
  const { phase, timeoutMs } = reason as TimeoutError;
  assertEquals([phase, timeoutMs], ["handler", LIMIT_MS]);
  assertEquals(limited.errors, [reason]);
  assertEquals(limited.clock.pendingCount, 0);
});

Deno.test("timeout() answers 503 when a handler fails in its own way", async () => {
  await using limited = new Limited((ctx) =>
    untilAborted(ctx.signal).catch(() => {
      throw new DOMException("Aborted", "AbortError");
    })
  );
  const client = await limited.harness.open(request("GET /"));
  await limited.advance(LIMIT_MS + LATE_MS);
  assertEquals((await client.response()).status, 503);
});

Deno.test("timeout() keeps what a handler answers in spite of it", async () => {
  for (const status of [200, 409]) {
    await using limited = new Limited(async (ctx) => {
      await untilAborted(ctx.signal).catch(() => {});
      if (status !== 200) throw new HttpError(status, "Busy");
      ctx.text("half of it");
    });
    const client = await limited.harness.open(request("GET /"));
    await limited.advance(LIMIT_MS + LATE_MS);
    assertEquals((await client.response()).status, status);
    assertEquals(limited.errors, []);
  }
});

Deno.test("timeout() leaves a handler behind that heeds nothing", async () => {
  const door = gate();
  const late: unknown[] = [];
  await using limited = new Limited(async (ctx) => {
    await door.passed;
    try {
      ctx.text("too late");
    } catch (error) {
      late.push((error as { code?: unknown }).code);
      throw error;
    }
  });
  const client = await limited.harness.open(request("GET /"));
  await limited.advance(LIMIT_MS + LATE_MS);
  assertEquals(await client.maybeResponse(), undefined);
  await limited.advance(GRACE_MS + LATE_MS);
  const response = await client.response();
  assertEquals(response.status, 503);
  assertEquals(fieldOf(response, "connection"), "close");
  const reported = limited.errors.length;
  door.open();
  await turn();
  assertEquals(late, ["ERR_HTTP_HEAD_COMMITTED"]);
  assertEquals(limited.errors.length, reported);
  assertEquals(limited.clock.pendingCount, 0);
});

Deno.test("timeout() waits for no grace where there is none", async () => {
  const door = gate();
  await using limited = new Limited(() => door.passed, { graceMs: 0 });
  const client = await limited.harness.open(request("GET /"));
  await limited.advance(LIMIT_MS + LATE_MS);
  assertEquals((await client.response()).status, 503);
  door.open();
});

Deno.test("timeout() leaves a handler behind that waits for a body", async () => {
  const failed = Promise.withResolvers<unknown>();
  await using limited = new Limited(async (ctx) => {
    await ctx.body.bytes().catch((error) => {
      failed.resolve(error);
      throw error;
    });
  });
  const client = await limited.harness.open(post("/", "whole").slice(0, -1));
  await limited.advance(LIMIT_MS + LATE_MS);
  await limited.advance(GRACE_MS + LATE_MS);
  assertEquals((await client.response()).status, 503);
  client.close();
  await turn();
  assertEquals(await failed.promise instanceof Error, true);
});

Deno.test("a handler that nobody waits for does not touch what follows it", async () => {
  const door = gate();
  const impatient: Middleware = async (ctx, next) => {
    void next();
    await turn();
    ctx.text("first");
  };
  await using harness = new ServerHarness(compose([impatient], async (ctx) => {
    if (ctx.path !== "/slow") return ctx.text("second");
    await door.passed;
    throw new Error("too late");
  }));
  const client = await harness.open(request("GET /slow"));
  await turn();
  assertEquals((await client.response()).body, "first");
  door.open();
  await client.send(request("GET /quick"));
  await turn();
  assertEquals((await client.response()).status, 200);
  assertEquals(harness.reported, []);
});

Deno.test("timeout() cuts an answer whose head has left", async () => {
  const door = gate();
  await using limited = new Limited(async (ctx) => {
    ctx.writer();
    await door.passed;
  });
  const client = await limited.harness.open(request("GET /"));
  await limited.advance(LIMIT_MS + LATE_MS);
  assertEquals(client.server.isClosed, false);
  await limited.advance(GRACE_MS + LATE_MS);
  assertEquals(client.server.isClosed, true);
  door.open();
  await turn();
});

Deno.test("timeout() holds nothing when the client has left and the handler ends", async () => {
  const door = gate();
  await using limited = new Limited(() => door.passed);
  const client = await limited.harness.open(request("GET /"));
  await client.reset();
  await limited.advance(LIMIT_MS + LATE_MS);
  await limited.advance(GRACE_MS + LATE_MS);
  assertEquals(limited.clock.pendingCount, 0);
  assertEquals(limited.harness.server.stats().connectionCount, 0);
  door.open();
  await turn();
});

Deno.test("timeout() limits the route it is given to", async () => {
  const clock = new ManualClock();
  const door = gate();
  const app = new Router();
  const slow: Handler = async (ctx) => {
    await Promise.race([door.passed, untilAborted(ctx.signal)]);
    ctx.text("slow");
  };
  app.get("/limited", timeout(LIMIT_MS, { clock }), slow);
  app.get("/free", slow);
  await using harness = new ServerHarness(app.handler);
  const limited = await harness.open(request("GET /limited"));
  const free = await harness.open(request("GET /free"));
  clock.advance(LIMIT_MS + LATE_MS);
  assertEquals((await limited.response()).status, 503);
  assertEquals(await free.maybeResponse(), undefined);
  door.open();
  assertEquals((await free.response()).body, "slow");
});

Deno.test("timeout() counts the shortest of several limits", async () => {
  const clock = new ManualClock();
  const outer = timeout(2_000, { clock });
  const inner = timeout(1_000, { clock });
  await using harness = new ServerHarness(
    compose([outer, inner], (ctx) => untilAborted(ctx.signal)),
  );
  const client = await harness.open(request("GET /"));
  clock.advance(1_000 + LATE_MS);
  assertEquals((await client.response()).status, 503);
  assertEquals((harness.reported[0]!.error as TimeoutError).timeoutMs, 1_000);
  assertEquals(clock.pendingCount, 0);
});

for (const off of [0, Infinity]) {
  Deno.test(`timeout() limits nothing with ${off}`, async () => {
    const clock = new ManualClock();
    const layers = compose([timeout(off, { clock })], (ctx) => ctx.text("a"));
    await using harness = new ServerHarness(layers);
    assertEquals((await harness.request(request("GET /"))).status, 200);
    assertEquals(clock.pendingCount, 0);
  });
}

for (const [timeoutMs, graceMs] of [[-1, 0], [NaN, 0], [1, -1], [1, NaN]] as const) {
  Deno.test(`timeout() throws on ${timeoutMs} with a grace of ${graceMs}`, () => {
    assertThrows(() => timeout(timeoutMs, { graceMs }), RangeError);
  });
}

Deno.test("timeout() answers a real client, whose next request is answered too", async () => {
  const handler = compose([timeout(20)], async (ctx) => {
    if (ctx.path === "/slow") await untilAborted(ctx.signal);
    ctx.text("quick");
  });
  await using server = serve(handler, { hostname: "127.0.0.1", port: 0, onError() {} });
  await using client = await RawClient.connect(server.addr as Deno.NetAddr);
  await client.send(request("GET /slow") + request("GET /quick"));
  assertEquals((await client.response())?.status, 503);
  assertEquals((await client.response())?.body, "quick");
});
