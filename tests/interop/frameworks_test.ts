/**
 * Frameworks of the web platform by the adapter: for each a small application, asked the same under
 * our server and under `Deno.serve`, which have to agree.
 */

import { assert, assertEquals } from "@std/assert";
import { createRequire } from "node:module";
import { type FetchApp, type FetchHandler, serve, toHandler } from "@nbio/net/http";
import { eventually, npmPeer } from "../_support/peer.ts";

// What the frameworks export is not known to the compiler here.
// deno-lint-ignore no-explicit-any
type Untyped = any;

const cookies = (): Headers => {
  const headers = new Headers();
  headers.append("set-cookie", "a=1");
  headers.append("set-cookie", "b=2");
  return headers;
};

/** Signals of requests for `/wait`. */
const signals: AbortSignal[] = [];

async function* count(): AsyncGenerator<Uint8Array> {
  for (const digit of "123") {
    await new Promise((resolve) => setTimeout(resolve, 0));
    yield new TextEncoder().encode(digit);
  }
}

/** A stream that never has anything to say. */
function wait(request: Request): Response {
  signals.push(request.signal);
  return new Response(new ReadableStream());
}

const APPS: Readonly<Record<string, (framework: Untyped) => FetchApp>> = {
  hono({ Hono }) {
    const app = new Hono();
    app.get("/text", (c: Untyped) => c.text("hello"));
    app.get("/users/:id", (c: Untyped) => c.json({ id: c.req.param("id"), q: c.req.query("q") }));
    app.post("/echo", async (c: Untyped) => c.json(await c.req.json()));
    app.post("/form", async (c: Untyped) => c.json(await c.req.parseBody()));
    app.post("/body", (c: Untyped) => c.body(c.req.raw.body));
    app.get("/stream", (c: Untyped) => c.body(ReadableStream.from(count())));
    app.get("/cookies", (c: Untyped) => {
      c.header("set-cookie", "a=1", { append: true });
      c.header("set-cookie", "b=2", { append: true });
      return c.body(null, 204);
    });
    app.get("/wait", (c: Untyped) => wait(c.req.raw));
    app.get("/agent", (c: Untyped) => c.text(c.req.header("x-agent") ?? ""));
    return app;
  },

  h3({ H3 }) {
    const app = new H3();
    app.get("/text", () => "hello");
    app.get("/users/:id", (event: Untyped) => {
      return { id: event.context.params.id, q: event.url.searchParams.get("q") };
    });
    app.post("/echo", (event: Untyped) => event.req.json());
    app.post("/form", async (event: Untyped) => Object.fromEntries(await event.req.formData()));
    app.post("/body", (event: Untyped) => event.req.body);
    app.get("/stream", () => ReadableStream.from(count()));
    app.get("/cookies", () => new Response(null, { status: 204, headers: cookies() }));
    app.get("/wait", (event: Untyped) => wait(event.req));
    app.get("/agent", (event: Untyped) => event.req.headers.get("x-agent"));
    return app;
  },

  "itty-router"({ AutoRouter }) {
    const app = AutoRouter();
    app.get("/text", () => new Response("hello"));
    app.get("/users/:id", ({ params, query }: Untyped) => ({ id: params.id, q: query.q }));
    app.post("/echo", (request: Untyped) => request.json());
    app.post("/form", async (request: Untyped) => Object.fromEntries(await request.formData()));
    app.post("/body", (request: Untyped) => new Response(request.body));
    app.get("/stream", () => new Response(ReadableStream.from(count())));
    app.get("/cookies", () => new Response(null, { status: 204, headers: cookies() }));
    app.get("/wait", (request: Untyped) => wait(request));
    app.get("/agent", ({ headers }: Untyped) => new Response(headers.get("x-agent")));
    return app;
  },

  elysia({ Elysia }) {
    return new Elysia()
      .get("/text", () => "hello")
      .get("/users/:id", ({ params, query }: Untyped) => ({ id: params.id, q: query.q }))
      .post("/echo", ({ body }: Untyped) => body)
      .post("/form", ({ body }: Untyped) => body)
      .post("/body", ({ request }: Untyped) => new Response(request.body), { parse: "none" })
      .get("/stream", () => new Response(ReadableStream.from(count())))
      .get("/cookies", () => new Response(null, { status: 204, headers: cookies() }))
      .get("/wait", ({ request }: Untyped) => wait(request))
      .get("/agent", ({ headers }: Untyped) => headers["x-agent"]);
  },
};

const FORM = new URLSearchParams({ a: "b", c: "d e" });

/** What is asked, and a part of what is known of the answer. */
const QUESTIONS: readonly (readonly [path: string, init: RequestInit, body: string | undefined])[] =
  [
    ["/text", {}, "hello"],
    ["/text", { method: "HEAD" }, ""],
    ["/users/1?q=x", {}, '{"id":"1","q":"x"}'],
    // Not all of them decode parameters.
    ["/users/%C3%A4?q=%26", {}, undefined],
    ["/echo", json({ a: [1, "ä"] }), '{"a":[1,"ä"]}'],
    ["/form", { method: "POST", body: FORM }, '{"a":"b","c":"d e"}'],
    ["/body", { method: "POST", body: "x".repeat(200_000) }, "x".repeat(200_000)],
    ["/stream", {}, "123"],
    ["/cookies", {}, ""],
    ["/agent", { headers: { "x-agent": "me" } }, "me"],
    ["/none", {}, undefined],
    ["/echo", { ...json(1), body: "{" }, undefined],
  ];

function json(value: unknown): RequestInit {
  const headers = { "content-type": "application/json" };
  return { method: "POST", headers, body: JSON.stringify(value) };
}

/** What two servers have to agree on. */
async function answerTo(port: number, path: string, init: RequestInit): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
  // An error names the address it was asked at.
  const body = (await response.text()).replaceAll(`:${port}`, "");
  const { status, headers } = response;
  return { status, type: headers.get("content-type"), cookies: headers.getSetCookie(), body };
}

/**
 * Loads a framework from its folder. Modules that are no CommonJS find what they import by name only
 * through the configuration of this checkout, which knows nothing of that folder.
 */
function load(name: string, folder: string): Untyped | undefined {
  try {
    return createRequire(`${folder}/package.json`)(name);
  } catch (error) {
    console.error(`Cannot load ${name}: ${(error as Error).message}`);
    return undefined;
  }
}

for (const [name, makeApp] of Object.entries(APPS)) {
  const folder = npmPeer(name);
  const framework = folder === undefined ? undefined : load(name, folder);
  Deno.test({
    name: `${name} answers under the adapter as under Deno.serve`,
    // Not installed, or not to be loaded from there: the report or the line above says which.
    ignore: framework === undefined,
    // Elysia keeps a timer of its own.
    sanitizeOps: name !== "elysia",
    sanitizeResources: name !== "elysia",
    async fn() {
      const app = makeApp(framework);
      const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
      // As Deno.serve does; by default a client may end its side and still wait.
      const ours = serve(toHandler(app), { ...options, abortOnHalfClose: true });
      const run = ((request) => app.fetch(request, undefined as never)) as FetchHandler;
      const controller = new AbortController();
      const { signal } = controller;
      const theirs = Deno.serve(
        { ...options, signal },
        (request, info) => run(request, info as never),
      );
      await using stack = new AsyncDisposableStack();
      // It waits for connections that the pool of fetch() keeps, where it is to end in order.
      stack.defer(() => controller.abort());
      stack.defer(() => ours.shutdown({ graceMs: 0 }));
      const port = (ours.addr as Deno.NetAddr).port;
      for (const [path, init, body] of QUESTIONS) {
        const answer = await answerTo(port, path, init);
        assertEquals(answer, await answerTo(theirs.addr.port, path, init), `${name} ${path}`);
        if (body !== undefined) assertEquals((answer as { body: string }).body, body);
      }
      await assertTellsOfAbort(port);
    },
  });
}

async function assertTellsOfAbort(port: number): Promise<void> {
  signals.length = 0;
  const controller = new AbortController();
  const { signal } = controller;
  const response = await fetch(`http://127.0.0.1:${port}/wait`, { signal });
  assertEquals(signals[0]!.aborted, false);
  controller.abort();
  await response.body!.cancel().catch(() => {});
  assert(await eventually(() => signals[0]!.aborted));
}
