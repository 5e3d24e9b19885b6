import { assertEquals, assertThrows } from "@std/assert";
import { compose } from "../../http/middleware.ts";
import { csrf, type CsrfOptions } from "../../http/middleware_csrf.ts";
import { trustedProxy } from "../../http/middleware_trusted_proxy.ts";
import { RawClient } from "../_support/raw_client.ts";
import { request, ServerHarness } from "../_support/server_harness.ts";
import { serve } from "../_support/tls_switch.ts";

async function statusOf(
  fields: readonly string[],
  options: CsrfOptions = {},
  method = "POST",
): Promise<number> {
  await using harness = new ServerHarness(compose([csrf(options)], (ctx) => ctx.text("done")));
  const hosts = fields.some((field) => field.startsWith("Host:")) ? [] : ["Host: a.example"];
  const length = method === "POST" ? ["Content-Length: 0"] : [];
  const lines = [`${method} /x HTTP/1.1`, ...hosts, ...length, ...fields, "", ""];
  return (await harness.request(lines.join("\r\n"), method === "HEAD")).status;
}

const CASES: readonly [name: string, fields: readonly string[], status: number][] = [
  ["no metadata at all", [], 200],
  ["the same origin", ["Sec-Fetch-Site: same-origin"], 200],
  ["the user", ["Sec-Fetch-Site: none"], 200],
  ["another site", ["Sec-Fetch-Site: cross-site"], 403],
  ["the same site", ["Sec-Fetch-Site: same-site"], 403],
  ["a site nobody knows", ["Sec-Fetch-Site: Same-Origin"], 403],
  ["two sites", ["Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: same-origin"], 403],
  ["an empty site", ["Sec-Fetch-Site:"], 403],
  [
    "another site that names our origin",
    ["Sec-Fetch-Site: cross-site", "Origin: http://a.example"],
    403,
  ],
  ["our origin", ["Origin: http://a.example"], 200],
  ["our origin over TLS", ["Origin: https://a.example"], 200],
  ["our origin in other letters", ["Origin: http://A.Example"], 200],
  ["our origin with the default port", ["Host: a.example:80", "Origin: http://a.example"], 200],
  ["our origin with a port", ["Host: a.example:81", "Origin: http://a.example:81"], 200],
  ["another port", ["Host: a.example:81", "Origin: http://a.example"], 403],
  ["the default port of another scheme", ["Host: a.example:80", "Origin: https://a.example"], 403],
  ["an IPv6 origin", ["Host: [::1]:81", "Origin: http://[::1]:81"], 200],
  ["another IPv6 origin", ["Host: [::1]", "Origin: http://[::2]"], 403],
  ["another origin", ["Origin: http://evil.example"], 403],
  ["an origin that begins like ours", ["Origin: http://a.example.evil.example"], 403],
  ["an origin that ends like ours", ["Origin: http://xa.example"], 403],
  ["a user in the origin", ["Origin: http://a.example@evil.example"], 403],
  ["a path in the origin", ["Origin: http://a.example/"], 403],
  ["the null origin", ["Origin: null"], 403],
  ["an empty origin", ["Origin:"], 403],
  ["two origins", ["Origin: http://a.example", "Origin: http://a.example"], 403],
  ["an extension", ["Origin: chrome-extension://a.example"], 403],
];

for (const [name, fields, status] of CASES) {
  Deno.test(`csrf() answers ${status} to a POST from ${name}`, async () => {
    assertEquals(await statusOf(fields), status);
  });
}

const PROXIED: readonly [name: string, fields: readonly string[], status: number][] = [
  ["the host the client asked for", ["Origin: https://app.example"], 200],
  ["the host the proxy asked for", ["Origin: https://a.example"], 403],
  ["that host over plain HTTP", ["X-Forwarded-Proto: https", "Origin: http://app.example"], 403],
  ["that host over TLS", ["X-Forwarded-Proto: https", "Origin: https://app.example"], 200],
  ["that host, the scheme not told", ["Origin: http://app.example"], 200],
];

for (const [name, fields, status] of PROXIED) {
  Deno.test(`csrf() behind a proxy answers ${status} to a POST from ${name}`, async () => {
    const proxy = trustedProxy(["192.0.2.1"], {
      fields: ["x-forwarded-host", "x-forwarded-proto"],
    });
    const handler = compose([proxy, csrf()], (ctx) => ctx.text("done"));
    await using harness = new ServerHarness(handler);
    const wire = request("POST /", [
      "Content-Length: 0",
      "X-Forwarded-Host: app.example",
      ...fields,
    ]).replace("Host: a\r", "Host: a.example\r");
    const client = await harness.open(wire, {
      clientAddr: { transport: "tcp", hostname: "192.0.2.1", port: 7 },
    });
    assertEquals((await client.response()).status, status);
  });
}

for (const method of ["GET", "HEAD", "OPTIONS", "TRACE"]) {
  Deno.test(`csrf() lets ${method} pass`, async () => {
    assertEquals(await statusOf(["Sec-Fetch-Site: cross-site"], {}, method), 200);
  });
}

for (const method of ["PUT", "PATCH", "DELETE", "get", "BREW"]) {
  Deno.test(`csrf() looks at ${method}`, async () => {
    assertEquals(await statusOf(["Sec-Fetch-Site: cross-site"], {}, method), 403);
  });
}

Deno.test("csrf() looks at an upgrade", async () => {
  const upgrade = ["Connection: upgrade", "Upgrade: websocket"];
  assertEquals(await statusOf([...upgrade, "Origin: http://evil.example"], {}, "GET"), 403);
  assertEquals(await statusOf([...upgrade, "Origin: http://a.example"], {}, "GET"), 200);
});

Deno.test("csrf() lets listed origins pass", async () => {
  const options = { origins: ["https://app.example"] };
  const sent = ["Origin: https://app.example", "Sec-Fetch-Site: cross-site"];
  assertEquals(await statusOf(sent, options), 200);
  assertEquals(await statusOf(sent.slice(0, 1), options), 200);
  assertEquals(await statusOf(["Origin: http://app.example"], options), 403);
});

Deno.test("csrf() lets the site pass where that is allowed", async () => {
  const options = { allowSameSite: true };
  assertEquals(await statusOf(["Sec-Fetch-Site: same-site"], options), 200);
  assertEquals(await statusOf(["Sec-Fetch-Site: cross-site"], options), 403);
});

Deno.test("csrf() refuses what names nothing where that is asked for", async () => {
  const options = { requireMetadata: true };
  assertEquals(await statusOf([], options), 403);
  assertEquals(await statusOf(["Origin: http://a.example"], options), 200);
});

Deno.test("csrf() leaves out what it is told to", async () => {
  const options: CsrfOptions = { skip: (ctx) => ctx.path === "/x" };
  assertEquals(await statusOf(["Sec-Fetch-Site: cross-site"], options), 200);
});

Deno.test("csrf() refuses an origin where an old client names no host", async () => {
  await using harness = new ServerHarness(compose([csrf()], (ctx) => ctx.text("done")));
  const wire = "POST / HTTP/1.0\r\nOrigin: http://\r\nContent-Length: 0\r\n\r\n";
  assertEquals((await harness.request(wire)).status, 403);
});

for (const origin of ["app.example", "https://app.example/", "HTTPS://app.example", "null", "*"]) {
  Deno.test(`csrf() throws on the origin ${origin}`, () => {
    assertThrows(() => csrf({ origins: [origin] }), RangeError);
  });
}

Deno.test("csrf() throws on too many origins", () => {
  const origins = (count: number) =>
    Array.from({ length: count }, (_, index) => `https://a${index}.example`);
  csrf({ origins: origins(1_000) });
  assertThrows(() => csrf({ origins: origins(1_001) }), RangeError);
});

Deno.test("csrf() refuses a real client and keeps its connection", async () => {
  await using server = serve(compose([csrf()], (ctx) => ctx.text("done")), {
    hostname: "127.0.0.1",
    port: 0,
  });
  await using client = await RawClient.connect(server.addr as Deno.NetAddr);
  const post = (origin: string) =>
    `POST / HTTP/1.1\r\nHost: a\r\nOrigin: ${origin}\r\nContent-Length: 1\r\n\r\nx`;
  await client.send(post("http://b") + post("http://a"));
  assertEquals((await client.response())?.status, 403);
  assertEquals((await client.response())?.status, 200);
});
