import type { Telemetry, TelemetryCounter, TelemetryHistogram } from "../nbio/telemetry.ts";
import { resolveTelemetry } from "../nbio/telemetry_guard.ts";
import type { WebSocketRole } from "./connection_options.ts";
import type { WebSocketClosure } from "./websocket_lifetime.ts";

const MS_PER_SECOND = 1000;
const CONNECTION_SECONDS: readonly number[] = [1, 5, 30, 60, 300, 900, 3_600, 14_400, 86_400];
/** Close codes of RFC 6455 section 7.4.1; what applications invent above is theirs. */
const LAST_STANDARD_CODE = 2_999;

/** What is told about the messages of one connection. */
export interface WebSocketObserver {
  /** One was given to whoever reads. */
  received(): void;
  /** One was queued to be sent. */
  sent(): void;
}

/** What watches over connections. */
export interface WebSocketMonitor {
  /**
   * Watches over a connection from its beginning.
   *
   * @param role Which end this is.
   * @param closed Resolves at its end.
   * @param clock Tells the time.
   */
  observe(
    role: WebSocketRole,
    closed: Promise<WebSocketClosure>,
    clock: { now(): number },
  ): WebSocketObserver;
}

/**
 * Tells about WebSocket connections. There are no conventions for that, so the names are our own:
 * `websocket.connections` that are open, `websocket.connection.duration` with the close code, and
 * `websocket.messages` by direction. The handshake is a request, which its server tells about.
 */
export class WebSocketTelemetry implements WebSocketMonitor {
  readonly #connections: TelemetryCounter;
  readonly #duration: TelemetryHistogram;
  readonly #messages: TelemetryCounter;

  /** @param telemetry Who counts. */
  constructor(telemetry: Telemetry) {
    this.#connections = telemetry.upDownCounter("websocket.connections", {
      description: "Number of open WebSocket connections.",
      unit: "{connection}",
    });
    this.#duration = telemetry.histogram("websocket.connection.duration", {
      description: "Duration of WebSocket connections.",
      unit: "s",
      boundaries: CONNECTION_SECONDS,
    });
    this.#messages = telemetry.counter("websocket.messages", {
      description: "Number of whole messages sent and received.",
      unit: "{message}",
    });
  }

  observe(
    role: WebSocketRole,
    closed: Promise<WebSocketClosure>,
    clock: { now(): number },
  ): WebSocketObserver {
    const startMs = clock.now();
    const end = { "websocket.role": role };
    this.#connections.add(1, end);
    void closed.then(({ code, clean }) => {
      this.#connections.add(-1, end);
      const seconds = Math.max(0, clock.now() - startMs) / MS_PER_SECOND;
      const isStandard = code <= LAST_STANDARD_CODE;
      this.#duration.record(seconds, {
        ...end,
        "websocket.close.code": isStandard ? code : undefined,
        "websocket.close.clean": clean,
      });
    });
    const receiving = { ...end, "websocket.direction": "received" };
    const sending = { ...end, "websocket.direction": "sent" };
    return {
      received: () => this.#messages.add(1, receiving),
      sent: () => this.#messages.add(1, sending),
    };
  }
}

/** The instruments of each, made once: options are resolved for every connection. */
const known = new WeakMap<Telemetry, WebSocketTelemetry>();

/**
 * What connections tell.
 *
 * @param telemetry What the caller gave.
 * @returns The same for the same; `undefined` where nobody listens.
 */
export function webSocketTelemetry(
  telemetry: Telemetry | undefined,
): WebSocketTelemetry | undefined {
  if (telemetry === undefined) return undefined;
  const found = known.get(telemetry);
  if (found !== undefined) return found;
  const listening = resolveTelemetry(telemetry);
  if (listening === undefined) return undefined;
  const made = new WebSocketTelemetry(listening);
  known.set(telemetry, made);
  return made;
}
