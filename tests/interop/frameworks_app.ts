/**
 * A small application of a framework, under our server and under `Deno.serve`: run by
 * `frameworks_test.ts` with the configuration of the folder that the framework lies in.
 *
 * `deno run -A --config CONFIG frameworks_app.ts NAME` prints both ports. Each further line of
 * input is answered with one: `aborted` with whether the last `/wait` was told of the end,
 * `stop` with `stopped` when our server has shut down in order.
 */

import { type FetchApp, serve, toHandler } from "@nbio/net/http";
import { LineReader } from "../bench/_support/line_reader.ts";

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

/** Runs both servers to the end. */
async function main(name: string): Promise<void> {
  // By name: only the configuration knows where it is.
  const app = APPS[name]!(await import(`npm:${name}`));
  const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
  // As Deno.serve does; by default a client may end its side and still wait.
  const ours = serve(toHandler(app), { ...options, abortOnHalfClose: true });
  const theirs = Deno.serve(options, (request, info) => app.fetch(request, info as never));
  console.log(`${(ours.addr as Deno.NetAddr).port} ${theirs.addr.port}`);
  const lines = new LineReader(Deno.stdin.readable);
  for (let line; (line = await lines.next()) !== undefined;) {
    if (line === "stop") await ours.shutdown();
    console.log(line === "stop" ? "stopped" : signals.at(-1)!.aborted);
  }
  Deno.exit();
}

if (import.meta.main) await main(Deno.args[0]!);
