/** The parsers that are compared: each takes its input and gives a number of what it found. */

import { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import { ChunkedDecoder } from "../../../http/chunked_decoder.ts";
import { parseCookies } from "../../../http/cookie_parser.ts";
import { parseSetCookie } from "../../../http/cookie_set_parser.ts";
import { parseFormUrlEncoded } from "../../../http/form_urlencoded.ts";
import { HeadParser } from "../../../http/head_parser.ts";
import { resolveLimits } from "../../../http/limits.ts";
import { installPeer } from "../_support/npm_peer.ts";
import { reportMissing } from "../_support/peers.ts";
import {
  CHUNKED_BODY,
  CHUNKED_BYTES,
  COOKIE_FIELD,
  FORM_BYTES,
  HEADS,
  SET_COOKIE_FIELD,
} from "./samples.ts";

/** One way to parse one sample, by `sample/who`. */
export type Steps = Map<string, () => number>;

const LIMITS = resolveLimits();

function addOurs(steps: Steps): void {
  for (const [name, bytes] of Object.entries(HEADS)) {
    const parser = new HeadParser("request", LIMITS, {});
    const parse = (): void => {
      parser.reset();
      if (!parser.parse(bytes, 0, bytes.length)) throw new Error(`${name} is not whole`);
    };
    steps.set(`head ${name}/ours`, () => {
      parse();
      let sum = parser.method.length + parser.target(bytes, 0).length;
      for (const [field, value] of parser.headers(bytes, 0)) sum += field.length + value.length;
      return sum;
    });
    // As `serve` does: nothing is decoded before somebody asks.
    steps.set(`head ${name}/ours, lazy`, () => {
      parse();
      return parser.length;
    });
  }
  steps.set("chunked 64 KiB/ours", decodeChunked);
  steps.set("cookie/ours", () => {
    let sum = 0;
    for (const [name, value] of parseCookies(COOKIE_FIELD)) sum += name.length + value.length;
    return sum;
  });
  steps.set("set-cookie/ours", () => parseSetCookie(SET_COOKIE_FIELD)!.maxAgeSeconds!);
  steps.set("form/ours", () => {
    let sum = 0;
    for (const [name, value] of parseFormUrlEncoded(FORM_BYTES)) sum += name.length + value.length;
    return sum;
  });
}

function decodeChunked(): number {
  const decoder = new ChunkedDecoder(LIMITS, {});
  let sum = 0;
  for (let position = 0; !decoder.isDone;) {
    position = decoder.step(CHUNKED_BODY, position, CHUNKED_BODY.length);
    sum += decoder.dataEnd - decoder.dataStart;
  }
  if (sum !== CHUNKED_BYTES) throw new Error(`${sum} bytes are not the body`);
  return sum;
}

/** Of npm `http-parser-js`, which gives all fields of a head in one array. */
interface HttpParserJs {
  initialize(type: string): void;
  execute(bytes: Buffer, start: number, length: number): unknown;
  [callback: number]: unknown;
}

function addHttpParserJs(steps: Steps): void {
  const require = createRequire(`${installPeer("http-parser-js", "0.5.10")}/`);
  const { HTTPParser } = require("http-parser-js");
  // Whoever reads it is taken for a Node of today, whose callbacks have more than one argument.
  if (HTTPParser.kOnExecute === undefined) throw new Error("It is another http-parser-js");
  const parser: HttpParserJs = new HTTPParser("REQUEST");
  let sum = 0;
  parser[HTTPParser.kOnHeadersComplete] = (
    _major: number,
    _minor: number,
    headers: readonly string[],
    _method: number,
    url: string,
  ): boolean => {
    sum += url.length;
    for (const text of headers) sum += text.length;
    return false;
  };
  parser[HTTPParser.kOnBody] = (_bytes: Buffer, _offset: number, length: number) => {
    sum += length;
  };
  const parse = (bytes: Buffer): number => {
    sum = 0;
    parser.initialize("REQUEST");
    const result = parser.execute(bytes, 0, bytes.length);
    if (result instanceof Error) throw result;
    return sum;
  };
  for (const [name, bytes] of Object.entries(HEADS)) {
    const buffer = Buffer.from(bytes);
    steps.set(`head ${name}/http-parser-js`, () => parse(buffer));
  }
  const head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const chunked = Buffer.concat([Buffer.from(head), CHUNKED_BODY]);
  if (parse(chunked) < CHUNKED_BYTES) throw new Error("http-parser-js did not find the body");
  steps.set("chunked 64 KiB/http-parser-js", () => parse(chunked));
}

async function addCookie(steps: Steps): Promise<void> {
  const modules = installPeer("cookie", "2.0.2");
  const cookie = await import(`${modules}/cookie/dist/index.js`);
  steps.set("cookie/cookie", () => {
    const cookies: Record<string, string> = cookie.parseCookie(COOKIE_FIELD);
    let sum = 0;
    for (const name of Object.keys(cookies)) sum += name.length + cookies[name]!.length;
    return sum;
  });
  steps.set("set-cookie/cookie", () => cookie.parseSetCookie(SET_COOKIE_FIELD).maxAge);
}

function addPlatform(steps: Steps): void {
  const decoder = new TextDecoder();
  steps.set("form/URLSearchParams", () => {
    const form = new URLSearchParams(decoder.decode(FORM_BYTES));
    let sum = 0;
    for (const [name, value] of form) sum += name.length + value.length;
    return sum;
  });
}

/** All that can be compared here; a rival that is missing is left out with a word on stderr. */
export async function loadSteps(): Promise<Steps> {
  const steps: Steps = new Map();
  addOurs(steps);
  addPlatform(steps);
  for (const [name, add] of [["http-parser-js", addHttpParserJs], ["cookie", addCookie]] as const) {
    try {
      await add(steps);
    } catch (error) {
      reportMissing(name, error instanceof Error ? error.message : String(error));
    }
  }
  return steps;
}
