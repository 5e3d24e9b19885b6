/** What both servers run: an application of hono with a route for each scenario. */

import { pathToFileURL } from "node:url";

// What hono exports is not known to the compiler here.
// deno-lint-ignore no-explicit-any
type Untyped = any;

const PAGE = "x".repeat(10_240);

/**
 * Makes the application.
 *
 * @param modules Folder `node_modules` that hono lies in.
 */
export async function makeApp(modules: string): Promise<Untyped> {
  const { Hono } = await import(pathToFileURL(`${modules}/hono/dist/index.js`).href);
  const app = new Hono();
  app.get("/text", (c: Untyped) => c.text("Hello, World!"));
  app.get("/json/:id", (c: Untyped) => {
    return c.json({ id: c.req.param("id"), agent: c.req.header("user-agent") });
  });
  app.get("/page", (c: Untyped) => c.html(PAGE));
  app.get("/async", async (c: Untyped) => {
    await undefined;
    return c.text("Hello, World!");
  });
  app.post("/sum", async (c: Untyped) => {
    const { a, b } = await c.req.json();
    return c.json({ sum: a + b });
  });
  return app;
}

/** What `/page` answers. */
export const PAGE_TEXT: string = PAGE;
