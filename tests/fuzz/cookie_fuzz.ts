/**
 * Fuzzing of the cookie jar.
 *
 * Every round has a number, and with the seed the number makes it again. A round sets random
 * cookies from random origins in a jar and, by the letter of RFC 6265bis, in a plain list; both
 * have to send the same to every origin. Then the cookies go through both kinds of file.
 */

import { CookieJar } from "../../http/cookie_jar.ts";
import { parseNetscapeCookies } from "../../http/cookie_jar_file.ts";
import { parseCookies } from "../../http/cookie_parser.ts";
import { isExpiredCookie, type StoredCookie } from "../../http/stored_cookie.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import type { SeededRandom } from "../../nbio/testing_random.ts";
import type { FuzzRun, FuzzTarget, Outcomes } from "./fuzz_target.ts";
import { randomOf } from "./mutation.ts";

/** What came of it. */
export interface CookieFuzzResult {
  /** Fields that were followed. */
  readonly acceptedCount: number;
  /** Fields that were ignored. */
  readonly ignoredCount: number;
  /** Pairs that were sent. */
  readonly pairCount: number;
}

const SETS_PER_ROUND = 12;
const SUFFIXES = ["com", "uk", "co.uk", "localhost"];

const URLS = [
  "https://example.com/",
  "https://www.example.com/a/b",
  "http://www.example.com/a",
  "http://example.com/a/b/c",
  "https://a.b.example.com/",
  "https://example.co.uk/a",
  "http://co.uk/",
  "http://127.0.0.1/a/",
  "http://[::1]/",
  "http://x.localhost/a",
  "https://www.example.com./",
] as const;

const NAMES = ["a", "b", "__Host-a", "__secure-b", "__proto__", "", "__Http-c"] as const;
const VALUES = ["", "1", "2", "a=b", '"x y"', "__Host-a", "\xff", "%3b"] as const;
const PIECES = [
  "Path=/",
  "path=/a",
  "Path=/a/b",
  "PATH=x",
  "Path",
  "Domain=example.com",
  "domain=.EXAMPLE.com",
  "Domain=com",
  "Domain=co.uk",
  "Domain=www.example.com",
  "Domain=127.0.0.1",
  "Domain=example.com.",
  "Domain=",
  "Secure",
  "secure=no",
  "HttpOnly",
  "SameSite=Strict",
  "samesite=LAX",
  "SameSite=None",
  "SameSite=x",
  "Partitioned",
  "Max-Age=10",
  "Max-Age=0",
  "Max-Age=-1",
  "max-age=9999999999999999999999",
  "Max-Age=1x",
  "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
  "expires=1 jan 2099 1:2:3",
  "Expires=never",
  "=",
  "",
  "\t",
  "\x01",
  "\x7f",
] as const;

/** With these in it a field is nothing. */
const VOIDING: readonly string[] = ["\x01", "\x7f"];

/** A field, mostly one that could have been meant. */
function createField(random: SeededRandom): string {
  let field = `${random.pick(NAMES)}=${random.pick(VALUES)}`;
  for (let count = random.int(6); count > 0; count--) {
    const piece = random.pick(PIECES);
    // What makes the whole field void is rare, or nothing else would be seen.
    if (VOIDING.includes(piece) && random.int(4) > 0) continue;
    field += `;${random.int(2) === 0 ? " " : ""}${piece}`;
  }
  if (random.int(20) > 0) return field;
  const at = random.int(field.length + 1);
  return field.slice(0, at) + String.fromCharCode(random.int(256)) + field.slice(at);
}

const isBelow = (host: string, domain: string): boolean =>
  host === domain || (host.endsWith(`.${domain}`) && !/^[\d.]+$|^\[/.test(host));

const isInPath = (path: string, cookiePath: string): boolean =>
  `${path}/`.startsWith(cookiePath.endsWith("/") ? cookiePath : `${cookiePath}/`) &&
  path.startsWith(cookiePath);

/** Whether nobody else hears what goes to a URL. */
function isSecureUrl({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || /^127\.|^\[::1\]$|(^|\.)localhost$/.test(hostname);
}

/** What is to be sent, from all the jar has, without its order of work. */
function expectedNames(all: readonly StoredCookie[], url: URL, nowUnixMs: number): string[] {
  const fits = all.filter((cookie) =>
    !isExpiredCookie(cookie, nowUnixMs) && cookie.partitionKey === undefined &&
    (cookie.isHostOnly ? url.hostname === cookie.domain : isBelow(url.hostname, cookie.domain)) &&
    isInPath(url.pathname, cookie.path) && (!cookie.isSecure || isSecureUrl(url))
  );
  return fits.map(({ name, value }) => name === "" ? value : `${name}=${value}`).sort();
}

/** What no cookie in a jar may be, however it got there. */
function checkCookie(cookie: StoredCookie, nowUnixMs: number): void {
  const { name, value, domain, path, isSecure, isHostOnly, isHttpOnly } = cookie;
  const fail = (what: string): never => {
    throw new Error(`${what}: ${JSON.stringify(cookie)}`);
  };
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x08\x0a-\x1f\x7f;]/.test(name + value + path)) fail("Control character kept");
  if (name === "" && value === "") fail("Nothing kept");
  if (!isHostOnly && SUFFIXES.includes(domain.replace(/\.$/, ""))) fail("Suffix kept");
  const prefix = /^__(host-http|host|http|secure)-/i.exec(name)?.[1]?.toLowerCase() ?? "";
  if (prefix !== "" && !isSecure) fail("Insecure prefix kept");
  if (prefix.startsWith("host") && (!isHostOnly || path !== "/")) fail("Host prefix kept");
  if (prefix.endsWith("http") && !isHttpOnly) fail("Http prefix kept");
  if (cookie.sameSite === "None" && !isSecure) fail("Insecure SameSite=None kept");
  if (cookie.partitionKey !== undefined && !isSecure) fail("Insecure partition kept");
  if ((cookie.expiresUnixMs ?? 0) > nowUnixMs + 34_560_000_000) fail("Kept for too long");
}

interface Round {
  readonly jar: CookieJar;
  readonly clock: ManualClock;
  acceptedCount: number;
  ignoredCount: number;
  pairCount: number;
}

async function setOne(round: Round, random: SeededRandom): Promise<void> {
  const { jar, clock } = round;
  const url = new URL(random.pick(URLS));
  const secure = (await jar.cookies()).filter((cookie) => cookie.isSecure);
  const isAccepted = await jar.set(createField(random), url);
  if (isAccepted) round.acceptedCount++;
  else round.ignoredCount++;
  if (!isSecureUrl(url)) {
    const left = new Set((await jar.cookies()).map((cookie) => JSON.stringify(cookie)));
    const lost = secure.find((cookie) => !left.has(JSON.stringify(cookie)));
    if (lost !== undefined) throw new Error(`Overwritten from ${url}: ${JSON.stringify(lost)}`);
  }
  if (random.int(4) === 0) clock.advance(random.int(12_000));
}

async function checkSending({ jar, clock }: Round): Promise<number> {
  const all = await jar.cookies();
  const nowUnixMs = clock.wallNow();
  for (const cookie of all) checkCookie(cookie, nowUnixMs);
  const plain = all.filter(({ partitionKey }) => partitionKey === undefined);
  let pairCount = 0;
  for (const url of URLS) {
    const sent = (await jar.cookies(url)).filter((it) => it.partitionKey === undefined);
    const got = sent.map(({ name, value }) => name === "" ? value : `${name}=${value}`).sort();
    const wanted = expectedNames(plain, new URL(url), nowUnixMs);
    if (JSON.stringify(got) !== JSON.stringify(wanted)) {
      throw new Error(`To ${url} went ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`);
    }
    pairCount += parseCookies(await jar.cookieHeader(url)).size;
  }
  return pairCount;
}

async function checkFiles({ jar, clock }: Round): Promise<void> {
  const text = await jar.toJson();
  const again = await CookieJar.fromJson(text, { clock });
  if (await again.toJson() !== text) throw new Error(`Changed by a file: ${text}`);
  const kept = (await jar.cookies()).filter(({ partitionKey, name, value, path }) =>
    partitionKey === undefined && !`${name}${value}${path}`.includes("\t")
  );
  const read = parseNetscapeCookies(await jar.toNetscape());
  const shown = (cookies: readonly StoredCookie[]) =>
    JSON.stringify(cookies.map((it) => [it.name, it.value, it.domain, it.path, it.isSecure]));
  if (shown(read) !== shown(kept)) throw new Error(`Changed by cookies.txt: ${shown(read)}`);
}

/**
 * Runs rounds.
 *
 * @throws {Error} If a jar keeps or sends what it should not, or throws; the message says how to
 * see it again.
 */
export async function fuzzCookies({ seed, first = 0, count }: FuzzRun): Promise<CookieFuzzResult> {
  const total = { acceptedCount: 0, ignoredCount: 0, pairCount: 0 };
  for (let number = first; number < first + count; number++) {
    const random = randomOf(seed, number);
    const clock = new ManualClock({ wallStartMs: 1_700_000_000_000 });
    const jar = new CookieJar({ clock, isPublicSuffix: (domain) => SUFFIXES.includes(domain) });
    const round: Round = { jar, clock, acceptedCount: 0, ignoredCount: 0, pairCount: 0 };
    try {
      for (let left = SETS_PER_ROUND; left > 0; left--) await setOne(round, random);
      total.pairCount += await checkSending(round);
      await checkFiles(round);
    } catch (cause) {
      throw new Error(`Failed (seed ${seed}, number ${number}): ${cause}`, { cause });
    }
    total.acceptedCount += round.acceptedCount;
    total.ignoredCount += round.ignoredCount;
  }
  return total;
}

/** Inputs of one round. */
const ROUND_WEIGHT = 50;

/** The jar as a target: a round stands for fifty inputs. */
export const COOKIE_JAR_TARGET: FuzzTarget = {
  name: "http/cookie_jar",
  drives: ["http/cookie_jar.ts", "http/cookie_jar_file.ts", "http/cookie_set_parser.ts"],
  fuzz: async ({ count, ...run }) =>
    toOutcomes(await fuzzCookies({ ...run, count: Math.ceil(count / ROUND_WEIGHT) })),
  replay: async () => toOutcomes(await fuzzCookies({ seed: 1, count: 5 })),
};

function toOutcomes({ acceptedCount, ignoredCount }: CookieFuzzResult): Outcomes {
  return { accepted: acceptedCount, ignored: ignoredCount };
}
