import { assert, assertEquals, assertFalse, assertStrictEquals, assertThrows } from "@std/assert";
import { HttpConnection } from "../../http/connection.ts";
import { HttpProtocolError, HttpStateError } from "../../http/errors.ts";
import type { HttpSendEvent } from "../../http/events.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import {
  clientWith,
  describeEvent,
  outputOf,
  pull,
  sendRequest,
  sendResponse,
  serverWith,
  stateOf,
} from "../_support/connection_script.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

const GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
const UPGRADE = "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
const LAST_OK = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
const BROKEN = "HTTP/1.1 x";
const SWITCH = "HTTP/1.1 101 Switching Protocols\r\n\r\n";

const LOCAL_EVENTS: readonly HttpSendEvent[] = [
  { type: "request", method: "GET", target: "/", headers: { Host: "a" } },
  { type: "informational", status: 103 },
  { type: "response", status: 200, bodyLength: 0 },
  { type: "data", bytes: new Uint8Array(0) },
  { type: "end" },
];

function readServer(wire: string, isEnd = false): HttpConnection {
  const server = serverWith(wire);
  if (isEnd) server.receiveEnd();
  try {
    pull(server);
  } catch (error) {
    assert(error instanceof HttpProtocolError);
  }
  return server;
}

function readClient(client: HttpConnection, wire: string): HttpConnection {
  client.receive(bytesOf(wire));
  try {
    pull(client);
  } catch (error) {
    assert(error instanceof HttpProtocolError);
  }
  return client;
}

function clientInBody(): HttpConnection {
  const client = clientWith();
  client.send({
    type: "request",
    method: "POST",
    target: "/",
    headers: { Host: "a" },
    hasBody: true,
  });
  return client;
}

function upgradingClient(): HttpConnection {
  const client = clientWith();
  sendRequest(client, "GET", [["Connection", "upgrade"], ["Upgrade", "x"]]);
  return client;
}

function answering(server: HttpConnection): HttpConnection {
  server.send({ type: "response", status: 200 });
  return server;
}

function answered(server: HttpConnection): HttpConnection {
  sendResponse(server);
  return server;
}

function switched(server: HttpConnection): HttpConnection {
  server.send({ type: "informational", status: 101 });
  return server;
}

/** Every pair of states a core can be in, and what it may say there. */
const SITUATIONS: readonly [state: string, make: () => HttpConnection, legal: string][] = [
  ["idle/idle", () => clientWith(), "request"],
  ["body/awaiting", () => clientInBody(), "data end"],
  ["done/awaiting", () => clientWith("GET"), "request"],
  ["body/body", () => readClient(clientInBody(), POST_OK), "data end"],
  ["body/done", () => readClient(clientInBody(), OK), "data end"],
  ["body/closed", () => readClient(clientInBody(), LAST_OK), "data end"],
  ["done/body", () => readClient(clientWith("GET"), POST_OK), "request"],
  ["tunnel/tunnel", () => readClient(upgradingClient(), SWITCH), ""],
  ["closed/closed", () => readClient(clientWith("GET"), LAST_OK), ""],
  ["closed/error", () => readClient(clientWith("GET"), BROKEN), ""],
  ["closed/error", () => readClient(clientInBody(), BROKEN), ""],
  ["idle/idle", () => readServer(""), "response"],
  ["idle/body", () => answering(readServer("")), "data end"],
  ["body/awaiting", () => readServer(POST), "informational response"],
  ["done/awaiting", () => readServer(GET), "informational response"],
  ["closed/awaiting", () => readServer(GET, true), "informational response"],
  ["body/body", () => answering(readServer(POST)), "data end"],
  ["done/body", () => answering(readServer(GET)), "data end"],
  ["closed/body", () => answering(readServer(GET, true)), "data end"],
  ["body/done", () => answered(readServer(POST)), ""],
  ["closed/closed", () => readServer("", true), ""],
  ["closed/closed", () => answered(readServer(GET, true)), ""],
  ["tunnel/tunnel", () => switched(readServer(UPGRADE)), ""],
  ["error/idle", () => readServer("GET\r\n"), "response"],
  ["error/awaiting", () => readServer(POST, true), "informational response"],
  ["error/body", () => answering(readServer(POST, true)), "data end"],
  ["error/closed", () => answered(readServer(POST, true)), ""],
];

const POST_OK = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n";

for (const [state, make, legal] of SITUATIONS) {
  Deno.test(`HttpConnection.send() in ${state} allows ${legal || "nothing"}, throws on the rest`, () => {
    assertEquals(stateOf(make()), state);
    const allowed: string[] = [];
    for (const event of LOCAL_EVENTS) {
      const connection = make();
      connection.takeOutput();
      try {
        connection.send(event);
        allowed.push(event.type);
      } catch (error) {
        assert(error instanceof HttpStateError);
        assertEquals([error.code, error.event], ["ERR_HTTP_ILLEGAL_EVENT", event.type]);
        assert(state.split("/").includes(error.state), `${event.type}: ${error.state}`);
        assertEquals([stateOf(connection), outputOf(connection)], [state, ""]);
      }
    }
    assertEquals(allowed.join(" "), legal);
  });
}

Deno.test("HttpConnection throws on a wrong option", () => {
  assertThrows(() => new HttpConnection({ role: "peer" as "client" }), TypeError);
  for (const bound of [-1, NaN, 1.5]) {
    for (const name of ["maxPipelinedRequests", "maxInformationalResponses", "maxBufferedBytes"]) {
      assertThrows(() => new HttpConnection({ role: "client", [name]: bound }), RangeError);
    }
    assertThrows(
      () => new HttpConnection({ role: "client", limits: { maxHeaderBytes: bound } }),
      RangeError,
    );
  }
});

Deno.test("HttpConnection.receive() takes an empty chunk for nothing", () => {
  const server = serverWith("");
  server.receive(new Uint8Array(0));
  assertEquals(pull(server), ["more"]);
  assertEquals(server.bufferedBytes, 0);
});

Deno.test("HttpConnection.receive() takes what the bound allows, and nothing of a chunk above it", () => {
  for (const [size, isLegal] of [[9, true], [10, true], [11, false]] as const) {
    const server = serverWith("", { maxBufferedBytes: 10 });
    const chunk = bytesOf("x".repeat(size));
    if (isLegal) {
      server.receive(chunk);
      assertEquals(server.bufferedBytes, size);
      continue;
    }
    const error = assertThrows(() => server.receive(chunk), LimitExceededError);
    assertEquals([error.limit, error.max], ["maxBufferedBytes", 10]);
    assertEquals(server.bufferedBytes, 0);
  }
});

Deno.test("HttpConnection.receive() goes on after the bound was met and bytes were read", () => {
  const server = serverWith(GET, { maxBufferedBytes: GET.length });
  assertThrows(() => server.receive(bytesOf("G")), LimitExceededError);
  assertEquals(pull(server), ["request GET / 1.1 0", "end", "more"]);
  server.receive(bytesOf(GET));
  assertEquals(pull(server), ["paused"]);
});

Deno.test("HttpConnection.receive() without a bound takes anything", () => {
  const server = serverWith("", { maxBufferedBytes: 0, limits: { maxHeaderBytes: 0 } });
  server.receive(bytesOf(`${GET.slice(0, -2)}A: ${"b".repeat(300_000)}\r\n\r\n`));
  assertEquals(pull(server), ["request GET / 1.1 0", "end", "more"]);
});

Deno.test("HttpConnection holds by default the largest head there may be and a read behind it", () => {
  const line = `GET /${"a".repeat(8192 - 14)} HTTP/1.1\r\n`;
  const value = "v".repeat(32768 - "Host: a\r\nA: \r\n".length);
  const head = `${line}Host: a\r\nA: ${value}\r\n\r\n`;
  const server = serverWith(head.slice(0, -1));
  server.receive(bytesOf("\n" + "x".repeat(65536)));
  assertEquals(describeEvent(server.nextEvent()).slice(0, 12), "request GET ");
});

Deno.test("HttpConnection.nextEvent() pauses while a request waits behind one not answered", () => {
  const server = serverWith(GET + POST);
  assertEquals(pull(server), ["request GET / 1.1 0", "end", "paused"]);
  assertEquals(pull(server), ["paused"]);
  assert(server.isPaused);
  assertEquals(server.bufferedBytes, POST.length);
  assertFalse(server.isReusable);
  sendResponse(server);
  assertFalse(server.isPaused);
  assertEquals(pull(server), ["request POST / 1.1 3", "more"]);
  sendResponse(server);
  assertEquals(stateOf(server), "body/done");
  server.receive(bytesOf(`abc${GET}`));
  assertEquals(pull(server), ["data abc", "end", "request GET / 1.1 0", "end", "more"]);
});

Deno.test("HttpConnection.nextEvent() reads the rest of a request answered early and for the last time", () => {
  const server = readServer(POST.replace("\r\n\r\n", "\r\nExpect: 100-continue\r\n\r\n"));
  sendResponse(server, 413);
  assert(server.mustClose);
  server.receive(bytesOf(`abc${GET}`));
  assertEquals(pull(server), ["data abc", "end", "closed"]);
  assertEquals([stateOf(server), server.bufferedBytes], ["closed/closed", 0]);
});

Deno.test("HttpConnection.nextEvent() gives data as soon as it is there, with memory of its own", () => {
  const server = serverWith(POST);
  server.nextEvent();
  const chunk = bytesOf("ab");
  server.receive(chunk);
  const event = server.nextEvent();
  assert(event?.type === "data");
  chunk.fill(0);
  server.receive(bytesOf("c"));
  assertEquals(textOf(event.bytes), "ab");
  assertEquals(event.bytes.buffer.byteLength, 2);
  event.bytes.fill(0);
  assertEquals(pull(server), ["data c", "end", "more"]);
});

Deno.test("HttpConnection.nextEvent() gives headers that outlive the buffer", () => {
  const server = serverWith(GET);
  const event = server.nextEvent();
  assert(event?.type === "request");
  server.nextEvent();
  sendResponse(server);
  server.receive(bytesOf(GET.replaceAll("a", "b")));
  server.nextEvent();
  assertEquals([...event.headers], [["Host", "a"]]);
});

Deno.test("HttpConnection.nextEvent() throws the same error again, whatever comes", () => {
  const server = serverWith("GET / HTTP/1.1\r\n\r\n");
  const error = assertThrows(() => server.nextEvent(), HttpProtocolError);
  server.receive(bytesOf(GET));
  server.receiveEnd();
  assertEquals(server.bufferedBytes, 0);
  assertStrictEquals(assertThrows(() => server.nextEvent()), error);
  server.send({ type: "response", status: error.statusHint, bodyLength: 0 });
  server.send({ type: "end" });
  assertEquals(
    outputOf(server),
    "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
  );
  assert(server.mustClose);
  assertStrictEquals(assertThrows(() => server.nextEvent()), error);
  assertThrows(() => sendResponse(server), HttpStateError);
});

Deno.test("HttpConnection.nextEvent() throws the same limit error again", () => {
  const server = serverWith("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n", {
    limits: { maxHeaderCount: 1 },
  });
  const error = assertThrows(() => server.nextEvent(), LimitExceededError);
  assertEquals([error.limit, error.statusHint], ["maxHeaderCount", 431]);
  assertStrictEquals(assertThrows(() => server.nextEvent()), error);
});

Deno.test("HttpConnection.nextEvent() is not disturbed by an error of the caller", () => {
  const server = serverWith(GET);
  assertThrows(() => sendRequest(server), HttpStateError);
  assertEquals(pull(server), ["request GET / 1.1 0", "end", "more"]);
});

Deno.test("HttpConnection answers after the client has ended its stream, and then closes", () => {
  const server = serverWith(GET + GET);
  server.receiveEnd();
  assertEquals(pull(server), ["request GET / 1.1 0", "end", "paused"]);
  sendResponse(server);
  assertEquals(outputOf(server), "HTTP/1.1 204 No Content\r\n\r\n");
  assertEquals(pull(server), ["request GET / 1.1 0", "end", "closed"]);
  assertEquals(pull(server), ["closed"]);
  assertFalse(server.mustClose);
  sendResponse(server);
  assertEquals(outputOf(server), "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
  assert(server.mustClose);
});

Deno.test("HttpConnection.send() takes as many requests as may be pipelined", () => {
  const client = new HttpConnection({ role: "client", maxPipelinedRequests: 2 });
  sendRequest(client);
  sendRequest(client, "HEAD");
  assertEquals(client.outstandingRequests, 2);
  assertThrows(() => sendRequest(client), HttpStateError);
  client.receive(bytesOf(OK));
  assertEquals(pull(client), ["response 200 OK 1.1 0", "end", "more"]);
  sendRequest(client);
  assertThrows(() => sendRequest(client), HttpStateError);
  client.receive(bytesOf(POST_OK + OK));
  pull(client);
  assertEquals([client.outstandingRequests, client.isReusable], [0, true]);
});

Deno.test("HttpConnection.send() takes 32 pipelined requests by default", () => {
  const client = clientWith(...new Array(32).fill("GET"));
  assertThrows(() => sendRequest(client), HttpStateError);
});

Deno.test("HttpConnection.send() lets nothing follow a request that may end HTTP", () => {
  const requests: ((client: HttpConnection) => void)[] = [
    (client) => sendRequest(client, "CONNECT"),
    (client) => sendRequest(client, "GET", [["Connection", "upgrade"], ["Upgrade", "x"]]),
    (client) => sendRequest(client, "GET", [["Connection", "close"]]),
  ];
  for (const send of requests) {
    const client = clientWith("GET");
    send(client);
    assertThrows(() => sendRequest(client), HttpStateError);
  }
});

Deno.test("HttpConnection.send() lets nothing follow once the server has said or shown the end", () => {
  const told = clientWith("GET", "GET");
  told.receive(bytesOf("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n"));
  pull(told);
  assertThrows(() => sendRequest(told), HttpStateError);
  told.receive(bytesOf("a"));
  assertEquals(pull(told), ["data a", "end", "closed"]);
  // The second request was not answered: its sender may want to repeat it.
  assertEquals([told.outstandingRequests, told.mustClose], [1, true]);

  const shown = clientWith("GET");
  shown.receive(bytesOf(OK));
  shown.receiveEnd();
  assertThrows(() => sendRequest(shown), HttpStateError);
  assertEquals(pull(shown), ["response 200 OK 1.1 0", "end", "closed"]);
});

Deno.test("HttpConnection is reusable after an early response only once the request is complete", () => {
  const client = clientInBody();
  client.receive(bytesOf(OK));
  assertEquals(pull(client), ["response 200 OK 1.1 0", "end", "more"]);
  assertEquals([client.isReusable, client.mustClose], [false, false]);
  client.send({ type: "end" });
  assertEquals([client.isReusable, stateOf(client)], [true, "idle/idle"]);
});

Deno.test("HttpConnection ends an early last response without the rest of the request", () => {
  const client = clientInBody();
  client.receive(bytesOf(LAST_OK));
  assertEquals(pull(client), ["response 200 OK 1.1 0", "end", "closed"]);
  assert(client.mustClose);
  client.send({ type: "end" });
  assertEquals(stateOf(client), "closed/closed");
});

Deno.test("HttpConnection is not reusable while bytes wait that nobody asked for", () => {
  const client = clientWith();
  client.receive(bytesOf("H"));
  assertFalse(client.isReusable);
  assertEquals(
    assertThrows(() => client.nextEvent(), HttpProtocolError).code,
    "ERR_HTTP_UNEXPECTED_RESPONSE",
  );
});

Deno.test("HttpConnection.leftover() gives what came behind an upgrade, byte for byte", () => {
  const server = serverWith(`${UPGRADE}\x00GET / HTTP`);
  assertEquals(pull(server), ["request GET / 1.1 0 upgrades", "end", "paused"]);
  assertThrows(() => server.leftover(), HttpStateError);
  server.send({ type: "informational", status: 101 });
  server.receive(bytesOf("/1.1\r\n\r\n\xff"));
  assertEquals(pull(server), ["paused"]);
  assertEquals(textOf(server.leftover()), "\x00GET / HTTP/1.1\r\n\r\n\xff");
  assertEquals(textOf(server.leftover()), "");
  assertEquals([server.isReusable, server.mustClose], [false, false]);

  const client = upgradingClient();
  client.receive(bytesOf(`${SWITCH}\x00`));
  assertEquals(pull(client), ["informational 101 Switching Protocols", "paused"]);
  assertEquals(textOf(client.leftover()), "\x00");
});

Deno.test("HttpConnection.leftover() gives what came behind a 2xx to CONNECT", () => {
  const client = clientWith("CONNECT");
  client.receive(bytesOf(`${POST_OK}raw`));
  assertEquals(pull(client), ["response 200 OK 1.1 0", "paused"]);
  assertEquals(textOf(client.leftover()), "raw");
});

Deno.test("HttpConnection completes a request whose upgrade was granted early", () => {
  const wire = UPGRADE.replace("\r\n\r\n", "\r\nContent-Length: 3\r\n\r\n");
  const server = readServer(wire);
  server.send({ type: "informational", status: 101 });
  assertEquals(stateOf(server), "body/tunnel");
  assertThrows(() => server.leftover(), HttpStateError);
  server.receive(bytesOf("abcraw"));
  assertEquals(pull(server), ["data abc", "end", "paused"]);
  assertEquals([stateOf(server), textOf(server.leftover())], ["tunnel/tunnel", "raw"]);
});

Deno.test("HttpConnection.takeOutput() gives memory that is not used again", () => {
  const client = clientWith();
  sendRequest(client);
  const first = client.takeOutput()!;
  sendRequest(client, "HEAD");
  const second = client.takeOutput()!;
  assertEquals(textOf(first), GET);
  assertEquals(textOf(second), GET.replace("GET", "HEAD"));
});

Deno.test("HttpConnection.send() copies data before it returns", () => {
  const client = clientWith();
  client.send({
    type: "request",
    method: "PUT",
    target: "/",
    headers: { Host: "a" },
    bodyLength: 1,
  });
  client.takeOutput();
  const bytes = bytesOf("a");
  client.send({ type: "data", bytes });
  bytes.fill(0);
  assertEquals(outputOf(client), "a");
});

Deno.test("HttpConnection.send() takes received events as they are", () => {
  const wires = [
    "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n",
    `${POST}abc`,
    GET,
  ];
  const server = new HttpConnection({ role: "server" });
  const client = new HttpConnection({ role: "client" });
  for (const wire of wires) {
    server.receive(bytesOf(wire));
    for (let event = server.nextEvent(); event !== undefined; event = server.nextEvent()) {
      assert(event.type === "request" || event.type === "data" || event.type === "end");
      client.send(event);
    }
    assertEquals(outputOf(client), wire);
    sendResponse(server);
    client.receive(server.takeOutput()!);
    pull(client);
  }
});

/** Bytes come one by one: each is looked at a bounded number of times. */
Deno.test("HttpConnection.nextEvent() is linear in a head that comes byte by byte", () => {
  const head = bytesOf(`${GET.slice(0, -2)}A: ${"b".repeat(30_000)}\r\n\r\n`);
  const server = serverWith("");
  let events = 0;
  for (const byte of head) {
    server.receive(Uint8Array.of(byte));
    if (server.nextEvent() !== undefined) events++;
  }
  assertEquals(events, 1);
});
