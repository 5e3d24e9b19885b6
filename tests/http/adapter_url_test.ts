import { assertEquals } from "@std/assert";
import { requestUrl } from "../../http/adapter_url.ts";
import type { ServeOptions } from "../../http/server_options.ts";
import { ServerHarness } from "../_support/server_harness.ts";

async function answerTo(head: string, options: ServeOptions = {}): Promise<[number, string]> {
  await using harness = new ServerHarness((ctx) => ctx.text(requestUrl(ctx)), options);
  const { status, body } = await harness.request(`${head}\r\n\r\n`);
  return [status, status === 200 ? body : ""];
}

for (
  const [name, start, host, url] of [
    ["a plain path", "GET /a/b?c=d", "a", "http://a/a/b?c=d"],
    ["a host in capitals with the default port", "GET /", "A.B:80", "http://a.b/"],
    ["another port", "GET /", "a:8080", "http://a:8080/"],
    ["an empty port", "GET /", "a:", "http://a/"],
    ["an IPv6 address", "GET /", "[::0:1]:81", "http://[::1]:81/"],
    ["a number for an IPv4 address", "GET /", "0x7f.1", "http://127.0.0.1/"],
    ["an escaped host", "GET /", "%61", "http://a/"],
    ["dot segments", "GET /a/./b/../../c/..", "a", "http://a/"],
    ["escaped dot segments", "GET /a/%2e%2E/b", "a", "http://a/b"],
    ["dots that are no segments", "GET /.a/b.c/..d/e..?../.", "a", "http://a/.a/b.c/..d/e..?../."],
    ["slashes at the start", "GET //b/c", "a", "http://a//b/c"],
    ["an authority after slashes", "GET //b@c:1/", "a", "http://a//b@c:1/"],
    ["escapes", "GET /%2f%zz%41?%27", "a", "http://a/%2f%zz%41?%27"],
    ["a query alone", "GET http://a?b", "a", "http://a/?b"],
    ["absolute-form", "GET http://A:80/b/../c", "a:80", "http://a/c"],
    ["absolute-form without a path", "GET http://a", "a", "http://a/"],
    ["absolute-form of another scheme", "GET https://a:443/b", "a:443", "http://a:443/b"],
    ["asterisk-form", "OPTIONS *", "a:81", "http://a:81/"],
  ]
) {
  Deno.test(`requestUrl() gives a normal URL for ${name}`, async () => {
    assertEquals(await answerTo(`${start} HTTP/1.1\r\nHost: ${host}`), [200, url!]);
    assertEquals(new URL(url!).href, url!);
  });
}

Deno.test("requestUrl() takes the address of the server where there is no host", async () => {
  assertEquals(await answerTo("GET /a HTTP/1.0"), [200, "http://127.0.0.1/a"]);
  assertEquals(await answerTo("GET /a HTTP/1.0\r\nHost:"), [200, "http://127.0.0.1/a"]);
});

Deno.test("requestUrl() lets an absolute-form go before Host where they may differ", async () => {
  const head = "GET http://b/c HTTP/1.1\r\nHost: a";
  assertEquals((await answerTo(head))[0], 400);
  const lenience = { allowHostMismatch: true };
  assertEquals(await answerTo(head, { lenience }), [200, "http://b/c"]);
});

for (const host of ["999.999.999.999", "a%00b", "a%2fb", "1.2.3.4.5", "xn--a", "a%40b", "%ff"]) {
  Deno.test(`requestUrl() refuses the host ${host}`, async () => {
    assertEquals((await answerTo(`GET / HTTP/1.1\r\nHost: ${host}`))[0], 400);
  });
}

Deno.test("requestUrl() is right again after another host", async () => {
  await using harness = new ServerHarness((ctx) => ctx.text(requestUrl(ctx)));
  for (const host of ["a", "b", "999.999.999.999", "b", "a:80", "a"]) {
    const { status, body } = await harness.request(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    if (status === 200) assertEquals(body, `http://${host.replace(":80", "")}/`);
  }
});
