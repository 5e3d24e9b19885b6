import { assertEquals, assertThrows } from "@std/assert";
import { MemoryCookieStore, type MemoryCookieStoreOptions } from "../../http/cookie_store.ts";
import type { StoredCookie } from "../../http/stored_cookie.ts";
import { storedCookie } from "../_support/stored_cookie.ts";

const cookie = (name: string, changes: Partial<StoredCookie> = {}) =>
  storedCookie({ name, domain: "a.example", ...changes });

function storeOf(
  options: MemoryCookieStoreOptions,
  cookies: readonly StoredCookie[],
): MemoryCookieStore {
  const store = new MemoryCookieStore(options);
  for (const it of cookies) store.put(it, 0);
  return store;
}

const namesOf = (cookies: Iterable<StoredCookie>) => Array.from(cookies, ({ name }) => name);

Deno.test("MemoryCookieStore finds what it was given", () => {
  const secure = cookie("s", { isSecure: true, domain: "b.example" });
  const store = storeOf({}, [cookie("x"), cookie("y"), secure]);
  assertEquals(store.get(cookie("x")), cookie("x"));
  assertEquals(store.get(cookie("x", { path: "/x" })), undefined);
  assertEquals(namesOf(store.findByDomain(["a.example", "none"])), ["x", "y"]);
  assertEquals(namesOf(store.findByDomain(["b.example", "a.example"])), ["s", "x", "y"]);
  assertEquals(namesOf(store.findSecureByName("s")), ["s"]);
  assertEquals(namesOf(store.findSecureByName("x")), []);
  assertEquals([namesOf(store.all()), store.size], [["x", "y", "s"], 3]);
});

Deno.test("MemoryCookieStore.put() replaces, whatever else has changed", () => {
  const store = storeOf({}, [cookie("x", { isSecure: true })]);
  store.put(cookie("x", { value: "new" }), 0);
  assertEquals(store.findByDomain(["a.example"]), [cookie("x", { value: "new" })]);
  assertEquals([namesOf(store.findSecureByName("x")), store.size], [[], 1]);
});

Deno.test("MemoryCookieStore.delete() and clear() forget", () => {
  const store = storeOf({}, [cookie("x", { isSecure: true }), cookie("y")]);
  assertEquals(store.delete(cookie("x")), true);
  assertEquals(store.delete(cookie("x")), false);
  assertEquals(namesOf(store.findSecureByName("x")), []);
  store.clear();
  assertEquals([store.size, store.findByDomain(["a.example"]), [...store.all()]], [0, [], []]);
});

for (const max of [1, 2, 3]) {
  Deno.test(`MemoryCookieStore keeps ${max} of 3 cookies of a domain, those used last`, () => {
    const store = storeOf({ maxCookiesPerDomain: max }, [cookie("x"), cookie("y"), cookie("z")]);
    assertEquals(namesOf(store.all()), ["x", "y", "z"].slice(3 - max));
  });
}

Deno.test("MemoryCookieStore.touch() saves a cookie from being dropped", () => {
  const store = storeOf({ maxCookiesPerDomain: 2, maxCookieCount: 3 }, [cookie("x"), cookie("y")]);
  store.touch([cookie("x"), cookie("unknown")]);
  store.put(cookie("z"), 0);
  assertEquals(namesOf(store.all()), ["x", "z"]);
  store.touch([cookie("x")]);
  for (const domain of ["b.example", "c.example"]) store.put(cookie("w", { domain }), 0);
  assertEquals(namesOf(store.all()), ["x", "w", "w"]);
});

Deno.test("MemoryCookieStore drops of a domain what has ended, then what is not secure", () => {
  const all = [
    cookie("secure1", { isSecure: true }),
    cookie("plain"),
    cookie("ended", { isSecure: true, expiresUnixMs: 10 }),
    cookie("secure2", { isSecure: true }),
  ];
  const store = storeOf({ maxCookiesPerDomain: 4 }, all);
  const left = (name: string, changes: Partial<StoredCookie> = {}): string[] => {
    store.put(cookie(name, changes), 10);
    return namesOf(store.all());
  };
  assertEquals(left("3", { isSecure: true }), ["secure1", "plain", "secure2", "3"]);
  assertEquals(left("4", { isSecure: true }), ["secure1", "secure2", "3", "4"]);
  assertEquals(left("5", { isSecure: true }), ["secure2", "3", "4", "5"]);
  // A flood from an insecure origin pushes no secure cookie out.
  assertEquals(left("6"), ["secure2", "3", "4", "5"]);
});

Deno.test("MemoryCookieStore drops of all what has ended, then what was used longest ago", () => {
  const all = ["a", "b", "c"].map((domain) =>
    cookie(domain, { domain, ...domain === "c" && { expiresUnixMs: 10 } })
  );
  const store = storeOf({ maxCookieCount: 3 }, all);
  store.put(cookie("d", { domain: "d" }), 9);
  assertEquals(namesOf(store.all()), ["b", "c", "d"]);
  store.put(cookie("e", { domain: "e" }), 10);
  assertEquals(namesOf(store.all()), ["b", "d", "e"]);
});

Deno.test("MemoryCookieStore leaves other domains alone where one has too many", () => {
  const store = storeOf({ maxCookiesPerDomain: 1 }, [cookie("x", { domain: "b.example" })]);
  for (let index = 0; index < 10; index++) store.put(cookie(`${index}`), 0);
  assertEquals(namesOf(store.all()), ["x", "9"]);
});

Deno.test("MemoryCookieStore keeps 180 cookies of a domain and 3,000 of all by default", () => {
  const store = new MemoryCookieStore();
  for (let index = 0; index < 400; index++) store.put(cookie(`${index}`), 0);
  assertEquals(store.size, 180);
  for (let index = 0; index < 4_000; index++) {
    store.put(cookie("x", { domain: `${index}.example` }), 0);
  }
  assertEquals(store.size, 3_000);
});

Deno.test("MemoryCookieStore takes names of objects' properties for names", () => {
  const names = ["__proto__", "constructor", "hasOwnProperty", "toString"];
  const all = names.map((name) => cookie(name, { domain: name, isSecure: true }));
  const store = storeOf({}, all);
  assertEquals(namesOf(store.findByDomain(names)), names);
  assertEquals(names.flatMap((name) => namesOf(store.findSecureByName(name))), names);
  assertEquals(namesOf(store.findSecureByName("valueOf")), []);
  assertEquals(({} as Record<string, unknown>)["x"], undefined);
});

Deno.test("new MemoryCookieStore() refuses bounds that are none", () => {
  for (const max of [-1, 1.5, NaN]) {
    assertThrows(() => new MemoryCookieStore({ maxCookieCount: max }), RangeError);
    assertThrows(() => new MemoryCookieStore({ maxCookiesPerDomain: max }), RangeError);
  }
});

Deno.test("MemoryCookieStore takes time linear in the number of cookies", () => {
  // Quadratic, each of these would take minutes.
  const COUNT = 100_000;
  const unbounded = { maxCookieCount: 0, maxCookiesPerDomain: 0 };
  const rows: [MemoryCookieStoreOptions, (index: number) => StoredCookie][] = [
    [unbounded, (index) => cookie(`${index}`)],
    [unbounded, (index) => cookie("x", { domain: `${index}.example` })],
    [unbounded, (index) => cookie("x", { path: `/${index}`, isSecure: true })],
    [{}, (index) => cookie(`${index}`, { domain: `${index % 50}`, expiresUnixMs: index })],
  ];
  for (const [options, makeOne] of rows) {
    const store = new MemoryCookieStore(options);
    for (let index = 0; index < COUNT; index++) store.put(makeOne(index), -1);
    store.touch([...store.all()]);
    store.clear();
    assertEquals(store.size, 0);
  }
});
