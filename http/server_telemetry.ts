import type { Clock } from "../nbio/clock.ts";
import { errorType } from "../nbio/error_type.ts";
import { preciseNow } from "../nbio/precise_now.ts";
import type { Telemetry, TelemetryAttributes, TelemetrySpan } from "../nbio/telemetry.ts";
import { HttpError } from "./errors.ts";
import { clientAddr } from "./middleware_trusted_proxy.ts";
import { splitAuthority } from "./telemetry_authority.ts";
import {
  hostOf,
  type MethodName,
  nameMethod,
  type RequestInstruments,
  requestInstruments,
} from "./telemetry_conventions.ts";
import { redactQuery } from "./url_redaction.ts";
import type { Context } from "./server_context.ts";
import type { Handler, HandlerResult } from "./server_shared.ts";

const FIRST_SERVER_ERROR = 500;
const MS_PER_SECOND = 1000;

/** One request with its response, as its connection knows it. */
export interface ObservedExchange {
  /** What the handler sees. */
  readonly context: Context;
  /** Bytes of the request's body; `undefined` where that is not known. */
  readonly requestBytes: number | undefined;
  /** Bytes of the response's body so far. */
  readonly responseBytes: number;
}

/**
 * Tells about the requests of one server, by the semantic conventions of OpenTelemetry: a span
 * `{method} {route}` for each, `http.server.request.duration`, `http.server.active_requests` and
 * the sizes of both bodies.
 *
 * Routes are patterns, of which there are few; a path never becomes a name or an attribute of a
 * measurement.
 */
export class ServerTelemetry {
  readonly #telemetry: Telemetry;
  readonly #clock: Clock;
  readonly #instruments: RequestInstruments;

  /**
   * @param telemetry Who counts and traces.
   * @param clock Where the time comes from.
   */
  constructor(telemetry: Telemetry, clock: Clock) {
    this.#telemetry = telemetry;
    this.#clock = clock;
    this.#instruments = requestInstruments(telemetry, "server");
  }

  /** Watches over a connection. */
  observe(): ServerObserver {
    return new ServerObserver(this, this.#clock);
  }

  /** Begins the span of a request. */
  startSpan(context: Context, method: MethodName, scheme: string): TelemetrySpan {
    return this.#telemetry.startSpan(method.word, {
      kind: "server",
      remote: (name) => context.headers.get(name),
      attributes: requestAttributes(context, method, scheme),
    });
  }

  /** Counts a request that begins, or ends. */
  addActive(delta: number, method: string, scheme: string): void {
    this.#instruments.active.add(delta, { "http.request.method": method, "url.scheme": scheme });
  }

  /** Takes note of what a request came to. */
  record(seconds: number, exchange: ObservedExchange, attributes: TelemetryAttributes): void {
    const { duration, requestSize, responseSize } = this.#instruments;
    const { requestBytes } = exchange;
    duration.record(seconds, attributes);
    if (requestBytes !== undefined) requestSize.record(requestBytes, attributes);
    responseSize.record(exchange.responseBytes, attributes);
  }
}

/** What is told about the requests of one connection, of which one is under way at a time. */
export class ServerObserver {
  readonly #telemetry: ServerTelemetry;
  readonly #clock: Clock;
  #exchange: ObservedExchange | undefined;
  #span: TelemetrySpan | undefined;
  #method: MethodName = nameMethod("");
  #scheme = "http";
  #startMs = 0;
  /** What the handler has thrown, or the connection was cut for. */
  #error: unknown = undefined;

  /**
   * @param telemetry Of the server.
   * @param clock Where the time comes from.
   */
  constructor(telemetry: ServerTelemetry, clock: Clock) {
    this.#telemetry = telemetry;
    this.#clock = clock;
  }

  /**
   * Begins a request and runs its handler within its span.
   *
   * @param handler Answers it.
   * @param exchange The request.
   */
  run(handler: Handler, exchange: ObservedExchange): HandlerResult {
    const { context } = exchange;
    this.#exchange = exchange;
    this.#error = undefined;
    this.#startMs = preciseNow(this.#clock);
    this.#method = nameMethod(context.method);
    this.#scheme = context.tlsInfo === undefined ? "http" : "https";
    this.#telemetry.addActive(1, this.#method.attribute, this.#scheme);
    const span = this.#span = this.#telemetry.startSpan(context, this.#method, this.#scheme);
    const result = span.run(() => {
      try {
        return handler(context);
      } catch (error) {
        this.#error = error;
        throw error;
      }
    });
    if (!(result instanceof Promise)) return result;
    return result.catch((error) => {
      if (this.#exchange === exchange) this.#error = error;
      throw error;
    });
  }

  /** The connection is cut; the first reason counts. */
  note(reason: unknown): void {
    this.#error ??= reason;
  }

  /** The response has left, or the connection was given away. */
  end(): void {
    this.#end(false);
  }

  /** The connection has ended; if a request is under way, its response has not left. */
  cut(reason: unknown): void {
    this.note(reason);
    this.#end(true);
  }

  #end(isCut: boolean): void {
    const exchange = this.#exchange;
    const span = this.#span;
    if (exchange === undefined || span === undefined) return;
    this.#exchange = this.#span = undefined;
    const { attribute } = this.#method;
    const { context } = exchange;
    const { status } = context.response;
    const { route } = context;
    const failure = this.#failure(context, isCut);
    const attributes: TelemetryAttributes = {
      "http.request.method": attribute,
      "url.scheme": this.#scheme,
      "http.response.status_code": status === 0 ? undefined : status,
      "http.route": route,
      "network.protocol.version": context.httpVersion,
      "error.type": failure,
    };
    const seconds = Math.max(0, preciseNow(this.#clock) - this.#startMs) / MS_PER_SECOND;
    // In the span, so that a measurement can name it as its example.
    span.run(() => this.#telemetry.record(seconds, exchange, attributes));
    this.#telemetry.addActive(-1, attribute, this.#scheme);
    this.#endSpan(span, exchange, attributes);
  }

  #endSpan(span: TelemetrySpan, exchange: ObservedExchange, known: TelemetryAttributes): void {
    const { context } = exchange;
    if (span.isRecording) {
      if (context.route !== undefined) span.rename(`${this.#method.word} ${context.route}`);
      span.setAttributes({
        ...known,
        "http.request.body.size": exchange.requestBytes,
        "http.response.body.size": exchange.responseBytes,
        "client.address": clientAddr(context),
      });
      if (known["error.type"] !== undefined) span.fail(this.#error ?? context.error);
    }
    this.#error = undefined;
    span.end();
  }

  /** Value of `error.type`; the client's mistakes are none of a server's errors. */
  #failure(context: Context, isCut: boolean): string | undefined {
    const error = this.#error ?? context.error;
    const { status, committed } = context.response;
    if (isCut && !(committed && error === undefined)) return errorType(error);
    if (status < FIRST_SERVER_ERROR) return undefined;
    const isUnexpected = error !== undefined && !(error instanceof HttpError);
    return isUnexpected ? errorType(error) : String(status);
  }
}

/** What is known of a request when its head has come. */
function requestAttributes(
  context: Context,
  method: MethodName,
  scheme: string,
): TelemetryAttributes {
  const { path, search, headers } = context;
  const peer = hostOf(context.remoteAddr);
  const authority = splitAuthority(headers.get("host"), scheme);
  return {
    "http.request.method": method.attribute,
    "http.request.method_original": method.original,
    "url.scheme": scheme,
    "url.path": path,
    "url.query": search === "" ? undefined : redactQuery(search.slice(1)),
    "network.protocol.version": context.httpVersion,
    "network.peer.address": peer?.hostname,
    "network.peer.port": peer?.port,
    "client.address": peer?.hostname,
    "client.port": peer?.port,
    "server.address": authority?.host,
    "server.port": authority?.port,
    "user_agent.original": headers.get("user-agent"),
  };
}
