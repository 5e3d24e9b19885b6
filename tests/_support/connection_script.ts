/**
 * Driving `HttpConnection` by text: wire bytes in as strings, events out as
 * lines that can be compared.
 */

import { HttpConnection } from "../../http/connection.ts";
import type { HttpConnectionOptions } from "../../http/connection_options.ts";
import type { HttpEvent } from "../../http/events.ts";
import type { HeaderList } from "../../http/header_list.ts";
import { NetError } from "../../nbio/errors.ts";
import { bytesOf, textOf } from "./raw_bytes.ts";

/** One event as one line. */
export function describeEvent(event: HttpEvent | undefined): string {
  if (event === undefined) return "more";
  switch (event.type) {
    case "request": {
      const flags = (event.expectsContinue ? " expects" : "") +
        (event.isUpgrade ? " upgrades" : "");
      const line = `${event.method} ${event.target} 1.${event.minorVersion}`;
      return `request ${line} ${event.bodyLength ?? "chunked"}${flags}`;
    }
    case "informational":
      return `informational ${event.status} ${event.reason}${fields(event.headers)}`;
    case "response":
      return `response ${event.status} ${event.reason} 1.${event.minorVersion} ${
        event.bodyLength ?? "open"
      }`;
    case "data":
      return `data ${textOf(event.bytes)}`;
    case "end":
      return `end${fields(event.trailers)}`;
    default:
      return event.type;
  }
}

function fields(headers: HeaderList | undefined): string {
  return headers === undefined ? "" : [...headers].map(([n, v]) => ` ${n}: ${v}`).join("");
}

/** Pulls until the connection stands still; the last line is why. */
export function pull(connection: HttpConnection): string[] {
  const lines: string[] = [];
  for (;;) {
    const line = describeEvent(connection.nextEvent());
    lines.push(line);
    if (line === "more" || line === "paused" || line === "closed") return lines;
  }
}

/** What a connection made of its input. */
export interface Outcome {
  /** Events as lines; pieces of one body are put together. */
  readonly events: string[];
  /** Code of the error that ended it. */
  readonly code: string | undefined;
  /** Where the halves ended up. */
  readonly state: string;
}

/** An input and what to do with its events. */
export interface Feed {
  readonly options: HttpConnectionOptions;
  /** Called once at the start, for example to send requests. */
  readonly begin?: ((connection: HttpConnection) => void) | undefined;
  /** Called after every event, for example to answer. */
  readonly act?: ((connection: HttpConnection, event: HttpEvent) => void) | undefined;
  /** Whether the peer ends its stream behind the last chunk. */
  readonly isEnd?: boolean | undefined;
}

/** Gives chunks to a new connection and pulls all events after each. */
export function feed(chunks: Iterable<Uint8Array>, how: Feed): Outcome {
  const connection = new HttpConnection(how.options);
  how.begin?.(connection);
  const events: string[] = [];
  let code: string | undefined;
  try {
    for (const chunk of chunks) {
      connection.receive(chunk);
      // A parser that keeps the bytes of its caller is caught here.
      chunk.fill(0x21);
      drain(connection, how, events);
    }
    if (how.isEnd) connection.receiveEnd();
    drain(connection, how, events);
  } catch (error) {
    if (!(error instanceof NetError)) throw error;
    code = error.code;
  }
  return { events, code, state: stateOf(connection) };
}

function drain(connection: HttpConnection, how: Feed, events: string[]): void {
  for (;;) {
    const event = connection.nextEvent();
    if (event === undefined || event.type === "paused") return;
    const last = events.at(-1);
    if (event.type === "data" && last?.startsWith("data ")) {
      events.push(events.pop()! + textOf(event.bytes));
    } else if (event.type !== "closed" || last !== "closed") events.push(describeEvent(event));
    if (event.type === "closed") return;
    how.act?.(connection, event);
  }
}

/** The halves as `request/response`. */
export function stateOf(connection: HttpConnection): string {
  return `${connection.state.request}/${connection.state.response}`;
}

/** A server that has been given some input. */
export function serverWith(
  wire: string,
  options: Partial<HttpConnectionOptions> = {},
): HttpConnection {
  const server = new HttpConnection({ ...options, role: "server" });
  server.receive(bytesOf(wire));
  return server;
}

/** A client that has sent bodiless requests of some methods. */
export function clientWith(...methods: string[]): HttpConnection {
  const client = new HttpConnection({ role: "client" });
  for (const method of methods) sendRequest(client, method);
  client.takeOutput();
  return client;
}

/** Sends a complete request without a body. */
export function sendRequest(
  client: HttpConnection,
  method = "GET",
  headers: readonly (readonly [string, string])[] = [],
): void {
  const target = method === "CONNECT" ? "a:1" : "/";
  const host = method === "CONNECT" ? "a:1" : "a";
  client.send({ type: "request", method, target, headers: [["Host", host], ...headers] });
  client.send({ type: "end" });
}

/** Sends a complete response without a body. */
export function sendResponse(server: HttpConnection, status = 204): void {
  server.send({ type: "response", status, bodyLength: 0 });
  server.send({ type: "end" });
}

/** The output as text; empty where there is none. */
export function outputOf(connection: HttpConnection): string {
  return textOf(connection.takeOutput() ?? new Uint8Array(0));
}
