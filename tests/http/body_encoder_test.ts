import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { BodyEncoder, chooseFraming, mayNameFraming } from "../../http/body_encoder.ts";
import { HttpStateError } from "../../http/errors.ts";
import { Framing } from "../../http/framing.ts";
import { OutputBuffer } from "../../http/output_buffer.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { decodeChunked } from "../_support/wire.ts";

/** Sends pieces the way a driver does. */
function send(encoder: BodyEncoder, out: OutputBuffer, pieces: readonly string[]): void {
  for (const piece of pieces) {
    if (!encoder.beginPiece(out, piece.length)) continue;
    out.writeBytes(bytesOf(piece));
    encoder.endPiece(out);
  }
}

function encode(
  framing: number,
  pieces: string[],
  trailers?: [string, string][],
  status = 200,
): string {
  const out = new OutputBuffer();
  const encoder = new BodyEncoder(framing, status, "GET");
  send(encoder, out, pieces);
  encoder.end(out, trailers);
  assert(encoder.isEnded);
  return textOf(out.view());
}

for (
  const [name, method, status, peerMinorVersion, length, expected] of [
    ["a known length", "GET", 200, 1, 5, 5],
    ["a length of 0", "GET", 200, 1, 0, 0],
    ["a known length to HTTP/1.0", "GET", 200, 0, 5, 5],
    ["an unknown length", "GET", 200, 1, undefined, Framing.CHUNKED],
    ["an unknown length to HTTP/1.0", "GET", 200, 0, undefined, Framing.UNTIL_CLOSE],
    ["a request of unknown length", "POST", 0, 1, undefined, Framing.CHUNKED],
    ["a request of known length", "POST", 0, 1, 7, 7],
    ["a tunnel", "CONNECT", 200, 1, undefined, Framing.TUNNEL],
    ["a refused tunnel", "CONNECT", 403, 1, 3, 3],
    ["a CONNECT request", "CONNECT", 0, 1, 0, 0],
  ] as const
) {
  Deno.test(`chooseFraming() decides for ${name}`, () => {
    assertEquals(chooseFraming({ method, status, peerMinorVersion, length }), expected);
  });
}

Deno.test("mayNameFraming() is false for statuses that must not name it", () => {
  for (const status of [100, 101, 199, 204]) assertFalse(mayNameFraming(status));
  for (const status of [0, 200, 205, 304, 404, 999]) assert(mayNameFraming(status));
});

for (
  const [name, framing, pieces, wire] of [
    ["nothing in chunks", Framing.CHUNKED, [], "0\r\n\r\n"],
    ["chunks", Framing.CHUNKED, ["a", "bc"], "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"],
    ["no chunk for an empty piece", Framing.CHUNKED, ["", "a", ""], "1\r\na\r\n0\r\n\r\n"],
    [
      "a chunk of 16 bytes",
      Framing.CHUNKED,
      ["0123456789abcdef"],
      "10\r\n0123456789abcdef\r\n0\r\n\r\n",
    ],
    ["a body of known length", 5, ["ab", "", "cde"], "abcde"],
    ["an empty body of known length", 0, [""], ""],
    ["a body until close", Framing.UNTIL_CLOSE, ["ab", "cde"], "abcde"],
    ["a tunnel", Framing.TUNNEL, [], ""],
  ] as const
) {
  Deno.test(`BodyEncoder writes ${name}`, () => {
    assertEquals(encode(framing, [...pieces]), wire);
  });
}

Deno.test("BodyEncoder writes chunks that ChunkedDecoder reads back", () => {
  const pieces = [1, 15, 16, 255, 256, 4095, 70_000].map((length) => "x".repeat(length));
  const trailers: [string, string][] = [["X-Sum", "1"], ["x-sum", ""]];
  const wire = encode(Framing.CHUNKED, pieces, trailers);
  const body = decodeChunked([bytesOf(wire)]);
  assertEquals(body, { data: pieces.join(""), trailers, isDone: true, length: wire.length });
});

for (
  const [name, status, method] of [
    ["HEAD", 200, "HEAD"],
    ["204", 204, "GET"],
    ["304", 304, "GET"],
    ["100", 100, "POST"],
    ["101", 101, "GET"],
  ] as const
) {
  Deno.test(`BodyEncoder lets out no byte in answer to or with ${name}`, () => {
    for (const framing of [5, Framing.CHUNKED, Framing.UNTIL_CLOSE]) {
      const out = new OutputBuffer();
      const encoder = new BodyEncoder(framing, status, method);
      assert(encoder.isSilent);
      assertFalse(encoder.beginPiece(out, 5));
      encoder.end(out);
      assertEquals(out.length, 0);
    }
    const ended = new BodyEncoder(5, status, method);
    ended.end(new OutputBuffer());
    assert(ended.isEnded);
  });
}

Deno.test("BodyEncoder is not silent for requests, whatever their method", () => {
  assertFalse(new BodyEncoder(5, 0, "HEAD").isSilent);
  assertFalse(new BodyEncoder(5, 0, "POST").isSilent);
});

Deno.test("BodyEncoder.beginPiece() refuses more bytes than the head said", () => {
  for (const pieces of [["abcdef"], ["abcde", "f"], ["abc", "def"]]) {
    const out = new OutputBuffer();
    const encoder = new BodyEncoder(5, 200, "GET");
    const error = assertThrows(() => send(encoder, out, pieces), HttpStateError);
    assertEquals(error.code, "ERR_HTTP_BODY_LENGTH_MISMATCH");
    assert(out.length <= 5);
  }
});

Deno.test("BodyEncoder.end() refuses fewer bytes than the head said", () => {
  for (const pieces of [[], ["abcd"]]) {
    const out = new OutputBuffer();
    const encoder = new BodyEncoder(5, 200, "GET");
    send(encoder, out, pieces);
    const error = assertThrows(() => encoder.end(out), HttpStateError);
    assertEquals(error.code, "ERR_HTTP_BODY_LENGTH_MISMATCH");
    assertFalse(encoder.isEnded);
  }
});

Deno.test("BodyEncoder refuses everything after the end", () => {
  const out = new OutputBuffer();
  const encoder = new BodyEncoder(Framing.CHUNKED, 200, "GET");
  encoder.end(out);
  for (const run of [() => encoder.beginPiece(out, 1), () => encoder.end(out)]) {
    assertEquals(assertThrows(run, HttpStateError).code, "ERR_HTTP_ILLEGAL_EVENT");
  }
  assertEquals(textOf(out.view()), "0\r\n\r\n");
});

Deno.test("BodyEncoder.end() drops trailers where the body ends with the connection", () => {
  const out = new OutputBuffer();
  const encoder = new BodyEncoder(Framing.UNTIL_CLOSE, 200, "GET");
  encoder.end(out, [["a", "b"]]);
  assertEquals([out.length, encoder.isEnded], [0, true]);
});

Deno.test("BodyEncoder.end() refuses trailers where the body is not chunked", () => {
  for (const framing of [0, Framing.TUNNEL]) {
    const encoder = new BodyEncoder(framing, 200, "GET");
    assertThrows(() => encoder.end(new OutputBuffer(), [["a", "b"]]), TypeError);
  }
});

for (
  const [what, name, value] of [
    ["Content-Length", "content-length", "5"],
    ["Transfer-Encoding", "Transfer-Encoding", "chunked"],
    ["Host", "Host", "a"],
    ["Set-Cookie", "set-cookie", "a=b"],
    ["a name with LF", "a\n", "b"],
    ["an empty name", "", "b"],
    ["a value with CR LF", "a", "b\r\nc: d"],
    ["a value with NUL", "a", "\0"],
    ["a value with a blank at its end", "a", "b "],
  ] as const
) {
  Deno.test(`BodyEncoder.end() refuses the trailer ${what} and writes nothing`, () => {
    for (const method of ["GET", "HEAD"]) {
      const out = new OutputBuffer();
      const encoder = new BodyEncoder(Framing.CHUNKED, 200, method);
      assertThrows(() => encoder.end(out, [["X-First", "1"], [name, value]]), TypeError);
      assertEquals(out.length, 0);
      assertFalse(encoder.isEnded);
    }
  });
}

Deno.test("BodyEncoder.end() takes trailers as a record", () => {
  const out = new OutputBuffer();
  new BodyEncoder(Framing.CHUNKED, 200, "GET").end(out, { "X-A": "1", "X-B": "2" });
  assertEquals(textOf(out.view()), "0\r\nX-A: 1\r\nX-B: 2\r\n\r\n");
});
