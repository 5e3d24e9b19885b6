import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { HttpError, HttpStateError } from "../../http/errors.ts";
import { compose, type ErrorHandler, type Middleware } from "../../http/middleware.ts";
import type { Handler } from "../../http/server_shared.ts";
import { fieldOf, type RawResponse } from "../_support/raw_response.ts";
import { post, request, ServerHarness, turn } from "../_support/server_harness.ts";

interface Outcome {
  readonly response: RawResponse;
  readonly reported: unknown[];
}

async function run(
  middlewares: readonly Middleware[],
  handler: Handler,
  onError?: ErrorHandler,
  wire = request("GET /"),
): Promise<Outcome> {
  await using harness = new ServerHarness(compose(middlewares, handler, { onError }));
  const client = await harness.open(wire);
  let response = await client.maybeResponse();
  // A handler may take a few turns.
  for (let count = 0; response === undefined && count < 20; count++) {
    response = await client.maybeResponse();
  }
  if (response === undefined) throw new Error("No response");
  return { response, reported: harness.reported.map(({ error }) => error) };
}

/** Notes when it is entered and left; in one of the ways a middleware can be written. */
function noting(log: string[], name: string, kind: "async" | "chained" | "plain"): Middleware {
  if (kind === "async") {
    return async (_ctx, next) => {
      log.push(`>${name}`);
      await next();
      log.push(`<${name}`);
    };
  }
  if (kind === "chained") {
    return (_ctx, next) => {
      log.push(`>${name}`);
      return next().then(() => void log.push(`<${name}`));
    };
  }
  return (_ctx, next) => {
    log.push(`>${name}`);
    return next();
  };
}

const HANDLERS: Record<string, Handler> = {
  "a synchronous handler": (ctx) => ctx.text("hello"),
  "an asynchronous handler": async (ctx) => {
    await turn();
    ctx.text("hello");
  },
  "a Response": () => new Response("hello"),
  "a promise of a Response": () => Promise.resolve(new Response("hello")),
};

for (const [what, handler] of Object.entries(HANDLERS)) {
  Deno.test(`compose() goes in and out in order around ${what}`, async () => {
    for (const kind of ["async", "chained"] as const) {
      const log: string[] = [];
      const middlewares = [
        noting(log, "a", kind),
        noting(log, "b", "plain"),
        noting(log, "c", kind),
      ];
      const { response, reported } = await run(middlewares, (ctx) => {
        log.push("handler");
        return handler(ctx);
      });
      assertEquals([response.status, response.body, reported], [200, "hello", []]);
      assertEquals(log, [">a", ">b", ">c", "handler", "<c", "<a"]);
    }
  });

  Deno.test(`a middleware sees the answer of ${what} and may change it`, async () => {
    const { response } = await run([
      async (ctx, next) => {
        await next();
        assertEquals([ctx.status, ctx.response.committed], [200, false]);
        ctx.status = 201;
        ctx.set("x-seen", "yes");
      },
    ], handler);
    assertEquals([response.status, fieldOf(response, "x-seen")], [201, "yes"]);
  });

  Deno.test(`a middleware that does not wait for ${what} loses nothing`, async () => {
    const { response } = await run([(_ctx, next) => void next()], handler);
    assertEquals([response.status, response.body], [200, "hello"]);
  });
}

Deno.test("compose() without middlewares is the handler, with 404 where it answers nothing", async () => {
  assertEquals((await run([], (ctx) => ctx.text("a"))).response.body, "a");
  assertEquals((await run([], () => {})).response.status, 404);
  let status: number | undefined;
  const looking: Middleware = async (ctx, next) => {
    await next();
    status = ctx.status;
  };
  await run([looking], async () => await undefined);
  assertEquals(status, 404);
});

Deno.test("a middleware that answers keeps the request from what is further in", async () => {
  const answers: readonly Middleware[] = [
    (ctx) => ctx.text("stop"),
    async (ctx) => {
      await undefined;
      ctx.text("stop");
    },
    () => new Response("stop"),
    () => Promise.resolve(new Response("stop")),
  ];
  for (const answer of answers) {
    let isReached = false;
    const { response } = await run([answer], () => void (isReached = true));
    assertEquals([response.body, isReached], ["stop", false]);
  }
});

Deno.test("a middleware that neither answers nor goes on leaves a 404", async () => {
  assertEquals((await run([() => {}], (ctx) => ctx.text("a"))).response.status, 404);
});

const FAILURES: Record<string, (error: unknown) => Handler> = {
  "throws": (error) => () => {
    throw error;
  },
  "rejects": (error) => () => Promise.reject(error),
  "rejects later": (error) => async () => {
    await turn();
    throw error;
  },
};

for (const [how, fail] of Object.entries(FAILURES)) {
  Deno.test(`a handler that ${how} is an answer to the middlewares around it`, async () => {
    const error = new HttpError(418, "short and stout");
    const seen: unknown[] = [];
    const { response, reported } = await run([
      async (ctx, next) => {
        ctx.set("x-before", "dropped");
        await next();
        seen.push(ctx.error, ctx.status);
        ctx.set("x-after", "kept");
      },
    ], fail(error));
    assertEquals([seen, reported], [[error, 418], []]);
    assertEquals([response.status, response.body], [418, "short and stout"]);
    assertEquals([fieldOf(response, "x-before"), fieldOf(response, "x-after")], [
      undefined,
      "kept",
    ]);
  });

  Deno.test(`an error of ours that ${how} is reported once, and answered without details`, async () => {
    const error = new Error("secret");
    const pass: Middleware = (_ctx, next) => next();
    const { response, reported } = await run([pass, pass], fail(error));
    assertEquals([response.status, response.body], [500, "Internal Server Error"]);
    assertEquals(reported, [error]);
  });

  Deno.test(`a middleware that ${how}, before or behind the others, is answered too`, async () => {
    const error = new HttpError(403, "no");
    const middleware = fail(error) as Middleware;
    for (
      const failing of [middleware, async (ctx, next) => {
        await next();
        return await middleware(ctx, next);
      }] as Middleware[]
    ) {
      let status: number | undefined;
      const outside: Middleware = async (ctx, next) => {
        await next();
        status = ctx.status;
      };
      const { response } = await run([outside, failing], (ctx) => ctx.text("hello"));
      assertEquals([response.status, response.body, status], [403, "no", 403]);
    }
  });

  Deno.test(`onError answers what ${how}, instead of the short text`, async () => {
    const error = new HttpError(409, "Taken", { headers: [["x-why", "taken"]] });
    for (
      const [onError, expected] of [
        [() => {}, [409, "Taken"]],
        [(_error, ctx) => ctx.json({ status: ctx.status }), [409, '{"status":409}']],
        [async (_error, ctx) => {
          await undefined;
          ctx.text("later");
        }, [409, "later"]],
        [() => new Response("own", { status: 410 }), [410, "own"]],
        [() => Promise.resolve(new Response("own", { status: 410 })), [410, "own"]],
      ] as [ErrorHandler, [number, string]][]
    ) {
      const { response, reported } = await run([], fail(error), onError);
      assertEquals([response.status, response.body], expected);
      assertEquals([fieldOf(response, "x-why"), reported], ["taken", []]);
    }
  });

  Deno.test(`onError that ${how} itself is answered with 500, and reported`, async () => {
    const failure = new Error("in onError");
    const { response, reported } = await run(
      [],
      fail(new HttpError(409)),
      (_error, ctx) => fail(failure)(ctx),
    );
    assertEquals([response.status, reported], [500, [failure]]);
  });
}

Deno.test("next() throws when called twice, and the first answer is dropped for a 500", async () => {
  let code: string | undefined;
  const { response } = await run([
    async (_ctx, next) => {
      await next();
      code = assertThrows(() => next(), HttpStateError).code;
    },
  ], (ctx) => ctx.text("once"));
  assertEquals([code, response.body], ["ERR_HTTP_NEXT_CALLED", "once"]);
  const twice = await run([async (_ctx, next) => {
    await Promise.all([next(), next()]);
  }], (ctx) => ctx.text("once"));
  assertEquals([twice.response.status, twice.reported.length], [500, 1]);
});

Deno.test("a middleware that throws while the handler works waits for it to be through", async () => {
  const error = new HttpError(400, "first");
  const { response, reported } = await run([(_ctx, next) => {
    void next();
    throw error;
  }], async (ctx) => {
    await turn();
    ctx.text("over it");
  });
  assertEquals([response.status, response.body, reported], [400, "first", []]);
});

Deno.test("an error behind a head that has left cuts the connection", async () => {
  let seen: unknown;
  const error = new HttpError(400, "late");
  await using harness = new ServerHarness(compose([async (ctx, next) => {
    await next();
    seen = ctx.error;
  }], async (ctx) => {
    await ctx.flush();
    throw error;
  }, { onError: () => assertEquals("onError", "not called") }));
  const client = await harness.open(request("GET /"));
  await turn();
  assertEquals([client.server.isClosed, await client.maybeResponse()], [true, undefined]);
  assertStrictEquals(seen, error);
  assertEquals(harness.reported, []);
});

Deno.test("a composed handler is a handler: it can be composed again", async () => {
  const log: string[] = [];
  const inner = compose([noting(log, "inner", "async")], (ctx) => ctx.text("hello"));
  const { response } = await run([noting(log, "outer", "async")], inner);
  assertEquals([response.body, log], ["hello", [">outer", ">inner", "<inner", "<outer"]]);
});

Deno.test("layers share nothing between requests under way at a time", async () => {
  const handler: Handler = async (ctx) => ctx.text(await ctx.body.text());
  await using harness = new ServerHarness(
    compose([(_ctx, next) => next(), async (_ctx, next) => await next()], handler),
  );
  const clients = await Promise.all(
    Array.from({ length: 20 }, (_, index) => harness.open(post("/", `body ${index}`).slice(0, -1))),
  );
  for (const [index, client] of clients.entries()) await client.send(`${index % 10}`);
  for (const [index, client] of clients.entries()) {
    assertEquals((await client.response()).body, `body ${index}`);
  }
});
