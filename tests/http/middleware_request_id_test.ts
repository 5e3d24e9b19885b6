import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { compose } from "../../http/middleware.ts";
import { REQUEST_ID, requestId, type RequestIdOptions } from "../../http/middleware_request_id.ts";
import type { Handler } from "../../http/server_shared.ts";
import { fieldOf } from "../_support/raw_response.ts";
import { request, ServerHarness } from "../_support/server_harness.ts";
import { fetch, serve } from "../_support/tls_switch.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const tellId: Handler = (ctx) => ctx.text(ctx.state.require(REQUEST_ID));

async function idOf(options: RequestIdOptions, fields: string[], field?: string): Promise<string> {
  await using harness = new ServerHarness(compose([requestId(options)], tellId));
  const response = await harness.request(request("GET /", fields));
  assertEquals(fieldOf(response, field ?? "x-request-id"), response.body);
  return response.body;
}

Deno.test("requestId() gives every request an id of its own", async () => {
  const ids = [await idOf({}, []), await idOf({}, [])];
  for (const id of ids) assert(UUID.test(id));
  assertNotEquals(ids[0], ids[1]);
});

Deno.test("requestId() takes no id over unless told to", async () => {
  assert(UUID.test(await idOf({}, ["X-Request-Id: chosen"])));
});

for (const id of ["a", "A-1._~+/=:@", "x".repeat(128)]) {
  Deno.test(`requestId() takes over an id of ${id.length} safe characters`, async () => {
    assertEquals(await idOf({ acceptIncoming: true }, [`X-Request-Id: ${id}`]), id);
  });
}

for (
  const [name, fields] of [
    ["is missing", []],
    ["is empty", ["X-Request-Id:"]],
    ["is too long", [`X-Request-Id: ${"x".repeat(129)}`]],
    ["contains a blank", ["X-Request-Id: a b"]],
    ["contains a quote", ['X-Request-Id: a"b']],
    ["contains markup", ["X-Request-Id: <script>"]],
    ["contains a byte above 0x7f", ["X-Request-Id: \xe4"]],
    ["is there twice", ["X-Request-Id: a", "x-request-id: a"]],
  ] as const
) {
  Deno.test(`requestId() makes an id where the one that came ${name}`, async () => {
    assert(UUID.test(await idOf({ acceptIncoming: true }, [...fields])));
  });
}

Deno.test("requestId() uses the field and the function it is given", async () => {
  const options: RequestIdOptions = { field: "Trace", generate: (ctx) => `id-of-${ctx.path}` };
  assertEquals(await idOf(options, [], "trace"), "id-of-/");
});

for (
  const [name, handler] of [
    ["an error", () => Promise.reject(new Error("broken"))],
    [
      "a Response with an id",
      () => new Response("", { headers: { "x-request-id": "of another server" } }),
    ],
  ] as [string, Handler][]
) {
  Deno.test(`requestId() tells its id on ${name}`, async () => {
    const layers = compose([requestId({ generate: () => "own" })], handler);
    await using harness = new ServerHarness(layers);
    assertEquals(fieldOf(await harness.request(request("GET /")), "x-request-id"), "own");
  });
}

for (const options of [{ maxLength: 0 }, { maxLength: 1025 }, { maxLength: 1.5 }, { field: "" }]) {
  Deno.test(`requestId() throws on ${JSON.stringify(options)}`, () => {
    assertThrows(() => requestId(options), RangeError);
  });
}

Deno.test("requestId() reaches a real client", async () => {
  await using server = serve(compose([requestId({ acceptIncoming: true })], tellId), {
    hostname: "127.0.0.1",
    port: 0,
  });
  const { port } = server.addr as Deno.NetAddr;
  const response = await fetch(`http://127.0.0.1:${port}/`, {
    headers: { "x-request-id": "from-the-proxy" },
  });
  assertEquals(await response.text(), "from-the-proxy");
});
