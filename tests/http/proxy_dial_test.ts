import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import type { ProxyOptions } from "../../http/client_proxy.ts";
import { type DialedConnection, dialHttp, type DialHttpOptions } from "../../http/dial.ts";
import { lookUpForProxy } from "../../http/proxy_dial.ts";
import { ProxyError } from "../../http/proxy_error.ts";
import { serve } from "../../http/serve.ts";
import { ConnectError } from "../../nbio/connect_error.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { NetError, TimeoutError } from "../../nbio/errors.ts";
import type { HostResolver } from "../../nbio/host_resolver.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { settle } from "../../nbio/testing_settle.ts";
import { closeQuietly } from "../../nbio/transport.ts";
import { WatchedTransport } from "../_support/cancelling.ts";
import { CountedSignal } from "../_support/counted_signal.ts";
import { eventually } from "../_support/peer.ts";
import { ProxyPeer } from "../_support/proxy_peer.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { CA_CERT, LEAF_CERT, LEAF_KEY, startTlsServer } from "../_support/tls_server.ts";
import { denoProvider } from "../../tls/deno_provider.ts";

const LOGIN = "ada:s3cret";

/** Answers every name with one address of each family. */
const BOTH: HostResolver = {
  lookup: () => Promise.resolve(["::1", "127.0.0.1"]),
};

function startServer() {
  return serve((ctx) => ctx.text(`${ctx.headers.get("via")}`), { hostname: "127.0.0.1", port: 0 });
}

function portOf(server: { addr: Deno.Addr }): number {
  return (server.addr as Deno.NetAddr).port;
}

/** Asks once, in the form that the connection wants, and gives the body. */
async function ask({ transport, proxy }: DialedConnection, host: string): Promise<string> {
  const target = proxy?.absoluteForm ? `http://${host}/` : "/";
  const fields = proxy?.authorization === undefined
    ? ""
    : `Proxy-Authorization: ${proxy.authorization}\r\n`;
  const head = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${fields}Connection: close\r\n\r\n`;
  await sendAll(transport, bytesOf(head));
  let text = "";
  const space = new Uint8Array(4_096);
  for (let count; (count = await transport.read(space)) !== null;) {
    text += textOf(space.subarray(0, count));
  }
  transport.close();
  return text.slice(text.indexOf("\r\n\r\n") + 4);
}

const WAYS: readonly {
  scheme: string;
  options?: Omit<ProxyOptions, "all">;
  absoluteForm: boolean;
  method: string;
  asked: string;
}[] = [
  { scheme: "http", absoluteForm: true, method: "GET", asked: "http://a.test:PORT/" },
  {
    scheme: "http",
    options: { tunnel: true },
    absoluteForm: false,
    method: "CONNECT",
    asked: "a.test:PORT",
  },
  { scheme: "socks5h", absoluteForm: false, method: "SOCKS", asked: "a.test:PORT" },
  { scheme: "socks5", absoluteForm: false, method: "SOCKS", asked: "127.0.0.1:PORT" },
];

for (const { scheme, options, absoluteForm, method, asked } of WAYS) {
  for (const login of [undefined, LOGIN]) {
    const name = `${scheme}${options?.tunnel ? " with tunnel" : ""}${login ? " with a login" : ""}`;
    Deno.test(`dialHttp() reaches an http URL through a proxy by ${name}`, async () => {
      await using server = startServer();
      await using proxy = new ProxyPeer({ ...login && { login } });
      const host = `a.test:${portOf(server)}`;
      const all = `${scheme}://${login ? `${login}@` : ""}127.0.0.1:${proxy.port}`;
      const dialed = await dialHttp(`http://${host}/`, {
        proxy: { ...options, all },
        resolver: BOTH,
      });
      assertEquals((dialed.remoteAddr as Deno.NetAddr).port, proxy.port);
      assertEquals(dialed.proxy?.absoluteForm, absoluteForm);
      assertEquals(dialed.proxy?.url, `${scheme}://127.0.0.1:${proxy.port}`);
      assertEquals(dialed.proxy?.authorization !== undefined, absoluteForm && login !== undefined);
      assert(!Deno.inspect(dialed.proxy).includes(btoa(LOGIN)));
      assert(dialed.timings.proxyMs! >= 0);
      assertEquals(await ask(dialed, host), absoluteForm ? "1.1 test" : "undefined");
      const [request] = proxy.requests;
      assertEquals([request?.method, request?.target], [
        method,
        asked.replace("PORT", `${portOf(server)}`),
      ]);
    });
  }
}

for (const scheme of ["http", "socks5", "socks5h"]) {
  Deno.test(`dialHttp() secures what is behind a proxy by ${scheme}`, async () => {
    await using server = startTlsServer({ alpnProtocols: ["http/1.1"] });
    await using proxy = new ProxyPeer({ login: LOGIN });
    const { transport, tlsInfo, timings } = await dialHttp(`https://localhost:${server.port}`, {
      proxy: `${scheme}://${LOGIN}@127.0.0.1:${proxy.port}`,
      tls: { caCerts: [CA_CERT] },
    });
    assertEquals(tlsInfo?.alpnProtocol, "http/1.1");
    assert(timings.proxyMs! >= 0 && timings.tlsMs! >= 0);
    await sendAll(transport, bytesOf("hello"));
    assertEquals(await transport.read(new Uint8Array(16)), 5);
    transport.close();
  });

  Deno.test(`dialHttp() trusts no proxy by ${scheme} with who the server is`, async () => {
    await using server = startTlsServer();
    await using proxy = new ProxyPeer();
    const error = await assertRejects(
      () =>
        dialHttp(`https://other.test:${server.port}`, {
          proxy: `${scheme}://127.0.0.1:${proxy.port}`,
          resolver: BOTH,
          tls: { caCerts: [CA_CERT] },
        }),
      NetError,
    );
    assertEquals(error.code, "ERR_TLS_CERTIFICATE");
  });

  Deno.test(`dialHttp() tells that a proxy by ${scheme} wants other credentials`, async () => {
    await using proxy = new ProxyPeer({ login: LOGIN });
    for (const login of ["", "ada:wrong@", "ada:s3cre@"]) {
      const error = await assertRejects(
        () =>
          dialHttp("https://a.test", {
            proxy: `${scheme}://${login}127.0.0.1:${proxy.port}`,
            resolver: BOTH,
          }),
        ProxyError,
      );
      assertEquals(error.code, "ERR_PROXY_AUTHENTICATION");
      assertEquals(error.proxy, `${scheme}://127.0.0.1:${proxy.port}`);
      assert(!/wrong|s3cre|ada/.test(Deno.inspect(error)));
    }
  });

  Deno.test(`dialHttp() tells that a proxy by ${scheme} cannot reach the server`, async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    await using proxy = new ProxyPeer();
    const error = await assertRejects(
      () => dialHttp(`wss://127.0.0.1:${port}`, { proxy: `${scheme}://127.0.0.1:${proxy.port}` }),
      ProxyError,
    );
    assertEquals(error.code, "ERR_PROXY_TARGET_UNREACHABLE");
  });
}

Deno.test("dialHttp() makes a tunnel for a WebSocket in the clear", async () => {
  await using server = startServer();
  await using proxy = new ProxyPeer();
  const dialed = await dialHttp(`ws://127.0.0.1:${portOf(server)}`, {
    proxy: `127.0.0.1:${proxy.port}`,
  });
  assertEquals([dialed.proxy?.absoluteForm, proxy.requests[0]?.method], [false, "CONNECT"]);
  dialed.transport.close();
});

Deno.test("dialHttp() goes around the proxy where it is told to", async () => {
  await using server = startServer();
  const dialed = await dialHttp(`http://127.0.0.1:${portOf(server)}`, {
    proxy: { all: "http://127.0.0.1:1", noProxy: "127.0.0.0/8" },
  });
  assertEquals([dialed.proxy, dialed.timings.proxyMs], [undefined, undefined]);
  dialed.transport.close();
});

function startTlsProxy(): ProxyPeer {
  const options = { hostname: "127.0.0.1", port: 0, cert: LEAF_CERT, key: LEAF_KEY };
  return new ProxyPeer({ listener: Deno.listenTls(options), login: LOGIN });
}

for (const tunnel of [false, true]) {
  Deno.test(`dialHttp() speaks TLS with a proxy that wants it, tunnel ${tunnel}`, async () => {
    await using server = startServer();
    await using proxy = startTlsProxy();
    const host = `127.0.0.1:${portOf(server)}`;
    const dialed = await dialHttp(`http://${host}`, {
      proxy: {
        all: `https://${LOGIN}@localhost:${proxy.port}`,
        tunnel,
        tls: { caCerts: [CA_CERT] },
      },
      family: 4,
    });
    assertEquals([dialed.tlsInfo, dialed.proxy?.absoluteForm], [undefined, !tunnel]);
    assertEquals(await ask(dialed, host), tunnel ? "undefined" : "1.1 test");
  });
}

Deno.test("dialHttp() says before it connects that a provider has no TLS inside of TLS", async () => {
  let dialCount = 0;
  const error = await assertRejects(
    () =>
      dialHttp("https://a.test", {
        proxy: "https://proxy.test",
        tlsProvider: denoProvider,
        connect: () => {
          dialCount++;
          return Promise.resolve(memoryPipe()[0]);
        },
      }),
    ProxyError,
  );
  assertEquals([error.code, dialCount], ["ERR_PROXY_UNSUPPORTED", 0]);
});

Deno.test("dialHttp() lets a provider that can secure anything do it twice", async () => {
  const asked: (string | undefined)[] = [];
  const [near, far] = memoryPipe();
  const answered = (async () => {
    const count = await far.read(new Uint8Array(1_024));
    assert(count! > 0);
    await far.write(bytesOf("HTTP/1.1 200 OK\r\n\r\n"));
  })();
  const dialed = await dialHttp("https://a.test", {
    proxy: { all: "https://192.0.2.1", tls: { hostname: "proxy.test" } },
    connect: () => Promise.resolve(near),
    tlsProvider: {
      name: "fake",
      capabilities: { client: true, server: false, anyTransport: true },
      client: (transport, options) => {
        asked.push(options.hostname);
        return Promise.resolve(Object.assign(transport, { tlsInfo: { alpnProtocol: undefined } }));
      },
      server: () => Promise.reject(new TypeError("No server's side")),
    } as NonNullable<DialHttpOptions["tlsProvider"]>,
  });
  assertEquals(asked, ["proxy.test", "a.test"]);
  await answered;
  dialed.transport.close();
  closeQuietly(far);
});

Deno.test("dialHttp() gives a silent proxy its time, and closes", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  for (const scheme of ["http", "socks5h"]) {
    const failed = assertRejects(
      () =>
        dialHttp("https://a.test", {
          proxy: `${scheme}://127.0.0.1:${listener.addr.port}`,
          proxyTimeoutMs: 3_000,
          wheel,
        }),
      TimeoutError,
    );
    const accepted = await listener.accept();
    assert(await eventually(() => wheel.armedCount > 0));
    clock.advance(3_200);
    const error = await failed;
    assertEquals([error.phase, error.timeoutMs, clock.pendingCount], ["proxy", 3_000, 0]);
    accepted.close();
  }
});

Deno.test("dialHttp() names the address of a proxy that nobody answers at", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const error = await assertRejects(
    () => dialHttp("https://a.test", { proxy: `http://${LOGIN}@127.0.0.1:${port}` }),
    ConnectError,
  );
  assertEquals(error.attempts[0]?.address, { transport: "tcp", hostname: "127.0.0.1", port });
  assert(!Deno.inspect(error).includes("s3cret"));
});

for (const scheme of ["http", "socks5h"]) {
  Deno.test(`dialHttp() can be aborted while a proxy by ${scheme} is thinking`, async () => {
    const reason = { text: "not even an Error" };
    const signal = new CountedSignal();
    const [near, far] = memoryPipe();
    const transport = new WatchedTransport(near);
    const dialed = dialHttp("https://a.test", {
      proxy: `${scheme}://192.0.2.1`,
      connect: () => Promise.resolve(transport),
      signal: signal.signal,
    });
    dialed.catch(() => {});
    await settle();
    assertEquals(transport.pendingCount, 1);
    signal.abort(reason);
    const error = await dialed.then(() => undefined, (error) => error);
    assertStrictEquals(error, reason);
    assertEquals([transport.pendingCount, transport.closeCount > 0], [0, true]);
    assertEquals(signal.listenerCount, 0);
    closeQuietly(far);
  });
}

Deno.test("dialHttp() tells how long each step to a proxy took", async () => {
  const clock = new ManualClock();
  const [near, far] = memoryPipe();
  const dialing = dialHttp("http://a.test", {
    proxy: { all: "http://proxy.test", tunnel: true },
    clock,
    resolver: {
      lookup: (_host, { family } = {}) => {
        if (family === 6) clock.advance(30);
        return Promise.resolve(family === 4 ? ["192.0.2.1"] : []);
      },
    },
    connect: () => {
      clock.advance(5);
      return Promise.resolve(near);
    },
  });
  await far.read(new Uint8Array(1_024));
  clock.advance(70);
  await far.write(bytesOf("HTTP/1.1 200 OK\r\n\r\n"));
  const { timings, transport } = await dialing;
  assertEquals(timings, { resolveMs: 30, connectMs: 5, proxyMs: 70, tlsMs: undefined });
  transport.close();
  closeQuietly(far);
});

const WRONG: readonly { name: string; options: DialHttpOptions; type: typeof TypeError }[] = [
  { name: "a path and a proxy", options: { path: "/s", proxy: "p.test" }, type: TypeError },
  { name: "a scheme of no proxy", options: { proxy: "ftp://p.test" }, type: TypeError },
  { name: "a negative timeout", options: { proxyTimeoutMs: -1 }, type: RangeError },
  { name: "a timeout that is no number", options: { proxyTimeoutMs: NaN }, type: RangeError },
];

for (const { name, options, type } of WRONG) {
  Deno.test(`dialHttp() throws on ${name}`, async () => {
    await assertRejects(() => dialHttp("http://127.0.0.1:1", options), type);
  });
}

const LOOKUPS: readonly { found: readonly string[]; address: string }[] = [
  { found: ["::1", "192.0.2.1", "192.0.2.2"], address: "192.0.2.1" },
  { found: ["2001:db8::1"], address: "2001:db8::1" },
  { found: ["no.address.test", "192.0.2.7"], address: "192.0.2.7" },
];

for (const { found, address } of LOOKUPS) {
  Deno.test(`lookUpForProxy() takes ${address} of ${found}`, async () => {
    const resolver = { lookup: () => Promise.resolve(found) };
    assertEquals(await lookUpForProxy("a.test", { resolver }), address);
  });
}

Deno.test("lookUpForProxy() looks no address up", async () => {
  const resolver = { lookup: () => Promise.reject(new Error("asked")) };
  for (const host of ["192.0.2.1", "[::1]", "::1"]) {
    assertEquals(await lookUpForProxy(host, { resolver }), host);
  }
});

Deno.test("lookUpForProxy() rejects where there is no address, and for a resolver's error", async () => {
  const cause = new Error("no such name");
  for (
    const [lookup, wanted] of [
      [() => Promise.resolve([]), undefined],
      [() => Promise.resolve(["a.test"]), undefined],
      [() => Promise.reject(cause), cause],
    ] as const
  ) {
    const error = await assertRejects(
      () => lookUpForProxy("a.test", { resolver: { lookup } }),
      ConnectError,
    );
    assertEquals(error.code, "ERR_NET_RESOLVE");
    assertStrictEquals(error.cause, wanted);
  }
});

Deno.test("lookUpForProxy() gives a silent resolver its time", async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const resolver: HostResolver = {
    lookup: (_host, { signal } = {}) =>
      new Promise((_, reject) => signal!.addEventListener("abort", () => reject(signal!.reason))),
  };
  const failed = assertRejects(
    () => lookUpForProxy("a.test", { resolver, resolveTimeoutMs: 500, wheel }),
    TimeoutError,
  );
  clock.advance(700);
  assertEquals((await failed).phase, "resolve");
});
