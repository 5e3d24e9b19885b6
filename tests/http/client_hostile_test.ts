/**
 * Servers that break the rules, on real sockets: each gives one response or one documented error,
 * and what it has touched is used for nothing else.
 */

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { Client } from "../../http/client.ts";
import type { ClientOptions } from "../../http/client_settings.ts";
import { HttpProtocolError } from "../../http/errors.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import {
  ConnectionClosedError,
  LimitExceededError,
  NetError,
  TimeoutError,
} from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { closeQuietly, type Transport } from "../../nbio/transport.ts";
import { Accepting } from "../_support/accepting.ts";
import { errorOf } from "../_support/client_harness.ts";
import { eventually } from "../_support/peer.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { connect, listen, originAt, trust } from "../_support/tls_switch.ts";

/** What a server does on one connection once it has the head of a request. */
interface Conduct {
  /** Bytes, one per character, that it sends. */
  readonly says?: string;
  /** Bytes it sends again and again, for as long as they are taken. */
  readonly floods?: string;
  /** Whether it speaks before it was asked. */
  readonly isEarly?: boolean;
  /** Bytes that it sends in answer where what it `says` was early. */
  readonly answers?: string;
  /** What it does then; it reads on for as long as it is asked by default. */
  readonly then?: "close" | "half-close" | "reset";
}

const GOOD: Conduct = { says: "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood" };

/** A server whose every connection is as it is told; the last conduct is that of all others. */
class HostileServer implements AsyncDisposable {
  readonly #server: Accepting<Deno.Conn>;

  constructor(...conducts: readonly Conduct[]) {
    const listener = listen();
    this.#server = new Accepting(
      listener,
      (connection, index) => serve(connection, conducts[index] ?? conducts.at(-1)!),
    );
  }

  get connectionCount(): number {
    return this.#server.count;
  }

  get url(): string {
    return `${originAt(this.#server.port)}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

async function serve(connection: Deno.Conn, conduct: Conduct): Promise<void> {
  const { says = "", floods, isEarly = false, answers = "", then } = conduct;
  const space = new Uint8Array(4_096);
  if (isEarly) await write(connection, says);
  if (then === "reset") {
    // What is left unread makes the system do it.
    await connection.read(new Uint8Array(1));
    return;
  }
  for (let count; (count = await connection.read(space)) !== null;) {
    if (!new TextDecoder().decode(space.subarray(0, count)).includes("\r\n\r\n")) continue;
    await write(connection, isEarly ? answers : says);
    if (floods !== undefined) await flood(connection, floods);
    if (then === "close") return;
    if (then === "half-close") await connection.closeWrite();
  }
}

async function write(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = bytesOf(text);
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

async function flood(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = bytesOf(text.repeat(1 + 65_536 / text.length));
  // Far more than any bound lets pass; ends when the client has closed.
  for (let round = 0; round < 4_000; round++) {
    for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
  }
}

/** Asks once and reads to the end; gives the text, or why there is none. */
async function ask(client: Client, url: string, method = "GET"): Promise<unknown> {
  try {
    const response = await client.request(method, url);
    return await response.text();
  } catch (error) {
    return error;
  }
}

/** How a case fails: by class, and code or limit or phase. */
interface Failure {
  readonly name: string;
  readonly conduct: Conduct;
  // deno-lint-ignore no-explicit-any
  readonly type: new (...args: any[]) => Error;
  readonly code: string;
  readonly options?: ClientOptions;
  readonly method?: string;
}

const OK_HEAD = "HTTP/1.1 200 OK\r\n";

/** Of a server that breaks the protocol. */
function broken(name: string, says: string, code: string, more: Partial<Conduct> = {}): Failure {
  return { name, conduct: { says, ...more }, type: HttpProtocolError, code };
}

/** Of one that is cut. */
function cut(name: string, says: string, code = "ERR_HTTP_TRUNCATED_MESSAGE"): Failure {
  return broken(name, says, code, { then: "close" });
}

/** Of one that passes a limit. */
function over(name: string, conduct: Conduct, limit: string, options: ClientOptions = {}): Failure {
  return { name, conduct, type: LimitExceededError, code: limit, options };
}

const GARBAGE: readonly Failure[] = [
  broken("TLS", "\x16\x03\x01\x00\x05hello\r\n", "ERR_HTTP_BAD_VERSION"),
  broken("SSH", "SSH-2.0-OpenSSH_9.6\r\n", "ERR_HTTP_BAD_VERSION"),
  broken("SMTP", "220 mail.test ESMTP\r\n", "ERR_HTTP_BAD_VERSION"),
  broken("HTTP/0.9", "<html>hello</html>\r\n", "ERR_HTTP_BAD_VERSION"),
  broken("a request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "ERR_HTTP_BAD_VERSION"),
  broken("a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "ERR_HTTP_BAD_STATUS_LINE"),
  broken("a status of letters", "HTTP/1.1 abc OK\r\n\r\n", "ERR_HTTP_BAD_STATUS_LINE"),
  broken("HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", "ERR_HTTP_UNSUPPORTED_VERSION"),
  broken("NUL bytes", "\0".repeat(64) + "\r\n\r\n", "ERR_HTTP_BAD_VERSION"),
  broken("a blank before the colon", `${OK_HEAD}a : b\r\n\r\n`, "ERR_HTTP_BAD_FIELD_NAME"),
  broken("a line without a colon", `${OK_HEAD}abc\r\n\r\n`, "ERR_HTTP_BAD_FIELD_NAME"),
  broken("NUL in a value", `${OK_HEAD}a: b\0c\r\n\r\n`, "ERR_HTTP_BAD_FIELD_VALUE"),
  broken("a bare CR", `${OK_HEAD}a: b\rc\r\n\r\n`, "ERR_HTTP_BARE_CR"),
  broken("a bare LF", `${OK_HEAD}a: b\nc: d\r\n\r\n`, "ERR_HTTP_BARE_LF"),
  broken("a folded line", `${OK_HEAD}a: b\r\n c\r\n\r\n`, "ERR_HTTP_OBS_FOLD"),
];

const LENGTHS: readonly Failure[] = [
  ...["abc", "-1", "+5", "5 5", "0x5", "5.0", "", "9".repeat(30)].map((value) =>
    broken(
      `a length of ${JSON.stringify(value)}`,
      `${OK_HEAD}Content-Length: ${value}\r\n\r\nhello`,
      "ERR_HTTP_BAD_CONTENT_LENGTH",
    )
  ),
  broken(
    "two lengths",
    `${OK_HEAD}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello`,
    "ERR_HTTP_BAD_CONTENT_LENGTH",
  ),
  broken(
    "two lengths in one field",
    `${OK_HEAD}Content-Length: 5, 6\r\n\r\nhello`,
    "ERR_HTTP_BAD_CONTENT_LENGTH",
  ),
  broken(
    "both framings",
    `${OK_HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    "ERR_HTTP_LENGTH_AND_TRANSFER_CODING",
  ),
  broken(
    "both framings the other way",
    `${OK_HEAD}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
    "ERR_HTTP_LENGTH_AND_TRANSFER_CODING",
  ),
  broken(
    "an unknown transfer coding",
    `${OK_HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    "ERR_HTTP_UNKNOWN_TRANSFER_CODING",
  ),
  broken(
    "a chunk size that is none",
    `${OK_HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    "ERR_HTTP_BAD_CHUNK_SIZE",
  ),
  broken(
    "a chunk size without end",
    `${OK_HEAD}Transfer-Encoding: chunked\r\n\r\n${"f".repeat(20)}\r\n`,
    "ERR_HTTP_BAD_CHUNK_SIZE",
  ),
  broken(
    "a chunk that is longer than its size",
    `${OK_HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n`,
    "ERR_HTTP_BAD_CHUNK_DATA",
  ),
  broken(
    "a trailer that is framing",
    `${OK_HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\nContent Length: 5\r\n\r\n`,
    "ERR_HTTP_BAD_FIELD_NAME",
  ),
];

const TOO_LITTLE: readonly Failure[] = [
  cut("half a status line", "HTTP/1."),
  cut("half a head", `${OK_HEAD}Content-Le`),
  cut("a head without its end", `${OK_HEAD}Content-Length: 5\r\n`),
  cut("nothing of a body", `${OK_HEAD}Content-Length: 5\r\n\r\n`),
  cut("half a body", `${OK_HEAD}Content-Length: 5\r\n\r\nhel`),
  cut("half a chunk size", `${OK_HEAD}Transfer-Encoding: chunked\r\n\r\n5`),
  cut("half a chunk", `${OK_HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhel`),
  cut("no last chunk", `${OK_HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`),
  cut("half a trailer", `${OK_HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\nx: y`),
  cut("only a 100", "HTTP/1.1 100 Continue\r\n\r\n"),
  {
    name: "nothing",
    conduct: { then: "close" },
    type: ConnectionClosedError,
    code: "ERR_NET_CONNECTION_CLOSED",
  },
  {
    name: "a half-close",
    conduct: { then: "half-close" },
    type: ConnectionClosedError,
    code: "ERR_NET_CONNECTION_CLOSED",
  },
  {
    name: "a reset",
    conduct: { then: "reset" },
    type: ConnectionClosedError,
    code: "ERR_NET_CONNECTION_CLOSED",
  },
  cut(
    "half of what was compressed",
    `${OK_HEAD}Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0\0\x03\xcb\x48`,
    "ERR_HTTP_TRUNCATED_CONTENT_CODING",
  ),
];

/** 32 MiB of nothing, as few bytes, in a body that has not come to its end. */
const BOMB: string = textOf(
  new Uint8Array(
    await new Response(
      new Blob([new Uint8Array(32 * 1024 * 1024)]).stream()
        .pipeThrough(new CompressionStream("gzip")),
    ).arrayBuffer(),
  ),
);

const TOO_MUCH: readonly Failure[] = [
  over(
    "a bomb",
    {
      says: `${OK_HEAD}Content-Encoding: gzip\r\nContent-Length: ${BOMB.length + 1}\r\n\r\n${BOMB}`,
    },
    "maxDecodingRatio",
    { maxDecodingRatio: 100 },
  ),
  over(
    "a bomb against the bound of a body",
    {
      says: `${OK_HEAD}Content-Encoding: gzip\r\nContent-Length: ${BOMB.length + 1}\r\n\r\n${BOMB}`,
    },
    "maxBodyBytes",
    { maxBodyBytes: 1_000_000 },
  ),
  over(
    "six codings",
    { says: `${OK_HEAD}Content-Encoding: ${"gzip, ".repeat(5)}gzip\r\n\r\n`, floods: "x" },
    "maxContentCodings",
  ),
  over("a status line without end", { says: "HTTP/1.1 200 O", floods: "k" }, "maxRequestLineBytes"),
  over(
    "a head without end",
    { says: OK_HEAD, floods: `a: ${"b".repeat(1_000)}\r\n` },
    "maxHeaderBytes",
  ),
  over("a field without end", { says: `${OK_HEAD}a: `, floods: "b" }, "maxHeaderBytes"),
  over("fields without end", { says: OK_HEAD, floods: "a: b\r\n" }, "maxHeaderCount"),
  over(
    "announcements without end",
    { floods: "HTTP/1.1 102 Processing\r\n\r\n" },
    "maxInformationalResponses",
  ),
  over(
    "a body without end",
    { says: `${OK_HEAD}\r\n`, floods: "x" },
    "maxBodyBytes",
    { maxBodyBytes: 1_000_000 },
  ),
  over(
    "chunks without end",
    { says: `${OK_HEAD}Transfer-Encoding: chunked\r\n\r\n`, floods: "5\r\nhello\r\n" },
    "maxResponseBytes",
    { maxResponseBytes: 1_000_000 },
  ),
  over(
    "a length that is announced",
    { says: `${OK_HEAD}Content-Length: 1001\r\n\r\n` },
    "maxBodyBytes",
    { maxBodyBytes: 1_000 },
  ),
  over(
    "extensions without end",
    { says: `${OK_HEAD}Transfer-Encoding: chunked\r\n\r\n`, floods: "1;abcdefgh=i\r\nx\r\n" },
    "maxChunkOverheadBytes",
  ),
  over(
    "an extension without end",
    { says: `${OK_HEAD}Transfer-Encoding: chunked\r\n\r\n1;a=`, floods: "b" },
    "maxChunkLineBytes",
  ),
  over(
    "trailers without end",
    {
      says: `${OK_HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\n`,
      floods: `a: ${"b".repeat(500)}\r\n`,
    },
    "maxTrailerBytes",
  ),
];

for (const failure of [...GARBAGE, ...LENGTHS, ...TOO_LITTLE, ...TOO_MUCH]) {
  const { name, conduct, type, code, options = {} } = failure;
  Deno.test(`Client rejects when the server sends ${name}, and goes on with another`, async () => {
    await using server = new HostileServer(conduct, GOOD);
    await using client = new Client({ ...trust, retry: false, ...options });
    const error = await ask(client, server.url);
    assertInstanceOf(error, type, `${error}`);
    const said = error instanceof LimitExceededError ? error.limit : (error as NetError).code;
    assertEquals(said, code);
    // Not one byte of that connection is used for anything else.
    assert(await eventually(() => client.stats().connections === 0));
    assertEquals(await ask(client, server.url), "good");
    assertEquals([server.connectionCount, client.stats().connections], [2, 1]);
  });
}

/** Whatever is behind a response was not asked for, and must not answer the next request. */
const SMUGGLED = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
const BEHIND: readonly { name: string; says: string; text: string; method?: string }[] = [
  { name: "a body", says: `${GOOD.says}x`, text: "good" },
  { name: "another response", says: `${GOOD.says}${SMUGGLED}`, text: "good" },
  {
    name: "the last chunk",
    says: `${OK_HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n${SMUGGLED}`,
    text: "x",
  },
  { name: "a 204", says: `HTTP/1.1 204 No\r\n\r\n${SMUGGLED}`, text: "" },
  { name: "a 304", says: `HTTP/1.1 304 No\r\nContent-Length: 4\r\n\r\nevil`, text: "" },
  { name: "a HEAD", says: `${OK_HEAD}Content-Length: 4\r\n\r\nevil`, text: "", method: "HEAD" },
];

for (const { name, says, text, method } of BEHIND) {
  Deno.test(`Client uses no connection with bytes behind ${name}`, async () => {
    await using server = new HostileServer({ says }, GOOD);
    await using client = new Client({ ...trust, retry: false });
    assertEquals(await ask(client, server.url, method), text);
    assert(await eventually(() => client.stats().connections === 0));
    assertEquals(await ask(client, server.url), "good");
    assertEquals(server.connectionCount, 2);
  });
}

Deno.test("Client uses no idle connection on which something was said unasked", async () => {
  const [near, far] = memoryPipe();
  const transports: Transport[] = [near];
  await using server = new HostileServer(GOOD);
  await using client = new Client({
    ...trust,
    transport: (url) => {
      const first = transports.pop();
      if (first !== undefined) return Promise.resolve(first);
      return connect({ hostname: "127.0.0.1", port: Number(url.port) });
    },
  });
  const asked = ask(client, server.url);
  await far.read(new Uint8Array(4_096));
  await far.write(bytesOf(GOOD.says!));
  assertEquals(await asked, "good");
  assertEquals(client.stats().idle, 1);
  await far.write(bytesOf(SMUGGLED));
  assert(await eventually(() => client.stats().connections === 0));
  assertEquals(await ask(client, server.url), "good");
  closeQuietly(far);
});

Deno.test("Client rejects what says it was compressed and was not, whole as it came", async () => {
  const says = `${OK_HEAD}Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello`;
  await using server = new HostileServer({ says });
  await using client = new Client({ ...trust, retry: false });
  for (let round = 0; round < 2; round++) {
    const error = await ask(client, server.url);
    assertInstanceOf(error, HttpProtocolError);
    assertEquals(error.code, "ERR_HTTP_BAD_CONTENT_CODING");
  }
  // Its framing was right: the connection may be kept, but for nobody but the pool.
  assert(await eventually(() => client.stats().connections === client.stats().idle));
});

Deno.test("Client rejects what a server says before it was asked, where it is no response", async () => {
  await using server = new HostileServer({ says: "220 mail.test\r\n", isEarly: true }, GOOD);
  await using client = new Client({ ...trust, retry: false });
  assertInstanceOf(await ask(client, server.url), HttpProtocolError);
  assertEquals(await ask(client, server.url), "good");
});

Deno.test("Client drops a connection that answered before it was asked, once the answer comes", async () => {
  const early = { says: SMUGGLED, isEarly: true, answers: GOOD.says! };
  await using server = new HostileServer(early, GOOD);
  await using client = new Client({ ...trust, retry: false });
  // On a new connection nobody can tell it from a fast answer.
  const first = await ask(client, server.url);
  assert(first === "evil" || first instanceof NetError, `${first}`);
  // The true one comes unasked, then.
  assert(await eventually(() => client.stats().connections === 0));
  assertEquals(await ask(client, server.url), "good");
  assertEquals(server.connectionCount, 2);
});

/** Servers that let wait, and what the client says about it. */
const SLOW: readonly { name: string; conduct: Conduct; phase: string }[] = [
  { name: "says nothing", conduct: {}, phase: "first-byte" },
  { name: "stops in its head", conduct: { says: `${OK_HEAD}Content-` }, phase: "first-byte" },
  {
    name: "only announces",
    conduct: { says: "HTTP/1.1 102 Processing\r\n\r\n" },
    phase: "first-byte",
  },
  {
    name: "stops in its body",
    conduct: { says: `${OK_HEAD}Content-Length: 5\r\n\r\nhel` },
    phase: "body",
  },
  {
    name: "stops in a chunk",
    conduct: { says: `${OK_HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhel` },
    phase: "body",
  },
];

for (const { name, conduct, phase } of SLOW) {
  Deno.test(`Client gives a server up that ${name}, and goes on with another`, async () => {
    const clock = new ManualClock();
    const wheel = new DeadlineWheel(clock);
    await using server = new HostileServer(conduct, GOOD);
    await using client = new Client({
      ...trust,
      retry: false,
      wheel,
      firstByteTimeoutMs: 2_000,
      bodyTimeoutMs: 3_000,
      unreadTimeoutMs: 0,
    });
    const asked = ask(client, server.url);
    let isOver = false;
    asked.then(() => isOver = true);
    while (!isOver) {
      clock.advance(500);
      await eventually(() => isOver, 10);
    }
    const error = await asked;
    assertInstanceOf(error, TimeoutError);
    assertEquals(error.phase, phase);
    assertEquals(client.stats().connections, 0);
    assertEquals(await ask(client, server.url), "good");
  });
}

/** Responses that are right, to be made wrong. */
const SEEDS: readonly string[] = [
  GOOD.says!,
  `${OK_HEAD}Transfer-Encoding: chunked\r\nTrailer: x\r\n\r\n4\r\ngood\r\n0\r\nx: y\r\n\r\n`,
  `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${GOOD.says}`,
  `HTTP/1.1 301 Moved\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n`,
  `${OK_HEAD}Content-Encoding: gzip\r\nContent-Length: 5\r\nSet-Cookie: a=b\r\n\r\nhello`,
  "HTTP/1.0 200 OK\r\n\r\nuntil the end",
];

/** Bytes that mean something to a parser. */
const MARKS = [
  "\r\n",
  "\n",
  "\r",
  ":",
  " ",
  "\0",
  "\xff",
  "0",
  "f",
  ";",
  ",",
  "chunked",
  "HTTP/1.1",
];

function mutate(text: string, random: SeededRandom): string {
  let result = text;
  for (let count = random.int(4); count >= 0; count--) {
    const at = random.int(result.length + 1);
    const mark = MARKS[random.int(MARKS.length)]!;
    result = result.slice(0, at) + mark + result.slice(at + random.int(3));
  }
  return result;
}

Deno.test("Client gives one response or one documented error for any server, and leaks nothing", async () => {
  const random = new SeededRandom(8);
  const fars: Transport[] = [];
  for (let round = 0; round < 400; round++) {
    const says = mutate(SEEDS[round % SEEDS.length]!, random);
    await using client = new Client({
      ...trust,
      retry: false,
      maxRedirects: 2,
      transport: () => {
        const [near, far] = memoryPipe({ maxReadBytes: 1 + random.int(40) });
        fars.push(far);
        void converse(far, says);
        return Promise.resolve(near);
      },
    });
    const outcome = await ask(client, "http://a.test/");
    assert(typeof outcome === "string" || outcome instanceof NetError, `${says}: ${outcome}`);
    const { connections, idle, queued } = client.stats();
    assertEquals([connections - idle, queued], [0, 0], says);
  }
  for (const far of fars) closeQuietly(far);
});

/** Answers whatever comes, and leaves. */
async function converse(far: Transport, says: string): Promise<void> {
  try {
    await far.read(new Uint8Array(4_096));
    const bytes = bytesOf(says);
    for (let at = 0; at < bytes.length;) at += await far.write(bytes.subarray(at));
    await far.closeWrite();
  } catch {
    // The client was faster.
  }
}

Deno.test("Client tells no credentials in what a hostile server makes it throw", async () => {
  await using server = new HostileServer(GARBAGE[0]!.conduct);
  await using client = new Client({ ...trust, retry: false });
  const url = server.url.replace("://", "://ada:s3cret@");
  const headers = { cookie: "id=s3cret", "x-api-key": "s3cret" };
  const error = await errorOf(client.get(`${url}?token=s3cret#s3cret`, { headers }));
  assertInstanceOf(error, HttpProtocolError);
  assert(!/s3cret|czNjcmV0/.test(Deno.inspect(error, { depth: 10 })), Deno.inspect(error));
});
