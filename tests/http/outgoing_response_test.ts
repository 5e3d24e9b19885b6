import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { HttpStateError } from "../../http/errors.ts";
import { Framing } from "../../http/framing.ts";
import {
  ContentType,
  OutgoingResponse,
  type ResponseBody,
  type ResponseSurroundings,
} from "../../http/outgoing_response.ts";
import { OutputBuffer } from "../../http/output_buffer.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

const TEXT = new ContentType("text/plain");
const AROUND: ResponseSurroundings = {
  method: "GET",
  minorVersion: 1,
  isLast: false,
  tellsKeepAlive: false,
  keepAliveLine: new Uint8Array(0),
  dateLine: bytesOf("date: now\r\n"),
  plainTail: bytesOf("\r\ndate: now\r\n\r\n"),
};
const MAX_INLINE = 100;

interface Answer {
  readonly status?: number;
  readonly reason?: string;
  readonly fields?: readonly (readonly [string, string])[];
  readonly body?: ResponseBody;
  readonly type?: ContentType;
}

function responseOf({ status, reason, fields = [], body, type = TEXT }: Answer): OutgoingResponse {
  const response = new OutgoingResponse();
  if (status !== undefined) response.setStatus(status, reason);
  for (const [name, value] of fields) response.headers.append(name, value);
  if (body !== undefined) response.answer(body, type);
  return response;
}

function whole(answer: Answer, around: Partial<ResponseSurroundings> = {}): string {
  const out = new OutputBuffer();
  const large = responseOf(answer).writeWhole(out, { ...AROUND, ...around }, MAX_INLINE);
  assertEquals(large, undefined);
  return textOf(out.view());
}

function head(
  answer: Answer,
  length: number | undefined,
  around: Partial<ResponseSurroundings> = {},
): { text: string; framing: number } {
  const out = new OutputBuffer();
  const framing = responseOf(answer).writeHead(out, length, { ...AROUND, ...around });
  return { text: textOf(out.view()), framing };
}

for (
  const [name, answer, around, wire] of [
    [
      "a plain text",
      { body: "hi" },
      {},
      "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\ndate: now\r\n\r\nhi",
    ],
    [
      "bytes",
      { body: bytesOf("hi") },
      {},
      "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\ndate: now\r\n\r\nhi",
    ],
    [
      "text beyond ASCII",
      { body: "\u00fc" },
      {},
      "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\ndate: now\r\n\r\n\xc3\xbc",
    ],
    [
      "an empty text",
      { body: "" },
      {},
      "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 0\r\ndate: now\r\n\r\n",
    ],
    [
      "a status alone",
      { status: 202 },
      {},
      "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\ndate: now\r\n\r\n",
    ],
    [
      "a reason",
      { status: 200, reason: "Fine" },
      {},
      "HTTP/1.1 200 Fine\r\ncontent-length: 0\r\ndate: now\r\n\r\n",
    ],
    [
      "fields",
      { fields: [["X-A", "1"], ["x-a", "2"]], body: "hi" },
      {},
      "HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\ncontent-type: text/plain\r\ncontent-length: 2\r\ndate: now\r\n\r\nhi",
    ],
    [
      "a Date of its own",
      { status: 200, fields: [["DATE", "then"]] },
      {},
      "HTTP/1.1 200 OK\r\nDATE: then\r\ncontent-length: 0\r\n\r\n",
    ],
    [
      "the last response",
      { body: "hi" },
      { isLast: true },
      "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\ndate: now\r\nconnection: close\r\n\r\nhi",
    ],
    [
      "the first response",
      { body: "hi" },
      { tellsKeepAlive: true, keepAliveLine: bytesOf("keep-alive: timeout=1\r\n") },
      "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\ndate: now\r\nconnection: keep-alive\r\nkeep-alive: timeout=1\r\n\r\nhi",
    ],
    [
      "an answer to HEAD",
      { body: "hi" },
      { method: "HEAD" },
      "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\ndate: now\r\n\r\n",
    ],
    ["HEAD with a length of its own", { status: 200, fields: [["Content-Length", "9"]] }, {
      method: "HEAD",
    }, "HTTP/1.1 200 OK\r\ncontent-length: 9\r\ndate: now\r\n\r\n"],
    [
      "204 with a body",
      { status: 204, body: "hi" },
      {},
      "HTTP/1.1 204 No Content\r\ncontent-type: text/plain\r\ndate: now\r\n\r\n",
    ],
    ["304 without a body", { status: 304 }, {}, "HTTP/1.1 304 Not Modified\r\ndate: now\r\n\r\n"],
    [
      "304 with a length",
      { status: 304, fields: [["Content-Length", "9"]] },
      {},
      "HTTP/1.1 304 Not Modified\r\ncontent-length: 9\r\ndate: now\r\n\r\n",
    ],
    [
      "fields that are the connection's",
      {
        status: 200,
        fields: [["Connection", "keep-alive"], ["Keep-Alive", "a"], ["Content-Length", "0"]],
      },
      {},
      "HTTP/1.1 200 OK\r\ncontent-length: 0\r\ndate: now\r\n\r\n",
    ],
    [
      "another Connection option",
      { status: 200, fields: [["Connection", "foo"]] },
      {},
      "HTTP/1.1 200 OK\r\nConnection: foo\r\ncontent-length: 0\r\ndate: now\r\n\r\n",
    ],
  ] as [string, Answer, Partial<ResponseSurroundings>, string][]
) {
  Deno.test(`OutgoingResponse.writeWhole() writes ${name}`, () => {
    assertEquals(whole(answer, around), wire);
  });
}

Deno.test("OutgoingResponse.writeWhole() gives a large body back", () => {
  for (const length of [MAX_INLINE, MAX_INLINE + 1]) {
    for (
      const body of ["\u00fc".repeat(length / 2) + (length % 2 ? "x" : ""), new Uint8Array(length)]
    ) {
      const out = new OutputBuffer();
      const large = responseOf({ body }).writeWhole(out, AROUND, MAX_INLINE);
      assertEquals(large?.length, length > MAX_INLINE ? length : undefined);
      assertEquals(textOf(out.view()).includes(`content-length: ${length}\r\n`), true);
    }
  }
  const response = responseOf({ body: new Uint8Array(MAX_INLINE + 1) });
  assertEquals(
    response.writeWhole(new OutputBuffer(), { ...AROUND, method: "HEAD" }, MAX_INLINE),
    undefined,
  );
});

for (
  const [name, answer, length, around, framing, line] of [
    ["chunks", {}, undefined, {}, Framing.CHUNKED, "transfer-encoding: chunked"],
    [
      "until close",
      {},
      undefined,
      { minorVersion: 0, tellsKeepAlive: true },
      Framing.UNTIL_CLOSE,
      "connection: close",
    ],
    [
      "a declared length",
      { fields: [["Content-Length", "7"]] },
      undefined,
      {},
      7,
      "content-length: 7",
    ],
    ["a known length", {}, 7, {}, 7, "content-length: 7"],
    ["an agreeing length", { fields: [["content-length", "7"]] }, 7, {}, 7, "content-length: 7"],
    [
      "chunks for HEAD",
      {},
      undefined,
      { method: "HEAD" },
      Framing.CHUNKED,
      "transfer-encoding: chunked",
    ],
  ] as [string, Answer, number | undefined, Partial<ResponseSurroundings>, number, string][]
) {
  Deno.test(`OutgoingResponse.writeHead() announces ${name}`, () => {
    const { text, framing: actual } = head({ status: 200, ...answer }, length, around);
    assertEquals(actual, framing);
    const framingLines = text.split("\r\n").filter((field) =>
      /^(content-length|transfer-encoding|connection):/.test(field)
    );
    assertEquals(framingLines, [line]);
  });
}

for (
  const [what, fields, error] of [
    ["Transfer-Encoding", [["Transfer-Encoding", "chunked"]], TypeError],
    ["a length that is no number", [["Content-Length", "1e3"]], TypeError],
    ["a negative length", [["Content-Length", "-1"]], TypeError],
    ["a length beyond all measure", [["Content-Length", "1".repeat(16)]], TypeError],
    ["two lengths", [["Content-Length", "2"], ["Content-Length", "2"]], TypeError],
    ["a contradicting length", [["Content-Length", "3"]], HttpStateError],
  ] as [string, [string, string][], ErrorConstructor][]
) {
  Deno.test(`OutgoingResponse.writeHead() refuses ${what}, and writes nothing`, () => {
    const response = responseOf({ body: "hi", fields });
    const out = new OutputBuffer();
    out.writeText("before");
    assertThrows(() => response.writeHead(out, 2, AROUND), error);
    assertEquals([textOf(out.view()), response.committed], ["before", false]);
  });
}

Deno.test("OutgoingResponse.setStatus() takes final statuses and clean reasons only", () => {
  for (const status of [100, 199, 600, 0, -1, 200.5, NaN]) {
    assertThrows(() => new OutgoingResponse().setStatus(status), RangeError);
  }
  for (const reason of ["a\r\nb", "\0", "\u010a"]) {
    const response = new OutgoingResponse();
    const out = new OutputBuffer();
    assertThrows(() => {
      response.setStatus(200, reason);
      response.writeHead(out, 0, AROUND);
    }, TypeError);
    assertEquals(out.length, 0);
  }
});

Deno.test("OutgoingResponse is fixed once its head is written", () => {
  const response = responseOf({ body: "hi" });
  response.writeHead(new OutputBuffer(), 2, AROUND);
  assertEquals([response.committed, response.status], [true, 200]);
  for (
    const run of [
      () => response.setStatus(201),
      () => response.answer("again", TEXT),
      () => response.reset(),
      () => response.checkOpen("set"),
    ]
  ) {
    assertEquals(assertThrows(run, HttpStateError).code, "ERR_HTTP_HEAD_COMMITTED");
  }
});

Deno.test("OutgoingResponse.owesBody lets one body come behind the head", () => {
  const response = responseOf({ status: 200 });
  response.writeHead(new OutputBuffer(), undefined, AROUND);
  assertThrows(() => response.answer("early", TEXT), HttpStateError);
  response.owesBody = true;
  response.answer("late", TEXT);
  assertEquals([response.body, response.headers.size], ["late", 0]);
  assertThrows(() => response.answer("again", TEXT), HttpStateError);
});

Deno.test("OutgoingResponse.answer() replaces body and type of another answer, not a type that was set", () => {
  const other = new ContentType("other");
  const response = new OutgoingResponse();
  response.answer("a", TEXT);
  response.answer("b", other);
  assertEquals([response.body, response.headers.get("content-type")], ["b", "other"]);
  response.answer("c", TEXT);
  assertEquals(response.headers.getAll("content-type"), ["text/plain"]);
  response.headers.set("content-type", "own");
  response.answer("d", other);
  assertEquals(response.headers.getAll("content-type"), ["own"]);
  response.answer("e", undefined);
  assertEquals(response.body, "e");
});

Deno.test("OutgoingResponse.reset() forgets everything", () => {
  const response = responseOf({ status: 201, reason: "Made", fields: [["a", "b"]], body: "c" });
  response.reset();
  assertEquals([response.status, response.body, response.isAnswered], [0, undefined, false]);
  assertEquals([...response.headers], []);
  response.answer("d", TEXT);
  assertEquals([response.status, response.headers.get("content-type")], [200, "text/plain"]);
});

for (
  const [value, closes] of [
    ["close", true],
    ["CLOSE", true],
    ["foo, close", true],
    ["close ,foo", true],
    ["foo", false],
    ["closed", false],
    ["not close", false],
  ] as const
) {
  Deno.test(`OutgoingResponse.wantsClose() is ${closes} for ${value}`, () => {
    assertEquals(responseOf({ fields: [["Connection", value]] }).wantsClose(), closes);
    assertEquals(responseOf({ fields: [["X", "a"], ["connection", value]] }).wantsClose(), closes);
  });
}

Deno.test("ContentType makes the start of a head once per status", () => {
  const type = new ContentType("a/b");
  assertStrictEquals(type.prefix(200), type.prefix(200));
  assertEquals(
    textOf(type.prefix(404)),
    "HTTP/1.1 404 Not Found\r\ncontent-type: a/b\r\ncontent-length: ",
  );
});

Deno.test("OutgoingResponse.writeWhole() sends no content with 205, whatever was answered", () => {
  for (const body of ["text", bytesOf("bytes")]) {
    assertEquals(
      whole({ status: 205, body }),
      "HTTP/1.1 205 Reset Content\r\ncontent-type: text/plain\r\ncontent-length: 0\r\ndate: now\r\n\r\n",
    );
  }
});

Deno.test("OutgoingResponse.handOver() drops the answer and takes no other", () => {
  const response = responseOf({ fields: [["X-A", "1"]], body: "hi" });
  assertEquals([response.isHandedOver, response.committed], [false, false]);
  response.handOver(101);
  assertEquals([response.isHandedOver, response.committed, response.isEnded], [true, true, false]);
  assertEquals([response.status, response.body, response.headers.size], [101, undefined, 0]);
  for (
    const act of [
      () => response.setStatus(200),
      () => response.answer("late", TEXT),
      () => response.handOver(101),
      () => response.writeHead(new OutputBuffer(), 0, AROUND),
    ]
  ) {
    assertEquals(assertThrows(act, HttpStateError).code, "ERR_HTTP_HEAD_COMMITTED");
  }
});

Deno.test("OutgoingResponse.handOver() throws once the head has left", () => {
  const response = responseOf({ body: "hi" });
  response.writeHead(new OutputBuffer(), 2, AROUND);
  assertThrows(() => response.handOver(0), HttpStateError);
  assertEquals([response.isHandedOver, response.status], [false, 200]);
});

Deno.test("OutgoingResponse.end() is for a body under way, once", () => {
  const response = responseOf({ body: "hi" });
  assertThrows(() => response.end(), HttpStateError);
  response.writeHead(new OutputBuffer(), undefined, AROUND);
  assertEquals([response.committed, response.isEnded], [true, false]);
  response.end();
  assertEquals(response.isEnded, true);
  assertThrows(() => response.end(), HttpStateError);
});

Deno.test("OutgoingResponse.settle() tells once, of a good end or a bad one", () => {
  for (const error of [undefined, new Error("gone")]) {
    const response = responseOf({ body: "hi" });
    const told: unknown[] = [];
    response.onSettled = (end) => told.push(end);
    response.settle(error);
    response.settle(new Error("later"));
    assertEquals(told, [error]);
  }
});

Deno.test("OutgoingResponse.settle() without a listener does nothing", () => {
  const response = responseOf({ body: "hi" });
  response.settle(new Error("gone"));
  assertEquals([response.committed, response.isEnded], [false, false]);
});
