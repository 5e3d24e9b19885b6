import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { adapterRequest } from "../../http/adapter_request.ts";
import type { Handler } from "../../http/server_shared.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import type { RawResponse } from "../_support/raw_response.ts";
import { post, request, ServerHarness } from "../_support/server_harness.ts";
import { settledResponse } from "../_support/settled_response.ts";

const URL_TEXT = "http://a/b?c";

/** What is said about a request, in JSON. */
async function say(
  raw: string,
  tell: (made: Request) => unknown,
): Promise<unknown> {
  const handler: Handler = async (ctx) => ctx.json(await tell(adapterRequest(ctx, URL_TEXT)));
  await using harness = new ServerHarness(handler);
  const client = await harness.open(raw);
  const response: RawResponse = await settledResponse(client);
  assertEquals([response.status, harness.reported], [200, []], response.body);
  return JSON.parse(new TextDecoder().decode(bytesOf(response.body)));
}

Deno.test("adapterRequest() has method, URL and header fields", async () => {
  const said = await say(request("PATCH /b?c", ["X-A: 1", "x-a: 2", "Cookie: b"]), (made) => {
    assert(made instanceof Request);
    assertEquals(made.headers, made.headers);
    return [made.method, made.url, [...made.headers], made.bodyUsed, made.body];
  });
  const fields = [["cookie", "b"], ["host", "a"], ["x-a", "1, 2"]];
  assertEquals(said, ["PATCH", URL_TEXT, fields, false, null]);
});

// What the runtime allows is its own affair: this says whether the short way is open in this one.
Deno.test("adapterRequest() makes no Request in this runtime before one is needed", async () => {
  const raw = request("GET /", ["X-A: 1"]);
  await say(raw, (made) => {
    assert(Object.getPrototypeOf(made) !== Request.prototype);
    assert(Object.getPrototypeOf(made.headers) !== Headers.prototype);
    return 1;
  });
});

Deno.test("adapterRequest() shows Latin-1 values as a Request does", async () => {
  assertEquals(
    await say(request("GET /", ["X-A: gr\xfc\xdf"]), (made) => made.headers.get("x-a")),
    "grüß",
  );
});

const READERS: readonly (readonly [string, (made: Request) => Promise<unknown>])[] = [
  ["text()", (made) => made.text()],
  ["json()", async (made) => JSON.stringify(await made.json())],
  ["bytes()", async (made) => new TextDecoder().decode(await made.bytes())],
  ["arrayBuffer()", async (made) => new TextDecoder().decode(await made.arrayBuffer())],
  ["blob()", async (made) => await (await made.blob()).text()],
  ["body", async (made) => await new Response(made.body).text()],
  ["clone()", async (made) => {
    const copy = made.clone();
    assertEquals(await made.text(), await copy.text());
    return "[1]";
  }],
  ["new Request()", (made) => new Request(made).text()],
  ["new Request() with another URL", async (made) => {
    const copy = new Request("http://b/", made);
    assertEquals([copy.url, copy.method], ["http://b/", "POST"]);
    return await copy.text();
  }],
];

for (const [name, read] of READERS) {
  Deno.test(`adapterRequest() gives its body by ${name}, once`, async () => {
    for (
      const raw of [
        post("/", "[1]"),
        request("POST /", ["Transfer-Encoding: chunked"], "3\r\n[1]\r\n0\r\n\r\n"),
      ]
    ) {
      const said = await say(raw, async (made) => {
        assertEquals(made.bodyUsed, false);
        const text = await read(made);
        assert(made.bodyUsed);
        for (const [, again] of READERS) {
          await assertRejects(async () => await again(made), TypeError);
        }
        return text;
      });
      assertEquals(said, "[1]");
    }
  });
}

Deno.test("adapterRequest() reads a form", async () => {
  const form = "a=b&c=d";
  const type = "Content-Type: application/x-www-form-urlencoded";
  assertEquals(await say(post("/", form, [type]), async (made) => [...await made.formData()]), [
    ["a", "b"],
    ["c", "d"],
  ]);
});

for (
  const raw of [request("POST /"), post("/", ""), request("GET /", ["Content-Length: 1"], "x")]
) {
  Deno.test(`adapterRequest() has no body for ${JSON.stringify(raw.slice(0, 30))}`, async () => {
    const said = await say(raw, async (made) => {
      const texts = [await made.text(), await made.text(), (await made.bytes()).length];
      await assertRejects(() => made.json(), SyntaxError);
      return [made.body, ...texts, made.bodyUsed, new Request(made).body];
    });
    assertEquals(said, [null, "", "", 0, false, null]);
  });
}

Deno.test("adapterRequest() drops a byte order mark, as Request does", async () => {
  assertEquals(await say(post("/", "\xef\xbb\xbf[1]"), (made) => made.json()), [1]);
  assertEquals(await say(post("/", "\xef\xbb\xbfa\xff"), (made) => made.text()), "a\ufffd");
});

Deno.test("adapterRequest() fails with a SyntaxError where a body is no JSON", async () => {
  await say(post("/", "{"), (made) => assertRejects(() => made.json(), SyntaxError).then(() => 1));
});

Deno.test("adapterRequest() is an object like any other", async () => {
  await say(request("GET /"), (made) => {
    const own = made as Request & { params?: unknown };
    own.params = { a: "b" };
    assertEquals(own.params, { a: "b" });
    assertEquals([made.redirect, made.cache, made.mode].length, 3);
    assertInstanceOf(made.signal, AbortSignal);
    assert(Deno.inspect(made).includes(URL_TEXT));
    assertEquals(Object.prototype.toString.call(made), "[object Request]");
    assertEquals("formData" in made && "duplex" in Request.prototype === "duplex" in made, true);
    return 1;
  });
});

Deno.test("adapterRequest() gives copies whose signal follows", async () => {
  const copies: Request[] = [];
  await using harness = new ServerHarness(async (ctx) => {
    const made = adapterRequest(ctx, URL_TEXT);
    copies.push(new Request(made), made.clone(), made);
    await new Promise((_, reject) => made.signal.addEventListener("abort", reject));
  });
  const client = await harness.open(request("GET /"));
  await client.reset();
  assertEquals(copies.map(({ signal }) => signal.aborted), [true, true, true]);
});

Deno.test("adapterRequest() of an odd method keeps it", async () => {
  assertEquals(await say(request("get /"), (made) => made.method), "get");
  assertEquals(await say(request("PURGE /"), (made) => new Request(made).method), "PURGE");
});
