/**
 * Fuzzing of what the server reads from single field values, cookies and
 * preferences, also over a socket.
 *
 * Every value has a number, and with the seed the number makes it again.
 */

import { parseCookies } from "../../http/cookie_parser.ts";
import { formatSetCookie } from "../../http/cookie_set.ts";
import { rankCharsets, rankEncodings, rankLanguages, rankTypes } from "../../http/negotiation.ts";
import { parsePreferences } from "../../http/negotiation_parser.ts";
import { serve } from "../../http/serve.ts";
import { RawClient } from "../_support/raw_client.ts";
import type { FuzzRun, FuzzTarget, Outcomes } from "./fuzz_target.ts";
import { randomOf } from "./mutation.ts";

/** What came of it. */
export interface FieldFuzzResult {
  /** Pairs that were read from all values. */
  readonly pairCount: number;
  /** Values of cookies that {@linkcode formatSetCookie} could have written. */
  readonly formattedCount: number;
  /** Preferences that were read from all values. */
  readonly preferenceCount: number;
}

const MAX_PIECES = 40;
const LIVE_BATCH = 100;
const BLANK_ENDS = /^[ \t]+|[ \t]+$/g;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** What decides how such a value is read. */
const PIECES = [
  ";",
  ";",
  "; ",
  "=",
  "=",
  ",",
  ", ",
  " ",
  "\t",
  '"',
  "\\",
  "*",
  "*/*",
  "/",
  "-",
  ".",
  "q=",
  ";q=0",
  ";q=0.5",
  ";q=1",
  ";q=9e9",
  "a",
  "b",
  "en",
  "en-GB",
  "gzip",
  "identity",
  "text/html",
  "level=1",
  "__Host-",
  "__proto__",
  "$Version",
  "%20",
  "%",
  "\x80",
  "\xa0",
  "\xff",
] as const;

const OFFERS = ["text/html", "a/b", "en", "en-GB", "gzip", "identity", "a", "*", ""];

/** The value with a number: pieces in any order, some of them often. */
function createValue(seed: number, number: number): string {
  const random = randomOf(seed, number);
  let value = "";
  for (let count = random.int(MAX_PIECES); count > 0; count--) {
    const piece = random.pick(PIECES);
    value += random.int(20) === 0 ? piece.repeat(random.int(50)) : piece;
  }
  return value;
}

/** What the parser is to read, said another way. */
function readNaively(value: string): [string, string][] {
  const pairs = value.split(";").map((text): [string, string] => {
    const [name, ...rest] = text.split("=");
    const pair = rest.length === 0 ? ["", name!] : [name!, rest.join("=")];
    return pair.map((part) => part.replace(BLANK_ENDS, "")) as [string, string];
  });
  return pairs.filter(([name, text]) => name !== "" || text !== "");
}

/** Whether a pair is one that we could have set; it then reads as it was set. */
function isFormatted(name: string, value: string): boolean {
  if (!NAME.test(name) || name.startsWith("__")) return false;
  try {
    const line = formatSetCookie(name, value);
    const [[name2, value2] = []] = [...parseCookies(line)];
    if (name2 !== name || value2 !== value) throw new Error(`Not read back: ${line}`);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/**
 * Reads random values as cookies and preferences.
 *
 * @throws {Error} If something is thrown, not bounded, or read in another way
 * than it should; the message says how to see it again.
 */
export function fuzzFieldValues({ seed, first = 0, count }: FuzzRun): FieldFuzzResult {
  let pairCount = 0;
  let formattedCount = 0;
  let preferenceCount = 0;
  for (let number = first; number < first + count; number++) {
    const value = createValue(seed, number);
    try {
      const pairs = [...parseCookies(value)];
      const naive = readNaively(value);
      if (JSON.stringify(pairs) !== JSON.stringify(naive)) throw new Error(`Read as ${pairs}`);
      pairCount += pairs.length;
      for (const [name, text] of pairs) if (isFormatted(name, text)) formattedCount++;
      preferenceCount += checkPreferences(value);
    } catch (cause) {
      const shown = JSON.stringify(value);
      throw new Error(`Failed (seed ${seed}, number ${number}) on ${shown}: ${cause}`, { cause });
    }
  }
  return { pairCount, formattedCount, preferenceCount };
}

function checkPreferences(value: string): number {
  const preferences = parsePreferences(value);
  for (const { quality } of preferences) {
    if (!(quality >= 0 && quality <= 1)) throw new Error(`Weight ${quality}`);
  }
  for (const rank of [rankTypes, rankLanguages, rankEncodings, rankCharsets]) {
    const ranked = rank(value, OFFERS);
    const isSubset = ranked.every((offer) => OFFERS.includes(offer));
    if (!isSubset || new Set(ranked).size !== ranked.length) throw new Error(`Ranked ${ranked}`);
  }
  return preferences.length;
}

/**
 * Sends random `Cookie` fields to a server, which tells how many pairs it read.
 *
 * @throws {Error} If an answer is missing or wrong.
 */
export async function fuzzCookiesLive({ seed, first = 0, count }: FuzzRun): Promise<number> {
  await using server = serve((ctx) => ctx.text(String(ctx.cookies.size)), {
    hostname: "127.0.0.1",
    port: 0,
    maxRequestsPerConnection: 0,
  });
  const { port } = server.addr as Deno.NetAddr;
  await using client = await RawClient.connect({ hostname: "127.0.0.1", port }, {
    timeoutMs: 3_600_000,
  });
  let pairCount = 0;
  for (let start = 0; start < count; start += LIVE_BATCH) {
    const values = Array.from(
      { length: Math.min(LIVE_BATCH, count - start) },
      (_, index) => createValue(seed, first + start + index),
    );
    const sent = client.send(values.map(requestWith).join(""));
    for (const [index, value] of values.entries()) {
      const response = await client.response();
      const wanted = readNaively(value).length;
      if (response?.status !== 200 || response.body !== String(wanted)) {
        throw new Error(
          `Wrong answer (seed ${seed}, number ${first + start + index}): ${response?.body}`,
        );
      }
      pairCount += wanted;
    }
    await sent;
  }
  return pairCount;
}

function requestWith(cookie: string): string {
  return `GET / HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\n\r\n`;
}

/** Cookies and preferences as a target. */
export const FIELD_VALUE_TARGET: FuzzTarget = {
  name: "http/field_values",
  drives: ["http/cookie_parser.ts", "http/negotiation_parser.ts"],
  fuzz: (run) => toOutcomes(run.count, fuzzFieldValues(run).pairCount),
  replay: () => toOutcomes(100, fuzzFieldValues({ seed: 1, count: 100 }).pairCount),
};

/** Cookies over a socket as a target; needs `--allow-net`. */
export const COOKIE_LIVE_TARGET: FuzzTarget = {
  name: "http/cookies_live",
  drives: ["http/cookie_parser.ts"],
  fuzz: async (run) => toOutcomes(run.count, await fuzzCookiesLive(run)),
  replay: async () => toOutcomes(100, await fuzzCookiesLive({ seed: 1, count: 100 })),
};

function toOutcomes(valueCount: number, pairCount: number): Outcomes {
  return { accepted: valueCount, pairs: pairCount };
}
