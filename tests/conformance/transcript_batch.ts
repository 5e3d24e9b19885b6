import { RequestReader } from "../../http/request_reader.ts";
import { resolveLimits } from "../../http/limits.ts";
import { ReceiveBuffer } from "../../nbio/receive_buffer.ts";
import { textOf } from "../_support/raw_bytes.ts";
import {
  asksForUpgrade,
  outcomeOfError,
  piecesOf,
  type ReadOptions,
  type Transcript,
  type TranscriptMessage,
} from "./transcript.ts";

/** Reads requests as the batch path of the server does. */
export function readBatch(chunks: readonly Uint8Array[], options: ReadOptions): Transcript {
  const reading = new BatchReading(options);
  try {
    for (const piece of piecesOf(chunks)) reading.receive(piece);
    if (options.isEnd) reading.receiveEnd();
  } catch (error) {
    return { ...outcomeOfError(error), messages: reading.messages };
  }
  return { outcome: reading.outcome, statusHint: undefined, messages: reading.messages };
}

class BatchReading {
  readonly messages: TranscriptMessage[] = [];
  readonly #buffer = new ReceiveBuffer();
  readonly #reader: RequestReader;
  #message: TranscriptMessage | undefined;
  #isUpgraded = false;
  #isClosed = false;
  #isEnded = false;

  constructor(options: ReadOptions) {
    this.#reader = new RequestReader(resolveLimits(options.limits), options.lenience ?? {});
  }

  get outcome(): string {
    if (this.#isUpgraded) return "upgrade";
    // An empty line may be the start of the next request, or nothing at the end.
    const isBetween = this.#message === undefined &&
      (this.#isClosed || this.#isEnded || this.#buffer.length === 0);
    return isBetween && this.messages.length > 0 ? "complete" : "incomplete";
  }

  receive(chunk: Uint8Array): void {
    // Behind the last request nothing is read, nor kept.
    if (this.#isUpgraded || this.#isClosed) return;
    this.#buffer.writable(chunk.length).set(chunk);
    this.#buffer.commit(chunk.length);
    while (!this.#isUpgraded && !this.#isClosed && this.#step());
  }

  receiveEnd(): void {
    if (this.#isClosed || this.#isUpgraded) return;
    const error = this.#reader.errorAtEnd();
    if (error !== undefined) throw error;
    this.#isEnded = true;
  }

  #step(): boolean {
    const reader = this.#reader;
    if (this.#message === undefined) {
      if (this.#buffer.length === 0 || !reader.readHead(this.#buffer)) return false;
      this.#message = {
        method: reader.method,
        target: reader.target(),
        minorVersion: reader.minorVersion,
        headers: [...reader.headers()],
        body: "",
        trailers: [],
        isComplete: false,
      };
      this.messages.push(this.#message);
    }
    const data = reader.takeBody(this.#buffer);
    if (data !== undefined) this.#message.body += textOf(data);
    if (!reader.isBodyDone) return data !== undefined;
    this.#finish(this.#message);
    return true;
  }

  #finish(message: TranscriptMessage): void {
    message.trailers = [...this.#reader.trailers ?? []];
    message.isComplete = true;
    this.#message = undefined;
    this.#isUpgraded = asksForUpgrade(message);
    this.#isClosed = !this.#reader.isPersistent;
    this.#reader.next();
  }
}
