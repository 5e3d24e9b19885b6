import { assert, assertEquals } from "@std/assert";
import type { HttpLimits } from "../../http/limits.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { parseHead, refusalOf, sameForEverySplit } from "../_support/wire.ts";

const HOST = "Host: a\r\n";

function withLine(line: string): string {
  return `${line}\r\n${HOST}\r\n`;
}

interface LimitCase {
  readonly name: string;
  readonly limits: HttpLimits;
  /** The longest input that passes. */
  readonly longest: string;
  /** The same with one more of what is bounded. */
  readonly tooLong: string;
  readonly limit: string;
  readonly statusHint: number;
}

/** A line of exactly so many bytes without its end. */
function requestLine(length: number): string {
  return `GET /${"p".repeat(length - "GET / HTTP/1.1".length)} HTTP/1.1`;
}

/** A section of exactly so many bytes in so many lines. */
function section(length: number, count = 2): string {
  const lines = Array.from({ length: count - 2 }, () => "X: y\r\n").join("");
  const rest = length - HOST.length - lines.length - "Y: \r\n".length;
  return `${HOST}${lines}Y: ${"v".repeat(rest)}\r\n\r\n`;
}

const LIMITS: LimitCase[] = [30, 8192].map((max) => ({
  name: `maxRequestLineBytes of ${max}`,
  limits: max === 8192 ? {} : { maxRequestLineBytes: max },
  longest: withLine(requestLine(max)),
  tooLong: withLine(requestLine(max + 1)),
  limit: "maxRequestLineBytes",
  statusHint: 414,
}));
LIMITS.push(
  ...[30, 32_768].map((max) => ({
    name: `maxHeaderBytes of ${max}`,
    limits: max === 32_768 ? {} : { maxHeaderBytes: max },
    longest: `GET / HTTP/1.1\r\n${section(max)}`,
    tooLong: `GET / HTTP/1.1\r\n${section(max + 1)}`,
    limit: "maxHeaderBytes",
    statusHint: 431,
  })),
  ...[3, 33, 128].map((max) => ({
    name: `maxHeaderCount of ${max}`,
    limits: max === 128 ? {} : { maxHeaderCount: max },
    longest: `GET / HTTP/1.1\r\n${section(max * 20, max)}`,
    tooLong: `GET / HTTP/1.1\r\n${section(max * 20, max + 1)}`,
    limit: "maxHeaderCount",
    statusHint: 431,
  })),
);

for (const { name, limits, longest, tooLong, limit, statusHint } of LIMITS) {
  const byteByByte = (wire: string) => Array.from(bytesOf(wire), (byte) => Uint8Array.of(byte));

  Deno.test(`HeadParser.parse() takes what is just within ${name}`, () => {
    assert(parseHead("request", [bytesOf(longest)], { limits }));
    assert(parseHead("request", byteByByte(longest), { limits }));
  });

  Deno.test(`HeadParser.parse() refuses what is just over ${name}`, () => {
    const expected = { code: "ERR_NET_LIMIT_EXCEEDED", statusHint, limit };
    const parse = (chunks: Uint8Array[]) =>
      refusalOf(() => parseHead("request", chunks, { limits }));
    assertEquals(parse([bytesOf(tooLong)]), expected);
    assertEquals(parse(byteByByte(tooLong)), expected);
    assertEquals(parse([bytesOf(tooLong + "GET / HTTP/1.1\r\n")]), expected);
  });

  for (const off of [0, Infinity]) {
    Deno.test(`HeadParser.parse() takes what is over ${name} with ${off}`, () => {
      const open = { ...limits, [limit]: off };
      assert(parseHead("request", [bytesOf(tooLong)], { limits: open }));
    });
  }
}

Deno.test("HeadParser.parse() stops before an endless line or section is complete", () => {
  const limits = { maxRequestLineBytes: 100, maxHeaderBytes: 100 };
  const line = refusalOf(() =>
    parseHead("request", [bytesOf(`GET /${"a".repeat(98)}`)], { limits })
  );
  assertEquals([line.limit, line.statusHint], ["maxRequestLineBytes", 414]);
  const head = `GET / HTTP/1.1\r\nA: ${"b".repeat(99)}`;
  const fields = refusalOf(() => parseHead("request", [bytesOf(head)], { limits }));
  assertEquals([fields.limit, fields.statusHint], ["maxHeaderBytes", 431]);
});

Deno.test("HeadParser.parse() answers an endless method with 400, not with 414", () => {
  const limits = { maxRequestLineBytes: 20 };
  const refusal = refusalOf(() => parseHead("request", [bytesOf("M".repeat(30))], { limits }));
  assertEquals([refusal.limit, refusal.statusHint], ["maxRequestLineBytes", 400]);
});

Deno.test("HeadParser.parse() does not count an empty line in front against the line limit", () => {
  const limits = { maxRequestLineBytes: 30 };
  for (const [empty, lenience] of [["\r\n", {}], ["\n", { allowBareLf: true }]] as const) {
    const wire = empty + withLine(requestLine(30));
    const head = sameForEverySplit(
      wire,
      (chunks) => parseHead("request", chunks, { limits, lenience }),
    );
    assertEquals(head?.length, wire.length);
  }
});

Deno.test("HeadParser.parse() bounds a status line like a request line", () => {
  const limits = { maxRequestLineBytes: 20 };
  const line = (length: number) => `HTTP/1.1 200 ${"r".repeat(length - 13)}\r\n\r\n`;
  assert(parseHead("response", [bytesOf(line(20))], { limits }));
  const refusal = sameForEverySplit(
    line(21),
    (chunks) => refusalOf(() => parseHead("response", chunks, { limits })),
  );
  assertEquals(refusal.limit, "maxRequestLineBytes");
});
