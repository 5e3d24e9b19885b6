import { assertEquals } from "@std/assert";
import { hashOf, LiteralTable } from "../../http/route_literal_table.ts";

Deno.test("LiteralTable.find() finds ranges of text", () => {
  const table = new LiteralTable<number>();
  assertEquals(table.find(hashOf("a"), "a", 0, 1), undefined);
  table.set("users", 1);
  table.set("", 2);
  assertEquals(table.find(hashOf("users"), "/users/7", 1, 6), 1);
  assertEquals(table.find(0, "//", 1, 1), 2);
  assertEquals(table.find(hashOf("user"), "/users/7", 1, 5), undefined);
});

Deno.test("LiteralTable.find() tells labels of one hash apart", () => {
  // 31 * 65 + 97 and 31 * 66 + 66.
  assertEquals(hashOf("Aa"), hashOf("BB"));
  const table = new LiteralTable<string>();
  table.set("Aa", "first");
  assertEquals(table.get("BB"), undefined);
  table.set("BB", "second");
  assertEquals([table.get("Aa"), table.get("BB")], ["first", "second"]);
  assertEquals(table.get("AaAa"), undefined);
});

Deno.test("LiteralTable keeps what it has while it grows", () => {
  const table = new LiteralTable<number>();
  for (let index = 0; index < 1_000; index++) table.set(`label${index}`, index);
  for (let index = 0; index < 1_000; index++) assertEquals(table.get(`label${index}`), index);
  assertEquals(table.get("label1000"), undefined);
});

Deno.test("LiteralTable.find() tells labels of one hash and different lengths apart", () => {
  assertEquals(hashOf("\0a"), hashOf("a"));
  const table = new LiteralTable<string>();
  table.set("a", "short");
  assertEquals(table.get("\0a"), undefined);
  table.set("\0a", "long");
  assertEquals([table.get("a"), table.get("\0a")], ["short", "long"]);
});
