/** Our client against the server of node, in the clear and over TLS. */

import { Client, type ClientOptions, CookieJar, HttpProtocolError } from "@nbio/net/http";
import { ConnectionClosedError } from "@nbio/net/nbio";
import { createDevelopmentCertificate } from "@nbio/net/tls";
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { errorOf } from "../_support/client_harness.ts";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { eventually, startPeer } from "../_support/peer.ts";
import { sampleBytes, sha256 } from "./interop_app.ts";

const ignore = !interopEnabled || !hasCommand("node");
const PEER = new URL("./http_client_node_peer.mjs", import.meta.url).pathname;
const REQUEST_COUNT = 400;
const CONNECTION_COUNT = 16;
const PATIENT = { keepAliveTimeoutMs: 30_000 };
const SILENT = { keepAliveTimeoutMs: 30_000, isHinted: false };

/** What a server of node has seen. */
interface Seen {
  readonly connections: number;
  readonly requests: number;
  /** How often it has said 100 Continue. */
  readonly continues: number;
}

/** A client of a server of node. */
interface NodeServer {
  readonly client: Client;
  /** Where the server is, to which relative URLs go. */
  readonly origin: string;
  /** Another origin of the same kind. */
  readonly other: string;
  /** Has the server do something; gives what it has seen. */
  ask(path?: "/reset-idle" | "/close-idle"): Promise<Seen>;
}

/** What the server tells of a request. */
interface Described {
  readonly method: string;
  readonly rawHeaders: readonly string[];
  readonly sha256: string;
  readonly byteCount: number;
  readonly trailers: readonly string[];
}

async function whileServing(
  scheme: "http" | "https",
  serverOptions: Readonly<Record<string, unknown>>,
  clientOptions: ClientOptions,
  work: (server: NodeServer) => Promise<void>,
): Promise<void> {
  const pair = scheme === "https" ? await createDevelopmentCertificate(["127.0.0.1"]) : undefined;
  const keys = pair && { cert: pair.leaf.certificatePem, key: pair.leaf.privateKeyPem };
  const tls = pair && { tls: { caCerts: [pair.ca.certificatePem] } };
  const args = [PEER, JSON.stringify({ ...serverOptions, ...keys })];
  await using peer = startPeer("node", args, 60_000);
  const [, ...ports] = await peer.ready(/^Listening on (\d+) (\d+) (\d+)$/);
  const [origin, other, control] = ports.map((port) => `${scheme}://127.0.0.1:${port}`) as [
    string,
    string,
    string,
  ];
  await using asking = new Client({ baseUrl: control, ...tls });
  await using client = new Client({
    baseUrl: origin,
    maxConnectionsPerHost: CONNECTION_COUNT,
    ...tls,
    ...clientOptions,
  });
  const ask: NodeServer["ask"] = async (path) => await (await asking.get(path ?? "/")).json();
  await work({ client, origin, other, ask });
  const { connections, idle, queued, dialing } = client.stats();
  assertEquals([connections - idle, queued, dialing], [0, 0, 0]);
}

function nodeTest(
  name: string,
  work: (server: NodeServer) => Promise<void>,
  server: Readonly<Record<string, unknown>> = {},
  // A jar is for one of the two.
  client: () => ClientOptions = () => ({}),
): void {
  for (const scheme of ["http", "https"] as const) {
    Deno.test({
      name: `Client asks node by ${scheme}: ${name}`,
      ignore,
      fn: () => whileServing(scheme, server, client(), work),
    });
  }
}

/** Values of the fields of that name, as they stood on the wire. */
function fieldsOf({ rawHeaders }: Described, name: string): string[] {
  return rawHeaders.filter((_, index) =>
    index % 2 === 1 && rawHeaders[index - 1]!.toLowerCase() === name
  );
}

/** A body that takes its time: a turn for each of its pieces. */
async function* slowly(count: number): AsyncGenerator<Uint8Array> {
  const piece = sampleBytes(100_000);
  for (let index = 0; index < count; index++) yield await piece;
}

nodeTest("hundreds of requests at once share the connections", async ({ client, ask }) => {
  const texts = await Promise.all(
    Array.from({ length: REQUEST_COUNT }, async (_, index) => {
      const response = await client.get(index % 2 === 0 ? "/hello" : "/chunked?count=3");
      return await response.text();
    }),
  );
  assertEquals(new Set(texts), new Set(["hello", "0 1 2 "]));
  const { connections, requests } = await ask();
  assertEquals(requests, REQUEST_COUNT);
  assert(connections <= CONNECTION_COUNT, `${connections} connections`);
}, PATIENT);

nodeTest("uploads of every size at once come back whole", async ({ client, ask }) => {
  await Promise.all(Array.from({ length: 200 }, async (_, index) => {
    const body = sampleBytes(index * index * 5).map((byte) => byte ^ index);
    const isStream = index % 3 === 0;
    const response = await client.put("/echo", {
      body: isStream ? ReadableStream.from([body.slice(0, 7), body.slice(7)]) : body,
    });
    assertEquals(await sha256(await response.bytes()), await sha256(body));
  }));
  const { connections } = await ask();
  assert(connections <= CONNECTION_COUNT, `${connections} connections`);
}, PATIENT);

nodeTest("a chunked body with trailers, in both directions", async ({ client }) => {
  const response = await client.get("/chunked?count=100");
  const text = Array.from({ length: 100 }, (_, index) => `${index} `).join("");
  assertEquals(await response.text(), text);
  assertEquals([...response.trailers!], [["x-last", "of all"]]);
  const body = ReadableStream.from([sampleBytes(1_000), sampleBytes(200_000)]);
  const trailers = [["x-sum", "1"], ["x-sum", "2"]] as const;
  const described: Described = await (await client.post("/describe", { body, trailers })).json();
  assertEquals(described.trailers, ["x-sum", "1", "x-sum", "2"]);
  assertEquals(described.byteCount, 201_000);
  assertEquals(fieldsOf(described, "transfer-encoding"), ["chunked"]);
  assertEquals(fieldsOf(described, "content-length"), []);
});

nodeTest("100 Continue, and an Expect that is refused", async ({ client, ask }) => {
  const body = sampleBytes(3_000_000);
  const informational: number[] = [];
  const options = {
    body,
    expectContinue: true,
    continueTimeoutMs: 20_000,
    onInformational: ({ status }: { readonly status: number }) => void informational.push(status),
  };
  const accepted: Described = await (await client.post("/describe", options)).json();
  assertEquals(accepted.sha256, await sha256(body));
  assertEquals(informational, [100]);
  let sentBytes = 0;
  const refused = await client.post("/refuse", {
    ...options,
    onUploadProgress: ({ bytes }) => void (sentBytes = bytes),
  });
  assertEquals([refused.status, await refused.text(), sentBytes], [417, "no", 0]);
  assertEquals((await ask()).continues, 1);
  assertEquals(await (await client.get("/hello")).text(), "hello");
});

nodeTest("102 and 103 in front of the answer", async ({ client }) => {
  const seen: unknown[] = [];
  for (let count = 0; count < 3; count++) {
    const response = await client.get("/hints", {
      onInformational: ({ status, headers }) => void seen.push([status, headers.get("link")]),
    });
    assertEquals([response.status, await response.text()], [200, "hinted"]);
  }
  const hints: unknown = [[102, undefined], [103, "</a.css>; rel=preload, </b.js>; rel=preload"]];
  assertEquals(seen, [hints, hints, hints].flat());
});

nodeTest("an answer while the body is still being sent", async ({ client }) => {
  for (const path of ["/early", "/early-close"]) {
    for (const body of [sampleBytes(20_000_000), slowly(200)]) {
      const response = await client.post(path, { body });
      assertEquals([response.status, await response.text()], [413, "too much"]);
    }
  }
  assertEquals(await (await client.get("/hello")).text(), "hello");
});

nodeTest("HEAD, 204 and 304 have no body, HTTP/1.0 ends with the connection", async (node) => {
  const { client } = node;
  for (let count = 0; count < 3; count++) {
    const head = await client.head("/bytes?length=1234");
    assertEquals([head.headers.get("content-length"), (await head.bytes()).length], ["1234", 0]);
    const empty = await client.get("/empty");
    assertEquals([empty.status, await empty.text()], [204, ""]);
    const unchanged = await client.get("/unchanged");
    assertEquals([unchanged.status, unchanged.headers.get("etag")], [304, '"1"']);
    assertEquals(await unchanged.text(), "");
  }
  assertEquals((await node.ask()).connections, 1);
  const old = await client.get("/old");
  assertEquals([old.headers.get("x-old"), await old.text()], ["yes", "until the end"]);
  assertEquals(client.stats().connections, 0);
}, PATIENT);

nodeTest("what is cut or reset is told, and the next request has a connection", async (node) => {
  const { client, origin } = node;
  const cut = await client.get("/cut", { retry: false });
  // TLS tells what was cut off from what has ended (RFC 8446 section 6.1): the connection broke.
  const kind = origin.startsWith("https") ? ConnectionClosedError : HttpProtocolError;
  assertInstanceOf(await errorOf(cut.text()), kind);
  await assertRejects(() => client.get("/reset", { retry: false }), ConnectionClosedError);
  assertEquals(client.stats().connections, 0);
  assertEquals(await (await client.get("/hello")).text(), "hello");
});

for (const way of ["/reset-idle", "/close-idle"] as const) {
  nodeTest(`connections that die while idle are replaced (${way})`, async ({ client, ask }) => {
    for (let round = 0; round < 8; round++) {
      await Promise.all(Array.from({ length: 3 * CONNECTION_COUNT }, async () => {
        const response = await client.get("/hello");
        assertEquals([await response.text(), response.attempts], ["hello", 1]);
      }));
      // What is dialled only now would die of it too, and not while idle.
      assert(await eventually(() => client.stats().dialing === 0));
      await ask(way);
    }
    const { connections, requests } = await ask();
    assertEquals(requests, 8 * 3 * CONNECTION_COUNT);
    assert(connections > CONNECTION_COUNT, `${connections} connections`);
  }, SILENT);
}

nodeTest(
  "a server that closes idle connections at once and does not say so",
  async ({ client }) => {
    // Whoever gets a connection back last gives it to the next: the others die meanwhile.
    await Promise.all(Array.from({ length: CONNECTION_COUNT }, async (_, worker) => {
      for (let index = 0; index < 25; index++) {
        const response = await client.get(`/chunked?count=${(worker * 7 + index * 3) % 20}`);
        assertEquals(response.status, 200);
        await response.bytes();
      }
    }));
  },
  { isHinted: false, keepAliveTimeoutMs: 1 },
);

nodeTest("the hint of a server that keeps connections too briefly", async ({ client, ask }) => {
  for (let count = 0; count < 5; count++) {
    const response = await client.get("/hello");
    assertEquals([await response.text(), response.reused], ["hello", false]);
  }
  assertEquals([(await ask()).connections, client.stats().connections], [5, 0]);
}, { keepAliveTimeoutMs: 4_000 });

nodeTest("secrets stay with their origin when a redirect leaves it", async (node) => {
  const { client, origin, other } = node;
  const headers = [
    ["authorization", "Bearer secret"],
    ["cookie", "sid=secret"],
    ["x-api-key", "secret"],
    ["x-plain", "kept"],
  ] as const;
  const leading = (to: string): string => `/redirect?status=302&to=${encodeURIComponent(to)}`;
  const secretsOf = async (path: string): Promise<number> => {
    const response = await client.get(path, { headers });
    const described: Described = await response.json();
    assertEquals(fieldsOf(described, "x-plain"), ["kept"]);
    return described.rawHeaders.filter((value) => value.includes("secret")).length;
  };
  assertEquals(await secretsOf(leading("/describe")), 3);
  assertEquals(await secretsOf(leading(`${other}/describe`)), 0);
  // There and back again.
  assertEquals(await secretsOf(leading(`${other}${leading(`${origin}/describe`)}`)), 0);
});

nodeTest("a redirect changes the method or keeps the body, by its status", async (node) => {
  const { client, other } = node;
  const body = sampleBytes(100_000);
  const to = encodeURIComponent(`${other}/describe`);
  for (const status of [301, 302, 303, 307, 308]) {
    const isKept = status > 303;
    const response = await client.post(`/redirect?status=${status}&to=${to}`, { body });
    const described: Described = await response.json();
    const { method, byteCount } = described;
    assertEquals([method, byteCount], isKept ? ["POST", body.length] : ["GET", 0]);
    assertEquals(response.redirects.map(({ status }) => status), [status]);
    assertEquals(fieldsOf(described, "content-length"), isKept ? ["100000"] : []);
  }
});

nodeTest(
  "a jar follows Set-Cookie",
  async ({ client }) => {
    await (await client.get("/login")).discard();
    const cookies = async (path: string): Promise<string[]> =>
      fieldsOf(await (await client.get(path)).json(), "cookie");
    assertEquals(await cookies("/describe"), ["sid=1; secret=1; __Host-id=2"]);
    assertEquals(await cookies("/deep/page"), ["theme=dark; sid=1; secret=1; __Host-id=2"]);
  },
  {},
  () => ({ jar: new CookieJar() }),
);

nodeTest("bodies of megabytes, and ones that are dropped half-way", async ({ client }) => {
  const wanted = await sha256(sampleBytes(10_000_000));
  const hashes = await Promise.all(Array.from({ length: 6 }, async (_, index) => {
    const response = await client.get("/bytes?length=10000000");
    if (index % 2 === 0) return await sha256(await response.bytes());
    for await (const chunk of response) if (chunk.length > 0) break;
    return wanted;
  }));
  assertEquals(new Set(hashes), new Set([wanted]));
  assert(await eventually(() => client.stats().connections === client.stats().idle));
});
