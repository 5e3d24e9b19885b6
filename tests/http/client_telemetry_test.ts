import { assertEquals, assertRejects } from "@std/assert";
import { Client } from "../../http/client.ts";
import { CallObserver, ClientTelemetry } from "../../http/client_telemetry.ts";
import { serve } from "../../http/serve.ts";
import type { ClientOptions } from "../../http/client_settings.ts";
import { systemClock } from "../../nbio/clock.ts";
import { ConnectError } from "../../nbio/connect_error.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import { settle } from "../../nbio/testing_settle.ts";
import { FakeTelemetry } from "../_support/fake_telemetry.ts";
import { eventually } from "../_support/peer.ts";
import { OK, ScriptedClient } from "../_support/scripted_client.ts";

const DURATION = "http.client.request.duration";
const ACTIVE = "http.client.active_requests";
const CONNECTIONS = "http.client.open_connections";
const CONNECTION_DURATION = "http.client.connection.duration";
const URL_A = "http://a.example/x?y=1&sig=secret#z";
const SERVER = { "server.address": "a.example", "server.port": 80, "url.scheme": "http" };

/** A client without sockets that tells. */
class Told implements AsyncDisposable {
  readonly telemetry: FakeTelemetry = new FakeTelemetry();
  readonly scripted: ScriptedClient;

  constructor(options: ClientOptions = {}) {
    this.scripted = new ScriptedClient({ retry: false, ...options, telemetry: this.telemetry });
  }

  get spans(): FakeTelemetry["spans"] {
    return this.telemetry.spans;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scripted[Symbol.asyncDispose]();
  }
}

Deno.test("ClientTelemetry tells about a request by the conventions", async () => {
  await using told = new Told();
  const { response } = await told.scripted.begin("GET", URL_A);
  const head = await told.scripted.server.answer();
  assertEquals(await (await response).text(), "ok");
  assertEquals(/^traceparent: span-1\r$/m.test(head), true);
  const measured = {
    ...SERVER,
    "http.request.method": "GET",
    "http.response.status_code": 200,
    "network.protocol.version": "1.1",
  };
  assertEquals(told.telemetry.attributesOf(DURATION), [measured]);
  const active = { ...SERVER, "http.request.method": "GET" };
  assertEquals(told.telemetry.attributesOf(ACTIVE), [active, active]);
  assertEquals(told.telemetry.valuesOf(ACTIVE), [1, -1]);
  assertEquals(told.telemetry.valuesOf("http.client.response.body.size"), [2]);
  const [span] = told.spans;
  assertEquals([span!.name, span!.options.kind, span!.endCount], ["GET", "client", 1]);
  const { "network.peer.address": _address, "network.peer.port": _port, ...known } = span!
    .attributes;
  assertEquals(known, {
    ...measured,
    "http.request.body.size": 0,
    "http.response.body.size": 2,
    "url.full": "http://a.example/x?y=1&sig=REDACTED",
  });
});

Deno.test("ClientTelemetry keeps credentials and invented methods out of names", async () => {
  await using told = new Told();
  const { response } = await told.scripted.begin("BREW", "http://ada:secret@a.example/");
  await told.scripted.server.answer();
  await (await response).discard();
  const [span] = told.spans;
  assertEquals([span!.name, span!.attributes["http.request.method"]], ["HTTP", "_OTHER"]);
  assertEquals(span!.attributes["http.request.method_original"], "BREW");
  assertEquals(span!.attributes["url.full"], "http://REDACTED:REDACTED@a.example/");
  assertEquals(JSON.stringify([told.telemetry.measured, span]).includes("secret"), false);
});

Deno.test("ClientTelemetry takes a status of 400 and more for an error", async () => {
  await using told = new Told();
  for (const status of [399, 400, 404, 503]) {
    const { response } = await told.scripted.begin("GET", URL_A);
    await told.scripted.server.answer(OK.replace("200", `${status}`));
    await (await response).discard();
  }
  assertEquals(
    told.telemetry.attributesOf(DURATION).map((attributes) => attributes["error.type"]),
    [undefined, "400", "404", "503"],
  );
  assertEquals(told.spans.map(({ errors }) => errors.length), [0, 1, 1, 1]);
});

Deno.test("ClientTelemetry measures to the end of the body, in seconds", async () => {
  await using told = new Told();
  const { response } = await told.scripted.begin("GET", URL_A);
  await told.scripted.server.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
  const given = await response;
  told.scripted.clock.advance(500);
  assertEquals([told.spans[0]!.endCount, Object.values(told.telemetry.sumsOf(ACTIVE))], [0, [1]]);
  const text = given.text();
  await told.scripted.server.send("k");
  assertEquals(await text, "ok");
  assertEquals(told.telemetry.valuesOf(DURATION), [0.5]);
  assertEquals([told.spans[0]!.endCount, told.telemetry.sumsOf(ACTIVE)], [1, {}]);
});

Deno.test("ClientTelemetry counts how often a request was sent, redirects among it", async () => {
  await using told = new Told();
  const { response } = await told.scripted.begin("GET", URL_A);
  const { server } = told.scripted;
  await server.answer(
    "HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n",
  );
  await server.answer();
  await (await response).text();
  assertEquals(
    told.spans.map(({ attributes }) => [
      attributes["url.full"],
      attributes["http.response.status_code"],
      attributes["http.request.resend_count"],
    ]),
    [
      ["http://a.example/x?y=1&sig=REDACTED", 302, undefined],
      ["http://a.example/next", 200, 1],
    ],
  );
  assertEquals(told.spans.map(({ endCount }) => endCount), [1, 1]);
  assertEquals(told.telemetry.sumsOf(ACTIVE), {});
});

Deno.test("ClientTelemetry sees that a dead connection was replaced", async () => {
  await using told = new Told();
  const first = await told.scripted.begin("GET", URL_A);
  await told.scripted.server.answer();
  await (await first.response).text();
  const { response } = await told.scripted.begin("GET", URL_A);
  await told.scripted.servers[0]!.end();
  await told.scripted.server.answer();
  await (await response).text();
  assertEquals(told.spans.map(({ attributes }) => attributes["error.type"]), [
    undefined,
    "ERR_NET_CONNECTION_CLOSED",
    undefined,
  ]);
  assertEquals(told.spans[2]!.attributes["http.request.resend_count"], 1);
});

Deno.test("ClientTelemetry tells why no response came", async () => {
  await using told = new Told({ firstByteTimeoutMs: 1_000 });
  const { response } = await told.scripted.begin("GET", URL_A);
  const failure = assertRejects(() => response, TimeoutError);
  await told.scripted.server.received();
  told.scripted.clock.advance(1_200);
  await failure;
  const [attributes] = told.telemetry.attributesOf(DURATION);
  assertEquals(attributes!["error.type"], "ERR_NET_TIMEOUT");
  assertEquals(attributes!["http.response.status_code"], undefined);
  assertEquals([told.spans[0]!.endCount, told.spans[0]!.errors.length], [1, 1]);
});

Deno.test("ClientTelemetry tells why a body broke off", async () => {
  await using told = new Told();
  const { response } = await told.scripted.begin("GET", URL_A);
  await told.scripted.server.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
  const text = (await response).text();
  const failure = assertRejects(() => text);
  await told.scripted.server.end();
  await failure;
  const [attributes] = told.telemetry.attributesOf(DURATION);
  assertEquals(attributes!["http.response.status_code"], 200);
  assertEquals(attributes!["error.type"], "ERR_HTTP_TRUNCATED_MESSAGE");
  assertEquals(told.telemetry.valuesOf("http.client.response.body.size"), []);
});

Deno.test("ClientTelemetry ends a request that is cancelled, wherever it is", async () => {
  await using told = new Told();
  const reason = new DOMException("a", "AbortError");
  const cancelled = new AbortController();
  cancelled.abort(reason);
  await assertRejects(() => told.scripted.client.get(URL_A, { signal: cancelled.signal }));
  const controller = new AbortController();
  const { response } = await told.scripted.begin("GET", URL_A, { signal: controller.signal });
  const failure = assertRejects(() => response);
  controller.abort(reason);
  await failure;
  assertEquals(
    told.telemetry.attributesOf(DURATION).map((attributes) => attributes["error.type"]),
    ["AbortError", "AbortError"],
  );
  assertEquals(told.telemetry.sumsOf(ACTIVE), {});
});

Deno.test("ClientTelemetry ends a response that is closed unread", async () => {
  await using told = new Told();
  const { response } = await told.scripted.begin("GET", URL_A);
  await told.scripted.server.answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
  (await response).close();
  assertEquals([told.spans[0]!.endCount, told.spans[0]!.errors], [1, []]);
});

Deno.test("ClientTelemetry counts connections by their state, and how long they live", async () => {
  await using told = new Told();
  const state = (name: string): string =>
    JSON.stringify({ ...SERVER, "http.connection.state": name });
  const { response } = await told.scripted.begin("GET", URL_A);
  assertEquals(told.telemetry.sumsOf(CONNECTIONS), { [state("active")]: 1 });
  await told.scripted.server.answer();
  await (await response).text();
  await settle();
  assertEquals(told.telemetry.sumsOf(CONNECTIONS), { [state("idle")]: 1 });
  told.scripted.clock.advance(2_000);
  await told.scripted.client.close();
  assertEquals(told.telemetry.sumsOf(CONNECTIONS), {});
  assertEquals(told.telemetry.measured[CONNECTION_DURATION], [{ value: 2, attributes: SERVER }]);
});

Deno.test("ClientTelemetry knows the other end of a socket, and one that refuses", async () => {
  const telemetry = new FakeTelemetry();
  const server = serve((ctx) => ctx.text("a"), { hostname: "127.0.0.1", port: 0 });
  const { port } = server.addr as Deno.NetAddr;
  await using client = new Client({ telemetry, retry: false });
  await (await client.post(`http://127.0.0.1:${port}/`, { body: "1234" })).text();
  const { attributes } = telemetry.spans[0]!;
  assertEquals(
    [
      attributes["network.peer.address"],
      attributes["network.peer.port"],
      attributes["server.port"],
    ],
    ["127.0.0.1", port, port],
  );
  assertEquals(telemetry.valuesOf("http.client.request.body.size"), [4]);
  await server.shutdown({ graceMs: 0 });
  await eventually(() => client.stats().connections === 0);
  await assertRejects(() => client.get(`http://127.0.0.1:${port}/`), ConnectError);
  assertEquals(telemetry.spans[1]!.attributes["error.type"], "ERR_NET_CONNECT");
  assertEquals(telemetry.sumsOf(CONNECTIONS), {});
});

Deno.test("CallObserver ends once, and not before it has begun", () => {
  const telemetry = new FakeTelemetry();
  const observer = new CallObserver(new ClientTelemetry(telemetry, systemClock));
  observer.end();
  observer.begin({
    method: "GET",
    url: { url: new URL("https://[2001:db8::1]/"), userinfo: undefined },
    body: { length: undefined },
  });
  observer.end();
  observer.end(new Error("late"));
  assertEquals(telemetry.attributesOf(DURATION), [{
    "http.request.method": "GET",
    "server.address": "2001:db8::1",
    "server.port": 443,
    "url.scheme": "https",
  }]);
  assertEquals(telemetry.valuesOf("http.client.request.body.size"), []);
});
