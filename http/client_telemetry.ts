import type { Clock } from "../nbio/clock.ts";
import { errorType } from "../nbio/error_type.ts";
import { preciseNow } from "../nbio/precise_now.ts";
import type {
  Telemetry,
  TelemetryAttributes,
  TelemetryCounter,
  TelemetryHistogram,
  TelemetrySpan,
} from "../nbio/telemetry.ts";
import type { ConnectionObserver } from "./client_pool_options.ts";
import type { HeaderList } from "./header_list.ts";
import { DEFAULT_PORTS } from "./telemetry_authority.ts";
import {
  CONNECTION_SECONDS,
  hostOf,
  type MethodName,
  nameMethod,
  type RequestInstruments,
  requestInstruments,
} from "./telemetry_conventions.ts";
import { redactUrl } from "./url_redaction.ts";

const FIRST_ERROR_STATUS = 400;
const MS_PER_SECOND = 1000;

/** A request of a client, as far as it is told about. */
export interface ObservedRequest {
  readonly method: string;
  readonly url: { readonly url: URL; readonly userinfo: string | undefined };
  readonly body: { readonly length: number | undefined } | undefined;
}

/** A response of a server, as far as it is told about. */
export interface ObservedResponse {
  readonly status: number;
  readonly minorVersion: number;
  readonly bodyLength: number | undefined;
  readonly isComplete: boolean;
}

/**
 * Tells about the requests and connections of one client, by the semantic conventions of
 * OpenTelemetry: a span for every time a request is sent, `http.client.request.duration`,
 * `http.client.active_requests`, the sizes of both bodies where they are known,
 * `http.client.open_connections` and `http.client.connection.duration`.
 *
 * A request lasts until its response has been read, or given up.
 */
export class ClientTelemetry {
  /** Who counts and traces. */
  readonly telemetry: Telemetry;
  /** Where the time comes from. */
  readonly clock: Clock;
  /** Instruments of the requests. */
  readonly instruments: RequestInstruments;
  readonly #connections: TelemetryCounter;
  readonly #connectionDuration: TelemetryHistogram;

  /**
   * @param telemetry Who counts and traces.
   * @param clock Where the time comes from.
   */
  constructor(telemetry: Telemetry, clock: Clock) {
    this.telemetry = telemetry;
    this.clock = clock;
    this.instruments = requestInstruments(telemetry, "client");
    this.#connections = telemetry.upDownCounter("http.client.open_connections", {
      description: "Number of outbound HTTP connections that are currently active or idle.",
      unit: "{connection}",
    });
    this.#connectionDuration = telemetry.histogram("http.client.connection.duration", {
      description: "The duration of the successfully established outbound HTTP connections.",
      ...CONNECTION_SECONDS,
    });
  }

  /** Watches over a call. */
  observe(): CallObserver {
    return new CallObserver(this);
  }

  /**
   * Watches over a connection that was just made.
   *
   * @param url Origin of its server.
   */
  observeConnection(url: URL): ConnectionObserver {
    const attributes = serverAttributes(url);
    const startMs = preciseNow(this.clock);
    let state: "active" | "idle" | "closed" | undefined;
    const count = (delta: number): void =>
      this.#connections.add(delta, { ...attributes, "http.connection.state": state });
    const enter = (next: "active" | "idle" | "closed"): void => {
      if (state === next || state === "closed") return;
      if (state !== undefined) count(-1);
      state = next;
      if (next !== "closed") return count(1);
      const seconds = Math.max(0, preciseNow(this.clock) - startMs) / MS_PER_SECOND;
      this.#connectionDuration.record(seconds, attributes);
    };
    return { use: () => enter("active"), rest: () => enter("idle"), close: () => enter("closed") };
  }
}

/** What is told about one call: each time its request is sent is a span of its own. */
export class CallObserver {
  readonly #owner: ClientTelemetry;
  #sentCount = 0;
  #span: TelemetrySpan | undefined;
  #method: MethodName = nameMethod("");
  #attributes: TelemetryAttributes = {};
  #requestBytes: number | undefined;
  #response: ObservedResponse | undefined;
  #startMs = 0;

  /** @param owner The client. */
  constructor(owner: ClientTelemetry) {
    this.#owner = owner;
  }

  /** The request is about to be sent: for the first time, or again for whatever reason. */
  begin(request: ObservedRequest): void {
    const { telemetry, clock, instruments } = this.#owner;
    const { url, userinfo } = request.url;
    this.#startMs = preciseNow(clock);
    this.#response = undefined;
    this.#method = nameMethod(request.method);
    this.#requestBytes = request.body === undefined ? 0 : request.body.length;
    this.#attributes = {
      "http.request.method": this.#method.attribute,
      ...serverAttributes(url),
    };
    instruments.active.add(1, this.#attributes);
    const shown = userinfo === undefined ? url.href : url.href.replace("://", "://x@");
    this.#span = telemetry.startSpan(this.#method.word, {
      kind: "client",
      attributes: {
        ...this.#attributes,
        "http.request.method_original": this.#method.original,
        "http.request.resend_count": this.#sentCount === 0 ? undefined : this.#sentCount,
        "url.full": redactUrl(shown),
      },
    });
    this.#sentCount++;
  }

  /** Adds the fields by which the server goes on with the trace. */
  inject(headers: HeaderList): void {
    this.#span?.inject((name, value) => headers.set(name, value));
  }

  /**
   * The head of the response has come.
   *
   * @param response What has come.
   * @param remoteAddr The other end of the connection.
   */
  answer(response: ObservedResponse, remoteAddr: Deno.Addr): void {
    this.#response = response;
    const peer = hostOf(remoteAddr);
    this.#span?.setAttributes({
      "network.peer.address": peer?.hostname,
      "network.peer.port": peer?.port,
    });
  }

  /**
   * It is over, however. Only the first call counts.
   *
   * @param error What it failed with.
   */
  end(error?: unknown): void {
    const span = this.#span;
    if (span === undefined) return;
    this.#span = undefined;
    const response = this.#response;
    const status = response?.status;
    const isRefused = status !== undefined && status >= FIRST_ERROR_STATUS;
    const attributes: TelemetryAttributes = {
      ...this.#attributes,
      "http.response.status_code": status,
      "network.protocol.version": response === undefined ? undefined : `1.${response.minorVersion}`,
      "error.type": error !== undefined ? errorType(error) : isRefused ? `${status}` : undefined,
    };
    span.run(() => this.#record(response, attributes));
    this.#owner.instruments.active.add(-1, this.#attributes);
    span.setAttributes({
      ...attributes,
      "http.request.body.size": this.#requestBytes,
      "http.response.body.size": response?.bodyLength,
    });
    if (attributes["error.type"] !== undefined) span.fail(error);
    span.end();
  }

  #record(response: ObservedResponse | undefined, attributes: TelemetryAttributes): void {
    const { clock, instruments } = this.#owner;
    const { duration, requestSize, responseSize } = instruments;
    duration.record(Math.max(0, preciseNow(clock) - this.#startMs) / MS_PER_SECOND, attributes);
    if (this.#requestBytes !== undefined) requestSize.record(this.#requestBytes, attributes);
    // Of a chunked one nobody has counted the bytes; of one that was cut they were not all.
    if (response?.bodyLength !== undefined && response.isComplete) {
      responseSize.record(response.bodyLength, attributes);
    }
  }
}

function serverAttributes(url: URL): TelemetryAttributes {
  const scheme = url.protocol.slice(0, -1);
  return {
    "server.address": url.hostname.replace(/^\[|\]$/g, ""),
    "server.port": url.port === "" ? DEFAULT_PORTS[scheme] : Number(url.port),
    "url.scheme": scheme,
  };
}
