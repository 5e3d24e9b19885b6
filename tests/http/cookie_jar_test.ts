import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { type CookieContext, CookieJar, type CookieJarOptions } from "../../http/cookie_jar.ts";
import { type CookieStore, MemoryCookieStore } from "../../http/cookie_store.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";

const URL_HERE = "https://www.example.com/shop/cart";

/** A jar whose list of suffixes needs nothing from elsewhere. */
function makeJar(options: CookieJarOptions = {}): CookieJar {
  return new CookieJar({
    isPublicSuffix: (domain) => ["com", "org", "localhost", "github.io"].includes(domain),
    ...options,
  });
}

/** Every call of a store waits until the test lets it go on. */
class SlowStore extends MemoryCookieStore {
  readonly waiting: (() => void)[] = [];

  release(): void {
    for (const proceed of this.waiting.splice(0)) proceed();
  }
}

function slowly(store: SlowStore): CookieStore {
  const wait = <T>(run: () => T): Promise<T> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    store.waiting.push(resolve);
    return promise.then(run);
  };
  return {
    get: (identity) => wait(() => store.get(identity)),
    findByDomain: (domains) => wait(() => store.findByDomain(domains)),
    findSecureByName: (name) => wait(() => store.findSecureByName(name)),
    put: (cookie, nowUnixMs) => wait(() => store.put(cookie, nowUnixMs)),
    delete: (identity) => wait(() => store.delete(identity)),
    touch: (cookies) => wait(() => store.touch(cookies)),
    all: () => wait(() => store.all()),
    clear: () => wait(() => store.clear()),
  };
}

/** Lets a slow store go on until a promise settles. */
async function drain<T>(store: SlowStore, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  promise.then(settle, settle);
  for (let turn = 0; !isSettled && turn < 10_000; turn++) {
    store.release();
    await Promise.resolve();
  }
  return await promise;
}

Deno.test("CookieJar sends what was set, where it belongs", async () => {
  const jar = makeJar();
  assert(await jar.set("host=1", URL_HERE));
  assert(await jar.set("site=2; domain=example.com; path=/", URL_HERE));
  assert(await jar.set("secure=3; secure; path=/", URL_HERE));
  assertEquals(await jar.cookieHeader(URL_HERE), "host=1; site=2; secure=3");
  assertEquals(await jar.cookieHeader("http://www.example.com/shop/"), "host=1; site=2");
  assertEquals(await jar.cookieHeader(new URL("https://www.example.com/")), "site=2; secure=3");
  assertEquals(await jar.cookieHeader("https://other.example.com/shop/"), "site=2");
  assertEquals(await jar.cookieHeader("https://example.org/"), undefined);
});

Deno.test("CookieJar.set() keeps the place of a cookie that is set anew", async () => {
  const clock = new ManualClock();
  const jar = makeJar({ clock });
  await jar.set("a=1", URL_HERE);
  await jar.set("b=1", URL_HERE);
  clock.advance(1_000);
  await jar.set("a=2", URL_HERE);
  assertEquals(await jar.cookieHeader(URL_HERE), "a=2; b=1");
  assertEquals((await jar.cookies())[0]?.createdUnixMs, 0);
});

Deno.test("CookieJar.set() begins anew where a cookie has ended or was deleted", async () => {
  const clock = new ManualClock();
  const jar = makeJar({ clock });
  await jar.set("a=1; max-age=1", URL_HERE);
  await jar.set("b=1", URL_HERE);
  clock.advance(1_000);
  assertEquals(await jar.cookieHeader(URL_HERE), "b=1");
  await jar.set("a=2", URL_HERE);
  assertEquals(await jar.cookieHeader(URL_HERE), "b=1; a=2");
  assert(await jar.set("b=; max-age=0", URL_HERE));
  await jar.set("b=3", URL_HERE);
  assertEquals(await jar.cookieHeader(URL_HERE), "a=2; b=3");
});

Deno.test("CookieJar keeps the order of a thousand cookies of one millisecond", async () => {
  const jar = makeJar({ clock: new ManualClock(), maxCookiesPerDomain: 0 });
  const pairs = Array.from({ length: 1_000 }, (_, index) => `c${index}=${index}`);
  await Promise.all(pairs.map((pair, index) => {
    const scope = index % 2 === 0 ? "; path=/" : "; path=/; domain=example.com";
    return jar.set(pair + scope, URL_HERE);
  }));
  assertEquals(await jar.cookieHeader(URL_HERE), pairs.join("; "));
});

Deno.test("CookieJar.set() lays nothing from an insecure origin over a secure cookie", async () => {
  const jar = makeJar();
  await jar.set("id=1; secure; domain=example.com; path=/shop", URL_HERE);
  const insecure = "http://www.example.com/shop/cart";
  for (const line of ["id=2", "id=2; domain=example.com", "id=2; path=/shop/x", "id=; max-age=0"]) {
    assertEquals(await jar.set(line, insecure), false, line);
  }
  assertEquals(await jar.set("id=2; path=/", insecure), true);
  assertEquals(await jar.set("id=3; domain=example.com", URL_HERE), true);
  assertEquals(await jar.set("other=2", insecure), true);
});

Deno.test("CookieJar.set() minds no secure cookie that has ended", async () => {
  const clock = new ManualClock();
  const jar = makeJar({ clock });
  await jar.set("id=1; secure; max-age=1", URL_HERE);
  clock.advance(1_000);
  assert(await jar.set("id=2", "http://www.example.com/shop/cart"));
});

Deno.test("CookieJar hides HttpOnly cookies from scripts", async () => {
  const jar = makeJar();
  await jar.set("id=1; httponly", URL_HERE);
  const script: CookieContext = { isHttpApi: false };
  assertEquals(await jar.cookieHeader(URL_HERE, script), undefined);
  for (const line of ["id=2", "id=2; httponly", "id=; max-age=0"]) {
    assertEquals(await jar.set(line, URL_HERE, script), false, line);
  }
  assertEquals(await jar.cookieHeader(URL_HERE), "id=1");
});

Deno.test("CookieJar keeps cookies back from requests of other sites", async () => {
  const jar = makeJar();
  for (const line of ["s=1; samesite=strict", "l=1; samesite=lax", "n=1; samesite=none; secure"]) {
    assert(await jar.set(line, URL_HERE));
  }
  await jar.set("d=1", URL_HERE);
  const header = (context: CookieContext) => jar.cookieHeader(URL_HERE, context);
  assertEquals(await header({}), "s=1; l=1; n=1; d=1");
  assertEquals(await header({ sameSite: "cross-site" }), "n=1");
  assertEquals(await header({ sameSite: "cross-site", topLevel: true }), "l=1; n=1; d=1");
  const post: CookieContext = { sameSite: "cross-site", topLevel: true, isSafeMethod: false };
  assertEquals(await header(post), "n=1");
  assertEquals(await jar.set("x=1; samesite=lax", URL_HERE, { sameSite: "cross-site" }), false);
});

Deno.test("CookieJar keeps partitioned cookies apart for each site", async () => {
  const jar = makeJar();
  const line = (value: number) => `id=${value}; secure; path=/; samesite=none; partitioned`;
  await jar.set(line(1), URL_HERE, { partitionKey: "https://a.org" });
  await jar.set(line(2), URL_HERE, { partitionKey: "https://b.org" });
  await jar.set(line(3), URL_HERE);
  await jar.set("id=4; path=/", URL_HERE);
  const header = (partitionKey: string) => jar.cookieHeader(URL_HERE, { partitionKey });
  assertEquals(await header("https://a.org"), "id=1; id=4");
  assertEquals(await header("https://b.org"), "id=2; id=4");
  assertEquals(await header("https://c.org"), "id=4");
  assertEquals(await jar.cookieHeader(URL_HERE), "id=3; id=4");
  assertEquals((await jar.cookies())[2]?.partitionKey, "https://example.com");
  assertEquals(await jar.set("id=5; partitioned", URL_HERE), false);
});

Deno.test("CookieJar lets no public suffix speak for those below it", async () => {
  const jar = makeJar();
  assertEquals(await jar.set("a=1; domain=com", URL_HERE), false);
  assertEquals(await jar.set("a=1; domain=.com", URL_HERE), false);
  assertEquals(await jar.set("a=1; domain=COM", URL_HERE), false);
  assertEquals(await jar.set("a=1; domain=com.", "https://www.example.com./"), false);
  assertEquals(await jar.set("a=1; domain=github.io", "https://me.github.io/"), false);
  assertEquals(await jar.set("a=1; domain=github.io", "https://github.io/"), true);
  assertEquals(await jar.cookieHeader("https://github.io/"), "a=1");
  assertEquals(await jar.cookieHeader("https://me.github.io/"), undefined);
});

Deno.test("CookieJar asks for suffixes only where a domain is named", async () => {
  const asked: string[] = [];
  const jar = makeJar({
    isPublicSuffix: (domain) => {
      asked.push(domain);
      return Promise.resolve(false);
    },
  });
  await jar.set("a=1", URL_HERE);
  await jar.set("a=1; domain=", URL_HERE);
  assertEquals(asked, []);
  await jar.set("a=1; domain=example.com", URL_HERE);
  assertEquals(asked, ["example.com"]);
});

Deno.test("CookieJar takes this machine for secure, unless told otherwise", async () => {
  for (const host of ["localhost", "a.localhost", "127.0.0.1:8080", "[::1]"]) {
    const url = `http://${host}/`;
    const jar = makeJar();
    assert(await jar.set("a=1; secure", url));
    assertEquals(await jar.cookieHeader(url), "a=1");
    assertEquals(await makeJar({ trustLoopback: false }).set("a=1; secure", url), false);
  }
});

Deno.test("CookieJar reads hosts as URLs do", async () => {
  const jar = makeJar();
  await jar.set("a=1", "https://B\xfccher.EXAMPLE/");
  assertEquals(await jar.cookieHeader("https://xn--bcher-kva.example:444/"), "a=1");
  await jar.set("b=1; domain=127.0.0.1", "https://0x7f.1/");
  assertEquals(await jar.cookieHeader("https://127.0.0.1/"), "b=1");
  assertEquals(await jar.cookieHeader("https://user:password@127.0.0.1/?#"), "b=1");
});

Deno.test("CookieJar has no cookies for what is not of the web", async () => {
  const jar = makeJar();
  for (const url of ["file:///etc/passwd", "data:,x", "ftp://example.com/", "about:blank"]) {
    assertEquals(await jar.set("a=1", url), false);
    assertEquals(await jar.cookieHeader(url), undefined);
  }
});

Deno.test("CookieJar rejects what is no URL, and no bytes", async () => {
  const jar = makeJar();
  await assertRejects(() => jar.set("a=1", "none"), TypeError);
  await assertRejects(() => jar.cookieHeader("none"), TypeError);
  await assertRejects(() => jar.cookies(""), TypeError);
  await assertRejects(() => jar.set("a=\u0100", URL_HERE), TypeError);
  assert(await jar.set("a=\xff", URL_HERE));
});

Deno.test("CookieJar.set() reads a URL at once, whatever becomes of it later", async () => {
  const jar = makeJar();
  const url = new URL(URL_HERE);
  const set = jar.set("a=1", url);
  url.hostname = "evil.example";
  await set;
  assertEquals(await jar.cookieHeader(URL_HERE), "a=1");
});

for (const max of [3, 4, 5]) {
  Deno.test(`CookieJar.set() with at most ${max} bytes of name and value`, async () => {
    assertEquals(await makeJar({ maxCookieBytes: max }).set("aa=bb", URL_HERE), max >= 4);
  });
}

Deno.test("CookieJar.delete() and clear() forget", async () => {
  const jar = makeJar();
  for (const line of ["a=1", "b=2", "c=3"]) await jar.set(line, URL_HERE);
  const [first] = await jar.cookies();
  assertEquals(await jar.delete(first!), true);
  assertEquals(await jar.delete(first!), false);
  assertEquals(await jar.cookieHeader(URL_HERE), "b=2; c=3");
  await jar.clear();
  assertEquals(await jar.cookies(), []);
});

Deno.test("CookieJar.cookies() leaves out what has ended, and counts as no use", async () => {
  const clock = new ManualClock();
  const jar = makeJar({ clock, maxCookiesPerDomain: 2 });
  await jar.set("a=1; max-age=1", URL_HERE);
  await jar.set("b=2", URL_HERE);
  assertEquals((await jar.cookies(URL_HERE)).length, 2);
  clock.advance(1_000);
  assertEquals((await jar.cookies()).map(({ name }) => name), ["b"]);
  assertEquals((await jar.cookies(URL_HERE)).map(({ name }) => name), ["b"]);
});

Deno.test("CookieJar.cookieHeader() saves from being dropped what it sends", async () => {
  const jar = makeJar({ maxCookieCount: 2 });
  await jar.set("a=1", "https://a.org/");
  await jar.set("b=1", "https://b.org/");
  await jar.cookieHeader("https://a.org/");
  await jar.set("c=1", "https://c.org/");
  assertEquals((await jar.cookies()).map(({ name }) => name), ["a", "c"]);
});

Deno.test("CookieJar goes from one file to another and back", async () => {
  const clock = new ManualClock({ wallStartMs: 1_700_000_000_000 });
  const jar = makeJar({ clock });
  await jar.set("a=1; max-age=60; secure; samesite=none; partitioned", URL_HERE);
  await jar.set("b=2; domain=example.com; httponly", URL_HERE);
  const text = await jar.toJson();
  const again = await CookieJar.fromJson(text, { clock });
  assertEquals(await again.cookies(), await jar.cookies());
  assertEquals(await again.toJson(), text);
  const kept = await CookieJar.fromJson(await jar.toJson({ includeSession: false }), { clock });
  assertEquals((await kept.cookies()).map(({ name }) => name), ["a"]);
  const netscape = await CookieJar.fromNetscape(await jar.toNetscape(), { clock });
  assertEquals((await netscape.cookies()).map(({ name }) => name), ["b"]);
  assertEquals(await netscape.cookieHeader(URL_HERE), "b=2");
});

Deno.test("CookieJar.fromJson() holds what it reads to bounds and to time", async () => {
  const clock = new ManualClock();
  const jar = makeJar({ clock });
  await jar.set("short=1; max-age=1", URL_HERE);
  await jar.set("long=1; max-age=999999999", URL_HERE);
  await jar.set(`large=${"x".repeat(100)}`, URL_HERE);
  const text = (await jar.toJson()).replace("34560000000", "1e300");
  clock.advance(1_000);
  const read = await CookieJar.fromJson(text, { clock, maxCookieBytes: 50 });
  assertEquals((await read.cookies()).map((it) => [it.name, it.expiresUnixMs]), [
    ["long", 34_560_001_000],
  ]);
  const store = new MemoryCookieStore();
  await CookieJar.fromJson(text, { clock, store });
  assertEquals(store.size, 2);
  const one = await CookieJar.fromJson(text, { clock, maxCookieCount: 1 });
  assertEquals((await one.cookies()).length, 1);
  await assertRejects(() => CookieJar.fromJson("{"), SyntaxError);
  await assertRejects(() => CookieJar.fromNetscape("x"), SyntaxError);
});

Deno.test("new CookieJar() refuses options that are none", () => {
  for (const value of [-1, 1.5, NaN]) {
    assertThrows(() => new CookieJar({ maxCookieCount: value }), RangeError);
    assertThrows(() => new CookieJar({ maxCookiesPerDomain: value }), RangeError);
    assertThrows(() => new CookieJar({ maxCookieBytes: value }), RangeError);
    assertThrows(() => new CookieJar({ maxPendingCount: value }), RangeError);
  }
  const store = new MemoryCookieStore();
  assertThrows(() => new CookieJar({ store, maxCookieCount: 1 }), TypeError);
  assertThrows(() => new CookieJar({ store, maxCookiesPerDomain: 1 }), TypeError);
});

Deno.test("CookieJar loses none of many cookies set at once in a slow store", async () => {
  const store = new SlowStore();
  const jar = makeJar({ store: slowly(store) });
  const names = Array.from({ length: 50 }, (_, index) => `c${index}`);
  const sets = Promise.all(names.map((name) => jar.set(`${name}=1`, URL_HERE)));
  const header = jar.cookieHeader(URL_HERE);
  assertEquals(await drain(store, sets), names.map(() => true));
  assertEquals(await drain(store, header), names.map((name) => `${name}=1`).join("; "));
});

Deno.test("CookieJar makes changes of one cookie in the order of the calls", async () => {
  const store = new SlowStore();
  const jar = makeJar({
    store: slowly(store),
    // The first takes longest: it must not come last.
    isPublicSuffix: (domain) => domain === "com" || Promise.resolve().then(() => false),
  });
  const changes = [
    jar.set("a=1; domain=example.com", URL_HERE),
    jar.set("b=2", URL_HERE),
    jar.set("b=; max-age=0", URL_HERE),
    jar.set("a=3; domain=example.com", URL_HERE),
    jar.set("b=4", URL_HERE),
  ];
  await drain(store, Promise.all(changes));
  assertEquals(await drain(store, jar.cookieHeader(URL_HERE)), "a=3; b=4");
});

Deno.test("CookieJar lets what is read at once not wait for one another", async () => {
  const store = new SlowStore();
  const jar = makeJar({ store: slowly(store) });
  await drain(store, jar.set("a=1", URL_HERE));
  const reads = [jar.cookies(URL_HERE), jar.cookies(URL_HERE), jar.cookies()];
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  assertEquals(store.waiting.length, 3);
  await drain(store, Promise.all(reads));
});

Deno.test("CookieJar refuses more changes than may wait, and goes on", async () => {
  const store = new SlowStore();
  const jar = makeJar({ store: slowly(store), maxPendingCount: 2 });
  const first = jar.set("a=1", URL_HERE);
  const second = jar.clear();
  const error = await assertRejects(() => jar.set("b=1", URL_HERE), LimitExceededError);
  assertEquals([error.limit, error.max], ["maxPendingCount", 2]);
  await assertRejects(() => jar.clear(), LimitExceededError);
  await drain(store, Promise.all([first, second]));
  assert(await drain(store, jar.set("c=1", URL_HERE)));
});

Deno.test("CookieJar hands on what the store throws, and goes on", async () => {
  const failure = new Error("down");
  const memory = new MemoryCookieStore();
  let isDown = true;
  const jar = makeJar({
    store: {
      get: (identity) => memory.get(identity),
      findByDomain: (domains) => {
        if (isDown) throw failure;
        return memory.findByDomain(domains);
      },
      findSecureByName: (name) => memory.findSecureByName(name),
      put: (cookie, nowUnixMs) => isDown ? Promise.reject(failure) : memory.put(cookie, nowUnixMs),
      delete: (identity) => memory.delete(identity),
      all: () => memory.all(),
      clear: () => memory.clear(),
    },
  });
  assertStrictEquals(await assertRejects(() => jar.set("a=1", URL_HERE)), failure);
  assertStrictEquals(await assertRejects(() => jar.cookieHeader(URL_HERE)), failure);
  isDown = false;
  assert(await jar.set("a=1", URL_HERE));
  assertEquals(await jar.cookieHeader(URL_HERE), "a=1");
});

Deno.test("CookieJar stops waiting when a signal says so", async () => {
  const store = new SlowStore();
  const jar = makeJar({ store: slowly(store) });
  const reason = new Error("enough");
  const aborted = AbortSignal.abort(reason);
  const calls = (signal: AbortSignal): (() => Promise<unknown>)[] => [
    () => jar.set("a=1", URL_HERE, { signal }),
    () => jar.cookieHeader(URL_HERE, { signal }),
    () => jar.cookies(URL_HERE, { signal }),
    () => jar.cookies(undefined, { signal }),
  ];
  for (const call of calls(aborted)) assertStrictEquals(await assertRejects(call), reason);
  assertEquals(store.waiting.length, 0);
  const controller = new AbortController();
  const failed = calls(controller.signal).map((call) => assertRejects(call));
  controller.abort(reason);
  for (const error of await Promise.all(failed)) assertStrictEquals(error, reason);
  // The change had begun, and is through before the next.
  assertEquals(await drain(store, jar.cookieHeader(URL_HERE)), "a=1");
});

Deno.test("CookieJar pollutes no prototype", async () => {
  const jar = makeJar();
  for (const name of ["__proto__", "constructor", "prototype"]) {
    await jar.set(`${name}=polluted; path=/${name}; domain=${name}`, `https://${name}/`);
    await jar.set(`polluted=1; path=/__proto__`, `https://${name}/__proto__/x`);
    assertEquals(await jar.cookieHeader(`https://${name}/__proto__/x`) !== undefined, true);
  }
  const again = await CookieJar.fromJson(await jar.toJson());
  assertEquals(await again.cookies(), await jar.cookies());
  assertEquals(({} as Record<string, unknown>)["polluted"], undefined);
  assertEquals(Object.keys(Object.prototype), []);
});

Deno.test("CookieJar takes time linear in the number of cookies and their length", async () => {
  const jar = makeJar({ maxCookieCount: 0, maxCookiesPerDomain: 0, maxCookieBytes: 0 });
  for (let index = 0; index < 100_000; index++) {
    await jar.set(`c${index}=1`, index % 2 === 0 ? URL_HERE : `https://h${index}.example/`);
  }
  assertEquals((await jar.cookies()).length, 100_000);
  assertEquals((await jar.cookieHeader(URL_HERE))?.split("; ").length, 50_000);
  for (const piece of ["a", "=", ";", " ", '"', "; path=/", "; expires=1 jan 2099 1:2:3"]) {
    await jar.set(`x=1;${piece.repeat(200_000)}`, URL_HERE);
    await jar.set(`${piece.repeat(200_000)}`, URL_HERE);
  }
  const text = await jar.toJson();
  const options = { maxCookieCount: 0, maxCookiesPerDomain: 0, maxCookieBytes: 0 };
  assertEquals((await (await CookieJar.fromJson(text, options)).toJson()).length, text.length);
});
