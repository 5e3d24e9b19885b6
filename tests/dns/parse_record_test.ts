import { assertEquals, assertThrows } from "@std/assert";
import { DnsTextError } from "../../dns/errors.ts";
import { parseRecord } from "../../dns/parse_record.ts";

Deno.test("parseRecord() reads one record, over lines and with a comment", () => {
  assertEquals(parseRecord("a. 5 CH ( MX\n 10 mx. ) ; x\n"), {
    name: "a.",
    type: "MX",
    class: "CH",
    ttl: 5,
    data: { preference: 10, exchange: "mx." },
  });
});

Deno.test("parseRecord() takes origin, TTL and class from the options", () => {
  assertEquals(parseRecord("@ NS ns", { origin: "example", ttl: 7, class: "HS" }), {
    name: "example.",
    type: "NS",
    class: "HS",
    ttl: 7,
    data: { target: "ns.example." },
  });
});

const INVALID: readonly { name: string; text: string; code: string }[] = [
  { name: "nothing", text: "", code: "ERR_DNS_BAD_TEXT" },
  { name: "two records", text: "a. 1 NS .\nb. 1 NS .", code: "ERR_DNS_BAD_TEXT" },
  { name: "a relative owner", text: "a 1 NS .", code: "ERR_DNS_BAD_NAME" },
  { name: "no TTL", text: "a. NS .", code: "ERR_DNS_BAD_TTL" },
  { name: "a directive", text: "$TTL 5", code: "ERR_DNS_BAD_NAME" },
  { name: "an unknown type", text: "a. 1 X .", code: "ERR_DNS_BAD_TYPE" },
];

for (const { name, text, code } of INVALID) {
  Deno.test(`parseRecord() throws on ${name}`, () => {
    assertEquals(assertThrows(() => parseRecord(text), DnsTextError).code, code);
  });
}

Deno.test("parseRecord() throws on options out of range", () => {
  assertThrows(() => parseRecord("a. NS .", { ttl: 0.5 }), RangeError);
  assertThrows(() => parseRecord("a. NS .", { class: "x" }), RangeError);
});
