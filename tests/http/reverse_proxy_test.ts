import { assert, assertEquals, assertThrows } from "@std/assert";
import { HttpError } from "../../http/errors.ts";
import { reverseProxy } from "../../http/reverse_proxy.ts";
import type { ProxyFailure, ReverseProxyOptions } from "../../http/reverse_proxy_options.ts";
import { serve } from "../../http/serve.ts";
import type { ServeOptions } from "../../http/server_options.ts";
import type { Handler } from "../../http/server_shared.ts";
import { eventually } from "../_support/peer.ts";
import { RawClient } from "../_support/raw_client.ts";
import type { RawResponse } from "../_support/raw_response.ts";
import { RawUpstream, type RawUpstreamConnection } from "../_support/raw_upstream.ts";

const LOCAL = { hostname: "127.0.0.1", port: 0 } as const;
const END = "\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

/** A proxy in front of an upstream, and a client in front of both. */
async function through(
  upstream: RawUpstream | string | readonly string[],
  work: (client: RawClient, context: {
    readonly failures: ProxyFailure[];
    readonly errors: unknown[];
    readonly proxy: ReturnType<typeof reverseProxy>;
    readonly address: { hostname: string; port: number };
  }) => Promise<void>,
  options: ReverseProxyOptions = {},
  serverOptions: ServeOptions = {},
): Promise<void> {
  const failures: ProxyFailure[] = [];
  const errors: unknown[] = [];
  const urls = upstream instanceof RawUpstream ? upstream.url : upstream;
  await using proxy = reverseProxy(urls, {
    name: "p",
    onFailure: (failure) => failures.push(failure),
    ...options,
  });
  await using server = serve(proxy, {
    ...LOCAL,
    onError: (error) => errors.push(error),
    ...serverOptions,
  });
  const address = { hostname: "127.0.0.1", port: (server.addr as Deno.NetAddr).port };
  await using client = await RawClient.connect(address);
  await work(client, { failures, errors, proxy, address });
}

/** An upstream that answers every request alike. */
function answering(answer: string): RawUpstream {
  return new RawUpstream(async ({ until, send }) => {
    while (await until(END) !== "") await send(answer);
  });
}

function urlOf(server: { readonly addr: Deno.Addr }): string {
  return `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}`;
}

function get(target: string, fields: readonly string[] = []): string {
  return [`GET ${target} HTTP/1.1`, "Host: client.example", ...fields, "", ""].join("\r\n");
}

function field(response: RawResponse | undefined, name: string): string | undefined {
  const values = response?.fields.filter(([own]) => own.toLowerCase() === name) ?? [];
  return values.length === 0 ? undefined : values.map(([, value]) => value).join(", ");
}

function fieldsOf(head: string): string[] {
  return head.split("\r\n").slice(1).filter((line) => line !== "").sort();
}

/** Waits until something has begun, and goes on no more. */
async function standingStill(count: () => number): Promise<void> {
  let before = -1;
  assert(
    await eventually(() => {
      const isStill = count() > 0 && count() === before;
      before = count();
      return isStill;
    }),
  );
}

Deno.test("reverseProxy() passes on a request and its response, without what is of one connection", async () => {
  await using upstream = answering(
    "HTTP/1.0 201 Made\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nSet-Cookie: a=1\r\n" +
      "Set-Cookie: b=2\r\nConnection: keep-alive, x-hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\n" +
      "Proxy-Authenticate: Basic\r\nContent-Encoding: gzip\r\n\r\nok",
  );
  await through(upstream, async (client) => {
    await client.send(
      get("/a/../b%2F?c=%7B#".replace("#", ""), [
        "Connection: close-not, X-Mine, keep-alive",
        "X-Mine: 1",
        "TE: gzip",
        "Trailer: x",
        "Proxy-Authorization: Basic eA==",
        "Proxy: evil",
        "Accept-Encoding: br",
        "Cookie: s=1",
        "Forwarded: for=1.1.1.1",
        "X-Forwarded-For: 1.1.1.1",
        "X-Real-IP: 1.1.1.1",
      ]),
    );
    const response = await client.response();
    assertEquals([response?.status, response?.body], [201, "ok"]);
    assertEquals(field(response, "set-cookie"), "a=1, b=2");
    assertEquals(field(response, "via"), "1.0 p");
    assertEquals(field(response, "content-encoding"), "gzip");
    assertEquals([field(response, "x-hop"), field(response, "proxy-authenticate")], [
      undefined,
      undefined,
    ]);
  });
  const head = upstream.seen[0]!;
  assertEquals(head.split("\r\n", 1)[0], "GET /a/../b%2F?c=%7B HTTP/1.1");
  assertEquals(fieldsOf(head), [
    "Accept-Encoding: br",
    "Cookie: s=1",
    `Host: 127.0.0.1:${upstream.port}`,
    "forwarded: for=127.0.0.1;host=client.example;proto=http",
    "via: 1.1 p",
  ]);
});

Deno.test("reverseProxy() keeps Host, tells X-Forwarded-* and keeps what a trusted peer says", async () => {
  await using upstream = answering(OK);
  const options = { host: "keep", xForwarded: true, trusted: ["127.0.0.0/8"] } as const;
  await through(upstream, async (client) => {
    await client.send(
      get("/", [
        "Forwarded: for=192.0.2.1",
        "X-Forwarded-For: 192.0.2.1",
        "X-Forwarded-Proto: https",
      ]),
    );
    assertEquals((await client.response())?.status, 200);
  }, options);
  assertEquals(fieldsOf(upstream.seen[0]!), [
    "Host: client.example",
    "X-Forwarded-Proto: https",
    "forwarded: for=192.0.2.1, for=127.0.0.1;host=client.example;proto=http",
    "via: 1.1 p",
    "x-forwarded-for: 192.0.2.1, 127.0.0.1",
    "x-forwarded-host: client.example",
  ]);
});

Deno.test("reverseProxy() drops what a client says of itself in disguise", async () => {
  await using upstream = answering(OK);
  const disguised = [
    "X_Forwarded_For: 1",
    "x-forwarded_host: 2",
    "X_Real_IP: 3",
    "Content_Length: 4",
  ];
  await through(upstream, async (client) => {
    await client.send(get("/", [...disguised, "Transfer_Encoding: chunked", "X_Own: 5"]));
    assertEquals((await client.response())?.status, 200);
  }, { trusted: ["127.0.0.1"] });
  const seen = fieldsOf(upstream.seen[0]!).filter((line) => line.split(":", 1)[0]!.includes("_"));
  assertEquals(seen, ["X_Own: 5"]);
});

Deno.test("reverseProxy() refuses what has come through it before", async () => {
  await using upstream = answering(OK);
  await through(upstream, async (client) => {
    await client.send(get("/", ["Via: 1.1 other, 1.0 P (it is, we)"]));
    assertEquals((await client.response())?.status, 508);
  });
  assertEquals(upstream.count, 0);
});

Deno.test("reverseProxy() counts Max-Forwards down, and answers at 0", async () => {
  await using upstream = answering(OK);
  await through(upstream, async (client) => {
    const ask = (method: string, count: string): Promise<boolean> =>
      client.send(get("/x", [`Max-Forwards: ${count}`, "Cookie: s"]).replace("GET", method));
    await ask("OPTIONS", "0");
    assertEquals((await client.response())?.status, 204);
    await ask("TRACE", "0");
    const trace = await client.response();
    assertEquals([trace?.status, field(trace, "content-type")], [200, "message/http"]);
    assert(trace!.body.startsWith("TRACE /x HTTP/1.1\r\n") && !trace!.body.includes("Cookie"));
    assertEquals(upstream.count, 0);
    await ask("OPTIONS", "3");
    assertEquals((await client.response())?.status, 200);
    await ask("GET", "0");
    assertEquals((await client.response())?.status, 200);
  });
  assert(
    upstream.seen[0]!.includes("\r\nMax-Forwards: 2\r\n") ||
      upstream.seen[0]!.includes("\r\nmax-forwards: 2\r\n"),
  );
  assert(upstream.seen[1]!.includes("Max-Forwards: 0"));
});

Deno.test("reverseProxy() puts the upstream's path in front, rewrites, and lets nobody out of it", async () => {
  await using upstream = answering(OK);
  const options: ReverseProxyOptions = {
    rewritePath: (target) => target.replace(/^\/api/, ""),
    rewriteRequest: (request) => {
      request.headers.set("x-added", "1");
      request.headers.set("transfer-encoding", "chunked");
      request.headers.set("content-length", "7");
    },
    rewriteResponse: async (response) => {
      await Promise.resolve();
      response.status = 299;
      response.headers.set("x-seen", "2");
      response.headers.set("connection", "close");
    },
  };
  await through([`${upstream.url}/base/`], async (client) => {
    await client.send(get("/api/v1?q"));
    const response = await client.response();
    assertEquals([response?.status, field(response, "x-seen")], [299, "2"]);
    for (const path of ["/api/../x", "/api/%2e%2E/x", "/api/..%2fx", "/api/..", "/api/..;/x"]) {
      await client.send(get(path));
      assertEquals([path, (await client.response())?.status], [path, 400]);
    }
  }, options);
  assertEquals(upstream.seen.length, 1);
  const head = upstream.seen[0]!;
  assertEquals(head.split("\r\n", 1)[0], "GET /base/v1?q HTTP/1.1");
  assert(head.includes("x-added: 1") && !/transfer-encoding|content-length/i.test(head));
});

const HEADS = [
  ["HEAD with a length", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n", 200, "1234"],
  ["HEAD without", "HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, undefined],
  ["204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, undefined],
  [
    "304 with a length",
    "GET",
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
    304,
    "99",
  ],
  ["304 without", "GET", 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n', 304, undefined],
  ["an empty body", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "0"],
  ["204 with a length of 0", "GET", "HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n", 204, undefined],
] as const;

for (const [name, method, answer, status, length] of HEADS) {
  Deno.test(`reverseProxy() passes on ${name}`, async () => {
    await using upstream = answering(answer);
    await through(upstream, async (client) => {
      for (let count = 0; count < 2; count++) {
        await client.send(get("/").replace("GET", method));
        const response = await client.response(method === "HEAD");
        assertEquals([response?.status, field(response, "content-length")], [status, length]);
      }
    });
    assertEquals(upstream.count, 1);
  });
}

Deno.test("reverseProxy() passes a type on that is not there, and chunks with their trailers", async () => {
  await using upstream = answering(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n" +
      "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nX-Sum: 7\r\nKeep-Alive: x\r\n\r\n".replace(
        "Keep-Alive: x\r\n",
        "",
      ),
  );
  await through(upstream, async (client) => {
    await client.send(get("/", ["TE: trailers"]));
    const response = await client.response();
    assertEquals([response?.body, response?.framing], ["abcde", "chunked"]);
    assertEquals(response?.trailers, [["X-Sum", "7"]]);
    assertEquals(field(response, "content-type"), undefined);
  });
  assert(upstream.seen[0]!.includes("connection: TE\r\nte: trailers\r\n"));
});

Deno.test("reverseProxy() passes a chunked body on with its trailers, however it was cut", async () => {
  await using upstream = new RawUpstream(async ({ until, send }) => {
    await until("x-sum: 7\r\n\r\n");
    await send(OK);
  });
  await through(upstream, async (client) => {
    await client.send(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n",
    );
    await client.send("002\r\nde\r\n0\r\nx-sum: 7\r\n\r\n");
    assertEquals((await client.response())?.status, 200);
  });
  const body = upstream.seen.join("").split(END).slice(1).join(END);
  assertEquals(body.replace(/^[0-9a-f]+\r\n|\r\n[0-9a-f]+\r\n/g, "|"), "|abc|de|x-sum: 7\r\n\r\n");
});

Deno.test("reverseProxy() asks for the body only when the upstream wants it", async () => {
  await using upstream = new RawUpstream(async ({ until, send, index }) => {
    await until(END);
    if (index === 1) return await send("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
    await send("HTTP/1.1 100 Continue\r\n\r\n");
    await until("four");
    await send(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nKeep-Alive: x\r\n\r\n${OK}`);
  });
  const head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
  await through(upstream, async (client, { address }) => {
    await client.send(head);
    assertEquals((await client.response())?.status, 100);
    await client.send("four");
    const hints = await client.response();
    assertEquals([hints?.status, hints?.fields], [103, [["Link", "</a>"]]]);
    assertEquals((await client.response())?.body, "ok");
    // The upstream has closed: a second connection, on which it says no.
    await using second = await RawClient.connect(address);
    await second.send(head);
    assertEquals((await second.response())?.status, 417);
  }, { continueTimeoutMs: 10_000 });
  assert(upstream.seen[0]!.includes("Expect: 100-continue"));
});

const BROKEN: readonly (readonly [string, string, number, string])[] = [
  ["nonsense", "SSH-2.0-x\r\n", 502, "ERR_HTTP_BAD_VERSION"],
  ["nothing", "", 502, "ERR_NET_CONNECTION_CLOSED"],
  ["half a head", "HTTP/1.1 200 OK\r\nA: b", 502, "ERR_HTTP_TRUNCATED_MESSAGE"],
  [
    "two lengths",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    502,
    "ERR_HTTP_BAD_CONTENT_LENGTH",
  ],
  [
    "a length and chunks",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    502,
    "ERR_HTTP_LENGTH_AND_TRANSFER_CODING",
  ],
  [
    "a head without end",
    `HTTP/1.1 200 OK\r\n${"a: b\r\n".repeat(1_000)}`,
    502,
    "ERR_NET_LIMIT_EXCEEDED",
  ],
  [
    "a 101 nobody asked for",
    "HTTP/1.1 101 Hm\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    502,
    "ERR_HTTP_UNEXPECTED_RESPONSE",
  ],
];

for (const [name, answer, status, code] of BROKEN) {
  Deno.test(`reverseProxy() answers ${status} to an upstream that says ${name}`, async () => {
    await using upstream = new RawUpstream(async ({ until, send }) => {
      await until(END);
      await send(answer);
    });
    await through(upstream, async (client, { failures, errors }) => {
      await client.send(get("/"));
      assertEquals((await client.response())?.status, status);
      assertEquals(failures.map(({ error }) => (error as { code?: string }).code), [code]);
      assertEquals([failures[0]?.upstream?.port, failures[0]?.isRepeated], [
        `${upstream.port}`,
        false,
      ]);
      assertEquals(errors, []);
    });
  });
}

const BODILESS = [
  ["204 with a length", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", 204],
  ["205 with a body", "HTTP/1.1 205 Reset Content\r\nContent-Length: 2\r\n\r\nok", 205],
  ["205 that goes on", "HTTP/1.1 205 Reset Content\r\nContent-Length: 99\r\n\r\nok", 205],
  [
    "205 with chunks",
    "HTTP/1.1 205 Reset Content\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    205,
  ],
] as const;

for (const [name, answer, status] of BODILESS) {
  Deno.test(`reverseProxy() passes on no more than the head of a ${name}`, async () => {
    await using upstream = answering(answer);
    await through(upstream, async (client, { failures, errors }) => {
      for (let count = 0; count < 2; count++) {
        await client.send(get("/"));
        const response = await client.response();
        assertEquals([response?.status, response?.body], [status, ""]);
      }
      assertEquals([failures, errors], [[], []]);
    });
  });
}

const REFUSED = [
  ["a status that is none", "HTTP/1.1 600 Hm\r\nContent-Length: 0\r\n\r\n"],
  [
    "a protocol nobody asked for",
    "HTTP/1.1 101 Hm\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\nsmuggled",
  ],
] as const;

for (const [name, answer] of REFUSED) {
  Deno.test(`reverseProxy() blames an upstream for ${name}`, async () => {
    await using upstream = answering(answer);
    // One alone would be asked in any case.
    await through(
      [upstream.url, `${upstream.url}/other`],
      async (client, { failures, errors, proxy }) => {
        await client.send(get("/", ["Connection: upgrade", "Upgrade: websocket"]));
        const response = await client.response();
        assertEquals([response?.status, response?.body], [502, "Bad Gateway"]);
        const told = failures.map(({ error, isRepeated }) => ({ error, isRepeated }));
        assert(told[0]?.error instanceof HttpError && told[0].error.status === 502);
        assertEquals([told.length, told[0].isRepeated], [1, false]);
        assertEquals(errors, []);
        const [state] = proxy.stats().upstreams;
        assertEquals([state?.state, state?.activeCount], ["down", 0]);
        const hasNoneInUse = (): boolean => {
          const { connections, idle } = proxy.stats().pool;
          return connections === idle;
        };
        assert(await eventually(hasNoneInUse));
      },
      { maxFailures: 1 },
    );
  });
}

const CUT: readonly (readonly [string, string])[] = [
  ["a length", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab"],
  ["chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"],
  [
    "a chunk that is none",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n",
  ],
];

for (const [name, answer] of CUT) {
  Deno.test(`reverseProxy() cuts the client off when the upstream dies behind ${name}`, async () => {
    await using upstream = new RawUpstream(async ({ until, send }) => {
      await until(END);
      await send(answer);
    });
    await through(upstream, async (client, { failures }) => {
      await client.send(get("/"));
      await client.closed();
      assert(new TextDecoder().decode(client.leftover).includes("ab"));
      // Neither the length nor the last chunk has come.
      assertEquals(await client.response().catch(() => undefined), undefined);
      assertEquals(failures.length, 1);
    });
  });
}

Deno.test("reverseProxy() answers 502 where nobody listens, and 504 to silence", async () => {
  await through(["http://127.0.0.1:1"], async (client, { failures }) => {
    await client.send(get("/"));
    assertEquals((await client.response())?.status, 502);
    assertEquals(failures.length, 1);
  });
  await using silent = new RawUpstream(async ({ until }) => {
    await until(END);
    await until("never");
  });
  await through(silent, async (client) => {
    await client.send(get("/"));
    assertEquals((await client.response())?.status, 504);
  }, { firstByteTimeoutMs: 50 });
  await through(silent, async (client) => {
    await client.send(get("/"));
    assertEquals((await client.response())?.status, 504);
  }, { totalTimeoutMs: 50 });
});

Deno.test("reverseProxy() cuts a body that drips for too long, and one that stalls", async () => {
  await using stalling = new RawUpstream(async ({ until, send }) => {
    await until(END);
    await send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\na");
    await until("never");
  });
  for (const options of [{ bodyTimeoutMs: 50 }, { totalTimeoutMs: 50 }]) {
    await through(stalling, async (client) => {
      await client.send(get("/"));
      await client.closed();
      assertEquals(await client.response().catch(() => undefined), undefined);
    }, options);
  }
});

Deno.test("reverseProxy() replaces a connection that died while idle, for what may be repeated", async () => {
  await using upstream = new RawUpstream(async ({ until, send, index }) => {
    await until(END);
    await send(OK);
    // The second request dies without a word, once.
    if (index === 0) await until(END);
    else while (await until(END) !== "") await send(OK);
  });
  await through(upstream, async (client, { failures }) => {
    for (let count = 0; count < 3; count++) {
      await client.send(get(`/${count}`));
      assertEquals((await client.response())?.status, 200);
    }
    assertEquals(failures, []);
  });
  assertEquals(upstream.count, 2);
});

Deno.test("reverseProxy() never sends twice what is not idempotent", async () => {
  await using upstream = new RawUpstream(async ({ until, send, index }) => {
    await until(END);
    if (index === 0) await send(OK);
    await until(END);
  });
  await through(upstream, async (client) => {
    await client.send(get("/"));
    assertEquals((await client.response())?.status, 200);
    await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    assertEquals((await client.response())?.status, 502);
  });
  assertEquals([upstream.count, upstream.seen.length], [1, 2]);
});

Deno.test("reverseProxy() goes on to the next upstream, and leaves alone who fails", async () => {
  await using well = answering(OK);
  const urls = ["http://127.0.0.1:1", well.url];
  await through(urls, async (client, { failures, proxy }) => {
    for (let count = 0; count < 8; count++) {
      await client.send(
        count % 2 === 0 ? get("/") : "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
      );
      assertEquals((await client.response())?.status, 200);
    }
    assertEquals(failures.map(({ isRepeated }) => isRepeated), [true, true, true]);
    assertEquals(proxy.stats().upstreams.map(({ state }) => state), ["down", "up"]);
  });
});

Deno.test("reverseProxy() answers 503 with Retry-After when all upstreams are left alone", async () => {
  const urls = ["http://127.0.0.1:1", "http://127.0.0.1:2"];
  await through(urls, async (client) => {
    const statuses = [];
    for (let count = 0; count < 4; count++) {
      await client.send(get("/"));
      const response = await client.response();
      statuses.push([response?.status, Number(field(response, "retry-after"))]);
    }
    assertEquals(statuses.map(([status]) => status), [502, 503, 503, 503]);
    assert(statuses[1]![1]! >= 15 && statuses[1]![1]! <= 30, `${statuses[1]![1]}`);
  }, { maxFailures: 1, baseDownMs: 30_000 });
});

Deno.test("reverseProxy() answers 503 where there is no room, and blames no upstream", async () => {
  await using upstream = new RawUpstream(async ({ until }) => {
    await until(END);
    await until("never");
  });
  await through(
    upstream,
    async (client, { address, failures, proxy }) => {
      await client.send(get("/"));
      assert(await eventually(() => upstream.seen.length === 1));
      await using second = await RawClient.connect(address);
      await second.send(get("/"));
      const response = await second.response();
      assertEquals([response?.status, field(response, "retry-after")], [503, "1"]);
      assertEquals([failures, proxy.stats().upstreams[0]!.state], [[], "up"]);
    },
    { maxConnectionsPerHost: 1, queueTimeoutMs: 30 },
    { abortOnHalfClose: true },
  );
});

Deno.test("reverseProxy() holds back what a hook has made to be sent once", async () => {
  await using upstream = new RawUpstream(async ({ until }) => void await until(END));
  const options: ReverseProxyOptions = {
    rewriteRequest: (request) => {
      request.method = "POST";
    },
  };
  await using other = answering(OK);
  await through([upstream.url, other.url], async (client) => {
    await client.send(get("/"));
    assertEquals((await client.response())?.status, 502);
    assertEquals(other.count, 0);
  }, options);
});

Deno.test("reverseProxy() answers with what a hook throws, and gives the connection up", async () => {
  await using upstream = answering(OK);
  for (const name of ["rewriteRequest", "rewriteResponse"] as const) {
    const hook = (): never => {
      throw new HttpError(418, "No");
    };
    await through(upstream, async (client, { failures, proxy }) => {
      await client.send(get("/"));
      assertEquals((await client.response())?.status, 418);
      assertEquals([failures, proxy.stats().upstreams[0]!.activeCount], [[], 0]);
    }, { [name]: hook });
  }
});

Deno.test("reverseProxy() refuses a body that is too large, told or found", async () => {
  await using upstream = new RawUpstream(async ({ until }) => void await until("never"));
  await through(upstream, async (client, { address }) => {
    await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
    assertEquals((await client.response())?.status, 413);
    await using second = await RawClient.connect(address);
    await second.send(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
    );
    assertEquals((await second.response())?.status, 413);
  }, { maxRequestBytes: 4 });
});

Deno.test("reverseProxy() blames the client for a body that is broken", async () => {
  await using upstream = new RawUpstream(async ({ until }) => void await until("never"));
  await through(upstream, async (client, { failures, proxy }) => {
    await client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
    assertEquals((await client.response())?.status, 400);
    assertEquals(failures, []);
    assert(await eventually(() => proxy.stats().pool.connections === 0));
  });
});

Deno.test("reverseProxy() ends the upstream request of a client that leaves", async () => {
  let isEnded = false;
  await using upstream = new RawUpstream(async ({ until }) => {
    await until(END);
    await until("never");
    isEnded = true;
  });
  await through(
    upstream,
    async (client, { proxy }) => {
      await client.send(get("/"));
      assert(await eventually(() => upstream.seen.length === 1));
      await client[Symbol.asyncDispose]();
      assert(await eventually(() => isEnded));
      assert(await eventually(() => proxy.stats().upstreams[0]!.activeCount === 0));
      assertEquals(proxy.stats().upstreams[0]!.state, "up");
    },
    {},
    { abortOnHalfClose: true },
  );
});

Deno.test("reverseProxy() is slowed down by a slow client, and slows the upstream down", async () => {
  let sentBytes = 0;
  const piece = new Uint8Array(64 * 1024);
  await using app = serve(async (ctx) => {
    const writer = ctx.writer();
    for (; sentBytes < 200_000_000; sentBytes += piece.length) await writer.write(piece);
    await writer.close();
  }, { ...LOCAL, onError: () => {} });
  await using proxy = reverseProxy(urlOf(app));
  await using server = serve(proxy, { ...LOCAL, onError: () => {} });
  using conn = await Deno.connect({
    hostname: "127.0.0.1",
    port: (server.addr as Deno.NetAddr).port,
  });
  await conn.write(new TextEncoder().encode(get("/")));
  await standingStill(() => sentBytes);
  assert(sentBytes < 50_000_000, `${sentBytes} bytes`);
});

Deno.test("reverseProxy() slows an upload down that its upstream does not take", async () => {
  await using upstream = new RawUpstream(async ({ until, conn }) => {
    await until(END);
    await new Promise((resolve) => gate.then(resolve));
    conn.close();
  });
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => open = resolve);
  await through(upstream, async (_, { address }) => {
    const conn = await Deno.connect(address);
    let sentBytes = 0;
    const sending = (async () => {
      await conn.write(
        new TextEncoder().encode("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000000\r\n\r\n"),
      );
      const piece = new Uint8Array(64 * 1024);
      while (sentBytes < 200_000_000) sentBytes += await conn.write(piece);
    })().catch(() => {});
    await standingStill(() => sentBytes);
    assert(sentBytes < 50_000_000, `${sentBytes} bytes`);
    open();
    conn.close();
    await sending;
  });
});

/** Answers an upgrade, says something at once, and gives back what comes until the end. */
async function echoing({ until, send, conn }: RawUpstreamConnection): Promise<void> {
  const head = await until(END);
  if (!/^upgrade: chat\r$/im.test(head)) return await send(OK);
  await send(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: Upgrade\r\nX-Id: 7\r\n\r\nhello",
  );
  const rest = head.slice(head.indexOf(END) + END.length);
  if (rest !== "") await send(rest);
  const p = new Uint8Array(1024);
  for (let count; (count = await conn.read(p)) !== null;) await conn.write(p.subarray(0, count));
  await send("bye");
}

Deno.test("reverseProxy() makes a tunnel of an upgrade, and carries the end of each half", async () => {
  await using upstream = new RawUpstream(echoing);
  const upgrade = ["Connection: upgrade", "Upgrade: h2c, Chat"];
  await through(upstream, async (client, { proxy }) => {
    await client.send(get("/", upgrade) + "early");
    const response = await client.response();
    assertEquals([response?.status, field(response, "x-id")], [101, "7"]);
    assertEquals(field(response, "upgrade"), "chat");
    await client.bytes("helloearly".length);
    await client.send(" late");
    await client.bytes("helloearly late".length);
    assertEquals(proxy.stats().upstreams[0]!.activeCount, 1);
    await client.sendEnd();
    assertEquals(await client.closed(), "eof");
    assertEquals(new TextDecoder().decode(client.leftover), "helloearly latebye");
    assert(await eventually(() => proxy.stats().upstreams[0]!.activeCount === 0));
  }, { upgradeProtocols: ["chat"] });
  assert(/^upgrade: chat\r$/im.test(upstream.seen[0]!));
});

Deno.test("reverseProxy() does not ask for a protocol that is not allowed", async () => {
  await using upstream = new RawUpstream(echoing);
  await through(upstream, async (client) => {
    await client.send(
      get("/", ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AA"]),
    );
    assertEquals((await client.response())?.status, 200);
  });
  assert(!/upgrade|http2/i.test(upstream.seen[0]!));
});

Deno.test("reverseProxy() cuts a tunnel through which nothing goes", async () => {
  await using upstream = new RawUpstream(echoing);
  await through(upstream, async (client) => {
    await client.send(get("/", ["Connection: upgrade", "Upgrade: chat"]));
    assertEquals((await client.response())?.status, 101);
    assert(["eof", "reset"].includes(await client.closed()));
  }, { upgradeProtocols: ["*"], tunnelIdleTimeoutMs: 50 });
});

Deno.test("reverseProxy() never lets a request hide in another one", async () => {
  await using upstream = answering(OK);
  const hidden = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
  const rows = [
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`,
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n${hidden}`,
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n${hidden}`,
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 5\r\n\r\n${hidden}`,
    `GET / HTTP/1.1\r\nHost: a\r\nX: a\nContent-Length: 40\r\n\r\n${hidden}`,
  ];
  await through(upstream, async (_, { address }) => {
    for (const row of rows) {
      await using client = await RawClient.connect(address);
      await client.send(row);
      assertEquals([row, (await client.response())!.status >= 400], [row, true]);
      await client.closed();
    }
  });
  assertEquals(upstream.seen.filter((head) => head.includes("/hidden")), []);
});

Deno.test("reverseProxy() asks again who is checked and well, and not who is not", async () => {
  let isWell = true;
  const health: Handler = (ctx) => {
    ctx.status = ctx.path === "/health" && !isWell ? 503 : 200;
  };
  await using app = serve(health, LOCAL);
  await through([urlOf(app)], async (client, { proxy }) => {
    const isChecked = (): boolean => proxy.stats().upstreams[0]!.isChecked;
    await client.send(get("/"));
    assertEquals((await client.response())?.status, 200);
    isWell = false;
    assert(await eventually(() => !isChecked()));
    await client.send(get("/"));
    assertEquals((await client.response())?.status, 503);
    isWell = true;
    assert(await eventually(isChecked));
    await client.send(get("/"));
    assertEquals((await client.response())?.status, 200);
  }, { healthCheck: { target: "/health", intervalMs: 5 } });
});

Deno.test("reverseProxy() throws on options that are out of range", () => {
  const rows: readonly (readonly [ReverseProxyOptions, typeof RangeError | typeof TypeError])[] = [
    [{ maxAttempts: 0 }, RangeError],
    [{ totalTimeoutMs: -1 }, RangeError],
    [{ tunnelIdleTimeoutMs: NaN }, RangeError],
    [{ maxRequestBytes: 0.5 }, RangeError],
    [{ failureStatuses: [404] }, RangeError],
    [{ host: "other" as "keep" }, RangeError],
    [{ balance: "random" as "hash" }, RangeError],
    [{ trusted: ["nobody"] }, RangeError],
    [{ firstByteTimeoutMs: -1 }, RangeError],
    [{ baseDownMs: 0 }, RangeError],
    [{ maxConnectionsPerHost: -1 }, RangeError],
    [{ healthCheck: { intervalMs: 0 } }, RangeError],
    [{ healthCheck: { target: "x" } }, RangeError],
    [{ name: "a b" }, TypeError],
  ];
  for (const [options, error] of rows) assertThrows(() => reverseProxy("http://a", options), error);
  assertThrows(() => reverseProxy([]), RangeError);
  assertThrows(() => reverseProxy(["http://a", "http://a/"]), RangeError);
  for (const url of ["ftp://a", "http://u:p@a", "http://a/?q", "nothing"]) {
    assertThrows(() => reverseProxy(url), TypeError);
  }
});
