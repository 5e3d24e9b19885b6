import { assertEquals, assertThrows } from "@std/assert";
import { DnsMessageError } from "../../dns/errors.ts";
import type { ResourceRecord } from "../../dns/message.ts";
import { parseRecord } from "../../dns/parse_record.ts";
import {
  alignQuestion,
  alignRecord,
  printRecord,
  printRecordData,
} from "../../dns/print_record.ts";

const LINES: readonly string[] = [
  "example.\t60\tIN\tA\t192.0.2.1",
  'a\\.b\\032.example.\t0\tCH\tTXT\t"a\\"b" "\\007"',
  "example.\t4294967295\tCLASS32\tTYPE65280\t\\# 2 0A0B",
  "example.\t0\tIN\tTYPE65280\t\\# 0",
  "example.\t0\tANY\tA",
  "example.\t0\tNONE\tANY",
];

for (const line of LINES) {
  Deno.test(`printRecord() writes what parseRecord() reads: ${line}`, () => {
    const record = parseRecord(line);
    assertEquals(printRecord(record), line);
    assertEquals(printRecordData(record), line.split("\t")[4] ?? "");
    assertEquals(parseRecord(printRecord(record, { aligned: true })), record);
  });
}

Deno.test("printRecord() gives every field its one form", () => {
  const record = parseRecord("a.example. 1 IN A 192.0.2.1");
  assertEquals(
    printRecord({ ...record, name: "a b", class: "class1" }),
    "a\\032b.\t1\tIN\tA\t192.0.2.1",
  );
  const bytes = { ...record, type: "type1", data: { bytes: new Uint8Array(2) } } as const;
  assertEquals(
    printRecord(bytes as unknown as ResourceRecord),
    "a.example.\t1\tIN\tTYPE1\t\\# 2 0000",
  );
});

const ADDRESS = { name: "a.", type: "A", class: "IN", ttl: 1, data: { address: "::" } } as const;

/** Text of strangers that would make lines of its own. */
const UNPRINTABLE: Readonly<Record<string, ResourceRecord>> = {
  "a name": { ...ADDRESS, name: "a..b", data: { address: "192.0.2.1" } },
  "a class": { ...ADDRESS, class: "IN\n", data: { address: "192.0.2.1" } },
  "a TTL": { ...ADDRESS, ttl: 1.5, data: { address: "192.0.2.1" } },
  "an IPv4 address": { ...ADDRESS, data: { address: "192.0.2.1\n. NS ." } },
  "an IPv6 address": { ...ADDRESS, type: "AAAA", data: { address: "::1\n" } },
  "a number": { ...ADDRESS, type: "MX", data: { preference: NaN, exchange: "a." } },
  "a number of a field": {
    ...ADDRESS,
    type: "SRV",
    data: { priority: 65_536, weight: 0, port: 0, target: "." },
  },
};

for (const [what, record] of Object.entries(UNPRINTABLE)) {
  Deno.test(`printRecord() refuses ${what} that is none`, () => {
    assertThrows(() => printRecord(record), DnsMessageError);
  });
}

/** As `dig` 9.18 prints them. */
const ALIGNED: readonly (readonly [fields: [string, string, string, string, string], string])[] = [
  [["rr.example.", "300", "IN", "A", "192.0.2.1"], "rr.example.\t\t300\tIN\tA\t192.0.2.1"],
  [[".", "0", "ANY", "TSIG", "x"], ".\t\t\t0\tANY\tTSIG\tx"],
  [
    [`${"b".repeat(13)}.rr.example.`, "1234567890", "IN", "A", "::"],
    `${"b".repeat(13)}.rr.example. 1234567890 IN\tA\t::`,
  ],
  [
    [`${"a".repeat(31)}.rr.example.`, "3600", "IN", "A", "1.2.3.4"],
    `${"a".repeat(31)}.rr.example. 3600 IN A 1.2.3.4`,
  ],
  [
    [`${"n".repeat(32)}.rr.example.`, "60", "IN", "NSEC3", "1"],
    `${"n".repeat(32)}.rr.example. 60\tIN NSEC3 1`,
  ],
  [["rr.example.", "60", "IN", "TYPE65280", "\\# 0"], "rr.example.\t\t60\tIN\tTYPE65280 \\# 0"],
  [["rr.example.", "60", "IN", "OPENPGPKEY", "x"], "rr.example.\t\t60\tIN\tOPENPGPKEY x"],
  [["rr.example.", "60", "ANY", "A", ""], "rr.example.\t\t60\tANY\tA"],
];

for (const [[name, ttl, recordClass, type, rdata], line] of ALIGNED) {
  Deno.test(`alignRecord() puts ${name} ${type} into columns`, () => {
    assertEquals(alignRecord({ name, ttl, class: recordClass, type }, rdata), line);
  });
}

Deno.test("alignQuestion() puts questions into columns", () => {
  assertEquals(alignQuestion("edns.example.", "IN", "A"), "edns.example.\t\t\tIN\tA");
  assertEquals(alignQuestion(`${"a".repeat(40)}.`, "IN", "A"), `${"a".repeat(40)}. IN A`);
});
