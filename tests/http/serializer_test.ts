import { assertEquals, assertThrows } from "@std/assert";
import { OutputBuffer } from "../../http/output_buffer.ts";
import { writeRequestLine, writeStatusLine } from "../../http/serializer.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { parseHead } from "../_support/wire.ts";

function written(write: (out: OutputBuffer) => void): string {
  const out = new OutputBuffer();
  write(out);
  return textOf(out.view());
}

for (
  const [status, reason, line] of [
    [200, undefined, "HTTP/1.1 200 OK\r\n"],
    [100, undefined, "HTTP/1.1 100 Continue\r\n"],
    [599, undefined, "HTTP/1.1 599 \r\n"],
    [999, undefined, "HTTP/1.1 999 \r\n"],
    [200, "", "HTTP/1.1 200 \r\n"],
    [200, "Fine \xe4\t", "HTTP/1.1 200 Fine \xe4\t\r\n"],
  ] as const
) {
  Deno.test(`writeStatusLine() writes ${status} with ${JSON.stringify(reason)}`, () => {
    // Twice: the second time from the cache.
    assertEquals(written((out) => writeStatusLine(out, status, reason)), line);
    assertEquals(written((out) => writeStatusLine(out, status, reason)), line);
    assertEquals(parseHead("response", [bytesOf(`${line}\r\n`)])?.status, status);
  });
}

Deno.test("writeStatusLine() refuses a status that is none", () => {
  for (const status of [0, 99, 1000, -200, 200.5, NaN, Infinity]) {
    const out = new OutputBuffer();
    assertThrows(() => writeStatusLine(out, status), RangeError);
    assertThrows(() => writeStatusLine(out, status, "OK"), RangeError);
    assertEquals(out.length, 0);
  }
});

Deno.test("writeStatusLine() refuses a reason phrase that could end the line", () => {
  for (const reason of ["\r", "\n", "\0", "OK\r\nA: b", "\x7f", "\u010a", "\u{1f600}"]) {
    const out = new OutputBuffer();
    assertThrows(() => writeStatusLine(out, 200, reason), TypeError);
    assertEquals(out.length, 0);
  }
});

for (
  const [method, target] of [
    ["GET", "/"],
    ["OPTIONS", "*"],
    ["CONNECT", "a:443"],
    ["M-SEARCH", "http://a/b?c=%00"],
  ] as const
) {
  Deno.test(`writeRequestLine() writes ${method} ${target}`, () => {
    const line = written((out) => writeRequestLine(out, method, target));
    assertEquals(line, `${method} ${target} HTTP/1.1\r\n`);
    const host = method === "CONNECT" ? "a:443" : "a";
    const head = parseHead("request", [bytesOf(`${line}Host: ${host}\r\n\r\n`)]);
    assertEquals([head?.method, head?.target], [method, target]);
  });
}

Deno.test("writeRequestLine() refuses a method or target that could end the line", () => {
  for (
    const bad of ["", " ", "a b", "\r", "\n", "\0", "a\r\nb", "\t", "\x7f", "\xe4", "\u010a", "a#b"]
  ) {
    const out = new OutputBuffer();
    if (bad !== "a#b") assertThrows(() => writeRequestLine(out, bad, "/"), TypeError);
    assertThrows(() => writeRequestLine(out, "GET", bad), TypeError);
    assertThrows(() => writeRequestLine(out, "GET", `/${bad || " "}`), TypeError);
    assertEquals(out.length, 0);
  }
});
