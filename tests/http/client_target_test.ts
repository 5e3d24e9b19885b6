import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { TargetTable } from "../../http/client_target.ts";

Deno.test("TargetTable.resolve() takes a URL apart", () => {
  const table = new TargetTable({}, [["x-a", "1"]]);
  const { href, path, userinfo, target, url } = table.resolve("HTTP://u:p@A.example:80/b?c#d");
  assertEquals([href, path, userinfo], ["http://a.example/b?c", "/b?c", "u:p"]);
  assertEquals([target.key, [...target.plainHeaders]], [
    "http://a.example",
    [["host", "a.example"], ["x-a", "1"]],
  ]);
  assertEquals([url.username, url.password], ["", ""]);
  assertEquals(table.resolve("https://[::1]:8443").target.plainHeaders.get("host"), "[::1]:8443");
});

Deno.test("TargetTable.resolve() gives one target for all URLs of an origin", () => {
  const table = new TargetTable({ baseUrl: "http://a.example/b/" }, []);
  const { target } = table.resolve("http://a.example:80/");
  assertStrictEquals(table.resolve("c").target, target);
  assertEquals(table.resolve("c").path, "/b/c");
  assertStrictEquals(table.resolve("c"), table.resolve("c"));
  assertEquals(table.resolve("//b.example").target === target, false);
  assertEquals(table.resolve("https://a.example/").target === target, false);
  const given = new URL("http://a.example/d");
  assertEquals(table.resolve(given).url === given, false);
});

Deno.test("TargetTable.route() keeps apart what must not share a connection", () => {
  const table = new TargetTable({}, []);
  const tls = {};
  const keys = [
    {},
    { tls },
    { tls: {} },
    { path: "/run/a" },
    { proxy: "http://me:secret@p.example" },
    { proxy: "http://p.example" },
    { proxy: { all: "http://p.example" } },
    { tls, path: "/run/a" },
  ].map((options) => table.route("http://a.example/", options).target.key);
  assertEquals(new Set(keys).size, keys.length);
  assertEquals(keys.filter((key) => key.includes("secret")), []);
  assertEquals(table.route("http://a.example/", { tls }).target.key, keys[1]);
});

Deno.test("TargetTable remembers no more than a bounded number of URLs", () => {
  const table = new TargetTable({}, []);
  const first = table.resolve("http://a.example/");
  for (let index = 0; index < 5_000; index++) table.resolve(`http://a.example/${index}`);
  assertEquals(table.resolve("http://a.example/") === first, false);
  assertEquals(table.resolve("http://a.example/"), first);
});

Deno.test("TargetTable refuses what is no URL of HTTP", () => {
  const table = new TargetTable({}, []);
  for (const url of ["nowhere", "ftp://a.example/", "ws://a.example/", "http://"]) {
    assertThrows(() => table.resolve(url), TypeError);
  }
});
