import { assertEquals } from "@std/assert";
import { ForwardProxy, type ForwardProxyOptions } from "../../examples/proxy.ts";
import { serve } from "../../http/serve.ts";
import { freePort } from "../_support/listening_program.ts";
import { RawClient } from "../_support/raw_client.ts";

const LOCAL = { hostname: "127.0.0.1", port: 0 } as const;

/** The proxy, a server that it may lead to, and how to ask. */
async function through(
  options: ForwardProxyOptions,
  work: (peers: {
    /** Port of the server. */
    readonly port: number;
    /** Port of the proxy. */
    readonly own: number;
    /** Status of a CONNECT, or of a GET in absolute-form. */
    ask(method: "CONNECT" | "GET", host: string, port: number): Promise<number | undefined>;
    connect(): Promise<RawClient>;
  }) => Promise<void>,
): Promise<void> {
  await using server = serve((ctx) => ctx.text(`got ${ctx.url}`), LOCAL);
  const { port } = server.addr as Deno.NetAddr;
  await using proxy = new ForwardProxy({ connectPorts: [port], ...options });
  const errors: unknown[] = [];
  await using front = serve(proxy.handler, {
    ...LOCAL,
    onConnect: proxy.onConnect,
    onError: (error) => errors.push(error),
  });
  const own = (front.addr as Deno.NetAddr).port;
  const connect = () => RawClient.connect({ hostname: "127.0.0.1", port: own });
  await work({
    port,
    own,
    connect,
    ask: async (method, host, to) => {
      await using client = await connect();
      const authority = `${host}:${to}`;
      const target = method === "GET" ? `http://${authority}/` : authority;
      await client.send(`${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
      return (await client.response(method === "CONNECT"))?.status;
    },
  });
  assertEquals(errors, []);
}

const PRIVATE = [
  ...["127.0.0.1", "127.0.0.1.", "0.0.0.0", "[::]", "[::1]", "[::127.0.0.1]", "[::ffff:127.0.0.1]"],
  ...["[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]", "[fd00::1]"],
  ...["10.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1", "224.0.0.1", "localhost"],
  ...["LOCALHOST.", "a.localhost"],
];

for (const host of PRIVATE) {
  Deno.test(`the proxy example refuses to lead to ${host}`, async () => {
    await through({}, async ({ ask, port }) => {
      assertEquals([await ask("CONNECT", host, port), await ask("GET", host, port)], [403, 403]);
    });
  });
}

for (const host of ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "0"]) {
  Deno.test(`the proxy example lets nobody reach this machine by ${host}`, async () => {
    await through({}, async ({ ask, port }) => {
      assertEquals(await ask("GET", host, port), 403);
      // No name, as it is written, and no address either.
      assertEquals(await ask("CONNECT", host, port), 502);
    });
  });
}

Deno.test("the proxy example refuses to lead to itself, by address and by name", async () => {
  await through({ allowPrivate: true }, async ({ ask, own }) => {
    for (const host of ["127.0.0.1", "127.9.9.9", "0.0.0.0", "[::ffff:127.0.0.1]", "a.localhost"]) {
      assertEquals([host, await ask("GET", host, own)], [host, 508]);
      assertEquals([host, await ask("CONNECT", host, own)], [host, 403]);
    }
  });
});

Deno.test("the proxy example refuses a CONNECT to itself where its port is allowed", async () => {
  const address = { hostname: "127.0.0.1", port: freePort() };
  const { port } = address;
  await using proxy = new ForwardProxy({ allowPrivate: true, connectPorts: [port] });
  await using _server = serve(proxy.handler, { ...address, onConnect: proxy.onConnect });
  for (const host of ["127.0.0.1", "localhost", "a.localhost"]) {
    await using client = await RawClient.connect(address);
    await client.send(`CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`);
    assertEquals((await client.response(true))?.status, 508);
  }
});

Deno.test("the proxy example answers 400 to what is no URL, or not in absolute-form", async () => {
  await through({ allowPrivate: true }, async ({ ask, connect, port }) => {
    assertEquals(await ask("GET", "a%00b", port), 400);
    await using client = await connect();
    await client.send(
      "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET https://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
    );
    assertEquals((await client.response())?.status, 400);
    assertEquals((await client.response())?.status, 400);
  });
});

Deno.test("the proxy example leads to where it may, and no further", async () => {
  const allow = ["127.0.0.1", ".Localhost"];
  await through({ allowPrivate: true, allow }, async ({ ask, port }) => {
    assertEquals(await ask("GET", "127.0.0.1", port), 200);
    assertEquals(await ask("CONNECT", "127.0.0.1", port), 200);
    assertEquals(await ask("CONNECT", "127.0.0.1", 1), 403);
    assertEquals(await ask("GET", "127.0.0.2", port), 403);
    assertEquals(await ask("GET", "notlocalhost", port), 403);
  });
});

Deno.test("the proxy example carries bytes, makes so many tunnels, and forgets those that ended", async () => {
  await through({ allowPrivate: true, maxTunnels: 1 }, async ({ ask, connect, port }) => {
    {
      await using client = await connect();
      await client.send(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
      assertEquals((await client.response(true))?.status, 200);
      await client.send("GET /through HTTP/1.1\r\nHost: a\r\n\r\n");
      assertEquals((await client.response())?.body, "got /through");
      assertEquals(await ask("CONNECT", "127.0.0.1", port), 503);
    }
    let status: number | undefined;
    for (let count = 0; count < 1_000 && status !== 200; count++) {
      status = await ask("CONNECT", "127.0.0.1", port);
    }
    assertEquals(status, 200);
  });
});
