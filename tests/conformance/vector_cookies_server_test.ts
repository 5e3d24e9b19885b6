import { assertEquals, assertGreater } from "@std/assert";
import { parseCookies } from "../../http/cookie_parser.ts";
import { type CookieAttributes, formatSetCookie } from "../../http/cookie_set.ts";
import { loadVectors } from "../_support/vectors.ts";
import { type Difference, type Judgement, unlisted } from "./vector_difference.ts";

/**
 * What of the cookie vectors is the server's: the `Cookie` fields that the jars
 * of others send, and the `Set-Cookie` fields of which others say whether a
 * client takes them. What a jar of ours does with them is another matter.
 */
interface CookieCase {
  readonly name: string;
  readonly kind: string;
  readonly steps?: readonly {
    readonly op: "set" | "get";
    readonly cookie?: string;
    readonly accepted?: boolean;
    readonly result?: unknown;
  }[];
  readonly input?: string;
  readonly expect?: unknown;
}

/** A Set-Cookie field and whether a client is to take it. */
interface SetCase {
  readonly name: string;
  readonly line: string;
  readonly isTaken: boolean;
}

/** What clients read, and servers are not to write: RFC 6265bis section 4.1.1. */
const SYNTAX = "RFC 6265bis section 4.1.1";

const DIFFERENCES: readonly Difference[] = [
  {
    name: "wpt/size/name-and-value: Set max-size name-less cookie",
    gives: "TypeError",
    clause: SYNTAX,
    reason: "clients keep a cookie without a name, but no server is to set one",
  },
  {
    name: "tough-cookie/cookiePrefixes: __Host prefix > does not fail",
    gives: "TypeError",
    clause: "RFC 6265bis section 4.1.3.2",
    reason: "that jar was told not to mind prefixes",
  },
  {
    name: 'tough-cookie/parse: "a=b; Expires=xyzzy"',
    gives: "RangeError",
    clause: SYNTAX,
    reason: "clients ignore what is no date",
  },
  {
    name: 'tough-cookie/parse: "a=b; Max-Age=-1"',
    gives: "RangeError",
    clause: SYNTAX,
    reason: "clients read numbers below 0 as 0, which says the same",
  },
  {
    name: 'tough-cookie/parse: "a=b; domain=."',
    gives: "TypeError",
    clause: SYNTAX,
    reason: "clients ignore what is no domain",
  },
  {
    name: 'tough-cookie/parse: "a=b; Domain=example.com."',
    gives: "TypeError",
    clause: SYNTAX,
    reason: "clients match no host with such a domain",
  },
  {
    name: 'tough-cookie/parse: "a=b; path=xyzzy"',
    gives: "TypeError",
    clause: "RFC 6265bis section 5.6.4",
    reason: "clients take a path without slash for none",
  },
  {
    name: 'tough-cookie/parse: "a=one two three"',
    gives: "TypeError",
    clause: SYNTAX,
    reason: "clients keep blanks inside of a value",
  },
  {
    name: 'tough-cookie/parse: "farbe=wei\u00df"',
    gives: "TypeError",
    clause: SYNTAX,
    reason: "clients keep bytes above ASCII",
  },
  {
    name: 'tough-cookie/parse: "abc"',
    gives: "TypeError",
    clause: SYNTAX,
    reason: "clients keep a cookie without a name, but no server is to set one",
  },
  {
    name: 'tough-cookie/parse: "abc=xyzzy; SameSite=example.com"',
    gives: "TypeError",
    clause: SYNTAX,
    reason: "clients ignore a SameSite they do not know",
  },
];

const vectors = loadVectors<{ readonly cases: readonly CookieCase[] }>("cookies");

/** The `Cookie` fields that jars sent. */
function sentFields(cases: readonly CookieCase[]): Set<string> {
  const results = cases.flatMap(({ steps = [] }) => steps.map(({ result }) => result));
  return new Set(results.filter((result) => typeof result === "string"));
}

/** The pairs of a field that a client wrote by the book: `; ` between them and nothing else. */
function pairsOf(field: string): [string, string][] {
  if (field === "") return [];
  return field.split("; ").map((pair) => {
    const [, name = "", value = ""] = /^(?:([^=]*)=)?(.*)$/s.exec(pair)!;
    return [name, value];
  });
}

/** The cases of one Set-Cookie field whose fate is known. */
function setCases(cases: readonly CookieCase[]): SetCase[] {
  return cases.flatMap(({ name, kind, input, expect, steps = [] }): SetCase[] => {
    if (kind === "parse") return [{ name, line: repeated(input!), isTaken: expect !== null }];
    if (!/cookiePrefixes|wpt\/size/.test(name)) return [];
    const [set, get] = steps;
    const isTaken = set!.accepted ?? get?.result !== "";
    return [{ name, line: set!.cookie!, isTaken }];
  });
}

/** The source writes long runs of one character as `<REPEAT x>`. */
function repeated(line: string): string {
  return line.replace(/<REPEAT (.)>/, (_, character: string) => character.repeat(1_000));
}

/** Writes a Set-Cookie field anew, from what is in it. */
function judge({ name, line, isTaken }: SetCase): Judgement {
  const [pair = "", ...rest] = line.split(";").map((part) => part.trim());
  const [[cookieName, value]] = pairsOf(pair).concat([["", ""]]) as [[string, string]];
  let got = "taken";
  try {
    formatSetCookie(cookieName, value, attributesOf(rest));
  } catch (error) {
    got = (error as Error).name;
  }
  const wanted = isTaken ? "taken" : "refused";
  return { name, wanted, got, isAgreed: isTaken === (got === "taken") };
}

function attributesOf(parts: readonly string[]): CookieAttributes {
  const attributes: Record<string, unknown> = {};
  for (const part of parts) {
    const [key = "", value = ""] = part.split("=");
    if (/^secure$/i.test(key)) attributes["secure"] = true;
    else if (/^httponly$/i.test(key)) attributes["httpOnly"] = true;
    else if (/^(domain|path)$/i.test(key)) attributes[key.toLowerCase()] = value;
    else if (/^max-age$/i.test(key)) attributes["maxAgeSeconds"] = Number(value);
    else if (/^expires$/i.test(key)) attributes["expiresUnixMs"] = Date.parse(value);
    else if (/^samesite$/i.test(key)) attributes["sameSite"] = capitalised(value);
  }
  return attributes;
}

function capitalised(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase();
}

Deno.test({
  name: "parseCookies() reads what the jars of others send",
  ignore: vectors === undefined,
  fn() {
    const fields = sentFields(vectors!.cases);
    assertGreater(fields.size, 90);
    for (const field of fields) {
      const cookies = parseCookies(field);
      assertEquals([...cookies], pairsOf(field), field);
      for (const [name, value] of pairsOf(field)) {
        assertEquals(cookies.getAll(name).includes(value), true);
      }
    }
  },
});

Deno.test({
  name: "formatSetCookie() writes what clients are said to take, and nothing else",
  ignore: vectors === undefined,
  fn() {
    const judgements = setCases(vectors!.cases).map(judge);
    assertGreater(judgements.length, 30);
    assertEquals(unlisted(judgements, DIFFERENCES), []);
  },
});
