/** What `HttpConnection` puts on the wire, and what it refuses to. */

import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { HttpConnection } from "../../http/connection.ts";
import { HttpStateError } from "../../http/errors.ts";
import type { HttpSendEvent } from "../../http/events.ts";
import {
  clientWith,
  outputOf,
  pull,
  sendRequest,
  sendResponse,
  serverWith,
  stateOf,
} from "../_support/connection_script.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

const HOST = ["Host", "a"] as const;
const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const GET_10 = "GET / HTTP/1.0\r\n\r\n";
const GET_10_KEEP = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
const GET_CLOSE = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
const HEAD = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
const UPGRADE = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
const CONNECT = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n";
const EXPECT = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n";

function data(text: string): HttpSendEvent {
  return { type: "data", bytes: bytesOf(text) };
}

const END: HttpSendEvent = { type: "end" };
const OK: HttpSendEvent = { type: "response", status: 200 };
const ASK: HttpSendEvent = { type: "request", method: "GET", target: "/", headers: [HOST] };

interface Row {
  readonly name: string;
  readonly send: readonly HttpSendEvent[];
  readonly output: string;
  readonly state: string;
}

interface ServerRow extends Row {
  /** What the server has received and read before. */
  readonly received: string;
}

const SENT_REQUESTS: readonly Row[] = [
  {
    name: "a request without a body",
    send: [ASK, END],
    output: GET,
    state: "done/awaiting",
  },
  {
    name: "a body of known length",
    send: [{ ...ASK, method: "POST", bodyLength: 3 }, data("ab"), data(""), data("c"), END],
    output: "POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 3\r\n\r\nabc",
    state: "done/awaiting",
  },
  {
    name: "an empty body with POST",
    send: [{ ...ASK, method: "POST", bodyLength: 0 }, END],
    output: "POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 0\r\n\r\n",
    state: "done/awaiting",
  },
  {
    name: "an empty body with GET",
    send: [{ ...ASK, bodyLength: 0 }, END],
    output: GET,
    state: "done/awaiting",
  },
  {
    name: "a body of unknown length",
    send: [{ ...ASK, hasBody: true }, data("hello world!!!!!"), END],
    output:
      "GET / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\n10\r\nhello world!!!!!\r\n0\r\n\r\n",
    state: "done/awaiting",
  },
  {
    name: "trailers",
    send: [{ ...ASK, hasBody: true }, { type: "end", trailers: [["X-A", "1"], ["x-b", ""]] }],
    output:
      "GET / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\nX-A: 1\r\nx-b: \r\n\r\n",
    state: "done/awaiting",
  },
  {
    name: "Content-Length of the caller",
    send: [
      { ...ASK, headers: { host: "a", "content-length": "2" }, bodyLength: 2 },
      data("hi"),
      END,
    ],
    output: "GET / HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi",
    state: "done/awaiting",
  },
  {
    name: "Transfer-Encoding of the caller",
    send: [{ ...ASK, headers: [HOST, ["Transfer-Encoding", "Chunked"]] }, data("h"), END],
    output: "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\nh\r\n0\r\n\r\n",
    state: "done/awaiting",
  },
  {
    name: "two requests in a row",
    send: [ASK, END, ASK, END],
    output: GET + GET,
    state: "done/awaiting",
  },
];

const SENT_RESPONSES: readonly ServerRow[] = [
  {
    name: "chunks to HTTP/1.1",
    received: GET,
    send: [OK, data("a"), { type: "end", trailers: { "X-Sum": "1" } }],
    output: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n",
    state: "idle/idle",
  },
  {
    name: "a known length",
    received: GET,
    send: [{ ...OK, bodyLength: 2, reason: "Fine", headers: [["A", "b"]] }, data("ab"), END],
    output: "HTTP/1.1 200 Fine\r\nA: b\r\ncontent-length: 2\r\n\r\nab",
    state: "idle/idle",
  },
  {
    name: "Content-Length of the caller",
    received: GET,
    send: [{ ...OK, headers: { "Content-Length": "1" } }, data("a"), END],
    output: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
    state: "idle/idle",
  },
  {
    name: "a body that ends with the connection to HTTP/1.0",
    received: GET_10_KEEP,
    send: [OK, data("ab"), END],
    output: "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nab",
    state: "closed/closed",
  },
  {
    name: "keep-alive to HTTP/1.0",
    received: GET_10_KEEP,
    send: [{ ...OK, bodyLength: 1 }, data("a"), END],
    output: "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: keep-alive\r\n\r\na",
    state: "idle/idle",
  },
  {
    name: "keep-alive that the caller says to HTTP/1.0",
    received: GET_10_KEEP,
    send: [{ ...OK, bodyLength: 0, headers: { Connection: "keep-alive" } }, END],
    output: "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\ncontent-length: 0\r\n\r\n",
    state: "idle/idle",
  },
  {
    name: "close to HTTP/1.0",
    received: GET_10,
    send: [{ ...OK, bodyLength: 0 }, END],
    output: "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    state: "closed/closed",
  },
  {
    name: "close where the client closes",
    received: GET_CLOSE,
    send: [{ ...OK, bodyLength: 0 }, END],
    output: "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    state: "closed/closed",
  },
  {
    name: "close once where the caller says it",
    received: GET,
    send: [{ ...OK, bodyLength: 0, headers: { Connection: "x, close" } }, END],
    output: "HTTP/1.1 200 OK\r\nConnection: x, close\r\ncontent-length: 0\r\n\r\n",
    state: "closed/closed",
  },
  {
    name: "no body to HEAD",
    received: HEAD,
    send: [{ ...OK, bodyLength: 3 }, data("abc"), END],
    output: "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n",
    state: "idle/idle",
  },
  {
    name: "no body to HEAD, where none is given",
    received: HEAD,
    send: [{ ...OK, headers: { "Content-Length": "3" }, bodyLength: 0 }, END],
    output: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
    state: "idle/idle",
  },
  {
    name: "no chunks to HEAD",
    received: HEAD,
    send: [OK, data("abc"), { type: "end", trailers: { "X-Sum": "1" } }],
    output: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
    state: "idle/idle",
  },
  {
    name: "no framing on 204",
    received: GET,
    send: [{ type: "response", status: 204 }, END],
    output: "HTTP/1.1 204 No Content\r\n\r\n",
    state: "idle/idle",
  },
  {
    name: "no framing on 304",
    received: GET,
    send: [{ type: "response", status: 304, bodyLength: 0 }, END],
    output: "HTTP/1.1 304 Not Modified\r\n\r\n",
    state: "idle/idle",
  },
  {
    name: "the length that a 304 stands for",
    received: GET,
    send: [{ type: "response", status: 304, headers: { "Content-Length": "9" } }, END],
    output: "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
    state: "idle/idle",
  },
  {
    name: "100 to Expect",
    received: EXPECT,
    send: [{ type: "informational", status: 100 }, { ...OK, bodyLength: 0 }, END],
    output: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    state: "body/done",
  },
  {
    name: "close where Expect got no 100",
    received: EXPECT,
    send: [{ type: "informational", status: 103 }, { ...OK, status: 417, bodyLength: 0 }, END],
    output: "HTTP/1.1 103 Early Hints\r\n\r\n" +
      "HTTP/1.1 417 Expectation Failed\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    state: "body/closed",
  },
  {
    name: "an early response",
    received: POST,
    send: [{ ...OK, bodyLength: 0 }, END],
    output: "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    state: "body/done",
  },
  {
    name: "101",
    received: UPGRADE,
    send: [{
      type: "informational",
      status: 101,
      headers: [["Connection", "upgrade"], ["Upgrade", "x"]],
    }],
    output: "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    state: "tunnel/tunnel",
  },
  {
    name: "a refused upgrade",
    received: UPGRADE,
    send: [{ ...OK, bodyLength: 0 }, END],
    output: "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    state: "idle/idle",
  },
  {
    name: "a 2xx to CONNECT",
    received: CONNECT,
    send: [{ ...OK, status: 201 }],
    output: "HTTP/1.1 201 Created\r\n\r\n",
    state: "tunnel/tunnel",
  },
  {
    name: "a refused CONNECT",
    received: CONNECT,
    send: [{ ...OK, status: 403, bodyLength: 0 }, END],
    output: "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n",
    state: "idle/idle",
  },
  {
    name: "a refusal before a request has come",
    received: "",
    send: [{ ...OK, status: 408, bodyLength: 0 }, END],
    output: "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    state: "closed/closed",
  },
  {
    name: "a refusal in the middle of a head",
    received: GET.slice(0, 9),
    send: [{ ...OK, status: 408 }, data("late"), END],
    output: "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\nlate",
    state: "closed/closed",
  },
  {
    name: "a refusal without a body to a HEAD that is not complete",
    received: HEAD.slice(0, 9),
    send: [{ ...OK, status: 408, bodyLength: 4 }, data("late"), END],
    output: "HTTP/1.1 408 Request Timeout\r\ncontent-length: 4\r\nconnection: close\r\n\r\n",
    state: "closed/closed",
  },
];

function readServer(wire: string): HttpConnection {
  const server = serverWith(wire);
  pull(server);
  return server;
}

for (const { name, send, output, state } of SENT_REQUESTS) {
  Deno.test(`HttpConnection.send() writes ${name}`, () => {
    const client = clientWith();
    for (const event of send) client.send(event);
    assertEquals([outputOf(client), stateOf(client)], [output, state]);
    assertEquals(client.takeOutput(), undefined);
  });
}

for (const { name, received, send, output, state } of SENT_RESPONSES) {
  Deno.test(`HttpConnection.send() writes ${name} as a server`, () => {
    const server = readServer(received);
    for (const event of send) server.send(event);
    assertEquals([outputOf(server), stateOf(server)], [output, state]);
    assertEquals(server.takeOutput(), undefined);
  });
}

/** What the caller gets wrong about a head; the next event is right. */
const BAD_REQUESTS: Readonly<
  Record<string, [HttpSendEvent, typeof TypeError | typeof RangeError]>
> = {
  "no Host": [{ ...ASK, headers: [] }, TypeError],
  "two Hosts": [{ ...ASK, headers: [HOST, HOST] }, TypeError],
  "an empty Host": [{ ...ASK, headers: { Host: "" } }, TypeError],
  "a Host that differs from the target": [{ ...ASK, target: "http://b/" }, TypeError],
  "a target of no form": [{ ...ASK, target: "x" }, TypeError],
  "a line end in the target": [{ ...ASK, target: "/\r\nA: b" }, TypeError],
  "a method that is no token": [{ ...ASK, method: "G T" }, TypeError],
  "a line end in a value": [{ ...ASK, headers: [HOST, ["a", "b\r\nc: d"]] }, TypeError],
  "a NUL in a value": [{ ...ASK, headers: [HOST, ["a", "\0"]] }, TypeError],
  "a name that is no token": [{ ...ASK, headers: [HOST, ["a b", "c"]] }, TypeError],
  "two Content-Lengths": [{
    ...ASK,
    headers: [HOST, ["Content-Length", "1"], ["content-length", "1"]],
  }, TypeError],
  "a listed Content-Length": [{ ...ASK, headers: [HOST, ["Content-Length", "1, 1"]] }, TypeError],
  "a signed Content-Length": [{ ...ASK, headers: [HOST, ["Content-Length", "+1"]] }, TypeError],
  "both framings": [{
    ...ASK,
    headers: [HOST, ["Content-Length", "1"], ["Transfer-Encoding", "chunked"]],
  }, TypeError],
  "another coding": [
    { ...ASK, headers: [HOST, ["Transfer-Encoding", "gzip, chunked"]] },
    TypeError,
  ],
  "chunked twice": [{
    ...ASK,
    headers: [HOST, ["Transfer-Encoding", "chunked"], ["Transfer-Encoding", "chunked"]],
  }, TypeError],
  "an empty Transfer-Encoding": [{ ...ASK, headers: [HOST, ["Transfer-Encoding", ""]] }, TypeError],
  "a contradicted length": [
    { ...ASK, headers: [HOST, ["Content-Length", "1"]], bodyLength: 2 },
    TypeError,
  ],
  "a length with chunks": [{
    ...ASK,
    headers: [HOST, ["Transfer-Encoding", "chunked"]],
    bodyLength: 2,
  }, TypeError],
  "a body with CONNECT": [{
    ...ASK,
    method: "CONNECT",
    target: "a:1",
    headers: { Host: "a:1" },
    hasBody: true,
  }, TypeError],
  "a negative length": [{ ...ASK, bodyLength: -1 }, RangeError],
  "a length that is not whole": [{ ...ASK, bodyLength: 1.5 }, RangeError],
  "a type that is none": [{ type: "closed" } as unknown as HttpSendEvent, TypeError],
};

for (const [name, [event, errorClass]] of Object.entries(BAD_REQUESTS)) {
  Deno.test(`HttpConnection.send() refuses ${name} and goes on`, () => {
    const client = clientWith();
    assertThrows(() => client.send(event), errorClass);
    assertEquals([outputOf(client), stateOf(client)], ["", "idle/idle"]);
    sendRequest(client);
    assertEquals(outputOf(client), GET);
  });
}

const BAD_RESPONSES: Readonly<
  Record<string, [string, HttpSendEvent, typeof TypeError | typeof RangeError]>
> = {
  "a status below 200": [GET, { ...OK, status: 199 }, RangeError],
  "a status above 599": [GET, { ...OK, status: 600 }, RangeError],
  "a status that is not whole": [GET, { ...OK, status: 200.5 }, RangeError],
  "an informational status of 200": [GET, { type: "informational", status: 200 }, RangeError],
  "an informational status of 99": [GET, { type: "informational", status: 99 }, RangeError],
  "a line end in the reason": [GET, { ...OK, reason: "a\nb" }, TypeError],
  "Content-Length on 204": [
    GET,
    { ...OK, status: 204, headers: { "Content-Length": "0" } },
    TypeError,
  ],
  "Transfer-Encoding on 204": [
    GET,
    { ...OK, status: 204, headers: { "Transfer-Encoding": "chunked" } },
    TypeError,
  ],
  "Content-Length on 103": [
    GET,
    { type: "informational", status: 103, headers: { "Content-Length": "0" } },
    TypeError,
  ],
  "Content-Length on a 2xx to CONNECT": [
    CONNECT,
    { ...OK, headers: { "Content-Length": "0" } },
    TypeError,
  ],
  "Transfer-Encoding to HTTP/1.0": [
    GET_10,
    { ...OK, headers: { "Transfer-Encoding": "chunked" } },
    TypeError,
  ],
  "both framings to HEAD": [
    HEAD,
    { ...OK, headers: { "Transfer-Encoding": "chunked", "Content-Length": "1" } },
    TypeError,
  ],
  "a contradicted length": [
    GET,
    { ...OK, headers: { "Content-Length": "1" }, bodyLength: 2 },
    TypeError,
  ],
};

for (const [name, [received, event, errorClass]] of Object.entries(BAD_RESPONSES)) {
  Deno.test(`HttpConnection.send() refuses ${name} as a server and goes on`, () => {
    const server = readServer(received);
    const before = stateOf(server);
    assertThrows(() => server.send(event), errorClass);
    assertEquals([outputOf(server), stateOf(server)], ["", before]);
    server.send({ type: "response", status: 404, bodyLength: 0 });
    assertEquals(outputOf(server).slice(0, 12), "HTTP/1.1 404");
  });
}

Deno.test("HttpConnection.send() refuses more and fewer bytes than announced, and goes on", () => {
  const client = clientWith();
  client.send({ ...ASK, bodyLength: 3 });
  client.send(data("ab"));
  for (const event of [data("cd"), END, data("cd")]) {
    const error = assertThrows(() => client.send(event), HttpStateError);
    assertEquals(error.code, "ERR_HTTP_BODY_LENGTH_MISMATCH");
  }
  client.send(data("c"));
  client.send(END);
  assertEquals(outputOf(client), "GET / HTTP/1.1\r\nHost: a\r\ncontent-length: 3\r\n\r\nabc");
});

Deno.test("HttpConnection.send() refuses a body on a request without one, and on 204", () => {
  const client = clientWith();
  client.send(ASK);
  assertEquals(assertThrows(() => client.send(data("a")), HttpStateError).state, "body");
  const server = readServer(GET);
  server.send({ type: "response", status: 204 });
  assertEquals(
    assertThrows(() => server.send(data("a")), HttpStateError).code,
    "ERR_HTTP_BODY_LENGTH_MISMATCH",
  );
});

for (
  const [name, trailers] of Object.entries({
    "a forbidden name": { Host: "a" },
    "a bad name": { "a b": "c" },
    "a line end": { a: "b\nc" },
  })
) {
  Deno.test(`HttpConnection.send() refuses trailers with ${name} and goes on`, () => {
    const client = clientWith();
    client.send({ ...ASK, hasBody: true });
    client.takeOutput();
    assertThrows(() => client.send({ type: "end", trailers }), TypeError);
    client.send(END);
    assertEquals(outputOf(client), "0\r\n\r\n");
  });
}

Deno.test("HttpConnection.send() refuses trailers where the body is not chunked", () => {
  const client = clientWith();
  client.send({ ...ASK, bodyLength: 0 });
  assertThrows(() => client.send({ type: "end", trailers: { a: "b" } }), TypeError);
  client.send(END);
});

/** What the request, or what was said before, does not allow. */
const ILLEGAL: Readonly<Record<string, [string, HttpSendEvent]>> = {
  "100 to HTTP/1.0": [GET_10, { type: "informational", status: 100 }],
  "101 without an Upgrade": [GET, { type: "informational", status: 101 }],
  "101 to CONNECT": [CONNECT, { type: "informational", status: 101 }],
  "100 before a request": ["", { type: "informational", status: 100 }],
  "data before the head": [GET, data("a")],
  "the end before the head": [GET, END],
  "a request as a server": [GET, ASK],
};

for (const [name, [received, event]] of Object.entries(ILLEGAL)) {
  Deno.test(`HttpConnection.send() throws on ${name} and goes on`, () => {
    const server = readServer(received);
    const error = assertThrows(() => server.send(event), HttpStateError);
    assertInstanceOf(error, HttpStateError);
    assertEquals([error.code, error.event], ["ERR_HTTP_ILLEGAL_EVENT", event.type]);
    assertEquals(outputOf(server), "");
    sendResponse(server, 404);
    assertEquals(outputOf(server).slice(0, 12), "HTTP/1.1 404");
  });
}

Deno.test("HttpConnection.lendOutput() gives what takeOutput() would, until the next send", () => {
  const texts: string[] = [];
  for (const method of ["lendOutput", "takeOutput"] as const) {
    const client = new HttpConnection({ role: "client" });
    client.send({ type: "request", method: "GET", target: "/", headers: { host: "a" } });
    client.send({ type: "end" });
    texts.push(textOf(client[method]()!));
    assertEquals([client.lendOutput(), client.takeOutput()], [undefined, undefined]);
  }
  assertEquals(texts[0], texts[1]);
});

Deno.test("HttpConnection.lendOutput() lends large output, and goes on with other memory", () => {
  const client = new HttpConnection({ role: "client" });
  const headers = { host: "a" };
  client.send({ type: "request", method: "PUT", target: "/", headers, bodyLength: 200_001 });
  client.send({ type: "data", bytes: new Uint8Array(200_000).fill(0x61) });
  const lent = client.lendOutput()!;
  client.send({ type: "data", bytes: new Uint8Array([0x62]) });
  assertEquals([lent.at(-1), client.lendOutput()], [0x61, new Uint8Array([0x62])]);
});

Deno.test("HttpConnection.beginData() frames a piece that the caller writes", async (t) => {
  for (const [name, bodyLength] of [["chunks", undefined], ["a length", 20]] as const) {
    await t.step(name, () => {
      const framed = ["data", "begin"].map((how) => {
        const client = new HttpConnection({ role: "client" });
        const head = { method: "PUT", target: "/", headers: { host: "a" }, hasBody: true } as const;
        client.send({ type: "request", ...head, bodyLength });
        const piece = new Uint8Array(20).fill(0x78);
        if (how === "data") {
          client.send({ type: "data", bytes: piece });
          client.send({ type: "end" });
          return textOf(client.takeOutput()!);
        }
        assertEquals(client.beginData(0), false);
        assertEquals(client.beginData(piece.length), true);
        const before = textOf(client.takeOutput()!);
        client.endData();
        client.send({ type: "end" });
        const after = client.takeOutput();
        return before + textOf(piece) + (after === undefined ? "" : textOf(after));
      });
      assertEquals(framed[0], framed[1]);
    });
  }
});

Deno.test("HttpConnection.beginData() holds a body to its length", () => {
  const client = new HttpConnection({ role: "client" });
  assertThrows(() => client.beginData(1), HttpStateError);
  const headers = { host: "a" };
  client.send({ type: "request", method: "PUT", target: "/", headers, bodyLength: 3 });
  const error = assertThrows(() => client.beginData(4), HttpStateError);
  assertEquals(error.code, "ERR_HTTP_BODY_LENGTH_MISMATCH");
});
