import { assertEquals, assertRejects } from "@std/assert";
import {
  closeSharedClient,
  del,
  get,
  head,
  patch,
  post,
  put,
  request,
} from "../../http/client_functions.ts";
import { serve } from "../../http/serve.ts";

Deno.test("the functions of the shared client send their methods over one connection", async () => {
  await using server = serve((ctx) => ctx.text(ctx.method), { hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}`;
  const reused: boolean[] = [];
  const rows = { GET: get, POST: post, PUT: put, PATCH: patch, DELETE: del };
  for (const [method, call] of Object.entries(rows)) {
    const response = await call(url, { headers: { "x-a": "1" } });
    assertEquals(await response.text(), method);
    reused.push(response.reused);
  }
  assertEquals(reused, [false, true, true, true, true]);
  assertEquals((await head(url)).status, 200);
  assertEquals(await (await request("OPTIONS", new URL(url))).text(), "OPTIONS");
  await closeSharedClient();
});

Deno.test("closeSharedClient() closes the connections, and the next request makes new ones", async () => {
  await using server = serve((ctx) => ctx.text("hello"), { hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}`;
  await (await get(url)).discard();
  await closeSharedClient();
  assertEquals((await (await get(url)).bytes()).length, 5);
  await closeSharedClient();
  await closeSharedClient();
});

Deno.test("the functions of the shared client reject what is no URL", async () => {
  await assertRejects(() => get("/relative"), TypeError);
  await closeSharedClient();
});
