import { assertEquals, assertThrows } from "@std/assert";
import { compose } from "../../http/middleware.ts";
import { secureHeaders, type SecureHeadersOptions } from "../../http/middleware_secure_headers.ts";
import type { Handler } from "../../http/server_shared.ts";
import { fieldOf, type RawResponse } from "../_support/raw_response.ts";
import { request, ServerHarness } from "../_support/server_harness.ts";
import { fetch, serve } from "../_support/tls_switch.ts";

async function answerOf(
  options?: SecureHeadersOptions,
  handler: Handler = (ctx) => ctx.text("a"),
): Promise<RawResponse> {
  await using harness = new ServerHarness(compose([secureHeaders(options)], handler));
  return await harness.request(request("GET /"));
}

Deno.test("secureHeaders() sets what is safe for every page", async () => {
  const response = await answerOf();
  const expected: [string, string | undefined][] = [
    ["cross-origin-opener-policy", "same-origin"],
    ["cross-origin-resource-policy", "same-origin"],
    ["origin-agent-cluster", "?1"],
    ["referrer-policy", "same-origin"],
    ["x-content-type-options", "nosniff"],
    ["x-frame-options", "SAMEORIGIN"],
    ["cross-origin-embedder-policy", undefined],
    ["permissions-policy", undefined],
    ["strict-transport-security", undefined],
  ];
  for (const [name, value] of expected) assertEquals(fieldOf(response, name), value, name);
  const policy = fieldOf(response, "content-security-policy")!.split("; ");
  assertEquals(policy.includes("frame-ancestors 'self'"), true);
  assertEquals(policy.includes("default-src 'self'"), true);
});

Deno.test("secureHeaders() sets and leaves out what it is told", async () => {
  const response = await answerOf({
    contentSecurityPolicy: false,
    frameOptions: "DENY",
    strictTransportSecurity: "max-age=63072000; includeSubDomains",
    originAgentCluster: false,
  });
  assertEquals(fieldOf(response, "content-security-policy"), undefined);
  assertEquals(fieldOf(response, "x-frame-options"), "DENY");
  assertEquals(fieldOf(response, "origin-agent-cluster"), undefined);
  assertEquals(
    fieldOf(response, "strict-transport-security"),
    "max-age=63072000; includeSubDomains",
  );
});

Deno.test("secureHeaders() asks a function for the policy of every request", async () => {
  let count = 0;
  const options: SecureHeadersOptions = {
    contentSecurityPolicy: (ctx) => `script-src 'nonce-${ctx.path}${++count}'`,
  };
  await using harness = new ServerHarness(compose([secureHeaders(options)], (ctx) => ctx.text("")));
  for (const expected of ["script-src 'nonce-/a1'", "script-src 'nonce-/a2'"]) {
    const response = await harness.request(request("GET /a"));
    assertEquals(fieldOf(response, "content-security-policy"), expected);
  }
});

Deno.test("secureHeaders() covers errors and answers nobody gave", async () => {
  for (const handler of [() => {}, () => Promise.reject(new Error("broken"))]) {
    const response = await answerOf({}, handler);
    assertEquals(fieldOf(response, "x-content-type-options"), "nosniff");
  }
});

for (
  const [name, options] of [
    ["a line end", { referrerPolicy: "a\r\nset-cookie: b" }],
    ["a character above U+00FF", { permissionsPolicy: "\u2026" }],
    ["a blank at the end", { contentSecurityPolicy: "default-src 'self' " }],
  ] as const
) {
  Deno.test(`secureHeaders() throws on a value with ${name}`, () => {
    assertThrows(() => secureHeaders(options), RangeError);
  });
}

Deno.test("secureHeaders() reaches a real client", async () => {
  await using server = serve(compose([secureHeaders()], (ctx) => ctx.html("<p>")), {
    hostname: "127.0.0.1",
    port: 0,
  });
  const { port } = server.addr as Deno.NetAddr;
  const response = await fetch(`http://127.0.0.1:${port}/`);
  await response.body?.cancel();
  assertEquals(response.headers.get("x-content-type-options"), "nosniff");
});
