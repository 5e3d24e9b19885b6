import { assertEquals, assertThrows } from "@std/assert";
import { HttpProtocolError, HttpStateError } from "../../http/errors.ts";
import { Framing } from "../../http/framing.ts";
import { resolveLimits } from "../../http/limits.ts";
import { RequestReader } from "../../http/request_reader.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { ReceiveBuffer } from "../../nbio/receive_buffer.ts";
import { everySplit } from "../../nbio/testing_split.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

const PIPELINE = "\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n" +
  "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody" +
  "POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\nX-A: b\r\n\r\n" +
  "GET /4 HTTP/1.0\r\n\r\n";

function makeReader(): RequestReader {
  return new RequestReader(resolveLimits(), {});
}

function receive(buffer: ReceiveBuffer, bytes: Uint8Array): void {
  buffer.writable(bytes.length).set(bytes);
  buffer.commit(bytes.length);
}

function bufferOf(text: string): ReceiveBuffer {
  const buffer = new ReceiveBuffer();
  receive(buffer, bytesOf(text));
  return buffer;
}

/** Reads as many requests as come, each with its body. */
class PipelineReader {
  readonly requests: unknown[] = [];
  readonly #reader = makeReader();
  readonly #buffer = new ReceiveBuffer();
  #isInBody = false;
  #body = "";
  #head: unknown[] = [];

  push(bytes: Uint8Array): void {
    receive(this.#buffer, bytes);
    while (this.#isInBody ? this.#readBody() : this.#readHead());
  }

  #readHead(): boolean {
    const reader = this.#reader;
    if (!reader.readHead(this.#buffer)) return false;
    this.#head = [reader.method, reader.target(), reader.minorVersion, reader.isPersistent];
    this.#head.push(reader.headers().size, reader.bodyLength);
    this.#isInBody = true;
    this.#body = "";
    return true;
  }

  #readBody(): boolean {
    const view = this.#reader.takeBody(this.#buffer);
    if (view !== undefined) this.#body += textOf(view);
    if (!this.#reader.isBodyDone) return view !== undefined;
    const { trailers } = this.#reader;
    this.requests.push([...this.#head, this.#body, trailers && [...trailers]]);
    this.#reader.next();
    this.#isInBody = false;
    return true;
  }
}

Deno.test("RequestReader reads pipelined requests however they are split", () => {
  for (const chunks of everySplit(bytesOf(PIPELINE))) {
    const pipeline = new PipelineReader();
    for (const chunk of chunks) pipeline.push(chunk);
    assertEquals(pipeline.requests, [
      ["GET", "/1", 1, true, 1, 0, "", undefined],
      ["POST", "/2", 1, true, 2, 4, "body", undefined],
      ["POST", "/3", 1, true, 2, undefined, "body", [["X-A", "b"]]],
      ["GET", "/4", 0, false, 0, 0, "", undefined],
    ]);
  }
});

Deno.test("RequestReader.readHead() needs more for every strict prefix of a head", () => {
  const wire = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (let length = 0; length < wire.length; length++) {
    const reader = makeReader();
    const buffer = new ReceiveBuffer();
    receive(buffer, bytesOf(wire.slice(0, length)));
    assertEquals(reader.readHead(buffer), false);
    assertEquals(reader.isStarted, length > 0);
    assertEquals(reader.errorAtEnd()?.code, length > 0 ? "ERR_HTTP_TRUNCATED_MESSAGE" : undefined);
  }
});

Deno.test("RequestReader is not started by an empty line", () => {
  const reader = makeReader();
  assertEquals(reader.readHead(bufferOf("\r\n")), false);
  assertEquals([reader.isStarted, reader.errorAtEnd()], [false, undefined]);
});

for (
  const [fields, framing, isPersistent, expectsContinue] of [
    ["", 0, true, false],
    ["Connection: close\r\n", 0, false, false],
    ["Content-Length: 4\r\nExpect: 100-continue\r\n", 4, true, true],
    ["Transfer-Encoding: chunked\r\nExpect: 100-Continue\r\n", Framing.CHUNKED, true, true],
    ["Expect: 100-continue\r\n", 0, true, false],
    ["Content-Length: 0\r\nExpect: 100-continue\r\n", 0, true, false],
  ] as const
) {
  Deno.test(`RequestReader decides ${JSON.stringify(fields)}`, () => {
    const reader = makeReader();
    reader.readHead(bufferOf(`POST / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`));
    assertEquals([reader.framing, reader.isPersistent, reader.expectsContinue], [
      framing,
      isPersistent,
      expectsContinue,
    ]);
    assertEquals(reader.isBodyDone, framing === 0);
    assertEquals(reader.bodyLength, framing >= 0 ? framing : undefined);
  });
}

Deno.test("RequestReader expects no 100 for HTTP/1.0", () => {
  const reader = makeReader();
  reader.readHead(bufferOf("POST / HTTP/1.0\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"));
  assertEquals(reader.expectsContinue, false);
});

Deno.test("RequestReader takes bodies out of the buffer and past it", () => {
  const reader = makeReader();
  const buffer = bufferOf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123");
  reader.readHead(buffer);
  assertEquals([reader.peekBody(buffer), reader.remainingBytes], [4, 10]);
  assertEquals(textOf(reader.takeBody(buffer)!), "0123");
  assertEquals([reader.takeBody(buffer), reader.peekBody(buffer), buffer.length], [
    undefined,
    0,
    0,
  ]);
  reader.skipBody(3);
  assertEquals([reader.remainingBytes, reader.isBodyDone], [3, false]);
  assertEquals(reader.errorAtEnd()?.code, "ERR_HTTP_TRUNCATED_MESSAGE");
  receive(buffer, bytesOf("789GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  assertEquals(reader.peekBody(buffer), 3);
  assertEquals(textOf(reader.takeBody(buffer)!), "789");
  assertEquals([reader.isBodyDone, reader.takeBody(buffer)], [true, undefined]);
  reader.next();
  assertEquals(reader.errorAtEnd(), undefined);
  assertEquals([reader.readHead(buffer), reader.method], [true, "GET"]);
});

Deno.test("RequestReader.headers() keeps what the buffer forgets", () => {
  const reader = makeReader();
  const buffer = bufferOf("GET / HTTP/1.1\r\nHost: first\r\n\r\n");
  reader.readHead(buffer);
  const headers = reader.headers();
  buffer.bytes.fill(0x7a);
  assertEquals([...headers], [["Host", "first"]]);
});

for (
  const [what, wire, code] of [
    [
      "two framings",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      "ERR_HTTP_LENGTH_AND_TRANSFER_CODING",
    ],
    [
      "an unknown coding",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
      "ERR_HTTP_UNKNOWN_TRANSFER_CODING",
    ],
    [
      "chunks with HTTP/1.0",
      "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
      "ERR_HTTP_BAD_TRANSFER_ENCODING",
    ],
    ["no Host", "GET / HTTP/1.1\r\n\r\n", "ERR_HTTP_MISSING_HOST"],
  ] as const
) {
  Deno.test(`RequestReader.readHead() throws on ${what}`, () => {
    const reader = makeReader();
    assertEquals(assertThrows(() => reader.readHead(bufferOf(wire)), HttpProtocolError).code, code);
  });
}

Deno.test("RequestReader holds to its limits", () => {
  const reader = new RequestReader(resolveLimits({ maxHeaderCount: 1 }), {});
  const wire = "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n\r\n";
  const error = assertThrows(() => reader.readHead(bufferOf(wire)), LimitExceededError);
  assertEquals([error.limit, error.statusHint], ["maxHeaderCount", 431]);
});

for (
  const [what, wire, maxDrainBytes, owesContinue, isOpen] of [
    ["a request without a body", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 0, false, true],
    [
      "one that asks for the end",
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
      9,
      false,
      false,
    ],
    ["HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 9, false, false],
    [
      "a rest that may just be dropped",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
      9,
      false,
      true,
    ],
    [
      "a rest that is one byte too long",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
      8,
      false,
      false,
    ],
    [
      "a rest that may never come",
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n",
      9,
      true,
      false,
    ],
    [
      "a rest of unknown length",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
      9,
      false,
      true,
    ],
  ] as const
) {
  Deno.test(`RequestReader.leavesOpen() is ${isOpen} behind ${what}`, () => {
    const reader = makeReader();
    reader.readHead(bufferOf(wire));
    assertEquals(reader.leavesOpen(maxDrainBytes, owesContinue), isOpen);
  });
}

Deno.test("RequestReader knows what is left of a body, where that can be known", () => {
  const reader = makeReader();
  const buffer = bufferOf(
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n" +
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
  );
  reader.readHead(buffer);
  assertEquals([reader.remainingBytes, reader.peekBody(buffer)], [0, 0]);
  reader.next();
  reader.readHead(buffer);
  assertEquals([reader.remainingBytes, reader.peekBody(buffer)], [undefined, 0]);
});

Deno.test("RequestReader.skipBody() ends a body whose rest was read past the buffer", () => {
  const reader = makeReader();
  const buffer = bufferOf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n");
  reader.readHead(buffer);
  reader.skipBody(3);
  assertEquals([reader.isBodyDone, reader.remainingBytes], [false, 1]);
  reader.skipBody(1);
  assertEquals([reader.isBodyDone, reader.remainingBytes], [true, 0]);
  reader.next();
  assertEquals(reader.isBodyDone, true);
});

Deno.test("RequestReader refuses the next request in the middle of one", () => {
  const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbo";
  const between = makeReader();
  assertThrows(() => between.next(), HttpStateError);
  const buffer = bufferOf(post);
  between.readHead(buffer);
  between.takeBody(buffer);
  assertThrows(() => between.next(), HttpStateError);
  receive(buffer, bytesOf(`dy${get}`));
  assertEquals(textOf(between.takeBody(buffer)!), "dy");
  between.next();
  assertEquals(between.readHead(buffer), true);
});
