import { assertEquals, assertThrows } from "@std/assert";
import { DnsTextError } from "../../dns/errors.ts";
import type { ResourceRecord } from "../../dns/message.ts";
import { printRecord } from "../../dns/print_record.ts";
import { RecordTextReader } from "../../dns/record_text_reader.ts";
import { ZoneGenerator } from "../../dns/zone_generate.ts";
import { tokenizeEntry } from "../../dns/zone_tokenizer.ts";
import { LimitExceededError } from "../../nbio/errors.ts";

function generate(text: string, maxCount = 100): string[] {
  const generator = new ZoneGenerator(tokenizeEntry(text, { file: "f", line: 3 }), maxCount);
  const reader = new RecordTextReader({
    origin: "example.",
    owner: undefined,
    ttl: 1,
    lastTtl: undefined,
    recordClass: "IN",
  });
  const lines: string[] = [];
  let record: ResourceRecord | undefined;
  while ((record = generator.next(reader)) !== undefined) {
    lines.push(printRecord(record).replaceAll("\t", " "));
  }
  return lines;
}

/** The first line of what is made; what `named-compilezone` makes of it is the same. */
const VALID: readonly { text: string; lines: readonly string[] }[] = [
  {
    text: "$GENERATE 1-2 $ PTR host-$.example.org.",
    lines: ["1.example. 1 IN PTR host-1.example.org.", "2.example. 1 IN PTR host-2.example.org."],
  },
  {
    text: "$GENERATE 0-9/4 a$ 5 CH NS b.$",
    lines: [0, 4, 8].map((number) => `a${number}.example. 5 CH NS b.${number}.example.`),
  },
  { text: "$GENERATE 7-7 a IN 9 A 192.0.2.$", lines: ["a.example. 9 IN A 192.0.2.7"] },
  { text: "$GENERATE 7-7 a${3} A 192.0.2.${-7}", lines: ["a10.example. 1 IN A 192.0.2.0"] },
  { text: "$GENERATE 10-10 a${0,4,d} NS ${0,3,x}.", lines: ["a0010.example. 1 IN NS 00a."] },
  { text: "$GENERATE 200-200 a${0,0,X} NS ${0,5,o}.", lines: ["aC8.example. 1 IN NS 00310."] },
  { text: "$GENERATE 500-500 ${0,8,n} NS ${0,3,N}.", lines: ["4.f.1.0.example. 1 IN NS 4.F.1."] },
  { text: "$GENERATE 1-1 a NS ${-5,4}.", lines: ["a.example. 1 IN NS -004."] },
  { text: "$GENERATE 1-1 a\\$$ TXT $$$x \\\\$", lines: ['a\\$1.example. 1 IN TXT "$1x" "\\\\1"'] },
  { text: '$GENERATE 1-1 a MX "$ mx"', lines: ["a.example. 1 IN MX 1 mx.example."] },
  { text: '$GENERATE 1-1 a TXT "a $" "b $"', lines: ['a.example. 1 IN TXT "a 1" "b 1"'] },
  { text: '$GENERATE 1-1 a TXT "\\"a $\\" b"', lines: ['a.example. 1 IN TXT "a 1" "b"'] },
  { text: "$GENERATE 1-1 @ A 192.0.2.1", lines: ["example. 1 IN A 192.0.2.1"] },
  {
    text: "$GENERATE 2147483647-2147483647/2147483647 a$ NS .",
    lines: ["a2147483647.example. 1 IN NS ."],
  },
];

for (const { text, lines } of VALID) {
  Deno.test(`ZoneGenerator.next() makes records of ${text}`, () => {
    assertEquals(generate(text), lines);
  });
}

const INVALID: readonly { name: string; text: string; code: string }[] = [
  { name: "no range", text: "$GENERATE x a NS .", code: "ERR_DNS_BAD_DIRECTIVE" },
  { name: "a range that goes down", text: "$GENERATE 2-1 a NS .", code: "ERR_DNS_BAD_DIRECTIVE" },
  { name: "a step of 0", text: "$GENERATE 1-2/0 a NS .", code: "ERR_DNS_BAD_DIRECTIVE" },
  {
    name: "a number too large",
    text: "$GENERATE 1-2147483648 a NS .",
    code: "ERR_DNS_BAD_DIRECTIVE",
  },
  { name: "no owner", text: "$GENERATE 1-2", code: "ERR_DNS_BAD_TEXT" },
  { name: "no type", text: "$GENERATE 1-2 a", code: "ERR_DNS_BAD_TEXT" },
  { name: "no data", text: "$GENERATE 1-2 a NS", code: "ERR_DNS_BAD_TEXT" },
  {
    name: "a base it does not know",
    text: "$GENERATE 1-2 ${0,1,b} NS .",
    code: "ERR_DNS_BAD_DIRECTIVE",
  },
  { name: "a brace that is open", text: "$GENERATE 1-2 ${0 NS .", code: "ERR_DNS_BAD_DIRECTIVE" },
  {
    name: "a brace open behind a number",
    text: "$GENERATE 1-2 ${12 NS .",
    code: "ERR_DNS_BAD_DIRECTIVE",
  },
  { name: "a width too large", text: "$GENERATE 1-2 ${0,256} NS .", code: "ERR_DNS_BAD_DIRECTIVE" },
  { name: "an unknown type", text: "$GENERATE 1-2 a FOO .", code: "ERR_DNS_BAD_TYPE" },
  { name: "data that are none", text: "$GENERATE 1-2 a A 192.0.2.300", code: "ERR_DNS_BAD_RDATA" },
  {
    name: "a quote in what is made",
    text: '$GENERATE 1-1 a TXT "a\\"$"',
    code: "ERR_DNS_UNBALANCED",
  },
];

for (const { name, text, code } of INVALID) {
  Deno.test(`ZoneGenerator throws on ${name}`, () => {
    const error = assertThrows(() => generate(text), DnsTextError);
    assertEquals([error.code, error.file, error.line], [code, "f", 3]);
  });
}

Deno.test("ZoneGenerator bounds how many records there are", () => {
  assertEquals(generate("$GENERATE 1-10/3 a$ NS .", 4).length, 4);
  const error = assertThrows(() => generate("$GENERATE 1-10/3 a$ NS .", 3), LimitExceededError);
  assertEquals([error.limit, error.max], ["maxGenerateCount", 3]);
});
