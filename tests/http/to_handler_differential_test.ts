/**
 * The same application under our server, by the adapter, and under `Deno.serve`: raw requests over
 * sockets, whose answers have to agree but for the differences that stand here with their reason.
 */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { serve } from "../../http/serve.ts";
import { type FetchHandler, toHandler } from "../../http/to_handler.ts";
import { eventually } from "../_support/peer.ts";
import { RawClient } from "../_support/raw_client.ts";
import type { RawResponse } from "../_support/raw_response.ts";
import { request } from "../_support/server_harness.ts";

/** Fields of the connection and of the moment. */
const IGNORED: ReadonlySet<string> = new Set(["date", "keep-alive", "connection"]);

async function* twice(): AsyncGenerator<Uint8Array> {
  yield Uint8Array.of(97);
  // Longer than anybody waits for what is at hand, and without a timer to be left behind.
  for (let turn = 0; turn < 100; turn++) await undefined;
  yield Uint8Array.of(98);
}

function twoCookies(): Headers {
  const headers = new Headers({ "set-cookie": "a=1" });
  headers.append("set-cookie", "b=2");
  return headers;
}

/** Answers of one kind each; all other paths tell of the request. */
const ANSWERS: Readonly<Record<string, () => Response>> = {
  "/empty": () => new Response(null),
  "/204": () => new Response(null, { status: 204, headers: { "x-a": "b" } }),
  "/205": () => new Response(null, { status: 205 }),
  "/304": () => new Response(null, { status: 304, headers: { etag: '"a"' } }),
  "/418": () => new Response("teapot", { status: 418, statusText: "Short and stout" }),
  "/299": () => new Response("odd", { status: 299 }),
  "/cookies": () => new Response("x", { headers: twoCookies() }),
  "/json": () => Response.json({ a: "\u00e4" }),
  "/bytes": () => new Response(Uint8Array.of(1, 2, 255)),
  "/stream": () => new Response(ReadableStream.from(twice())),
  "/length": () =>
    new Response(ReadableStream.from(twice()), { headers: { "content-length": "2" } }),
  "/type": () => new Response("x", { headers: { "content-type": "a/b" } }),
  "/no-type": () => {
    const response = new Response("x");
    response.headers.delete("content-type");
    return response;
  },
  "/latin": () => new Response("x", { headers: { "x-a": "gr\u00fc\u00df" } }),
  "/redirect": () => Response.redirect("http://b.test/c"),
  "/throw": () => {
    throw new Error("secret");
  },
};

const app: FetchHandler = async (made) => {
  const { pathname } = new URL(made.url);
  if (Object.hasOwn(ANSWERS, pathname)) return ANSWERS[pathname]!();
  if (pathname === "/unread") return new Response("unread");
  const { method, url } = made;
  return Response.json({ method, url, headers: [...made.headers], body: await made.text() });
};

/** Both servers, by their ports. */
async function withBoth(
  handler: FetchHandler,
  run: (ours: number, theirs: number) => Promise<void>,
): Promise<void> {
  const options = { hostname: "127.0.0.1", port: 0, onListen() {} };
  await using ours = serve(toHandler(handler), {
    ...options,
    abortOnHalfClose: true,
    onError() {},
  });
  const onError = () => new Response("Internal Server Error", { status: 500 });
  await using theirs = Deno.serve(
    { ...options, onError },
    (made, info) => handler(made, info as never),
  );
  await run((ours.addr as Deno.NetAddr).port, theirs.addr.port);
}

/** What is compared of a response. */
function tell({ status, reason, fields, body, framing }: RawResponse): Record<string, unknown> {
  const told = fields.map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !IGNORED.has(name))
    // Of one name they keep their order.
    .sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
  return { status, reason, fields: told, body, framing };
}

/** As many answers as there are requests, or come before the end. */
async function ask(port: number, raw: string): Promise<Record<string, unknown>[]> {
  await using client = await RawClient.connect({ hostname: "127.0.0.1", port });
  await client.send(raw);
  const told: Record<string, unknown>[] = [];
  for (let count = raw.split(" HTTP/1.").length - 1; count > 0;) {
    const response = await client.response(raw.startsWith("HEAD"));
    if (response === undefined) break;
    told.push(tell(response));
    if (response.status >= 200) count--;
  }
  return told;
}

const chunked = ["Transfer-Encoding: chunked"];
const three = ["Content-Length: 3"];

const PATHS = Object.keys(ANSWERS).filter((path) => !["/205", "/418", "/throw"].includes(path));

/** What both answer the same. */
const SAME: readonly string[] = [
  ...["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "get", "FOO"].map(
    (method) => request(`${method} /`),
  ),
  ...["//b", "/%zz", "/;a", "/'", "/a|b", "/%C3%A4?%C3%A4=1", "http://a/b", "http://a"].map(
    (target) => request(`GET ${target}`),
  ),
  ...["a:8080", "[::1]", "a_b"].map((host) => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
  "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
  "GET /stream HTTP/1.0\r\nHost: a\r\n\r\n",
  request("POST /", three, "abc"),
  request("POST /", chunked, "1\r\na\r\n2;x=y\r\nbc\r\n0\r\nT: 1\r\n\r\n"),
  request("GET /", three, "abc") + request("GET /"),
  request("DELETE /", three, "abc"),
  request("POST /unread", three, "abc") + request("GET /"),
  request("POST /unread", chunked, "1\r\na\r\n0\r\n\r\n") + request("GET /"),
  request("GET /1") + request("GET /2") + request("GET /3"),
  request("GET /", ["X-A: 1", "x-a: 2", "X-E:", "X-L: gr\xfc\xdf", "Accept: a , b"]),
  request("GET /", ["Cookie: a=1", "Cookie: b=2"]),
  request("GET /", ["Connection: close"]) + request("GET /"),
  request("GET /json", ["Accept-Encoding: gzip"]),
  ...PATHS.map((path) => request(`GET ${path}`)),
  ...PATHS.filter((path) => path !== "/stream").map((path) => request(`HEAD ${path}`)),
];

for (const raw of SAME) {
  Deno.test(`toHandler() answers ${JSON.stringify(raw)} as Deno.serve`, () =>
    withBoth(app, async (ours, theirs) => {
      const answer = await ask(ours, raw);
      assertEquals(answer, await ask(theirs, raw));
      assert(answer.length > 0);
    }));
}

/** What both refuse by 400, each in its own words. */
const REFUSED: readonly string[] = [
  request("CONNECT /"),
  ...["*", "/\xe4", "/a b", "a"].map((target) => request(`GET ${target}`)),
  "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
  request("POST /", [...three, ...chunked], "0\r\n\r\n"),
  request("GET /", ["X-A: 1\r\n 2"]),
  request("GET /", ["X A: 1"]),
];

for (const raw of REFUSED) {
  Deno.test(`toHandler() refuses ${JSON.stringify(raw)} as Deno.serve`, () =>
    withBoth(app, async (ours, theirs) => {
      for (const port of [ours, theirs]) {
        assertEquals((await ask(port, raw)).map(({ status }) => status), [400]);
      }
    }));
}

const asTo = (host: string): string => `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

/** What they answer differently: ours, as a status or as the URL that is seen; and why. */
const DIFFERENT: readonly (readonly [raw: string, ours: number | string, reason: string])[] = [
  [request("TRACE /"), 501, "no Request can have this method"],
  [request("track /"), 501, "no Request can have this method"],
  [request("GET /a/../b"), "http://a/b", "the URL is what `new URL()` gives"],
  [request("GET /%2e%2e/b"), "http://a/b", "the URL is what `new URL()` gives"],
  [request("GET /?'"), "http://a/?%27", "the URL is what `new URL()` gives"],
  [request("OPTIONS *"), "http://a/", "`*` is no path: the request is about the server"],
  [request("GET https://a/b"), "http://a/b", "a client cannot claim TLS in the clear"],
  [request("GET http://other/b"), 400, "an absolute-form has to agree with Host"],
  [request("GET /a?b#c"), 400, "no target has a fragment"],
  [request("GET /a\\b"), 400, "a backslash is a slash to some readers"],
  [request("GET /<>"), 400, "these bytes stand in no URI"],
  [request('GET /"'), 400, "these bytes stand in no URI"],
  [asTo("A.B"), "http://a.b/", "the URL is what `new URL()` gives"],
  [asTo("a:80"), "http://a/", "the URL is what `new URL()` gives"],
  [asTo("[::0:1]:81"), "http://[::1]:81/", "the URL is what `new URL()` gives"],
  [asTo("127.1"), "http://127.0.0.1/", "the URL is what `new URL()` gives"],
  [asTo("999.999.999.999"), 400, "no URL: the client's fault, not the application's"],
  [asTo("a%20b"), 400, "no URL: the client's fault, not the application's"],
  [asTo("xn--a"), 400, "no URL: the client's fault, not the application's"],
  [asTo(""), 400, "an empty Host names no server"],
  [asTo("a b"), 400, "that is no host"],
  [asTo("a,b"), 400, "that is no host"],
  [asTo("a/b"), 400, "that is no host"],
  [asTo("\xe4"), 400, "that is no host"],
  ["GET / HTTP/1.1\r\n\r\n", 400, "RFC 9112 section 3.2: HTTP/1.1 has a Host"],
  ["GET / HTTP/1.0\r\n\r\n", "http://127.0.0.1:PORT/", "the address stands for the host"],
  [request("POST /", chunked, "x\r\n"), 400, "who breaks a rule reads so"],
  [request("POST /", [...three, "Expect: 100-continue"], "abc"), "http://a/", "it came by itself"],
  [request("POST /unread", [...three, "Expect: 100-continue"]), 200, "nobody wants the body"],
  [request("POST /", [...three, "Expect: 200-ok"], "abc"), 417, "nobody knows what it expects"],
  [request("GET /205"), 205, "RFC 9110 section 15.3.6: it says that there is nothing"],
  [request("HEAD /205"), 205, "RFC 9110 section 15.3.6: it says that there is nothing"],
  [request("HEAD /stream"), 200, "the head is that of a GET: in chunks"],
  [request("GET /418"), 418, "the reason phrase is that of the application"],
  [request("GET /throw"), 500, "the page of an error is that of the server"],
  [request("HEAD /throw"), 500, "the page of an error is that of the server"],
];

for (const [raw, expected, reason] of DIFFERENT) {
  Deno.test(`toHandler() answers ${JSON.stringify(raw)} otherwise than Deno.serve: ${reason}`, () =>
    withBoth(app, async (ours, theirs) => {
      const answer = await ask(ours, raw);
      const [{ status, body }] = answer as [{ status: number; body: string }];
      assertEquals(answer.length, 1);
      const wanted = typeof expected === "number" ? expected : expected.replace("PORT", `${ours}`);
      assertEquals(typeof wanted === "number" ? status : JSON.parse(body).url, wanted);
      // One that is there no longer has to go from the list. A 205 of theirs has no end to wait for.
      const close = raw.includes("/205") ? ["Connection: close"] : [];
      const asked = close.length > 0 ? request(raw.slice(0, raw.indexOf(" HTTP")), close) : raw;
      assertNotEquals(answer, await ask(theirs, asked));
    }));
}

Deno.test("toHandler() asks for a body by 100 as Deno.serve, when it is read", () =>
  withBoth(app, async (...ports) => {
    for (const port of ports) {
      await using client = await RawClient.connect({ hostname: "127.0.0.1", port });
      await client.send(request("POST /", [...three, "Expect: 100-continue"]));
      assertEquals((await client.response())?.status, 100);
      await client.send("abc");
      assertEquals(JSON.parse((await client.response())!.body).body, "abc");
    }
  }));

Deno.test("toHandler() tells of a client that leaves as Deno.serve", async () => {
  for (const path of ["/stream", "/handler"]) {
    const told: string[] = [];
    const leave: FetchHandler = async ({ url, signal }) => {
      signal.addEventListener("abort", () => told.push("signal"));
      if (new URL(url).pathname === "/handler") {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        return new Response("late");
      }
      return new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
          cancel: () => void told.push("cancel"),
        }),
      );
    };
    await withBoth(leave, async (...ports) => {
      for (const port of ports) {
        told.length = 0;
        const connection = await Deno.connect({ hostname: "127.0.0.1", port });
        await connection.write(new TextEncoder().encode(request(`GET ${path}`)));
        if (path === "/stream") await connection.read(new Uint8Array(1));
        // What is unread makes a reset of it; else it would be a half-close.
        else await connection.closeWrite();
        connection.close();
        const count = path === "/stream" ? 2 : 1;
        assert(await eventually(() => told.length === count), `${path} ${port}: ${told}`);
        assertEquals(told.toSorted(), ["cancel", "signal"].slice(2 - count));
      }
    });
  }
});
