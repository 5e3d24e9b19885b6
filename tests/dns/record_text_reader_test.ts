import { assertEquals, assertThrows } from "@std/assert";
import { DnsTextError } from "../../dns/errors.ts";
import { type RecordDefaults, RecordTextReader } from "../../dns/record_text_reader.ts";
import { tokenizeEntry } from "../../dns/zone_tokenizer.ts";

function createReader(defaults: Partial<RecordDefaults> = {}): RecordTextReader {
  const none = { owner: undefined, ttl: undefined, lastTtl: undefined };
  return new RecordTextReader({ origin: "o.", recordClass: "IN", ...none, ...defaults });
}

Deno.test("RecordTextReader.read() keeps owner, TTL and class for the next record", () => {
  const reader = createReader();
  reader.read(tokenizeEntry("a 5 CH NS ."), false);
  const { name, ttl, class: recordClass } = reader.read(tokenizeEntry("NS ."), true);
  assertEquals([name, ttl, recordClass], ["a.o.", 5, "CH"]);
});

Deno.test("RecordTextReader.read() keeps nothing of a record it refuses", () => {
  const reader = createReader({ lastTtl: 1 });
  assertThrows(() => reader.read(tokenizeEntry("b 9 CH A x"), false), DnsTextError);
  const { name, ttl, class: recordClass } = reader.read(tokenizeEntry("a NS ."), false);
  assertEquals([name, ttl, recordClass], ["a.o.", 1, "IN"]);
});

Deno.test("RecordTextReader.readTail() reads from any token on", () => {
  const record = createReader({ ttl: 3 }).readTail(tokenizeEntry("x y NS b"), 2, "a.");
  assertEquals(record, { name: "a.", type: "NS", class: "IN", ttl: 3, data: { target: "b.o." } });
});

Deno.test("RecordTextReader.read() takes the owner from its token when the origin changes", () => {
  const reader = createReader({ ttl: 1 });
  const read = (): string => reader.read(tokenizeEntry("a NS ."), false).name;
  assertEquals([read(), read()], ["a.o.", "a.o."]);
  reader.defaults.origin = "p.";
  assertEquals(read(), "a.p.");
});
