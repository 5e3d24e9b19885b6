import { assertEquals, assertGreater } from "@std/assert";
import { parseCookieDate } from "../../http/cookie_date.ts";
import { matchesCookieDomain } from "../../http/cookie_domain.ts";
import { type CookieContext, CookieJar } from "../../http/cookie_jar.ts";
import { defaultCookiePath, matchesCookiePath } from "../../http/cookie_path.ts";
import { parseSetCookie } from "../../http/cookie_set_parser.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { loadVectors } from "../_support/vectors.ts";
import { type Difference, type Judgement, unlisted } from "./vector_difference.ts";

interface JarStep {
  readonly op: "set" | "get";
  readonly url: string;
  readonly cookie?: string;
  readonly accepted?: boolean;
  readonly result?: unknown;
  readonly error?: string;
  readonly opts?: { now?: string; http?: boolean; sameSiteContext?: string };
}

interface CookieCase {
  readonly name: string;
  readonly kind: string;
  readonly steps?: readonly JarStep[];
  readonly input?: string;
  readonly args?: readonly string[];
  readonly expect?: unknown;
  readonly bis?: string;
}

/** The day on which the sources were recorded; a jar with a time of its own begins there. */
const RECORDED = "2026-11-21T00:00:00Z";

const ENOUGH_MS = 2_000;

/** Suffixes that the vectors touch on, so that no list is needed. */
const SUFFIXES = ["com", "org", "net", "ca", "ch", "localhost", "local", "example", "test"];

const NAMELESS = "RFC 6265bis section 5.6, step 5";
const SPECIAL = "RFC 6265bis section 5.7, step 10";

const DIFFERENCES: readonly Difference[] = [
  {
    name: "http-state/0021",
    gives: "true | true | true | a=b; x; c=d",
    clause: NAMELESS,
    reason: "RFC 6265 ignored cookies without a name",
  },
  {
    name: "http-state/0023",
    gives: "true | false | foo",
    clause: NAMELESS,
    reason: "RFC 6265 ignored cookies without a name",
  },
  {
    name: "http-state/0025",
    gives: "true | false | foo",
    clause: NAMELESS,
    reason: "RFC 6265 ignored cookies without a name",
  },
  {
    name: "http-state/0027",
    gives: "true | true | bar",
    clause: NAMELESS,
    reason: "RFC 6265 ignored cookies without a name",
  },
  {
    name: "http-state/CHROMIUM0009",
    gives: "true | BLAHHH",
    clause: NAMELESS,
    reason: "RFC 6265 ignored cookies without a name",
  },
  {
    name: "http-state/DISABLED_CHROMIUM0022",
    gives: "false | ",
    clause: "RFC 6265bis section 5.6, step 1",
    reason: "an older reader cut the field at NUL",
  },
  {
    name: "http-state/DISABLED_PATH0029",
    gives: "true | ",
    clause: "RFC 6265bis section 5.1.4",
    reason: "would decode percent-encoding; switched off in its source too",
  },
  {
    name: "http-state/MOZILLA0012",
    gives: 'true | true | test="fubar! = foo; five',
    clause: NAMELESS,
    reason: "RFC 6265 ignored cookies without a name",
  },
  {
    name: "http-state/MOZILLA0014",
    gives: "true | six",
    clause: NAMELESS,
    reason: "RFC 6265 ignored cookies without a name",
  },
  {
    name: "http-state/MOZILLA0016",
    gives: "true | true | true | eight",
    clause: NAMELESS,
    reason: "RFC 6265 ignored cookies without a name",
  },
  {
    name: "http-state/NAME0017",
    gives: "true | a=bar",
    clause: NAMELESS,
    reason: "RFC 6265 ignored cookies without a name",
  },
  {
    name: "http-state/NAME0023",
    gives: "true | foo",
    clause: NAMELESS,
    reason: "RFC 6265 ignored cookies without a name",
  },
  {
    name: "http-state/NAME0025",
    gives: "true | ==a=bar",
    clause: NAMELESS,
    reason: "RFC 6265 ignored cookies without a name",
  },
  {
    name: "http-state/NAME0031",
    gives: 'true | "foo',
    clause: NAMELESS,
    reason: "RFC 6265 ignored cookies without a name",
  },
  {
    name: "http-state/NAME0033",
    gives: "true | true | aaa",
    clause: NAMELESS,
    reason: "RFC 6265 ignored cookies without a name",
  },
  {
    name: 'tough-cookie/cookieJar: setCookie > supports the "expiry" option',
    gives: "true | ",
    clause: "RFC 6265bis section 5.8.3",
    reason: "an option of that jar: cookies that have ended",
  },
  {
    name:
      'tough-cookie/cookieJar: the "loose" option > should not allow keyless cookie to be accepted when loose: false',
    gives: "true",
    clause: NAMELESS,
    reason: "RFC 6265 ignored cookies without a name",
  },
  {
    name:
      'tough-cookie/cookieJar: the "allPaths" option > should not scope cookies by path when using allPaths: true',
    gives: "true | true | true | true | true | true | nopath_dom=qq; nopath_host=qq",
    clause: "RFC 6265bis section 5.8.3",
    reason: "an option of that jar: every path",
  },
  {
    name:
      "tough-cookie/cookieJar: removeAllCookies > should remove all the stored cookies (callback)",
    gives: "true | true | a=b; c=d | a=b; c=d",
    clause: "RFC 6265bis section 5.7",
    reason: "removes all cookies between the two, which is no step of the vector",
  },
  {
    name: "tough-cookie/cookieJar: should fix issue #132",
    gives: "true",
    clause: NAMELESS,
    reason: "RFC 6265 ignored cookies without a name",
  },
  {
    name:
      "tough-cookie/cookieJar: when special use domain is dev.local > should reject special domain cookies if allowSpecialUseDomain: false",
    gives: "true",
    clause: SPECIAL,
    reason: "an option of that jar: no cookies for names of special use",
  },
  {
    name:
      "tough-cookie/cookieJar: when special use domain is dev.example > should reject special domain cookies if allowSpecialUseDomain: false",
    gives: "true",
    clause: SPECIAL,
    reason: "an option of that jar: no cookies for names of special use",
  },
  {
    name:
      "tough-cookie/cookieJar: when special use domain is dev.invalid > should reject special domain cookies if allowSpecialUseDomain: false",
    gives: "true",
    clause: SPECIAL,
    reason: "an option of that jar: no cookies for names of special use",
  },
  {
    name:
      "tough-cookie/cookieJar: when special use domain is dev.localhost > should reject special domain cookies if allowSpecialUseDomain: false",
    gives: "true",
    clause: SPECIAL,
    reason: "an option of that jar: no cookies for names of special use",
  },
  {
    name:
      "tough-cookie/cookieJar: when special use domain is dev.test > should reject special domain cookies if allowSpecialUseDomain: false",
    gives: "true",
    clause: SPECIAL,
    reason: "an option of that jar: no cookies for names of special use",
  },
  {
    name:
      "tough-cookie/cookieJar: when special use domain is local > should reject special domain cookies if allowSpecialUseDomain: false",
    gives: "true",
    clause: SPECIAL,
    reason: "an option of that jar: no cookies for names of special use",
  },
  {
    name:
      "tough-cookie/cookieJar: when special use domain is example > should reject special domain cookies if allowSpecialUseDomain: false",
    gives: "true",
    clause: SPECIAL,
    reason: "an option of that jar: no cookies for names of special use",
  },
  {
    name:
      "tough-cookie/cookieJar: when special use domain is invalid > should reject special domain cookies if allowSpecialUseDomain: false",
    gives: "true",
    clause: SPECIAL,
    reason: "an option of that jar: no cookies for names of special use",
  },
  {
    name:
      "tough-cookie/cookieJar: when special use domain is localhost > should reject special domain cookies if allowSpecialUseDomain: false",
    gives: "true",
    clause: SPECIAL,
    reason: "an option of that jar: no cookies for names of special use",
  },
  {
    name:
      "tough-cookie/cookieJar: when special use domain is test > should reject special domain cookies if allowSpecialUseDomain: false",
    gives: "true",
    clause: SPECIAL,
    reason: "an option of that jar: no cookies for names of special use",
  },
  {
    name:
      'tough-cookie/sameSite: Retrieval > should return only the "none" cookie when making a cross-origin request',
    gives: "true | true | true | ",
    clause: "RFC 6265bis section 5.6.7.1",
    reason: "without SameSite a cookie was sent everywhere",
  },
  {
    name: "tough-cookie/cookiePrefixes: __Host prefix > does not fail",
    gives: "false | ",
    clause: "RFC 6265bis section 4.1.3.2",
    reason: "that jar was told not to mind prefixes",
  },
];

const vectors = loadVectors<{ readonly cases: readonly CookieCase[] }>("cookies");

/** What a cookie looks like on the wire: the vectors show text, not bytes. */
function toBytes(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

async function runJar({ name, steps = [] }: CookieCase): Promise<string[]> {
  const clock = new ManualClock({ wallStartMs: Date.parse(RECORDED) });
  const jar = new CookieJar({
    clock,
    isPublicSuffix: (domain) => SUFFIXES.includes(domain),
    trustLoopback: !name.includes("secure local origin"),
  });
  const got: string[] = [];
  for (const step of steps) {
    // The sources let cookies of one second end before they ask.
    if (step.op === "get") clock.advance(ENOUGH_MS);
    got.push(await runStep(jar, step));
  }
  return got;
}

async function runStep(jar: CookieJar, step: JarStep): Promise<string> {
  const context: CookieContext = {
    isHttpApi: step.opts?.http ?? true,
    sameSite: step.opts?.sameSiteContext === "none" ? "cross-site" : "same-site",
  };
  try {
    if (step.op === "set") return String(await jar.set(toBytes(step.cookie!), step.url, context));
    return await jar.cookieHeader(step.url, context) ?? "";
  } catch (error) {
    return (error as Error).name;
  }
}

function wantedOf(step: JarStep): string | undefined {
  if (step.op === "get") return step.result === undefined ? undefined : toBytes(`${step.result}`);
  return step.accepted === undefined ? undefined : String(step.accepted);
}

async function judgeJar(vector: CookieCase): Promise<Judgement> {
  const { name, steps = [] } = vector;
  const results = await runJar(vector);
  const wanted = steps.map((step, index) => wantedOf(step) ?? results[index]!);
  const isAgreed = wanted.every((want, index) =>
    // What is no URL is refused louder than by an answer.
    want === results[index] || (want === "false" && results[index] === "TypeError")
  );
  return { name, wanted: wanted.join(" | "), got: results.join(" | "), isAgreed };
}

function judgeDate({ name, input, expect }: CookieCase): Judgement {
  const unixMs = parseCookieDate(input!);
  const got = unixMs === undefined ? "null" : new Date(unixMs).toUTCString();
  return { name, wanted: `${expect}`, got, isAgreed: got === `${expect}` };
}

const ofKind = (kind: string) => (vectors?.cases ?? []).filter((vector) => vector.kind === kind);
const ignore = vectors === undefined;

Deno.test({
  name: "CookieJar does what the jars of others do",
  ignore,
  async fn() {
    const cases = ofKind("jar");
    assertGreater(cases.length, 200);
    const judgements = await Promise.all(cases.map(judgeJar));
    assertEquals(unlisted(judgements, DIFFERENCES), []);
  },
});

Deno.test({
  name: "parseCookieDate() reads what others read",
  ignore,
  fn() {
    const cases = ofKind("date");
    assertGreater(cases.length, 70);
    assertEquals(unlisted(cases.map(judgeDate), []), []);
  },
});

/** What the vectors call by the names of their own functions. */
const FUNCTIONS: Record<string, (...args: string[]) => unknown> = {
  domainMatch: (host, domain) => matchesCookieDomain(canonical(host!), canonical(domain!)),
  pathMatch: (path, cookiePath) => matchesCookiePath(path!, cookiePath!),
  defaultPath: (path) => defaultCookiePath(path!),
};

/** What the jar compares: names as URLs have them, in ASCII. */
function canonical(host: string): string {
  const isAscii = /^[ -~]*$/.test(host);
  return isAscii ? host.toLowerCase() : new URL(`http://${host}/`).hostname;
}

Deno.test({
  name: "domains and paths match as others match them",
  ignore,
  fn() {
    const cases = Object.keys(FUNCTIONS).flatMap(ofKind);
    assertGreater(cases.length, 30);
    for (const { name, kind, args, expect } of cases) {
      assertEquals(FUNCTIONS[kind]!(...args!), expect, name);
    }
  },
});

interface WantedCookie {
  readonly key: string;
  readonly value: string;
  readonly expires?: string;
  readonly maxAge?: number;
  readonly domain?: string | null;
  readonly path?: string | null;
  readonly secure?: boolean;
  readonly httpOnly?: boolean;
  readonly sameSite?: string;
}

/** The fields that a vector names, in the vector's terms. */
function readAs(wanted: WantedCookie, line: string): Partial<WantedCookie> {
  const cookie = parseSetCookie(line)!;
  const { expiresUnixMs } = cookie;
  const all: WantedCookie = {
    key: cookie.name,
    value: cookie.value,
    expires: expiresUnixMs === undefined ? "Infinity" : new Date(expiresUnixMs).toISOString(),
    maxAge: cookie.maxAgeSeconds ?? NaN,
    domain: cookie.domain || null,
    path: cookie.path ?? null,
    secure: cookie.isSecure,
    httpOnly: cookie.isHttpOnly,
    sameSite: cookie.sameSite?.toLowerCase() ?? "__undefined__",
  };
  const entries = Object.entries(all).filter(([key]) => key in wanted);
  return Object.fromEntries(entries);
}

Deno.test({
  name: "parseSetCookie() reads what others read",
  ignore,
  fn() {
    const cases = ofKind("parse");
    assertGreater(cases.length, 15);
    for (const { name, input, expect, bis } of cases) {
      const line = input!.replace(/<REPEAT (.)>/, (_, one: string) => one.repeat(100_000));
      if (expect === null) {
        // `bis`: without a name it is a cookie nevertheless.
        assertEquals(parseSetCookie(line) === undefined, bis === undefined, name);
        continue;
      }
      const { extensions: _, ...wanted } = expect as WantedCookie & { extensions?: unknown };
      assertEquals<unknown>(readAs(wanted, line), wanted, name);
    }
  },
});
