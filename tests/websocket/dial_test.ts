import { assert, assertEquals, assertRejects } from "@std/assert";
import { ProxyError } from "../../http/proxy_error.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import { dial } from "../../websocket/dial.ts";
import { WebSocketProtocolError } from "../../websocket/errors.ts";
import { upgrade } from "../../websocket/upgrade.ts";
import { echo, portOf, serveWebSocket } from "../_support/websocket_harness.ts";
import { systemClock } from "../../nbio/clock.ts";
import { TlsError } from "../../tls/errors.ts";
import { ProxyPeer } from "../_support/proxy_peer.ts";
import { CA_CERT, LEAF_CERT, LEAF_KEY } from "../_support/tls_server.ts";
import { listen, originAt, serve, trust } from "../_support/tls_switch.ts";

/** A server that gives one answer to whatever head comes. */
function answering(answer: string): { url: string; done: Promise<void> } {
  const listener = listen();
  const done = (async () => {
    using conn = await listener.accept();
    listener.close();
    await conn.read(new Uint8Array(4_096));
    if (answer === "") await conn.closeWrite();
    else await conn.write(new TextEncoder().encode(answer));
    while (await conn.read(new Uint8Array(4_096)).catch(() => null) !== null);
  })();
  return { url: `${originAt((listener.addr as Deno.NetAddr).port, "ws")}/`, done };
}

Deno.test("dial() talks to upgrade(), compressed or not", async () => {
  for (const compression of [false, true]) {
    await using server = serveWebSocket(echo, { compression, subprotocols: ["a"] });
    const url = originAt(portOf(server), "ws");
    const ws = await dial(url, { ...trust, compression, subprotocols: ["b", "a"] });
    assertEquals([ws.subprotocol, ws.extensions !== ""], ["a", compression]);
    for (const size of [0, 1, 125, 126, 65_535, 65_536, 1_000_000]) {
      void ws.send("x".repeat(size));
      void ws.send(new Uint8Array(size).fill(size));
      assertEquals(await ws.readMessage(), { type: "text", data: "x".repeat(size) });
      assertEquals((await ws.readMessage())?.data, new Uint8Array(size).fill(size));
    }
    const { code, clean, by } = await ws.close(4321, "done");
    assertEquals({ code, clean, by }, { code: 4321, clean: true, by: "local" });
  }
});

Deno.test("dial() sends the target, the Host and further fields", async () => {
  const seen: unknown[] = [];
  await using server = serve(async (ctx) => {
    seen.push(ctx.path, ctx.search, ctx.headers.get("host"), ctx.headers.get("x-key"));
    await echo(await upgrade(ctx));
  }, { hostname: "127.0.0.1", port: 0 });
  const origin = originAt(portOf(server), "ws");
  const ws = await dial(`${origin}/a/b?c=d`, { ...trust, headers: { "X-Key": "7" } });
  await ws.close();
  assertEquals(seen, ["/a/b", "?c=d", new URL(origin).host, "7"]);
});

const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
const BAD = [
  { name: "200", answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
  { name: "403 with a body", answer: "HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nnever" },
  { name: "a 101 without Accept", answer: `${SWITCH}\r\n` },
  {
    name: "a wrong Accept",
    answer: `${SWITCH}Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n`,
  },
];

for (const { name, answer } of BAD) {
  Deno.test(`dial() refuses ${name} and closes`, async () => {
    const { url, done } = answering(answer);
    const error = await assertRejects(() => dial(url, trust), WebSocketProtocolError);
    assertEquals(error.code, "ERR_WEBSOCKET_BAD_HANDSHAKE");
    await done;
  });
}

Deno.test("dial() tells a server that leaves", async () => {
  const { url, done } = answering("");
  await assertRejects(() => dial(url, trust), ConnectionClosedError);
  await done;
});

Deno.test("dial() gives up after handshakeTimeoutMs and at its signal", async () => {
  const wheel = new DeadlineWheel(systemClock, { tickMs: 2 });
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `ws://127.0.0.1:${silent.addr.port}/`;
  const error = await assertRejects(
    () => dial(url, { handshakeTimeoutMs: 20, wheel }),
    TimeoutError,
  );
  assertEquals(error.phase, "handshake");
  const reason = new Error("enough");
  const controller = new AbortController();
  const dialing = assertRejects(() => dial(url, { signal: controller.signal }));
  controller.abort(reason);
  assertEquals(await dialing, reason);
  assertEquals(await assertRejects(() => dial(url, { signal: controller.signal })), reason);
  silent.close();
});

Deno.test("dial() refuses URLs and options that cannot be used", async () => {
  for (const url of ["http://a/", "ws://a/#b", "ws://a/#", "ws://u:p@a/", "nothing"]) {
    await assertRejects(() => dial(url), TypeError);
  }
  for (
    const options of [{ maxRedirects: -1 }, { handshakeTimeoutMs: -1 }, { pongTimeoutMs: NaN }]
  ) {
    await assertRejects(() => dial("ws://127.0.0.1:1/", options), RangeError);
  }
  await assertRejects(() => dial("ws://127.0.0.1:1/", { subprotocols: ["a b"] }), TypeError);
});

Deno.test("dial() follows redirects on request, and keeps credentials to their origin", async () => {
  const seen: (string | undefined)[] = [];
  await using there = serve(async (ctx) => {
    seen.push(ctx.headers.get("authorization"), ctx.headers.get("x-key"));
    await echo(await upgrade(ctx));
  }, { hostname: "127.0.0.1", port: 0 });
  await using here = serve((ctx) => {
    if (ctx.path === "/next") {
      ctx.redirect(`${originAt(portOf(there))}/`, 307);
    } else {
      ctx.redirect("/next", 302);
    }
    seen.push(ctx.headers.get("authorization"));
  }, { hostname: "127.0.0.1", port: 0 });
  const url = originAt(portOf(here), "ws");
  const headers = { authorization: "secret", "x-key": "7" };
  await assertRejects(() => dial(url, { ...trust, headers }), WebSocketProtocolError);
  await assertRejects(
    () => dial(url, { ...trust, headers, maxRedirects: 1 }),
    WebSocketProtocolError,
  );
  seen.length = 0;
  const ws = await dial(url, { ...trust, headers, maxRedirects: 2 });
  assert((await ws.close()).clean);
  assertEquals(seen, ["secret", "secret", undefined, "7"]);
});

Deno.test("dial() leaves a connection to its signal", async () => {
  await using server = serveWebSocket(echo);
  const controller = new AbortController();
  const { signal } = controller;
  const ws = await dial(originAt(portOf(server), "ws"), { ...trust, signal });
  const reading = assertRejects(() => ws.readMessage());
  const reason = new Error("enough");
  controller.abort(reason);
  assertEquals(await reading, reason);
  assertEquals((await ws.closed).code, 1006);
});

Deno.test("dial() speaks wss to a server behind TLS, and to no other than it names", async () => {
  const listener = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    cert: LEAF_CERT,
    key: LEAF_KEY,
    alpnProtocols: ["http/1.1"],
  });
  await using server = serve(async (ctx) => {
    const ws = await upgrade(ctx, { origin: () => true });
    for await (const { data } of ws) await ws.send(data);
  }, { listener, onError: () => {} });
  const tls = { caCerts: [CA_CERT] };
  const ws = await dial(`wss://localhost:${portOf(server)}/`, { tls });
  await ws.send("over TLS");
  assertEquals(await ws.readMessage(), { type: "text", data: "over TLS" });
  await ws.close();
  assertEquals((await ws.closed).clean, true);
  // Without its root, nobody vouches for the server.
  const error = await assertRejects(
    () => dial(`wss://localhost:${portOf(server)}/`),
    TlsError,
  );
  assertEquals(error.code, "ERR_TLS_CERTIFICATE");
});

for (const scheme of ["http", "socks5", "socks5h"]) {
  for (const secure of [false, true]) {
    Deno.test(`dial() goes through a proxy by ${scheme} to ${secure ? "wss" : "ws"}`, async () => {
      const address = { hostname: "127.0.0.1", port: 0 };
      const listener = secure
        ? Deno.listenTls({ ...address, cert: LEAF_CERT, key: LEAF_KEY })
        : Deno.listen(address);
      await using server = serve(async (ctx) => {
        const ws = await upgrade(ctx, { origin: () => true });
        for await (const { data } of ws) await ws.send(data);
      }, { listener, onError: () => {} });
      await using proxy = new ProxyPeer({ login: "ada:s3cret" });
      const url = `${secure ? "wss" : "ws"}://127.0.0.1:${portOf(server)}/`;
      const tls = { caCerts: [CA_CERT] };
      const place = `127.0.0.1:${proxy.port}`;
      const ws = await dial(url, { tls, proxy: `${scheme}://ada:s3cret@${place}` });
      await ws.send("through");
      assertEquals((await ws.readMessage())?.data, "through");
      await ws.close();
      assertEquals(proxy.requests.map(({ method }) => method), [
        scheme === "http" ? "CONNECT" : "SOCKS",
      ]);
      const error = await assertRejects(
        () => dial(url, { tls, proxy: `${scheme}://${place}` }),
        ProxyError,
      );
      assertEquals(error.code, "ERR_PROXY_AUTHENTICATION");
    });
  }
}
