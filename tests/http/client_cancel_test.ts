/**
 * Cancelling requests over real sockets in every phase: the sanitizers see what is left of it, and
 * a process of its own shows that ten thousand leave no memory behind.
 */

import { assert, assertEquals } from "@std/assert";
import { Client } from "../../http/client.ts";
import { requestFailure } from "../../http/client_errors.ts";
import type { ClientOptions, RequestOptions } from "../../http/client_settings.ts";
import { CookieJar } from "../../http/cookie_jar.ts";
import { type CookieStore, MemoryCookieStore } from "../../http/cookie_store.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { Accepting } from "../_support/accepting.ts";
import { BlackHole, noBlackHole } from "../_support/black_hole.ts";
import { errorOf } from "../_support/client_harness.ts";
import { CountedSignal } from "../_support/counted_signal.ts";
import { eventually } from "../_support/peer.ts";
import { inTheClear, listen, originAt, tlsSwitch, trust } from "../_support/tls_switch.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

const REASON = { text: "not even an Error" };
const HEAD = "HTTP/1.1 200 OK\r\n";
const GZIP_HEADER = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03";

/** What a request meets on its way. */
interface Phase {
  readonly name: string;
  /** What the server says once a head has come; without it the server is silent. */
  readonly says?: string;
  /** Whether the server reads nothing. */
  readonly isDeaf?: boolean;
  readonly scheme?: "https";
  readonly method?: string;
  readonly client?: () => ClientOptions;
  readonly request?: () => RequestOptions;
  /** Whether it is in the phase, as far as the client shows it; by default the server tells. */
  readonly isThere?: (client: Client) => boolean;
  /** Whether it asks for a name, not an address. */
  readonly hasName?: boolean;
  /** Whether it waits for what only a signal ends: the client's close does not. */
  readonly isStoreOfOthers?: boolean;
  /** Connections that stay, because they were not to blame. */
  readonly stays?: number;
}

const HERE = { hostname: "127.0.0.1", port: 0 } as const;

function never<T>(): Promise<T> {
  return new Promise(() => {});
}

/** A jar whose store has gone home. */
function silentJar(): CookieJar {
  const memory = new MemoryCookieStore();
  const store: CookieStore = {
    get: (identity) => memory.get(identity),
    findByDomain: () => never(),
    findSecureByName: (name) => memory.findSecureByName(name),
    put: (cookie, nowUnixMs) => memory.put(cookie, nowUnixMs),
    delete: (identity) => memory.delete(identity),
    all: () => memory.all(),
    clear: () => memory.clear(),
  };
  return new CookieJar({ store });
}

/** How much of a body without an end was asked for. */
let writtenBytes = 0;

async function* unending(): AsyncGenerator<Uint8Array> {
  const piece = new Uint8Array(65_536);
  for (writtenBytes = 0;; writtenBytes += piece.length) yield await Promise.resolve(piece);
}

const PHASES: readonly Phase[] = [
  {
    name: "waits for the cookies",
    client: () => ({ jar: silentJar() }),
    isStoreOfOthers: true,
    isThere: () => true,
    stays: 0,
  },
  {
    name: "waits for an address",
    client: () => ({ resolver: { lookup: () => never() } }),
    hasName: true,
    isThere: (client) => client.stats().dialing === 1,
  },
  { name: "waits for a handshake", scheme: "https" },
  {
    name: "writes",
    isDeaf: true,
    method: "POST",
    request: () => ({ body: unending() }),
    isThere: () => writtenBytes > 100_000,
  },
  {
    name: "waits for its body",
    method: "POST",
    request: () => ({ body: new ReadableStream({ pull: () => never() }) }),
  },
  {
    name: "waits for a 100",
    method: "POST",
    client: () => ({ continueTimeoutMs: 0 }),
    request: () => ({ body: "abc", expectContinue: true }),
  },
  { name: "waits for a head" },
  { name: "is in a head", says: "HTTP/1.1 200 O" },
  { name: "is behind a 103", says: "HTTP/1.1 103 Early Hints\r\n\r\n" },
  { name: "waits for a body", says: `${HEAD}Content-Length: 5\r\n\r\n` },
  { name: "is in a body", says: `${HEAD}Content-Length: 5\r\n\r\nhel` },
  { name: "is in a chunk", says: `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhel` },
  { name: "is in a body without a length", says: `${HEAD}Connection: close\r\n\r\nhel` },
  {
    name: "is in an encoded body",
    says: `${HEAD}Content-Encoding: gzip\r\nContent-Length: 99\r\n\r\n${GZIP_HEADER}`,
  },
  {
    name: "is in the body of a redirect",
    says: "HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 5\r\n\r\nhel",
  },
  {
    name: "waits for the next attempt",
    says: "HTTP/1.1 503 Busy\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n",
    request: () => ({ retry: { statuses: [503] } }),
    isThere: (client) => client.stats().idle === 1,
    stays: 1,
  },
];

/** A server for one phase; `reached` resolves when a head has come, and been answered. */
function serverFor({ says, isDeaf = false, scheme }: Phase): {
  readonly server: Accepting<Deno.Conn>;
  readonly reached: Promise<void>;
  readonly release: () => void;
} {
  const { promise: reached, resolve } = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  // A server whose handshake is waited for is silent.
  const listener = scheme === undefined ? listen() : Deno.listen(HERE);
  const server = new Accepting(listener, async (connection) => {
    if (isDeaf) {
      resolve();
      // Reads again when the client has had its time.
      await released.promise;
    }
    const space = new Uint8Array(65_536);
    for (let head = "";;) {
      const count = await connection.read(space);
      if (count === null) return;
      head += textOf(space.subarray(0, count));
      if (scheme === undefined && !head.includes("\r\n\r\n")) continue;
      if (says !== undefined) await connection.write(bytesOf(says));
      resolve();
    }
  });
  return { server, reached, release: released.resolve };
}

/** What a request and reading its body come to. */
async function ask(client: Client, url: string, phase: Phase, signal?: AbortSignal): Promise<void> {
  const response = await client.request(phase.method ?? "GET", url, {
    ...phase.request?.(),
    ...signal !== undefined && { signal },
  });
  await response.text();
}

for (const phase of PHASES) {
  for (const kind of ["its signal", "its deadline", "the client's close"] as const) {
    // The store of a jar is the caller's, and is told by the signal alone.
    if (phase.isStoreOfOthers && kind === "the client's close") continue;
    Deno.test({
      name: `Client leaves nothing behind when ${kind} ends what ${phase.name}`,
      async fn() {
        const { server, reached, release } = serverFor(phase);
        await using _ = server;
        const counted = new CountedSignal();
        await using client = new Client({
          ...trust,
          ...phase.client?.(),
          retry: false,
          ...kind === "its deadline" && { totalTimeoutMs: 300 },
        });
        const { scheme } = phase;
        const url = `${scheme ? `${scheme}://127.0.0.1:${server.port}` : originAt(server.port)}/`;
        const target = phase.hasName ? "http://name.example/" : url;
        const asked = errorOf(
          ask(client, target, phase, kind === "its deadline" ? undefined : counted.signal),
        );
        if (phase.isThere === undefined) await reached;
        else await eventually(() => phase.isThere!(client));
        if (kind === "its signal") counted.abort(REASON);
        const closed = kind === "the client's close" ? client.close() : undefined;
        const error = await asked;
        release();
        if (kind === "its signal") assertEquals(error, REASON);
        if (kind === "its deadline") {
          assert(error instanceof TimeoutError);
          assertEquals([error.phase, requestFailure(error)?.phase], ["total", "total"]);
        }
        await closed;
        assertEquals(counted.listenerCount, 0);
        const { connections, idle, queued } = client.stats();
        const stays = kind === "the client's close" ? 0 : phase.stays ?? 0;
        assertEquals([connections, idle, queued], [stays, stays, 0]);
      },
    });
  }
}

Deno.test({
  name: "Client leaves nothing behind when it is cancelled while it connects",
  ignore: noBlackHole,
  async fn() {
    using hole = await BlackHole.open();
    await using client = new Client({ ...trust, retry: false });
    const abort = new AbortController();
    const asked = errorOf(client.get(`http://127.0.0.1:${hole.port}/`, { signal: abort.signal }));
    await eventually(() => client.stats().dialing === 1);
    abort.abort(REASON);
    assertEquals(await asked, REASON);
    assertEquals(client.stats().queued, 0);
  },
});

Deno.test("Client leaves nothing behind when it is cancelled while it waits for its turn", async () => {
  const { server, reached } = serverFor({ name: "silent" });
  await using _ = server;
  await using client = new Client({ ...trust, retry: false, maxConnectionsPerHost: 1 });
  const url = `${originAt(server.port)}/`;
  const abort = new AbortController();
  const asked = Array.from(
    { length: 20 },
    () => errorOf(client.get(url, { signal: abort.signal })),
  );
  await reached;
  assertEquals(client.stats().perHost.map(({ queued }) => queued), [19]);
  abort.abort(REASON);
  assertEquals(new Set(await Promise.all(asked)), new Set([REASON]));
  assertEquals(client.stats().connections, 0);
});

/** Turns within which an exchange can be over; over TLS there is a handshake in front of it. */
const MOMENTS = tlsSwitch === undefined ? 60 : 400;

Deno.test("Client leaves nothing behind when it is cancelled at any moment", async () => {
  const random = new SeededRandom(1);
  const listener = listen();
  await using server = new Accepting(listener, async (connection) => {
    const space = new Uint8Array(65_536);
    while (await connection.read(space) !== null) {
      await connection.write(bytesOf(`${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n`));
      await connection.write(bytesOf("2\r\ncd\r\n0\r\n\r\n"));
    }
  });
  await using client = new Client({ ...trust, retry: false, maxConnectionsPerHost: 4 });
  const url = `${originAt(server.port)}/`;
  let cancelledCount = 0;
  const once = async (turns: number): Promise<void> => {
    const counted = new CountedSignal();
    const asked = client.get(url, { signal: counted.signal }).then((response) => response.text());
    const outcome = asked.catch((error) => error);
    for (let turn = 0; turn < turns; turn++) {
      await (turn % 8 === 7 ? new Promise((resolve) => setTimeout(resolve, 0)) : undefined);
    }
    counted.abort(REASON);
    const result = await outcome;
    if (result === REASON) cancelledCount++;
    else assertEquals(result, "abcd");
    assertEquals(counted.listenerCount, 0);
  };
  for (let round = 0; round < 60; round++) {
    await Promise.all(Array.from({ length: 8 }, () => once(random.int(MOMENTS))));
  }
  assert(cancelledCount > 0 && cancelledCount < 480, `${cancelledCount} were cancelled`);
  const { connections, idle, queued } = client.stats();
  assertEquals([connections - idle, queued], [0, 0]);
  assertEquals(await (await client.get(url)).text(), "abcd");
});

/** Bytes by which the memory of a process may differ between two looks. */
const SLACK_BYTES = 12 * 1024 * 1024;
const HEAP_SLACK_BYTES = 1024 * 1024;

Deno.test("Client leaves no memory behind ten thousand cancelled requests", {
  ...inTheClear("the process that is measured has a server of its own"),
}, async () => {
  const script = new URL("./client_cancel_process.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-check", "--allow-net", "--v8-flags=--expose-gc", script],
    signal: AbortSignal.timeout(60_000),
  }).output();
  const decoder = new TextDecoder();
  assertEquals(code, 0, decoder.decode(stderr));
  const { warm, middle, end } = JSON.parse(decoder.decode(stdout));
  const report = JSON.stringify({ warm, middle, end });
  assertEquals([end.connections, end.queued], [0, 0], report);
  assert(end.heapBytes - warm.heapBytes < HEAP_SLACK_BYTES, report);
  // What the runtime takes first it keeps; from there on it is flat.
  assert(end.rssBytes - middle.rssBytes < SLACK_BYTES, report);
});
