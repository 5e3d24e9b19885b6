/**
 * A client core against a server core over pipes in memory, where a seed decides
 * what is said, who moves next and where the bytes are cut.
 */

import { assert, assertEquals } from "@std/assert";
import { HttpConnection } from "../../http/connection.ts";
import type { HttpEvent, HttpSendEvent } from "../../http/events.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { BytePipe } from "../_support/byte_pipe.ts";
import {
  type BodyPlan,
  type ConnectionPlan,
  type ExchangePlan,
  isBodiless,
  planConnection,
} from "../_support/exchange_plan.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

const SEED_COUNT = 1_000;
const SEEDS_PER_TEST = 100;
/** Far more than any plan needs: a connection that hangs fails. */
const MAX_STEPS = 200_000;
const MAX_CHUNK_BYTES = 600;

/** A message as it arrived. */
interface Received {
  start: string;
  readonly informational: number[];
  readonly body: number[];
  trailers: string[] | undefined;
  isComplete: boolean;
}

/** The events of one body, head excluded, end included. */
function bodyEvents(body: BodyPlan | undefined): HttpSendEvent[] {
  if (body === undefined) return [{ type: "end" }];
  return [
    ...body.pieces.map((bytes): HttpSendEvent => ({ type: "data", bytes })),
    { type: "end", trailers: body.trailers },
  ];
}

/** What a head says about a body: an event's `bodyLength`, or fields. */
interface Announcement {
  readonly bodyLength: number | undefined;
  readonly fields: [name: string, value: string][];
}

function announce(body: BodyPlan | undefined): Announcement {
  if (body?.kind === "length") return { bodyLength: body.bytes.length, fields: [] };
  const isNamed = body?.kind === "field";
  return {
    bodyLength: undefined,
    fields: isNamed ? [["Content-Length", String(body.bytes.length)]] : [],
  };
}

/** The side that asks. */
class ClientActor {
  readonly core: HttpConnection;
  readonly received: Received[] = [];
  readonly #plan: ConnectionPlan;
  readonly #output: BytePipe;
  #index = 0;
  #queue: HttpSendEvent[] = [];
  #awaitsContinue = false;

  constructor(plan: ConnectionPlan, output: BytePipe) {
    this.core = new HttpConnection({ role: "client", maxPipelinedRequests: plan.depth });
    this.#plan = plan;
    this.#output = output;
  }

  /** Whether all is said; what a refused client holds back stays unsaid. */
  get isDone(): boolean {
    const isHeldBack = this.#awaitsContinue && this.core.mustClose;
    return this.#index === this.#plan.exchanges.length && (this.#queue.length === 0 || isHeldBack);
  }

  /** Says the next thing, if there is one that may be said. */
  act(): void {
    if (this.#queue.length === 0) return this.#ask();
    if (this.#awaitsContinue) return;
    this.core.send(this.#queue.shift()!);
    this.#flush();
  }

  #ask(): void {
    const exchange = this.#plan.exchanges[this.#index];
    if (exchange === undefined || this.core.outstandingRequests >= this.#plan.depth) return;
    this.#index++;
    const { bodyLength, fields } = announce(exchange.requestBody);
    if (exchange.expectsContinue) fields.push(["Expect", "100-continue"]);
    if (exchange.closedBy === "client") fields.push(["Connection", "close"]);
    else if (this.#plan.minorVersion === 0) fields.push(["Connection", "keep-alive"]);
    this.core.send({
      type: "request",
      method: exchange.method,
      target: exchange.target,
      headers: [["Host", "example.com"], ...fields],
      bodyLength,
      hasBody: exchange.requestBody !== undefined,
    });
    this.#queue = bodyEvents(exchange.requestBody);
    this.#awaitsContinue = exchange.expectsContinue;
    this.#flush();
  }

  read(): void {
    for (;;) {
      const event = this.core.nextEvent();
      if (event === undefined || event.type === "paused" || event.type === "closed") return;
      if (event.type === "informational" && event.status === 100) this.#awaitsContinue = false;
      else record(this.received, event);
    }
  }

  #flush(): void {
    const output = this.core.takeOutput();
    if (output !== undefined) this.#output.write(asVersion(output, this.#plan));
  }
}

/** The side that answers. */
class ServerActor {
  readonly core = new HttpConnection({ role: "server" });
  readonly received: Received[] = [];
  readonly #plan: ConnectionPlan;
  readonly #output: BytePipe;
  #queue: HttpSendEvent[] = [];

  constructor(plan: ConnectionPlan, output: BytePipe) {
    this.#plan = plan;
    this.#output = output;
  }

  /** Whether every request has come, and every response has left. */
  get isDone(): boolean {
    const { exchanges } = this.#plan;
    const last = this.received.at(-1);
    return this.received.length === exchanges.length && this.#queue.length === 0 &&
      (last!.isComplete || exchanges.at(-1)!.isRefused);
  }

  /** Says the next thing, if there is one. */
  act(): void {
    const event = this.#queue.shift();
    if (event === undefined) return;
    this.core.send(event);
    const output = this.core.takeOutput();
    if (output !== undefined) this.#output.write(asVersion(output, this.#plan));
  }

  read(): void {
    for (;;) {
      const event = this.core.nextEvent();
      if (event === undefined || event.type === "paused" || event.type === "closed") return;
      record(this.received, event);
      const exchange = this.#plan.exchanges[this.received.length - 1]!;
      if (event.type === "request") {
        assertEquals(event.expectsContinue, exchange.expectsContinue);
        if (exchange.isRefused || exchange.isEarly) this.#answer(exchange);
        else if (event.expectsContinue) this.#queue.push({ type: "informational", status: 100 });
      } else if (event.type === "end" && !exchange.isEarly) this.#answer(exchange);
    }
  }

  #answer(exchange: ExchangePlan): void {
    const { status, responseBody } = exchange;
    for (let left = exchange.informationalCount; left > 0; left--) {
      this.#queue.push({ type: "informational", status: 103, headers: { Link: "</x>" } });
    }
    const headers: [string, string][] = exchange.closedBy === "server"
      ? [["Connection", "close"]]
      : [];
    if (status === 204 || status === 304) {
      this.#queue.push({ type: "response", status, headers }, { type: "end" });
      return;
    }
    const { bodyLength, fields } = announce(responseBody);
    headers.push(...fields);
    this.#queue.push(
      { type: "response", status, headers, bodyLength },
      ...bodyEvents(responseBody),
    );
  }
}

function record(received: Received[], event: HttpEvent): void {
  const last = received.at(-1);
  const current = last === undefined || last.isComplete ? newMessage(received, event) : last;
  if (event.type === "request") current.start = `${event.method} ${event.target}`;
  else if (event.type === "informational") current.informational.push(event.status);
  else if (event.type === "response") current.start = String(event.status);
  else if (event.type === "data") current.body.push(...event.bytes);
  else if (event.type === "end") {
    current.trailers = event.trailers && [...event.trailers].map((field) => field.join(": "));
    current.isComplete = true;
  }
}

function newMessage(received: Received[], event: HttpEvent): Received {
  assert(event.type !== "data" && event.type !== "end");
  const message = {
    start: "",
    informational: [],
    body: [],
    trailers: undefined,
    isComplete: false,
  };
  received.push(message);
  return message;
}

/** The core speaks HTTP/1.1: an older peer is made out of it on the way. */
function asVersion(output: Uint8Array, plan: ConnectionPlan): Uint8Array {
  if (plan.minorVersion === 1) return output;
  const text = textOf(output);
  if (text.startsWith("HTTP/1.1 ")) return bytesOf(text.replace("HTTP/1.1", "HTTP/1.0"));
  return bytesOf(text.replace(/^(\S+ \S+) HTTP\/1\.1\r\n/, "$1 HTTP/1.0\r\n"));
}

function run(plan: ConnectionPlan, random: SeededRandom): void {
  const toServer = new BytePipe();
  const toClient = new BytePipe();
  const client = new ClientActor(plan, toServer);
  const server = new ServerActor(plan, toClient);
  const move = (pipe: BytePipe, core: HttpConnection): void => {
    if (core.isPaused) return;
    core.receive(pipe.read(random.int(MAX_CHUNK_BYTES)));
  };
  const steps = [
    () => client.act(),
    () => server.act(),
    () => move(toServer, server.core),
    () => move(toClient, client.core),
    () => client.read(),
    () => server.read(),
  ];
  const isOver = (): boolean => client.isDone && server.isDone && toClient.length === 0;
  let stepCount = 0;
  while (!isOver()) {
    assert(stepCount++ < MAX_STEPS, "the connection hangs");
    random.pick(steps)();
  }
  finish(client, server, toClient, plan);
}

/** Ends both streams and looks at everything that came. */
function finish(
  client: ClientActor,
  server: ServerActor,
  toClient: BytePipe,
  plan: ConnectionPlan,
): void {
  client.core.receive(toClient.read(toClient.length));
  const last = plan.exchanges.at(-1)!;
  const wasOpen = last.closedBy === undefined && !last.isRefused && server.core.isReusable;
  client.read();
  assertEquals(client.core.isReusable, wasOpen);
  server.core.receiveEnd();
  client.core.receiveEnd();
  if (!last.isRefused) server.read();
  client.read();
  const expected = last.isRefused
    ? { request: "body", response: "closed" }
    : { request: "closed", response: "closed" };
  assertEquals([client.core.state, server.core.state], [expected, expected]);
  assertEquals(server.received, plan.exchanges.map(expectedRequest));
  const isHttp11 = plan.minorVersion === 1;
  assertEquals(client.received, plan.exchanges.map((plan) => expectedResponse(plan, isHttp11)));
}

function expectedRequest(exchange: ExchangePlan): Received {
  const { requestBody, isRefused } = exchange;
  const isSent = requestBody !== undefined && !isRefused;
  return {
    start: `${exchange.method} ${exchange.target}`,
    informational: [],
    body: isSent ? [...requestBody.bytes] : [],
    trailers: isSent ? expectedTrailers(requestBody) : undefined,
    isComplete: !isRefused,
  };
}

function expectedResponse(exchange: ExchangePlan, isHttp11: boolean): Received {
  const isEmpty = isBodiless(exchange);
  return {
    start: String(exchange.status),
    informational: new Array(exchange.informationalCount).fill(103),
    body: isEmpty ? [] : [...exchange.responseBody.bytes],
    trailers: isEmpty || !isHttp11 ? undefined : expectedTrailers(exchange.responseBody),
    isComplete: true,
  };
}

function expectedTrailers(body: BodyPlan): string[] | undefined {
  return body.trailers.length === 0 ? undefined : body.trailers.map((field) => field.join(": "));
}

for (let first = 0; first < SEED_COUNT; first += SEEDS_PER_TEST) {
  const last = first + SEEDS_PER_TEST - 1;
  Deno.test(`HttpConnection as client and as server agree with seeds ${first} to ${last}`, () => {
    for (let seed = first; seed <= last; seed++) {
      const random = new SeededRandom(seed);
      const plan = planConnection(random);
      try {
        run(plan, random);
      } catch (cause) {
        throw new Error(`Seed ${seed} fails`, { cause });
      }
    }
  });
}
