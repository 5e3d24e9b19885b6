import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { Client } from "../../http/client.ts";
import { requestFailure } from "../../http/client_errors.ts";
import type { Handler } from "../../http/server_shared.ts";
import { ConnectError } from "../../nbio/connect_error.ts";
import { errorOf } from "../_support/client_harness.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { ScriptedClient } from "../_support/scripted_client.ts";
import { originAt, serve, trust } from "../_support/tls_switch.ts";

const handler: Handler = async (ctx) => {
  if (ctx.path === "/redirect") return ctx.redirect("/end", 307);
  if (ctx.path === "/none") return void (ctx.status = 204);
  ctx.append("set-cookie", "a=1");
  ctx.append("set-cookie", "b=2");
  const length = ctx.headers.get("content-length") ?? ctx.headers.get("transfer-encoding");
  const body = ctx.method === "POST" ? await ctx.body.text() : "";
  ctx.json([ctx.method, ctx.headers.get("x-a"), length, body]);
};

async function withServer(
  test: (fetch: Client["fetch"], url: string, client: Client) => Promise<void>,
): Promise<void> {
  await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
  const url = originAt((server.addr as Deno.NetAddr).port);
  await using client = new Client(trust);
  const { fetch } = client;
  await test(fetch, url, client);
}

Deno.test("client.fetch() takes text, a URL and a request, and gives a Response", async () => {
  await withServer(async (fetch, url, client) => {
    for (const input of [url, new URL(url), new Request(url)]) {
      const response = await fetch(input, { headers: { "x-a": "1" } });
      assertInstanceOf(response, Response);
      assertEquals([response.status, response.ok, response.url], [200, true, `${url}/`]);
      assertEquals([response.redirected, response.type], [false, "basic"]);
      assertEquals(response.headers.getSetCookie(), ["a=1", "b=2"]);
      assertEquals(await response.json(), ["GET", "1", null, ""]);
    }
    assertEquals(client.stats().connections, 1);
  });
});

Deno.test("client.fetch() sends what a request says, and an init over it", async () => {
  await withServer(async (fetch, url) => {
    const request = (): Request =>
      new Request(url, { method: "POST", body: "abc", headers: { "x-a": "1" } });
    const first = await fetch(request());
    assertEquals(await first.json(), ["POST", "1", "3", "abc"]);
    const second = await fetch(request(), { body: "defg", headers: { "x-a": "2" } });
    assertEquals(await second.json(), ["POST", "2", "4", "defg"]);
    const third = await fetch(url, { method: "post", body: new Uint8Array([97, 98]) });
    assertEquals(await third.json(), ["POST", null, "2", "ab"]);
    const view = new DataView(bytesOf("xabx").buffer as ArrayBuffer, 1, 2);
    const fourth = await fetch(url, { method: "POST", body: view });
    assertEquals(await fourth.json(), ["POST", null, "2", "ab"]);
    const form = await fetch(url, { method: "POST", body: new URLSearchParams({ a: "b" }) });
    assertEquals(await form.json(), ["POST", null, "3", "a=b"]);
  });
});

Deno.test("client.fetch() sends the body of a request that comes little by little", async () => {
  await withServer(async (fetch, url) => {
    const slow = new ReadableStream<Uint8Array>({
      async pull(controller) {
        controller.enqueue(bytesOf("a"));
        await new Promise((resolve) => setTimeout(resolve, 5));
        controller.close();
      },
    }, { highWaterMark: 0 });
    const response = await fetch(new Request(url, { method: "POST", body: slow }));
    assertEquals(await response.json(), ["POST", null, "chunked", "a"]);
    const large = new Request(url, { method: "POST", body: "x".repeat(200_000) });
    const [, , , body] = await (await fetch(large)).json();
    assertEquals(body.length, 200_000);
  });
});

Deno.test("client.fetch() follows redirects, leaves them alone, or fails", async () => {
  await withServer(async (fetch, url) => {
    const followed = await fetch(`${url}/redirect`, { method: "POST", body: "abc" });
    assertEquals([followed.url, followed.redirected], [`${url}/end`, true]);
    assertEquals(await followed.json(), ["POST", null, "3", "abc"]);
    const manual = await fetch(`${url}/redirect`, { redirect: "manual" });
    assertEquals([manual.status, manual.headers.get("location")], [307, "/end"]);
    await manual.body?.cancel();
    await assertRejects(() => fetch(`${url}/redirect`, { redirect: "error" }), TypeError);
  });
});

Deno.test("client.fetch() gives no body where there is none", async () => {
  await withServer(async (fetch, url, client) => {
    assertEquals((await fetch(`${url}/none`)).body, null);
    assertEquals((await fetch(url, { method: "HEAD" })).body, null);
    assertEquals([client.stats().connections, client.stats().idle], [1, 1]);
  });
});

Deno.test("client.fetch() fails as fetch does, with what failed as the cause", async () => {
  await withServer(async (fetch, url) => {
    const error = await assertRejects(() => fetch("http://127.0.0.1:1/?secret"), TypeError);
    assertInstanceOf(error.cause, ConnectError);
    assertEquals(requestFailure(error.cause)?.phase, "connect");
    assert(!error.message.includes("secret"));
    await assertRejects(() => fetch("nowhere"), TypeError);
    await assertRejects(() => fetch("data:text/plain,a"), TypeError);
    await assertRejects(() => fetch(url, { body: "abc" }), TypeError);
    const used = new Request(url, { method: "POST", body: "abc" });
    await used.text();
    await assertRejects(() => fetch(used), TypeError);
    await assertRejects(() => fetch(url, { headers: { "x-a": "\0" } }), TypeError);
  });
});

Deno.test("client.fetch() fails with the reason of the signal, of the request's too", async () => {
  await using scripted = new ScriptedClient();
  const { fetch } = scripted.client;
  const dead = AbortSignal.abort();
  assertEquals(await errorOf(fetch("http://a.example/", { signal: dead })), dead.reason);
  assertEquals(scripted.servers.length, 0);

  const controller = new AbortController();
  const response = await (async () => {
    const fetching = fetch("http://a.example/", { signal: controller.signal });
    await scripted.advance(0);
    await scripted.server.answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    return await fetching;
  })();
  const text = response.text();
  text.catch(() => {});
  controller.abort("no more");
  assertEquals(await errorOf(text), "no more");
  assertEquals(scripted.client.stats().connections, 0);
});

Deno.test("client.fetch() closes the connection of a body that a Response cannot have", async () => {
  await using scripted = new ScriptedClient();
  const fetching = scripted.client.fetch("http://a.example/");
  await scripted.advance(0);
  await scripted.server.answer("HTTP/1.1 205 Reset\r\nContent-Length: 5\r\n\r\nhe");
  assertEquals((await fetching).body, null);
  assertEquals(scripted.client.stats().connections, 0);
});

Deno.test("client.fetch() closes the connection of a body that is cancelled", async () => {
  await using scripted = new ScriptedClient();
  const fetching = scripted.client.fetch("http://a.example/");
  await scripted.advance(0);
  await scripted.server.answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
  await (await fetching).body!.cancel();
  assertEquals(scripted.client.stats().connections, 0);
});

Deno.test("client.fetch() refuses what a Response cannot be", async () => {
  for (const status of ["101 Switching", "600 Beyond"]) {
    await using scripted = new ScriptedClient();
    const headers = { connection: "upgrade", upgrade: "chat" };
    const fetching = scripted.client.fetch("http://a.example/", { headers });
    fetching.catch(() => {});
    await scripted.advance(0);
    await scripted.server.answer(
      `HTTP/1.1 ${status}\r\nConnection: upgrade\r\nUpgrade: chat\r\nContent-Length: 0\r\n\r\n`
        .replace(status.startsWith("101") ? "Content-Length: 0\r\n" : "Upgrade: chat\r\n", ""),
    );
    await assertRejects(() => fetching, TypeError);
    const { connections, idle } = scripted.client.stats();
    assertEquals(connections, idle);
  }
});
