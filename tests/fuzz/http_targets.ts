/**
 * What the HTTP fuzzer drives: each target turns a list of chunks into a text
 * that tells everything that came out, so that two runs can be compared.
 */

import { ChunkedDecoder } from "../../http/chunked_decoder.ts";
import { HttpConnection } from "../../http/connection.ts";
import { HttpProtocolError, HttpStateError } from "../../http/errors.ts";
import type { HttpEvent, HttpSendEvent } from "../../http/events.ts";
import { HeadParser, type MessageKind } from "../../http/head_parser.ts";
import { type HttpLenience, type HttpLimits, resolveLimits } from "../../http/limits.ts";
import { MultipartParser } from "../../http/multipart_parser.ts";
import { RequestReader } from "../../http/request_reader.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { ReceiveBuffer } from "../../nbio/receive_buffer.ts";
import { textOf } from "../_support/raw_bytes.ts";

/** How the parsers of one run are set up. */
export interface Setup {
  readonly limits: HttpLimits;
  readonly lenience: HttpLenience;
}

/** Runs one parser over chunks and writes down what it did. */
export type Target = (chunks: readonly Uint8Array[], setup: Setup, log: Log) => void;

/** A target and the corpus entries that suit it. */
export interface TargetEntry {
  readonly run: Target;
  /** How the names of those entries start. */
  readonly corpus: string;
  /** The files whose parsers it drives. */
  readonly drives: readonly string[];
}

/** More steps for each byte than any parser has reason for. */
const STEPS_PER_BYTE = 8;

/**
 * What happened, in a form that does not depend on how the input was cut: data
 * that comes in pieces is joined.
 */
export class Log {
  #text = "";
  #isInData = false;
  #stepsLeft: number;

  /** @param inputBytes Length of the input, which bounds the number of steps. */
  constructor(inputBytes: number) {
    this.#stepsLeft = 200 + inputBytes * STEPS_PER_BYTE;
  }

  /** Everything so far. */
  get text(): string {
    return this.#text;
  }

  /** Counts one step of a loop that must end. */
  step(): void {
    if (this.#stepsLeft-- <= 0) throw new Error("No end: too many steps for the input");
  }

  /** Notes something. */
  note(...parts: unknown[]): void {
    this.#text += `\n${JSON.stringify(parts)}`;
    this.#isInData = false;
  }

  /** Notes a piece of body data. */
  data(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#text += this.#isInData ? textOf(bytes) : `\ndata ${textOf(bytes)}`;
    this.#isInData = true;
  }

  /** Notes a documented error; any other is thrown again. */
  error(error: unknown): void {
    if (error instanceof HttpProtocolError) this.note(error.code, error.statusHint);
    else if (error instanceof LimitExceededError) this.note(error.limit, error.statusHint);
    else throw error;
  }
}

function parseHeads(kind: MessageKind): Target {
  return (chunks, { limits, lenience }, log) => {
    const parser = new HeadParser(kind, resolveLimits(limits), lenience);
    const bytes = new Uint8Array(totalOf(chunks));
    let start = 0;
    let end = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, end);
      end += chunk.length;
      while (parser.parse(bytes, start, end)) {
        log.step();
        const text = kind === "request" ? parser.target(bytes, start) : parser.reason(bytes, start);
        const { method, status, minorVersion, length } = parser;
        log.note(method, status, text, minorVersion, length, [...parser.headers(bytes, start)]);
        start += length;
        parser.reset();
      }
    }
    log.note("more", parser.isStarted);
  };
}

const decodeChunks: Target = (chunks, { limits, lenience }, log) => {
  const decoder = new ChunkedDecoder(resolveLimits(limits), lenience);
  const bytes = new Uint8Array(totalOf(chunks));
  let start = 0;
  let end = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, end);
    end += chunk.length;
    for (let isMoving = true; isMoving;) {
      log.step();
      const next = decoder.step(bytes, start, end);
      log.data(bytes.subarray(decoder.dataStart, decoder.dataEnd));
      isMoving = next > start;
      start = next;
    }
  }
  log.note(decoder.isDone, decoder.isDone ? start : "more", [...decoder.trailers ?? []]);
};

/** Requests the way the server's hot path reads them. */
const readRequests: Target = (chunks, { limits, lenience }, log) => {
  const reader = new RequestReader(resolveLimits(limits), lenience);
  const buffer = new ReceiveBuffer({ maxBytes: 1 << 20, idleBytes: 16 });
  let isInBody = false;
  for (const chunk of chunks) {
    buffer.writable(chunk.length).set(chunk);
    buffer.commit(chunk.length);
    for (;;) {
      log.step();
      if (!isInBody) {
        if (!reader.readHead(buffer)) break;
        isInBody = true;
        const { method, framing, isPersistent, expectsContinue } = reader;
        log.note(method, reader.target(), framing, isPersistent, expectsContinue);
        log.note([...reader.headers()]);
      }
      const before = buffer.length;
      log.data(reader.takeBody(buffer) ?? new Uint8Array(0));
      if (reader.isBodyDone) {
        log.note("end", [...reader.trailers ?? []]);
        reader.next();
        isInBody = false;
      } else if (buffer.length === before) break;
    }
  }
  log.note("at end", reader.errorAtEnd()?.code);
};

/** A form with the boundary `x`. */
const parseMultipart: Target = (chunks, { limits }, log) => {
  // The limits of a head, put to other use.
  const { maxHeaderBytes, maxHeaderCount, maxTrailerBytes } = limits;
  const parser = new MultipartParser("x", {
    ...maxHeaderBytes !== undefined && { maxPartHeaderBytes: maxHeaderBytes },
    ...maxHeaderCount !== undefined && { maxPartHeaderCount: maxHeaderCount, maxParts: 2 },
    ...maxTrailerBytes !== undefined && {
      maxPartBytes: maxTrailerBytes,
      maxPreambleBytes: maxTrailerBytes,
    },
  });
  const pull = () => {
    for (let event; (event = parser.nextEvent()) !== undefined;) {
      log.step();
      if (event.type === "data") log.data(event.bytes);
      else if (event.type !== "part") log.note(event.type);
      else {
        const { name, filename, type, headers } = event.head;
        log.note(name, filename, type, [...headers]);
      }
    }
  };
  for (const chunk of chunks) {
    parser.receive(chunk);
    pull();
  }
  parser.receiveEnd();
  pull();
};

/** A connection of either role, with a peer of ours that answers or asks again. */
function connect(role: "server" | "client"): Target {
  return (chunks, { limits, lenience }, log) => {
    const connection = new HttpConnection({ role, limits, lenience });
    if (role === "client") sendAll(connection, REQUEST, log);
    const pull = () => {
      for (;;) {
        log.step();
        const event = connection.nextEvent();
        if (event === undefined || event.type === "paused" || event.type === "closed") {
          return event?.type;
        }
        noteEvent(event, log);
        if (event.type === "end") sendAll(connection, role === "server" ? RESPONSE : REQUEST, log);
      }
    };
    for (const chunk of chunks) {
      connection.receive(chunk);
      pull();
    }
    connection.receiveEnd();
    log.note(pull(), connection.state);
  };
}

const REQUEST: HttpSendEvent[] = [
  { type: "request", method: "GET", target: "/", headers: [["Host", "a"]] },
  { type: "end" },
];
const RESPONSE: HttpSendEvent[] = [{ type: "response", status: 200, bodyLength: 0 }, {
  type: "end",
}];

/** Our side says what it has to say, if the connection lets it. */
function sendAll(connection: HttpConnection, events: readonly HttpSendEvent[], log: Log): void {
  try {
    for (const event of events) connection.send(event);
    log.note("sent", textOf(connection.takeOutput() ?? new Uint8Array(0)));
  } catch (error) {
    if (!(error instanceof HttpStateError)) throw error;
    log.note("not sent", error.code);
  }
}

function noteEvent(event: HttpEvent, log: Log): void {
  if (event.type === "data") return log.data(event.bytes);
  if (event.type === "end") return log.note("end", [...event.trailers ?? []]);
  const headers = "headers" in event ? [...event.headers] : [];
  log.note({ ...event, headers });
}

function totalOf(chunks: readonly Uint8Array[]): number {
  return chunks.reduce((total, chunk) => total + chunk.length, 0);
}

/** Everything that reads bytes of a peer, by name. */
export const TARGETS: Readonly<Record<string, TargetEntry>> = {
  "request heads": {
    run: parseHeads("request"),
    corpus: "request_",
    drives: ["http/head_parser.ts", "http/field_parser.ts", "http/request_target.ts"],
  },
  "response heads": {
    run: parseHeads("response"),
    corpus: "response_",
    drives: ["http/head_parser.ts", "http/field_parser.ts"],
  },
  "chunked decoder": {
    run: decodeChunks,
    corpus: "chunked_",
    drives: ["http/chunked_decoder.ts"],
  },
  "request reader": {
    run: readRequests,
    corpus: "request_",
    drives: ["http/request_reader.ts", "http/body_decoder.ts", "http/control_fields.ts"],
  },
  "server connection": {
    run: connect("server"),
    corpus: "request_",
    drives: ["http/connection.ts", "http/connection_reader.ts"],
  },
  "client connection": {
    run: connect("client"),
    corpus: "response_",
    drives: ["http/connection.ts", "http/connection_reader.ts"],
  },
  "multipart": {
    run: parseMultipart,
    corpus: "multipart_",
    drives: ["http/multipart_parser.ts", "http/multipart_part_head.ts"],
  },
};
