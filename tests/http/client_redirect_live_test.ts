import { assertEquals, assertRejects } from "@std/assert";
import { Client } from "../../http/client.ts";
import { HttpRedirectError } from "../../http/client_redirect_error.ts";
import type { ClientBody } from "../../http/client_request_body.ts";
import type { RequestOptions } from "../../http/client_settings.ts";
import { originAt, serve, trust } from "../_support/tls_switch.ts";

/** What the last server of a chain was asked. */
interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Two origins: `/to?status=302&location=...` redirects, all else tells what was asked. */
async function withOrigins(use: (here: string, there: string) => Promise<void>): Promise<void> {
  const origin = () =>
    serve(async (ctx) => {
      const body = await ctx.body.text();
      if (ctx.path !== "/to") {
        const headers = Object.fromEntries([...ctx.headers].map(([n, v]) => [n.toLowerCase(), v]));
        ctx.json({ method: ctx.method, path: ctx.path, headers, body });
        return;
      }
      ctx.status = Number(ctx.query.get("status") ?? 302);
      ctx.set("location", ctx.query.get("location")!);
    }, { hostname: "127.0.0.1", port: 0 });
  await using here = origin();
  await using there = origin();
  const [first, second] = [here, there].map(({ addr }) => originAt((addr as Deno.NetAddr).port));
  await use(first!, second!);
}

function redirect(origin: string, location: string, status = 302): string {
  return `${origin}/to?status=${status}&location=${encodeURIComponent(location)}`;
}

async function seen(
  client: Client,
  url: string,
  options?: RequestOptions,
  method = "GET",
): Promise<Seen> {
  const response = await client.request(method, url, options);
  assertEquals(response.status, 200);
  return await response.json<Seen>();
}

const SECRETS = { "authorization": "Bearer 1", "cookie": "a=1", "x-api-key": "2", "x-id": "3" };

for (const place of ["client", "request", "both"] as const) {
  Deno.test(`Client drops the secrets of its ${place} on a change of origin, for good`, async () => {
    await withOrigins(async (here, there) => {
      await using client = new Client({
        ...trust,
        ...place !== "request" && { headers: SECRETS },
      });
      const options = place === "client" ? undefined : { headers: SECRETS };
      const chains = [
        redirect(here, `${there}/end`),
        redirect(here, redirect(there, `${here}/end`)),
      ];
      for (const url of chains) {
        const { headers } = await seen(client, url, options);
        assertEquals(headers["x-id"], "3");
        for (const name of ["authorization", "cookie", "x-api-key"]) {
          assertEquals(headers[name], undefined, `${name} at the end of ${url}`);
        }
      }
      const { headers } = await seen(client, redirect(here, "/end"), options);
      assertEquals(headers["authorization"], "Bearer 1");
    });
  });
}

Deno.test("Client drops the credentials of a URL on a change of origin", async () => {
  await withOrigins(async (here, there) => {
    await using client = new Client(trust);
    const withUser = (url: string): string => url.replace("//", "//user:pw@");
    const stays = await seen(client, withUser(redirect(here, "/end")));
    assertEquals(stays.headers["authorization"], "Basic dXNlcjpwdw==");
    const leaves = await seen(client, withUser(redirect(here, `${there}/end`)));
    assertEquals(leaves.headers["authorization"], undefined);
    // A server gives none.
    const given = await seen(client, redirect(here, withUser(`${there}/end`)));
    assertEquals(given.headers["authorization"], undefined);
  });
});

const BODIES: readonly (readonly [name: string, body: () => ClientBody, isOnce: boolean])[] = [
  ["text", () => "hello", false],
  ["a blob", () => new Blob(["hello"]), false],
  ["a stream", () => ReadableStream.from([new TextEncoder().encode("hello")]), true],
];

for (const [name, body, isOnce] of BODIES) {
  Deno.test(`Client sends ${name} again where a redirect says so, if it can`, async () => {
    await withOrigins(async (here, there) => {
      await using client = new Client(trust);
      for (const status of [307, 308]) {
        const call = (): Promise<Seen> =>
          seen(client, redirect(here, `${there}/end`, status), { body: body() }, "POST");
        if (isOnce) {
          assertEquals(
            (await assertRejects(call, HttpRedirectError)).code,
            "ERR_HTTP_REDIRECT_BODY",
          );
        } else {
          const { method, body: content } = await call();
          assertEquals([method, content], ["POST", "hello"]);
        }
      }
      for (const status of [301, 302, 303]) {
        const url = redirect(here, `${there}/end`, status);
        const { method, body: content, headers } = await seen(
          client,
          url,
          { body: body() },
          "POST",
        );
        assertEquals([method, content], ["GET", ""]);
        for (const field of ["content-type", "content-length", "transfer-encoding"]) {
          assertEquals(headers[field], undefined);
        }
      }
    });
  });
}

Deno.test("Client ends a circle, and gives or refuses redirects as it is told", async () => {
  await withOrigins(async (here) => {
    await using client = new Client(trust);
    await using server = serve((ctx) => ctx.redirect("/"), { hostname: "127.0.0.1", port: 0 });
    const circle = `${originAt((server.addr as Deno.NetAddr).port)}/`;
    const error = await assertRejects(() => client.get(circle), HttpRedirectError);
    assertEquals([error.code, error.redirectCount], ["ERR_HTTP_REDIRECT_TOO_MANY", 20]);
    const url = redirect(here, "/end", 301);
    const response = await client.get(url, { redirect: "manual" });
    assertEquals([response.status, response.headers.get("location")], [301, "/end"]);
    await response.discard();
    const refused = client.get(url, { redirect: "error" });
    const code = "ERR_HTTP_REDIRECT_REFUSED";
    assertEquals((await assertRejects(() => refused, HttpRedirectError)).code, code);
    assertEquals(client.stats().connections - client.stats().idle, 0);
  });
});

Deno.test("Client refuses two Locations that differ, and keeps the connection", async () => {
  await using server = serve((ctx) => {
    ctx.status = 302;
    ctx.append("location", "/one");
    ctx.append("location", "/two");
  }, { hostname: "127.0.0.1", port: 0 });
  const url = `${originAt((server.addr as Deno.NetAddr).port)}/`;
  await using client = new Client(trust);
  const error = await assertRejects(() => client.get(url), HttpRedirectError);
  assertEquals(error.code, "ERR_HTTP_REDIRECT_BAD_LOCATION");
  assertEquals(client.stats().connections, client.stats().idle);
});
