import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { ServerCertificates } from "../../tls/server_certificates.ts";
import { client, issue, server } from "../_support/tls_pki.ts";

const other = await issue(["other.test"]);
const wild = await issue(["*.example.com"]);

Deno.test("ServerCertificates.select() takes the very name, then a wildcard, then the default", async () => {
  const certificates = new ServerCertificates({
    default: server,
    names: { "Other.test": other, "*.example.com": wild, "a.example.com": server },
  });
  for (
    const [name, own] of [
      ["other.test", other],
      ["a.example.com", server],
      ["b.example.com", wild],
      ["a.b.example.com", server],
      ["example.com", server],
      ["nothing.test", server],
      ["*.example.com", wild],
      ["localhost", server],
      [undefined, server],
    ] as const
  ) assertStrictEquals(await certificates.select(name), own);
});

Deno.test("ServerCertificates.select() refuses names without a default", async () => {
  const certificates = new ServerCertificates({ names: { "other.test": other } });
  assertEquals(await certificates.select("nothing.test"), undefined);
  assertEquals(await certificates.select(undefined), undefined);
});

Deno.test("ServerCertificates.select() keeps what find has found, and no failure", async () => {
  const asked: string[] = [];
  const answers: (typeof other)[] = [];
  const certificates = new ServerCertificates({
    default: server,
    maxCachedCount: 2,
    find: (name) => {
      asked.push(name);
      if (name === "bad.test") return Promise.reject(new Error("no"));
      return answers[0];
    },
  });
  assertStrictEquals(await certificates.select("a.test"), server);
  answers.push(other);
  assertStrictEquals(await certificates.select("a.test"), other);
  assertStrictEquals(await certificates.select("a.test"), other);
  assertEquals(asked, ["a.test", "a.test"]);
  for (let i = 0; i < 2; i++) {
    await assertRejects(async () => await certificates.select("bad.test"), Error, "no");
  }
  assertEquals(asked.length, 4);
  // The one asked for the longest ago gives way.
  await certificates.select("b.test");
  await certificates.select("a.test");
  await certificates.select("c.test");
  asked.length = 0;
  await certificates.select("a.test");
  assertEquals(asked, []);
  await certificates.select("b.test");
  assertEquals(asked, ["b.test"]);
  certificates.forget();
  await certificates.select("a.test");
  assertEquals(asked, ["b.test", "a.test"]);
  // What is no name is not searched for.
  assertStrictEquals(await certificates.select("a b"), server);
  assertEquals(asked.length, 2);
});

Deno.test("ServerCertificates.select() searches once for all who ask, and for so many names", async () => {
  const found = Promise.withResolvers<typeof other>();
  let count = 0;
  const certificates = new ServerCertificates({
    maxFindCount: 1,
    find: () => {
      count++;
      return found.promise;
    },
  });
  const both = [certificates.select("a.test"), certificates.select("a.test")];
  await assertRejects(async () => await certificates.select("b.test"), RangeError);
  found.resolve(other);
  assertEquals(await Promise.all(both), [other, other]);
  assertEquals(count, 1);
});

Deno.test("ServerCertificates.select() refuses a certificate of find that is not good", async () => {
  const certificates = new ServerCertificates({
    find: () => ({ cert: server.cert, key: other.key }),
  });
  await assertRejects(async () => await certificates.select("a.test"), RangeError);
});

Deno.test("ServerCertificates.replace() is for those who come, and does all or nothing", async () => {
  const found = Promise.withResolvers<typeof other>();
  const certificates = new ServerCertificates({ find: () => found.promise });
  const early = certificates.select("a.test");
  assertThrows(() => certificates.replace({ default: other, names: { "a b": other } }), TypeError);
  certificates.replace({ default: server });
  found.resolve(other);
  assertStrictEquals(await early, other);
  assertStrictEquals(await certificates.select("a.test"), server);
});

Deno.test("ServerCertificates throws on what is not good", () => {
  const cut = { cert: server.cert, key: other.key };
  for (
    const options of [
      {},
      { default: cut },
      { names: { "a.test": cut } },
      { default: server, maxCachedCount: 0 },
      { default: server, maxFindCount: 1.5 },
    ]
  ) assertThrows(() => new ServerCertificates(options), RangeError);
  for (const name of ["", "a..b", "*.com.", "a.*.test", "127.0.0.1"]) {
    assertThrows(() => new ServerCertificates({ names: { [name]: client } }), TypeError);
  }
});
