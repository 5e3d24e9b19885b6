import { assertEquals, assertThrows } from "@std/assert";
import { bytesOf } from "./raw_bytes.ts";
import { fieldOf, MalformedResponseError, parseResponse } from "./raw_response.ts";

const OPEN = { isHead: false, isEnded: false };

Deno.test("parseResponse() reads bodies of each framing and stops behind them", () => {
  const rows = [
    ["HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi", "length"],
    [
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: 1\r\n\r\n",
      "hi",
      "chunked",
    ],
    ["HTTP/1.1 204 No Content\r\n\r\n", "", "none"],
  ] as const;
  for (const [wire, body, framing] of rows) {
    const parsed = parseResponse(bytesOf(`${wire}HTTP/1.1`), OPEN)!;
    assertEquals(parsed.response.body, body);
    assertEquals(parsed.response.framing, framing);
    assertEquals(parsed.end, wire.length);
  }
});

Deno.test("parseResponse() needs more for every strict prefix", () => {
  const wires = [
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: 1\r\n\r\n",
  ];
  for (const wire of wires) {
    for (let length = 0; length < wire.length; length++) {
      assertEquals(parseResponse(bytesOf(wire.slice(0, length)), OPEN), undefined);
    }
  }
});

Deno.test("parseResponse() takes the end of the connection for the end of the body", () => {
  const bytes = bytesOf("HTTP/1.0 200 OK\r\n\r\nhi");
  assertEquals(parseResponse(bytes, OPEN), undefined);
  assertEquals(parseResponse(bytes, { ...OPEN, isEnded: true })?.response.body, "hi");
});

Deno.test("parseResponse() finds no body in an answer to HEAD", () => {
  const bytes = bytesOf("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
  assertEquals(parseResponse(bytes, { ...OPEN, isHead: true })?.end, bytes.length);
});

Deno.test("parseResponse() throws on what is no response", () => {
  const wires = [
    "HTTP/1.1 20 OK\r\n\r\n",
    "HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/1.1  200 OK\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX : 1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nX: a\nY: 1\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nhi",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2 \r\nhi\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhiX0\r\n\r\n",
  ];
  for (const wire of wires) {
    assertThrows(() => parseResponse(bytesOf(wire), OPEN), MalformedResponseError);
  }
});

Deno.test("fieldOf() joins what is repeated, in any case of the name", () => {
  const bytes = bytesOf("HTTP/1.1 204 No Content\r\nX: 1\r\nY: 2\r\nx:3 \r\n\r\n");
  const { response } = parseResponse(bytes, OPEN)!;
  assertEquals(fieldOf(response, "x"), "1, 3");
  assertEquals(fieldOf(response, "z"), undefined);
});
