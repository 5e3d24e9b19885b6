import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { cookies, deleteCookie, setCookie } from "../../http/cookie_context.ts";
import { HttpStateError } from "../../http/errors.ts";
import type { Handler } from "../../http/server_shared.ts";
import type { RawResponse } from "../_support/raw_response.ts";
import { request, ServerHarness } from "../_support/server_harness.ts";
import { fetch, serve } from "../_support/tls_switch.ts";

async function answerOf(handler: Handler, fields: readonly string[] = []): Promise<RawResponse> {
  await using harness = new ServerHarness(handler);
  const response = await harness.request(request("GET /", fields));
  assertEquals(harness.reported, []);
  return response;
}

function setCookies(response: RawResponse): string[] {
  const own = response.fields.filter(([name]) => name.toLowerCase() === "set-cookie");
  return own.map(([, value]) => value);
}

Deno.test("cookies() gives the cookies of all fields, and the same object again", async () => {
  const response = await answerOf((ctx) => {
    assertStrictEquals(cookies(ctx), cookies(ctx));
    ctx.json([...cookies(ctx)]);
  }, ["Cookie: a=1; b=2", "X-A: c=9", "cookie: a=3"]);
  assertEquals(JSON.parse(response.body), [["a", "1"], ["b", "2"], ["a", "3"]]);
});

Deno.test("cookies() gives none without a field", async () => {
  const response = await answerOf((ctx) => ctx.json(cookies(ctx).size));
  assertEquals(response.body, "0");
});

Deno.test("cookies() stays readable in an asynchronous handler, and not afterwards", async () => {
  let late: (() => unknown) | undefined;
  const response = await answerOf(async (ctx) => {
    await undefined;
    ctx.text(cookies(ctx).get("a")!);
  }, ["Cookie: a=1"]);
  assertEquals(response.body, "1");
  await answerOf((ctx) => {
    late = () => cookies(ctx);
    ctx.text("");
  }, ["Cookie: a=1"]);
  assertEquals(assertThrows(late!, HttpStateError).code, "ERR_HTTP_CONTEXT_EXPIRED");
});

Deno.test("setCookie() is careful unless told otherwise", async () => {
  const response = await answerOf((ctx) => {
    setCookie(ctx, "a", "1");
    setCookie(ctx, "__Host-b", "2", { sameSite: "Strict" });
    setCookie(ctx, "c", "3", { path: "/c", secure: false, httpOnly: false, maxAgeSeconds: 60 });
    ctx.text("");
  });
  assertEquals(setCookies(response), [
    "a=1; Path=/; Secure; HttpOnly; SameSite=Lax",
    "__Host-b=2; Path=/; Secure; HttpOnly; SameSite=Strict",
    "c=3; Max-Age=60; Path=/c; SameSite=Lax",
  ]);
});

Deno.test("setCookie() replaces what the answer set under name, domain and path", async () => {
  const response = await answerOf((ctx) => {
    ctx.append("Set-Cookie", "raw=1");
    setCookie(ctx, "a", "1");
    setCookie(ctx, "a", "1", { path: "/b" });
    setCookie(ctx, "a", "1", { domain: "a.example" });
    setCookie(ctx, "A", "1");
    setCookie(ctx, "a", "2", { httpOnly: false });
    deleteCookie(ctx, "a", { path: "/b" });
    ctx.text("");
  });
  assertEquals(setCookies(response), [
    "raw=1",
    "a=1; Domain=a.example; Path=/; Secure; HttpOnly; SameSite=Lax",
    "A=1; Path=/; Secure; HttpOnly; SameSite=Lax",
    "a=2; Path=/; Secure; SameSite=Lax",
    "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/b",
  ]);
});

Deno.test("setCookie() takes a partitioned cookie for another one: clients keep both", async () => {
  const response = await answerOf((ctx) => {
    deleteCookie(ctx, "a");
    setCookie(ctx, "a", "1", { partitioned: true, sameSite: "None" });
    setCookie(ctx, "a", "2", { partitioned: true, sameSite: "None" });
    ctx.text("");
  });
  assertEquals(setCookies(response), [
    "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/",
    "a=2; Path=/; Secure; HttpOnly; SameSite=None; Partitioned",
  ]);
});

Deno.test("setCookie() throws on hostile values, and nothing of them is sent", async () => {
  const response = await answerOf((ctx) => {
    for (const value of ["a\r\nX-Evil: 1", "a; Domain=evil.example", "\u00fc"]) {
      assertThrows(() => setCookie(ctx, "a", value), TypeError);
    }
    assertThrows(() => setCookie(ctx, "a", "", { path: "/\r\nX-Evil: 1" }), TypeError);
    assertThrows(() => deleteCookie(ctx, "a\r\n"), TypeError);
    ctx.text("");
  });
  assertEquals(setCookies(response), []);
});

Deno.test("setCookie() and deleteCookie() throw when the head has left", async () => {
  const response = await answerOf(async (ctx) => {
    setCookie(ctx, "a", "1");
    const writer = ctx.writer();
    for (
      const change of [
        () => setCookie(ctx, "a", "2"),
        () => setCookie(ctx, "b", "2"),
        () => deleteCookie(ctx, "a"),
      ]
    ) {
      assertEquals(assertThrows(change, HttpStateError).code, "ERR_HTTP_HEAD_COMMITTED");
    }
    await writer.close();
  });
  assertEquals(setCookies(response).length, 1);
});

Deno.test("setCookie() reaches a real client, which sends the cookie back", async () => {
  await using server = serve((ctx) => {
    const count = Number(cookies(ctx).get("count") ?? 0) + 1;
    if (count > 2) deleteCookie(ctx, "count");
    else setCookie(ctx, "count", String(count));
    ctx.text(String(count));
  }, { hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`;
  let cookie = "";
  const seen: string[] = [];
  for (let round = 0; round < 3; round++) {
    const response = await fetch(url, { headers: { cookie } });
    const [line] = response.headers.getSetCookie();
    cookie = line!.split(";")[0]!;
    seen.push(await response.text(), cookie);
  }
  assertEquals(seen, ["1", "count=1", "2", "count=2", "3", "count="]);
});
