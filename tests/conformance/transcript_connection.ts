import { HttpConnection } from "../../http/connection.ts";
import type { HttpEvent } from "../../http/events.ts";
import { textOf } from "../_support/raw_bytes.ts";
import {
  asksForUpgrade,
  outcomeOfError,
  piecesOf,
  type ReadOptions,
  type Transcript,
  type TranscriptMessage,
} from "./transcript.ts";

/** Reads requests with the event core as a server, which answers each with 204. */
export function readAsServer(chunks: readonly Uint8Array[], options: ReadOptions): Transcript {
  const { limits = {}, lenience = {} } = options;
  const connection = new HttpConnection({ role: "server", limits, lenience });
  return new ConnectionReading(connection, answer).read(chunks, options);
}

/** Reads responses with the event core as a client, which asks again after each. */
export function readAsClient(chunks: readonly Uint8Array[], options: ReadOptions): Transcript {
  const { limits = {}, lenience = {} } = options;
  const connection = new HttpConnection({ role: "client", limits, lenience });
  ask(connection);
  return new ConnectionReading(connection, ask).read(chunks, options);
}

function answer(connection: HttpConnection): void {
  connection.send({ type: "response", status: 204 });
  connection.send({ type: "end" });
  connection.takeOutput();
}

/** Each request offers an upgrade, so that a 101 may come. */
function ask(connection: HttpConnection): void {
  if (connection.state.request !== "idle") return;
  const headers = [["Host", "a"], ["Connection", "upgrade"], ["Upgrade", "h2c"]] as const;
  connection.send({ type: "request", method: "GET", target: "/", headers });
  connection.send({ type: "end" });
  connection.takeOutput();
}

class ConnectionReading {
  readonly #connection: HttpConnection;
  readonly #act: (connection: HttpConnection) => void;
  readonly #messages: TranscriptMessage[] = [];
  #isUpgraded = false;

  /** @param act What has to happen behind each message before the next may come. */
  constructor(connection: HttpConnection, act: (connection: HttpConnection) => void) {
    this.#connection = connection;
    this.#act = act;
  }

  read(chunks: readonly Uint8Array[], { isEnd = false }: ReadOptions): Transcript {
    const messages = this.#messages;
    try {
      for (const piece of piecesOf(chunks)) this.#receive(piece);
      if (isEnd) this.#connection.receiveEnd();
      this.#takeEvents();
    } catch (error) {
      return { ...outcomeOfError(error), messages };
    }
    return { outcome: this.#outcome(), statusHint: undefined, messages };
  }

  #outcome(): string {
    if (this.#isUpgraded) return "upgrade";
    const isBetween = this.#messages.at(-1)?.isComplete && this.#connection.bufferedBytes === 0;
    return isBetween ? "complete" : "incomplete";
  }

  #receive(chunk: Uint8Array): void {
    if (this.#isUpgraded) return;
    this.#connection.receive(chunk);
    this.#takeEvents();
  }

  #takeEvents(): void {
    while (!this.#isUpgraded) {
      const event = this.#connection.nextEvent();
      if (event === undefined || event.type === "closed") return;
      if (event.type === "paused") throw new Error("Paused where nothing has to be done");
      this.#take(event);
    }
  }

  #take(event: Exclude<HttpEvent, { readonly type: "paused" | "closed" }>): void {
    switch (event.type) {
      case "request":
      case "response":
      case "informational":
        return this.#takeHead(event);
      case "data":
        this.#messages.at(-1)!.body += textOf(event.bytes);
        return;
      case "end":
        this.#messages.at(-1)!.trailers = [...event.trailers ?? []];
        return this.#complete();
    }
  }

  #takeHead(
    event: Extract<HttpEvent, { readonly type: "request" | "response" | "informational" }>,
  ): void {
    const start = event.type === "request"
      ? { method: event.method, target: event.target, minorVersion: event.minorVersion }
      : {
        status: event.status,
        reason: event.reason,
        minorVersion: event.type === "response" ? event.minorVersion : 1,
      };
    const headers = [...event.headers];
    this.#messages.push({ ...start, headers, body: "", trailers: [], isComplete: false });
    if (event.type === "informational") this.#complete();
    // As the server does when the body is read; without it the exchange is the last.
    if (event.type === "request" && event.expectsContinue) {
      this.#connection.send({ type: "informational", status: 100 });
    }
  }

  #complete(): void {
    const message = this.#messages.at(-1)!;
    message.isComplete = true;
    this.#isUpgraded = asksForUpgrade(message);
    // An informational response leaves the one that was asked for to come.
    if (!this.#isUpgraded && !(message.status! < 200)) this.#act(this.#connection);
  }
}
