/** What `HttpConnection` makes of the bytes of its peer, however they come. */

import { assertEquals, assertThrows } from "@std/assert";
import type { HttpConnection } from "../../http/connection.ts";
import type { HttpConnectionOptions } from "../../http/connection_options.ts";
import { HttpProtocolError } from "../../http/errors.ts";
import type { HttpEvent } from "../../http/events.ts";
import { everySplit } from "../../nbio/testing_split.ts";
import {
  clientWith,
  type Feed,
  feed,
  sendRequest,
  sendResponse,
} from "../_support/connection_script.ts";
import { bytesOf } from "../_support/raw_bytes.ts";

interface Row {
  readonly name: string;
  readonly wire: string;
  readonly events: readonly string[];
  /** State at the end. */
  readonly state: string;
  readonly code?: string;
  /** Whether the peer ends its stream. */
  readonly isEnd?: boolean;
  /** What the client has asked, by method or as `GET upgrade`. */
  readonly asked?: readonly string[];
  readonly options?: Partial<HttpConnectionOptions>;
}

const HOST = "Host: a\r\n";
const GET = `GET / HTTP/1.1\r\n${HOST}\r\n`;
const POST = `POST / HTTP/1.1\r\n${HOST}`;
const OK = "HTTP/1.1 200 OK\r\n";
const OK_ABC = `${OK}Content-Length: 3\r\n\r\nabc`;

/** Requests that leave the connection open. */
const REQUESTS: readonly Row[] = [
  { name: "no body", wire: GET, events: ["request GET / 1.1 0", "end"], state: "idle/idle" },
  {
    name: "an empty line in front",
    wire: `\r\n${GET}`,
    events: ["request GET / 1.1 0", "end"],
    state: "idle/idle",
  },
  {
    name: "Content-Length",
    wire: `${POST}Content-Length: 5\r\n\r\nhello`,
    events: ["request POST / 1.1 5", "data hello", "end"],
    state: "idle/idle",
  },
  {
    name: "Content-Length 0",
    wire: `${POST}Content-Length: 0\r\n\r\n`,
    events: ["request POST / 1.1 0", "end"],
    state: "idle/idle",
  },
  {
    name: "chunks",
    wire: `${POST}Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n1\r\n!\r\n0\r\n\r\n`,
    events: ["request POST / 1.1 chunked", "data hello!", "end"],
    state: "idle/idle",
  },
  {
    name: "trailers",
    wire: `${POST}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\nx-b:\r\n\r\n`,
    events: ["request POST / 1.1 chunked", "data a", "end X-Sum: 1 x-b: "],
    state: "idle/idle",
  },
  {
    name: "HEAD",
    wire: `HEAD /x?y HTTP/1.1\r\n${HOST}\r\n`,
    events: ["request HEAD /x?y 1.1 0", "end"],
    state: "idle/idle",
  },
  {
    name: "asterisk-form",
    wire: `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`,
    events: ["request OPTIONS * 1.1 0", "end"],
    state: "idle/idle",
  },
  {
    name: "Connection: keep-alive in a list with HTTP/1.0",
    wire: "GET / HTTP/1.0\r\nConnection: x, Keep-Alive\r\n\r\n",
    events: ["request GET / 1.0 0", "end"],
    state: "idle/idle",
  },
  {
    name: "Expect without content",
    wire: `${POST}Expect: 100-continue\r\n\r\n`,
    events: ["request POST / 1.1 0", "end"],
    state: "idle/idle",
  },
  {
    name: "Expect with HTTP/1.0",
    wire:
      "POST / HTTP/1.0\r\nConnection: keep-alive\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na",
    events: ["request POST / 1.0 1", "data a", "end"],
    state: "idle/idle",
  },
  {
    name: "a refused Upgrade",
    wire: `GET / HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade: x\r\n\r\n`,
    events: ["request GET / 1.1 0 upgrades", "end"],
    state: "idle/idle",
  },
  {
    name: "Upgrade without Connection: upgrade",
    wire: `GET / HTTP/1.1\r\n${HOST}Upgrade: x\r\n\r\n`,
    events: ["request GET / 1.1 0", "end"],
    state: "idle/idle",
  },
  {
    name: "two requests",
    wire: `${POST}Content-Length: 1\r\n\r\na${GET}`,
    events: ["request POST / 1.1 1", "data a", "end", "request GET / 1.1 0", "end"],
    state: "idle/idle",
  },
];

/** Requests behind which nothing more is read. */
const LAST_REQUESTS: readonly Row[] = [
  {
    name: "Connection: close",
    wire: `GET / HTTP/1.1\r\n${HOST}Connection: x,Close\r\n\r\n`,
    events: ["request GET / 1.1 0", "end", "closed"],
    state: "closed/closed",
  },
  {
    name: "HTTP/1.0",
    wire: "GET / HTTP/1.0\r\n\r\n",
    events: ["request GET / 1.0 0", "end", "closed"],
    state: "closed/closed",
  },
  {
    name: "Upgrade with HTTP/1.0",
    wire: "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    events: ["request GET / 1.0 0", "end", "closed"],
    state: "closed/closed",
  },
  {
    name: "an Expect that got no 100",
    wire: `${POST}Expect: 100-continue\r\nContent-Length: 1\r\n\r\na`,
    events: ["request POST / 1.1 1 expects", "data a", "end", "closed"],
    state: "closed/closed",
  },
];

const ENDED_REQUESTS: readonly Row[] = [
  { name: "nothing", wire: "", events: ["closed"], state: "closed/closed", isEnd: true },
  { name: "an empty line", wire: "\r\n", events: ["closed"], state: "closed/closed", isEnd: true },
  {
    name: "an empty line without CR",
    wire: "\n",
    events: ["closed"],
    options: { lenience: { allowBareLf: true } },
    state: "closed/closed",
    isEnd: true,
  },
  {
    name: "two requests and an empty line",
    wire: `${GET}${GET}\r\n`,
    events: ["request GET / 1.1 0", "end", "request GET / 1.1 0", "end", "closed"],
    state: "closed/closed",
    isEnd: true,
  },
];

const BAD_REQUESTS: readonly Row[] = [
  {
    name: "a head without Host",
    wire: "GET / HTTP/1.1\r\n\r\n",
    events: [],
    code: "ERR_HTTP_MISSING_HOST",
    state: "error/idle",
  },
  {
    name: "two framings",
    wire: `${POST}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
    events: [],
    code: "ERR_HTTP_LENGTH_AND_TRANSFER_CODING",
    state: "error/idle",
  },
  {
    name: "an unknown coding",
    wire: `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n`,
    events: [],
    code: "ERR_HTTP_UNKNOWN_TRANSFER_CODING",
    state: "error/idle",
  },
  {
    name: "an expectation nobody knows",
    wire: `${POST}Expect: more\r\nContent-Length: 1\r\n\r\n`,
    events: [],
    code: "ERR_HTTP_EXPECTATION_FAILED",
    state: "error/idle",
  },
  {
    name: "a bad chunk",
    wire: `${POST}Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n`,
    events: ["request POST / 1.1 chunked", "data a"],
    code: "ERR_HTTP_BAD_CHUNK_DATA",
    state: "error/awaiting",
  },
  {
    name: "a forbidden trailer",
    wire: `${POST}Transfer-Encoding: chunked\r\n\r\n0\r\nHost: a\r\n\r\n`,
    events: ["request POST / 1.1 chunked"],
    code: "ERR_HTTP_BAD_TRAILER",
    state: "error/awaiting",
  },
  {
    name: "garbage behind a request",
    wire: `${GET}\x01`,
    events: ["request GET / 1.1 0", "end"],
    code: "ERR_HTTP_BAD_REQUEST_LINE",
    state: "error/idle",
  },
  {
    name: "an end in a head",
    wire: GET.slice(0, -1),
    events: [],
    isEnd: true,
    code: "ERR_HTTP_TRUNCATED_MESSAGE",
    state: "error/idle",
  },
  {
    name: "an end in a body of known length",
    wire: `${POST}Content-Length: 5\r\n\r\nhell`,
    events: ["request POST / 1.1 5", "data hell"],
    isEnd: true,
    code: "ERR_HTTP_TRUNCATED_MESSAGE",
    state: "error/awaiting",
  },
  {
    name: "an end in front of the last chunk",
    wire: `${POST}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n`,
    events: ["request POST / 1.1 chunked", "data a"],
    isEnd: true,
    code: "ERR_HTTP_TRUNCATED_MESSAGE",
    state: "error/awaiting",
  },
  {
    name: "an end in the trailers",
    wire: `${POST}Transfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n`,
    events: ["request POST / 1.1 chunked"],
    isEnd: true,
    code: "ERR_HTTP_TRUNCATED_MESSAGE",
    state: "error/awaiting",
  },
  {
    name: "too many fields",
    wire: `GET / HTTP/1.1\r\n${HOST}A: b\r\n\r\n`,
    events: [],
    options: { limits: { maxHeaderCount: 1 } },
    code: "ERR_NET_LIMIT_EXCEEDED",
    state: "error/idle",
  },
];

/** Responses that leave the connection open. */
const RESPONSES: readonly Row[] = [
  {
    name: "Content-Length",
    wire: OK_ABC,
    events: ["response 200 OK 1.1 3", "data abc", "end"],
    state: "idle/idle",
  },
  {
    name: "chunks and trailers",
    wire: `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n`,
    events: ["response 200 OK 1.1 open", "data abc", "end X: y"],
    state: "idle/idle",
  },
  {
    name: "no reason phrase",
    wire: "HTTP/1.1 204 \r\n\r\n",
    events: ["response 204  1.1 0", "end"],
    state: "idle/idle",
  },
  {
    name: "304 with Content-Length",
    wire: "HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n",
    events: ["response 304 Not Modified 1.1 0", "end"],
    state: "idle/idle",
  },
  {
    name: "Content-Length to HEAD",
    asked: ["HEAD"],
    wire: `${OK}Content-Length: 3\r\n\r\n`,
    events: ["response 200 OK 1.1 0", "end"],
    state: "idle/idle",
  },
  {
    name: "Transfer-Encoding to HEAD",
    asked: ["HEAD"],
    wire: `${OK}Transfer-Encoding: chunked\r\n\r\n`,
    events: ["response 200 OK 1.1 0", "end"],
    state: "idle/idle",
  },
  {
    name: "keep-alive with HTTP/1.0",
    wire: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
    events: ["response 200 OK 1.0 0", "end"],
    state: "idle/idle",
  },
  {
    name: "informational responses in front",
    wire: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK_ABC}`,
    events: [
      "informational 100 Continue",
      "informational 103 Early Hints Link: x",
      "response 200 OK 1.1 3",
      "data abc",
      "end",
    ],
    state: "idle/idle",
  },
  {
    name: "a refused upgrade",
    asked: ["GET upgrade"],
    wire: OK_ABC,
    events: ["response 200 OK 1.1 3", "data abc", "end"],
    state: "idle/idle",
  },
  {
    name: "a refused CONNECT",
    asked: ["CONNECT"],
    wire: "HTTP/1.1 403 No\r\nContent-Length: 1\r\n\r\nx",
    events: ["response 403 No 1.1 1", "data x", "end"],
    state: "idle/idle",
  },
  {
    name: "three responses, each by its method",
    asked: ["GET", "HEAD", "POST"],
    wire:
      `${OK_ABC}${OK}Content-Length: 9\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n`,
    events: [
      "response 200 OK 1.1 3",
      "data abc",
      "end",
      "response 200 OK 1.1 0",
      "end",
      "response 201 Created 1.1 0",
      "end",
    ],
    state: "idle/idle",
  },
];

/** Responses behind which nothing more is read. */
const LAST_RESPONSES: readonly Row[] = [
  {
    name: "Connection: close",
    asked: ["GET", "GET"],
    wire: `${OK}Connection: close\r\nContent-Length: 0\r\n\r\n`,
    events: ["response 200 OK 1.1 0", "end", "closed"],
    state: "closed/closed",
  },
  {
    name: "HTTP/1.0",
    wire: "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    events: ["response 200 OK 1.0 0", "end", "closed"],
    state: "closed/closed",
  },
  {
    name: "our own Connection: close",
    asked: ["GET close"],
    wire: `${OK}Content-Length: 0\r\n\r\n`,
    events: ["response 200 OK 1.1 0", "end", "closed"],
    state: "closed/closed",
  },
];

const ENDED_RESPONSES: readonly Row[] = [
  {
    name: "a body until the end",
    wire: `${OK}\r\nabc`,
    isEnd: true,
    events: ["response 200 OK 1.1 open", "data abc", "end", "closed"],
    state: "closed/closed",
  },
  {
    name: "a complete response",
    wire: OK_ABC,
    isEnd: true,
    events: ["response 200 OK 1.1 3", "data abc", "end", "closed"],
    state: "closed/closed",
  },
  { name: "nothing", asked: [], wire: "", isEnd: true, events: ["closed"], state: "closed/closed" },
];

/** Behind these everything belongs to another protocol. */
const TUNNELS: readonly Row[] = [
  {
    name: "101",
    asked: ["GET upgrade"],
    wire: "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    events: ["informational 101 Switching Protocols Connection: upgrade Upgrade: x"],
    state: "tunnel/tunnel",
  },
  {
    name: "a 2xx to CONNECT",
    asked: ["CONNECT"],
    wire: `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n`,
    events: ["response 200 OK 1.1 0"],
    state: "tunnel/tunnel",
  },
];

const BAD_RESPONSES: readonly Row[] = [
  {
    name: "a response without a request",
    asked: [],
    wire: OK_ABC,
    events: [],
    code: "ERR_HTTP_UNEXPECTED_RESPONSE",
    state: "closed/error",
  },
  {
    name: "a second response to one request",
    wire: `${OK_ABC}H`,
    events: ["response 200 OK 1.1 3", "data abc", "end"],
    code: "ERR_HTTP_UNEXPECTED_RESPONSE",
    state: "closed/error",
  },
  {
    name: "a 101 nobody asked for",
    wire: "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    events: [],
    code: "ERR_HTTP_UNEXPECTED_RESPONSE",
    state: "closed/error",
  },
  {
    name: "too many informational responses",
    wire: "HTTP/1.1 100 A\r\n\r\n".repeat(3),
    events: ["informational 100 A", "informational 100 A"],
    options: { maxInformationalResponses: 2 },
    code: "ERR_NET_LIMIT_EXCEEDED",
    state: "closed/error",
  },
  {
    name: "Transfer-Encoding with HTTP/1.0",
    wire: "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    events: [],
    code: "ERR_HTTP_BAD_TRANSFER_ENCODING",
    state: "closed/error",
  },
  {
    name: "an end in front of the response",
    wire: "",
    isEnd: true,
    events: [],
    code: "ERR_HTTP_TRUNCATED_MESSAGE",
    state: "closed/error",
  },
  {
    name: "an end in the head",
    wire: OK,
    isEnd: true,
    events: [],
    code: "ERR_HTTP_TRUNCATED_MESSAGE",
    state: "closed/error",
  },
  {
    name: "an end in the body",
    wire: OK_ABC.slice(0, -1),
    isEnd: true,
    events: ["response 200 OK 1.1 3", "data ab"],
    code: "ERR_HTTP_TRUNCATED_MESSAGE",
    state: "closed/error",
  },
];

/** Answers every request as soon as it is complete. */
function answer(server: HttpConnection, event: HttpEvent): void {
  if (event.type === "end") sendResponse(server);
}

function asServer(row: Row): Feed {
  return { options: { ...row.options, role: "server" }, act: answer, isEnd: row.isEnd };
}

function asClient(row: Row, ...more: string[]): Feed {
  const begin = (client: HttpConnection): void => {
    for (const asked of [...row.asked ?? ["GET"], ...more]) {
      const [method, wish] = asked.split(" ");
      if (wish === "upgrade") sendRequest(client, method, [["Connection", wish], ["Upgrade", "x"]]);
      else sendRequest(client, method, wish === undefined ? [] : [["Connection", wish]]);
    }
  };
  return { options: { ...row.options, role: "client" }, begin, isEnd: row.isEnd };
}

function expectSplits(row: Row, how: Feed, wire = row.wire, more: readonly string[] = []): void {
  const expected = { events: [...row.events, ...more], code: row.code, state: row.state };
  for (const chunks of everySplit(bytesOf(wire))) assertEquals(feed(chunks, how), expected);
}

for (const row of [...REQUESTS, ...LAST_REQUESTS, ...ENDED_REQUESTS]) {
  Deno.test(`HttpConnection.nextEvent() reads ${row.name} from a client however it is split`, () => {
    expectSplits(row, asServer(row));
  });
}

for (const row of REQUESTS) {
  Deno.test(`HttpConnection.nextEvent() reads a request behind ${row.name}`, () => {
    const more = ["request GET / 1.1 0", "end"];
    expectSplits(row, asServer(row), row.wire + GET, more);
  });
}

for (const row of LAST_REQUESTS) {
  Deno.test(`HttpConnection.nextEvent() reads nothing behind ${row.name}`, () => {
    expectSplits(row, asServer(row), `${row.wire}\x01${GET}`);
  });
}

for (const row of BAD_REQUESTS) {
  Deno.test(`HttpConnection.nextEvent() throws on ${row.name} however it is split`, () => {
    expectSplits(row, asServer(row));
  });
}

for (const row of [...RESPONSES, ...LAST_RESPONSES, ...ENDED_RESPONSES, ...TUNNELS]) {
  Deno.test(`HttpConnection.nextEvent() reads ${row.name} from a server however it is split`, () => {
    expectSplits(row, asClient(row));
  });
}

for (const row of RESPONSES.filter((row) => !isBarrier(row))) {
  Deno.test(`HttpConnection.nextEvent() reads a response behind ${row.name}`, () => {
    const more = ["response 200 OK 1.1 3", "data abc", "end"];
    expectSplits(row, asClient(row, "GET"), row.wire + OK_ABC, more);
  });
}

for (const row of [...LAST_RESPONSES, ...TUNNELS]) {
  Deno.test(`HttpConnection.nextEvent() does not look behind ${row.name} from a server`, () => {
    expectSplits(row, asClient(row), `${row.wire}\x01${OK_ABC}`);
  });
}

for (const row of BAD_RESPONSES) {
  Deno.test(`HttpConnection.nextEvent() throws on ${row.name} however it is split`, () => {
    expectSplits(row, asClient(row));
  });
}

/** Nothing may be sent behind such a request before its response. */
function isBarrier(row: Row): boolean {
  return row.asked?.some((asked) => asked === "CONNECT" || asked.endsWith("upgrade")) ?? false;
}

Deno.test("HttpConnection.receiveSpace() takes bytes in without a copy, as receive() does", () => {
  const client = clientWith("GET");
  const wire = bytesOf("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  for (const byte of wire) {
    client.receiveSpace()[0] = byte;
    client.receiveCommit(1);
  }
  const events = [client.nextEvent(), client.nextEvent(), client.nextEvent()];
  assertEquals(events.map((event) => event?.type), ["response", "data", "end"]);
});

Deno.test("HttpConnection.receiveCommit() drops what comes behind a failure", () => {
  const client = clientWith("GET");
  client.receive(bytesOf("nonsense\r\n"));
  assertThrows(() => client.nextEvent(), HttpProtocolError);
  client.receiveSpace();
  client.receiveCommit(3);
  assertEquals(client.bufferedBytes, 0);
});

Deno.test("HttpConnection.passBody() takes note of what goes past it", async (t) => {
  for (
    const [name, fields, passable] of [
      ["a body of known length", "Content-Length: 9\r\n", 7],
      ["a body that ends with the connection", "", Infinity],
      ["a chunked body", "Transfer-Encoding: chunked\r\n", 0],
    ] as const
  ) {
    await t.step(name, () => {
      const client = clientWith("GET");
      assertEquals(client.passableBytes, 0);
      const body = passable === 0 ? "2\r\nab\r\n" : "ab";
      client.receive(bytesOf(`HTTP/1.1 200 OK\r\n${fields}\r\n${body}`));
      assertEquals(client.nextEvent()?.type, "response");
      // First comes what waits.
      assertEquals([client.passableBytes, client.nextEvent()?.type], [0, "data"]);
      assertEquals(client.passableBytes, passable);
      if (passable === 0) return;
      assertThrows(() => client.passBody(passable + 1), RangeError);
      client.passBody(4);
      assertEquals([client.passableBytes, client.nextEvent()], [passable - 4, undefined]);
      client.passBody(3);
      if (passable === Infinity) client.receiveEnd();
      assertEquals([client.nextEvent()?.type, client.passableBytes], ["end", 0]);
    });
  }
});

Deno.test("HttpConnection.passBody() leaves a body that is cut for an error", () => {
  const client = clientWith("GET");
  client.receive(bytesOf("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"));
  client.nextEvent();
  client.passBody(8);
  client.receiveEnd();
  const error = assertThrows(() => client.nextEvent(), HttpProtocolError);
  assertEquals(error.code, "ERR_HTTP_TRUNCATED_MESSAGE");
});
