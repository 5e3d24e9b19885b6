import { assertEquals, assertRejects } from "@std/assert";
import { CookieJar } from "../../http/cookie_jar.ts";
import { isPublicSuffix, registrableDomain } from "../../http/public_suffix.ts";

/** The list comes from npm, which cannot be reached everywhere. */
const problem = await isPublicSuffix("com").then(() => undefined, (error: Error) => error);
if (problem !== undefined) console.warn(`public suffixes skipped: ${problem.message}`);
const ignore = problem !== undefined;

const SUFFIXES = [
  "com",
  "com.",
  "co.uk",
  "github.io",
  "localhost",
  "no-such-suffix",
  "xn--fiqs8s",
  "c.kobe.jp",
  "__proto__",
];
const NAMES = [
  "example.com",
  "example.com.",
  "a.co.uk",
  "me.github.io",
  "a.localhost",
  "city.kobe.jp",
  "constructor.com",
  "127.0.0.1",
  "[::1]",
];

Deno.test({
  name: "isPublicSuffix() tells suffixes from names and addresses",
  ignore,
  async fn() {
    for (const domain of SUFFIXES) assertEquals(await isPublicSuffix(domain), true, domain);
    for (const domain of NAMES) assertEquals(await isPublicSuffix(domain), false, domain);
  },
});

Deno.test({
  name: "CookieJar knows the public suffixes by itself",
  ignore,
  async fn() {
    const jar = new CookieJar();
    assertEquals(await jar.set("a=1; domain=co.uk", "https://example.co.uk/"), false);
    assertEquals(await jar.set("a=1; domain=github.io", "https://me.github.io/"), false);
    assertEquals(await jar.set("a=1; domain=example.co.uk", "https://www.example.co.uk/"), true);
    const partitioned = "b=2; secure; partitioned";
    assertEquals(await jar.set(partitioned, "https://www.city.kobe.jp/"), true);
    const keys = (await jar.cookies()).map(({ partitionKey }) => partitionKey);
    assertEquals(keys, [undefined, "https://city.kobe.jp"]);
  },
});

Deno.test("registrableDomain() takes the longest suffix that the rule knows", async () => {
  const rule = (domain: string) => ["jp", "c.kobe.jp"].includes(domain);
  const domainOf = (host: string) => registrableDomain(host, rule);
  assertEquals(await domainOf("a.b.c.kobe.jp"), "b.c.kobe.jp");
  assertEquals(await domainOf("c.kobe.jp"), undefined);
  assertEquals(await domainOf("a.kobe.jp"), "kobe.jp");
  assertEquals(await domainOf("kobe.jp."), "kobe.jp");
  assertEquals(await domainOf("jp"), undefined);
  assertEquals(await domainOf(".jp"), undefined);
  assertEquals(await domainOf("[::1]"), undefined);
});

Deno.test("registrableDomain() takes the last label where the rule knows no suffix", async () => {
  assertEquals(await registrableDomain("a.b.test", () => Promise.resolve(false)), "b.test");
});

Deno.test("registrableDomain() hands on what the rule throws", async () => {
  const failing = () => Promise.reject(new TypeError("no list"));
  await assertRejects(() => registrableDomain("a.test", failing), TypeError);
});
