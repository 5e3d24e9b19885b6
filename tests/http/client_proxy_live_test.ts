/** A client through proxies on real sockets: what the proxy is told, and what the server is not. */

import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { Client } from "../../http/client.ts";
import type { Handler } from "../../http/server_shared.ts";
import { ProxyError } from "../../http/proxy_error.ts";
import { serve } from "../../http/serve.ts";
import { ProxyPeer } from "../_support/proxy_peer.ts";
import { CA_CERT, LEAF_CERT, LEAF_KEY } from "../_support/tls_server.ts";

const LOGIN = "ada:s3cret";

/** Tells which fields came that only a proxy should see. */
const tell: Handler = (ctx) =>
  ctx.json([ctx.url, ctx.headers.get("host"), ctx.headers.get("proxy-authorization") ?? null]);

function portOf(server: { addr: Deno.Addr }): number {
  return (server.addr as Deno.NetAddr).port;
}

Deno.test("Client asks an HTTP proxy in absolute-form, with credentials for it alone", async () => {
  await using server = serve(tell, { hostname: "127.0.0.1", port: 0 });
  await using proxy = new ProxyPeer({ login: LOGIN });
  const client = new Client({ proxy: `http://${LOGIN}@127.0.0.1:${proxy.port}` });
  await using _client = client;
  const host = `a.test:${portOf(server)}`;
  const response = await client.get(`http://${host}/x?y#z`);
  assertEquals(await response.json(), ["/x?y", host, null]);
  assertEquals((response.remoteAddress as Deno.NetAddr).port, proxy.port);
  const [request] = proxy.requests;
  assertEquals([request?.method, request?.target], ["GET", `http://${host}/x?y`]);
  assert(request?.head.toLowerCase().includes(`\r\nhost: ${host}\r\n`));
});

for (const scheme of ["http", "socks5", "socks5h"]) {
  Deno.test(`Client tells nothing of a proxy by ${scheme} to a server behind TLS`, async () => {
    const address = { hostname: "127.0.0.1", port: 0 };
    const listener = Deno.listenTls({ ...address, cert: LEAF_CERT, key: LEAF_KEY });
    await using server = serve(tell, { listener });
    await using proxy = new ProxyPeer({ login: LOGIN });
    await using client = new Client({
      proxy: `${scheme}://${LOGIN}@127.0.0.1:${proxy.port}`,
      tls: { caCerts: [CA_CERT] },
    });
    for (let count = 0; count < 2; count++) {
      const response = await client.get(`https://127.0.0.1:${portOf(server)}/x`);
      assertEquals(await response.json(), ["/x", `127.0.0.1:${portOf(server)}`, null]);
      assertEquals(response.reused, count > 0);
    }
    // One tunnel for both.
    assertEquals(proxy.requests.length, 1);
  });
}

Deno.test("Client decides anew about the proxy where a redirect leads", async () => {
  await using far = serve((ctx) => ctx.text("far"), { hostname: "127.0.0.1", port: 0 });
  await using near = serve((ctx) => {
    ctx.status = 302;
    ctx.set("location", `http://127.0.0.1:${portOf(far)}/`);
  }, { hostname: "127.0.0.1", port: 0 });
  await using proxy = new ProxyPeer();
  await using client = new Client({
    proxy: { all: `127.0.0.1:${proxy.port}`, noProxy: "127.0.0.0/8" },
  });
  const response = await client.get(`http://a.test:${portOf(near)}/`);
  assertEquals(await response.text(), "far");
  assertEquals(proxy.requests.length, 1);
});

Deno.test("Client gives the answer of a proxy that refuses, or says why there is no tunnel", async () => {
  await using proxy = new ProxyPeer({ login: LOGIN });
  await using client = new Client({ proxy: `http://ada:wr0ng@127.0.0.1:${proxy.port}` });
  const response = await client.get("http://a.test/");
  assertEquals(response.status, 407);
  await response.discard();
  const error = await assertRejects(() => client.get("https://a.test/"), ProxyError);
  assertInstanceOf(error, ProxyError);
  assertEquals([error.code, error.status], ["ERR_PROXY_AUTHENTICATION", 407]);
  assert(!/wr0ng|d3Iwbmc/.test(Deno.inspect(error, { depth: 10 })));
  assertEquals(client.stats().connections - client.stats().idle, 0);
});
