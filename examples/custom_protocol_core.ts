// This module is sans-I/O.

/**
 * A protocol of one's own: a key-value store over lines, as a state machine for both ends. Bytes
 * and messages go in, messages and bytes come out; `custom_protocol.ts` moves the bytes.
 *
 * ```text
 * request                      answered by
 * SET key length CRLF bytes    OK, ERROR
 * GET key CRLF                 VALUE length CRLF bytes, NONE, ERROR
 * DEL key CRLF                 OK, NONE, ERROR
 * QUIT CRLF                    OK, and the server closes
 * ```
 *
 * Requests may be pipelined; answers come in their order. An error is `ERROR code text CRLF`: `full`
 * where there is no room for a key; `protocol` for who broke the rules, and the server closes. No deadline is part of the
 * protocol, so there is none in here: how long a silent peer is kept is the driver's to say.
 *
 * @module
 */

/** What a client says. A key is printable ASCII without blanks. */
export type KvRequest =
  | { readonly type: "set"; readonly key: string; readonly value: Uint8Array }
  | { readonly type: "get" | "del"; readonly key: string }
  | { readonly type: "quit" };

/** What a server says. The text of an error is printable ASCII. */
export type KvAnswer =
  | { readonly type: "ok" | "none" }
  | { readonly type: "value"; readonly value: Uint8Array }
  | { readonly type: "error"; readonly code: "full" | "protocol"; readonly text: string };

/** What either says. */
export type KvMessage = KvRequest | KvAnswer;

/**
 * `paused`: nothing is parsed before the request at hand is answered and the output taken.
 * `closed`: nothing more will come, and nothing can be said.
 */
export type KvEvent = KvMessage | { readonly type: "paused" } | { readonly type: "closed" };

/** What may answer what. */
const ANSWERS = {
  set: ["ok", "error"],
  get: ["value", "none", "error"],
  del: ["ok", "none", "error"],
  quit: ["ok"],
} as const satisfies Readonly<Record<KvRequest["type"], readonly KvAnswer["type"][]>>;

/** Where a connection is. */
export type KvState = "open" | "quitting" | "closed" | "failed";

/** Every way from one state to the next, the same for both ends; what is not here is illegal. */
const TRANSITIONS = {
  "open": {
    request: "open",
    quit: "quitting",
    answer: "open",
    last: "closed",
    end: "closed",
    fail: "failed",
  },
  // QUIT was said: no further request, but answers to those before it.
  "quitting": { answer: "quitting", last: "closed", fail: "failed" },
  "closed": {},
  "failed": {},
} as const satisfies Readonly<Record<KvState, Readonly<Partial<Record<string, KvState>>>>>;

/** What a peer can do wrong. Stable. */
export type KvProtocolErrorCode =
  | "ERR_KV_BAD_LINE"
  | "ERR_KV_LINE_TOO_LONG"
  | "ERR_KV_VALUE_TOO_LARGE"
  | "ERR_KV_UNEXPECTED_ANSWER"
  | "ERR_KV_TRUNCATED";

/** The peer broke the protocol or passed a limit. */
export class KvProtocolError extends Error {
  override readonly name = "KvProtocolError";
  readonly code: KvProtocolErrorCode;

  constructor(code: KvProtocolErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

/** The caller did something that is illegal now. Nothing has changed. */
export class KvStateError extends Error {
  override readonly name = "KvStateError";
  readonly code = "ERR_KV_ILLEGAL_EVENT";
}

/** Limits of a {@linkcode KvConnection}, all of them whole numbers. */
export interface KvOptions {
  /** Most bytes of a line without its CRLF, at least 64; 256 by default. */
  readonly maxLineBytes?: number;
  /** Most bytes of a value, which are set aside when announced, at least 0; 65,536 by default. */
  readonly maxValueBytes?: number;
  /** Bytes of answers over which a server pauses, at least 1; 65,536 by default. */
  readonly maxOutputBytes?: number;
  /** Most requests of a client without an answer, at least 1; 32 by default. */
  readonly maxPipelinedRequests?: number;
}

const LF = 0x0a;
const EMPTY = new Uint8Array(0);
// The grammar: for what comes, and for what is to be sent.
const REQUEST = /^(?:SET [!-~]+ (?:0|[1-9][0-9]*)|(?:GET|DEL) [!-~]+|QUIT)$/;
const ANSWER = /^(?:OK|NONE|VALUE (?:0|[1-9][0-9]*)|ERROR (?:full|protocol) [ -~]*)$/;
/** One character for each byte; the grammar lets none pass that is not ASCII. */
const DECODER = new TextDecoder("latin1");
const ENCODER = new TextEncoder();

/** One connection, of either role. */
export class KvConnection {
  readonly #isServer: boolean;
  readonly #options: Required<KvOptions>;
  #state: KvState = "open";
  #failure: unknown;
  /** The requests without an answer. A server has at most one. */
  readonly #unanswered: KvRequest["type"][] = [];
  /** What came last, up to `#offset` parsed. */
  #chunk: Uint8Array = EMPTY;
  #offset = 0;
  #isEnded = false;
  /** As much of a line as has come: no byte is looked at twice. */
  #line = "";
  /** The message whose value is on its way, and how much of the value has come. */
  #message: Extract<KvMessage, { value: Uint8Array }> | undefined;
  #valueBytes = 0;
  #output: Uint8Array[] = [];
  #outputBytes = 0;

  /** @throws {RangeError} If a limit is out of its range. */
  constructor(role: "client" | "server", options: KvOptions = {}) {
    this.#isServer = role === "server";
    this.#options = {
      maxLineBytes: atLeast(64, "maxLineBytes", options.maxLineBytes ?? 256),
      maxValueBytes: atLeast(0, "maxValueBytes", options.maxValueBytes ?? 65_536),
      maxOutputBytes: atLeast(1, "maxOutputBytes", options.maxOutputBytes ?? 65_536),
      maxPipelinedRequests: atLeast(1, "maxPipelinedRequests", options.maxPipelinedRequests ?? 32),
    };
  }

  get state(): KvState {
    return this.#state;
  }

  /** Whether this is a client that may send a request now. */
  get canRequest(): boolean {
    return !this.#isServer && this.#state === "open" &&
      this.#unanswered.length < this.#options.maxPipelinedRequests;
  }

  /**
   * Takes what came, and copies it. The next chunk is taken when `nextEvent()` has used this one up
   * and given `undefined`, which bounds the memory; after the end of all, none is wanted.
   *
   * @throws {KvStateError} If bytes still wait to be parsed, or the stream has ended.
   */
  receive(chunk: Uint8Array): void {
    if (chunk.length === 0 || this.#state === "closed" || this.#state === "failed") return;
    if (this.#isEnded || this.#offset < this.#chunk.length) {
      throw new KvStateError("Cannot receive: earlier bytes wait, or the stream has ended");
    }
    this.#chunk = new Uint8Array(chunk);
    this.#offset = 0;
  }

  /** Notes that the peer has ended its stream; what came before still counts. */
  receiveEnd(): void {
    this.#isEnded = true;
  }

  /**
   * Parses on to the next event.
   *
   * @returns What the peer said, where a value belongs to the caller; `undefined` if more input is
   * needed.
   * @throws {KvProtocolError} If the peer broke the protocol, and the same one from then on. A
   * server has put into its output what there is to say about it.
   */
  nextEvent(): KvEvent | undefined {
    if (this.#state === "failed") throw this.#failure;
    if (this.#state === "closed") return { type: "closed" };
    if (this.#isPaused()) return { type: "paused" };
    try {
      const message = this.#readMessage();
      if (message === undefined) return this.#endOfChunk();
      if (!isRequest(message) && !this.#isExpected(message)) {
        throw new KvProtocolError(
          "ERR_KV_UNEXPECTED_ANSWER",
          `Cannot accept ${message.type}: it answers no ${this.#unanswered[0] ?? "request"}`,
        );
      }
      this.#advance(message);
      return message;
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  /**
   * Says something to the peer; a value is copied.
   *
   * @throws {KvStateError} If it cannot be said now, or not by this role.
   * @throws {TypeError} If a key, code or text has a character that cannot be sent.
   * @throws {RangeError} If the line or the value is longer than the limits allow.
   */
  send(message: KvMessage): void {
    if (isRequest(message) ? !this.canRequest : !this.#isServer || !this.#isExpected(message)) {
      throw new KvStateError(`Cannot send ${message.type} while the state is ${this.#state}`);
    }
    this.#push(this.#encode(message));
    this.#advance(message);
  }

  /** Takes the bytes to write, which belong to the caller; `undefined` if there are none. */
  takeOutput(): Uint8Array | undefined {
    if (this.#outputBytes === 0) return undefined;
    const taken = new Uint8Array(this.#outputBytes);
    let offset = 0;
    for (const bytes of this.#output) {
      taken.set(bytes, offset);
      offset += bytes.length;
    }
    this.#output = [];
    this.#outputBytes = 0;
    return taken;
  }

  /** A client always reads on: if both ends waited to be read, neither would ever read. */
  #isPaused(): boolean {
    return this.#isServer &&
      (this.#unanswered.length > 0 || this.#outputBytes >= this.#options.maxOutputBytes);
  }

  #isExpected(answer: KvAnswer): boolean {
    const request = this.#unanswered[0];
    return request !== undefined && (ANSWERS[request] as readonly string[]).includes(answer.type);
  }

  /** What a message does to either end: to one when it is sent, to the other when it comes. */
  #advance(message: KvMessage): void {
    if (isRequest(message)) {
      this.#move(message.type === "quit" ? "quit" : "request");
      this.#unanswered.push(message.type);
    } else {
      this.#unanswered.shift();
      const hasQuit = this.#state === "quitting" && this.#unanswered.length === 0;
      const isRefused = message.type === "error" && message.code === "protocol";
      this.#move(hasQuit || isRefused ? "last" : "answer");
    }
  }

  #move(transition: string): void {
    const ways: Readonly<Partial<Record<string, KvState>>> = TRANSITIONS[this.#state];
    const next = ways[transition];
    if (next === undefined) throw new KvStateError(`Cannot ${transition} when ${this.#state}`);
    this.#state = next;
  }

  #endOfChunk(): KvEvent | undefined {
    // An idle connection holds on to no memory.
    this.#chunk = EMPTY;
    this.#offset = 0;
    if (!this.#isEnded) return undefined;
    if (this.#line !== "" || this.#message !== undefined || this.#unanswered.length > 0) {
      throw new KvProtocolError("ERR_KV_TRUNCATED", "Cannot read message: the stream has ended");
    }
    this.#move("end");
    return { type: "closed" };
  }

  #fail(error: unknown): void {
    this.#move("fail");
    this.#failure = error;
    if (!this.#isServer) {
      // What was still to be asked for would be done, and nobody would learn of it.
      this.takeOutput();
    } else if (error instanceof KvProtocolError) {
      // All requests before are answered, so this one is due. Its sender reads our code, not our
      // message: that quotes what came.
      this.#push(this.#encode({ type: "error", code: "protocol", text: error.code }));
    }
  }

  #readMessage(): KvMessage | undefined {
    if (this.#message === undefined) {
      const line = this.#readLine();
      if (line === undefined) return undefined;
      const message = this.#parse(line);
      if (!("value" in message)) return message;
      this.#message = message;
    }
    const message = this.#message;
    const missingBytes = message.value.length - this.#valueBytes;
    const part = this.#chunk.subarray(this.#offset, this.#offset + missingBytes);
    message.value.set(part, this.#valueBytes);
    this.#offset += part.length;
    this.#valueBytes += part.length;
    if (part.length < missingBytes) return undefined;
    this.#message = undefined;
    this.#valueBytes = 0;
    return message;
  }

  #readLine(): string | undefined {
    const found = this.#chunk.indexOf(LF, this.#offset);
    const end = found === -1 ? this.#chunk.length : found + 1;
    this.#line += DECODER.decode(this.#chunk.subarray(this.#offset, end));
    this.#offset = end;
    const { maxLineBytes } = this.#options;
    // As long as the LF has not come, the byte over the limit may be the CR.
    if (this.#line.length > maxLineBytes + (found === -1 ? 1 : 2)) {
      throw new KvProtocolError(
        "ERR_KV_LINE_TOO_LONG",
        `Cannot read line: more than ${maxLineBytes} bytes came`,
      );
    }
    if (found === -1) return undefined;
    const line = this.#line;
    this.#line = "";
    if (!line.endsWith("\r\n")) throw badLine(line);
    return line.slice(0, -2);
  }

  #parse(line: string): KvMessage {
    if (!(this.#isServer ? REQUEST : ANSWER).test(line)) throw badLine(line);
    const [verb, word = "", length = ""] = line.split(" ");
    switch (verb) {
      case "SET":
        return { type: "set", key: word, value: this.#makeValue(length) };
      case "GET":
        return { type: "get", key: word };
      case "DEL":
        return { type: "del", key: word };
      case "QUIT":
        return { type: "quit" };
      case "VALUE":
        return { type: "value", value: this.#makeValue(word) };
      case "ERROR": {
        const code = word === "full" ? word : "protocol";
        return { type: "error", code, text: line.slice(`ERROR ${code} `.length) };
      }
      default:
        return { type: verb === "OK" ? "ok" : "none" };
    }
  }

  #makeValue(length: string): Uint8Array {
    const { maxValueBytes } = this.#options;
    if (Number(length) <= maxValueBytes) return new Uint8Array(Number(length));
    throw new KvProtocolError(
      "ERR_KV_VALUE_TOO_LARGE",
      `Cannot take value: ${length.slice(0, 32)} bytes, expected at most ${maxValueBytes}`,
    );
  }

  #encode(message: KvMessage): Uint8Array {
    const { maxLineBytes, maxValueBytes } = this.#options;
    const line = formatLine(message);
    const value = "value" in message ? message.value : EMPTY;
    if (line.length > maxLineBytes || value.length > maxValueBytes) {
      throw new RangeError(
        `Cannot send ${message.type}: a line of ${line.length} bytes and a value of ` +
          `${value.length}, expected at most ${maxLineBytes} and ${maxValueBytes}`,
      );
    }
    const bytes = new Uint8Array(line.length + 2 + value.length);
    ENCODER.encodeInto(`${line}\r\n`, bytes);
    bytes.set(value, line.length + 2);
    return bytes;
  }

  #push(bytes: Uint8Array): void {
    this.#output.push(bytes);
    this.#outputBytes += bytes.length;
  }
}

/** Whether it is for a server to answer. */
export function isRequest(message: KvMessage): message is KvRequest {
  return Object.hasOwn(ANSWERS, message.type);
}

/** @throws {TypeError} If the peer could not read the line. */
function formatLine(message: KvMessage): string {
  let line = message.type.toUpperCase();
  if ("key" in message) line += ` ${message.key}`;
  if ("value" in message) line += ` ${message.value.length}`;
  if ("code" in message) line += ` ${message.code} ${message.text}`;
  // Refused and not escaped: what is no line for the peer, or two of them, is nobody's intention.
  if ((isRequest(message) ? REQUEST : ANSWER).test(line)) return line;
  throw new TypeError(`Cannot send ${quote(line)}: a character is not allowed there`);
}

function badLine(line: string): KvProtocolError {
  return new KvProtocolError("ERR_KV_BAD_LINE", `Cannot parse line ${quote(line)}`);
}

/** Foreign bytes in a message: quoted, and not many. */
function quote(text: string): string {
  return JSON.stringify(text.slice(0, 32));
}

function atLeast(min: number, name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw new RangeError(`Cannot create connection: ${name} is ${value}, expected at least ${min}`);
}
