import { assertEquals } from "@std/assert";
import { parseRecord } from "../../dns/parse_record.ts";
import type { EdnsOption } from "../../dns/edns_option.ts";
import type { Message } from "../../dns/message.ts";
import { printMessage } from "../../dns/print_message.ts";
import { printRecordData } from "../../dns/print_record.ts";
import { bytesOf } from "../_support/raw_bytes.ts";

const EMPTY: Message = {
  id: 7,
  response: false,
  opcode: "QUERY",
  authoritative: false,
  truncated: false,
  recursionDesired: false,
  recursionAvailable: false,
  zero: false,
  authenticData: false,
  checkingDisabled: false,
  rcode: "NOERROR",
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
};

function linesOf(message: Partial<Message>): string[] {
  const text = printMessage({ ...EMPTY, ...message });
  assertEquals(text.at(-1), "\n");
  return text.slice(0, -1).split("\n");
}

Deno.test("printMessage() writes every flag and the counts", () => {
  const lines = linesOf({
    response: true,
    authoritative: true,
    truncated: true,
    recursionDesired: true,
    recursionAvailable: true,
    zero: true,
    authenticData: true,
    checkingDisabled: true,
    opcode: "NOTIFY",
    rcode: "NXDOMAIN",
  });
  assertEquals(lines, [
    ";; ->>HEADER<<- opcode: NOTIFY, status: NXDOMAIN, id: 7",
    ";; flags: qr aa tc rd ra ad cd; MBZ: 0x4; QUERY: 0, ANSWER: 0, AUTHORITY: 0, ADDITIONAL: 0",
    "",
  ]);
});

Deno.test("printMessage() warns where recursion was asked for in vain", () => {
  const warning = ";; WARNING: recursion requested but not available";
  assertEquals(linesOf({ response: true, recursionDesired: true })[2], warning);
  assertEquals(linesOf({ recursionDesired: true })[2], "");
});

Deno.test("printMessage() writes sections with the signature of the message last", () => {
  const tsig = parseRecord(". 0 ANY TSIG hmac-sha1. 1700000000 300 4 YWJjZA== 5 NOERROR 0");
  const lines = linesOf({
    questions: [{ name: "rr.example.", type: "A", class: "IN" }],
    answers: [parseRecord("rr.example. 300 A 192.0.2.1"), parseRecord("rr.example. 1 NS .")],
    authorities: [parseRecord("example. 60 NS ns.example.")],
    additionals: [tsig, parseRecord("ns.example. 60 A 192.0.2.2")],
    edns: { udpPayloadSize: 512, version: 1, dnssecOk: true, flags: 0x4001, options: [] },
  });
  assertEquals(lines.slice(1, 21), [
    ";; flags:; QUERY: 1, ANSWER: 2, AUTHORITY: 1, ADDITIONAL: 3",
    "",
    ";; OPT PSEUDOSECTION:",
    "; EDNS: version: 1, flags: do co; MBZ: 0x0001, udp: 512",
    ";; QUESTION SECTION:",
    ";rr.example.\t\t\tIN\tA",
    "",
    ";; ANSWER SECTION:",
    "rr.example.\t\t300\tIN\tA\t192.0.2.1",
    "rr.example.\t\t1\tIN\tNS\t.",
    "",
    ";; AUTHORITY SECTION:",
    "example.\t\t60\tIN\tNS\tns.example.",
    "",
    ";; ADDITIONAL SECTION:",
    "ns.example.\t\t60\tIN\tA\t192.0.2.2",
    "",
    ";; TSIG PSEUDOSECTION:",
    `.\t\t\t0\tANY\tTSIG\t${printRecordData(tsig)}`,
    "",
  ]);
});

Deno.test("printMessage() gives the sections of an update their names", () => {
  const lines = linesOf({
    opcode: "UPDATE",
    questions: [{ name: "example.", type: "SOA", class: "IN" }],
    answers: [parseRecord("a.example. 0 ANY A")],
    authorities: [parseRecord("a.example. 0 NONE ANY")],
  });
  assertEquals(lines.slice(1), [
    ";; flags:; ZONE: 1, PREREQ: 1, UPDATE: 1, ADDITIONAL: 0",
    "",
    ";; ZONE SECTION:",
    ";example.\t\t\tIN\tSOA",
    "",
    ";; PREREQUISITE SECTION:",
    "a.example.\t\t0\tANY\tA",
    "",
    ";; UPDATE SECTION:",
    "a.example.\t\t0\tNONE\tANY",
    "",
  ]);
});

Deno.test("printMessage() cuts digits into words of 56", () => {
  const hex = "0123456789ABCDEF".repeat(4);
  const line = (record: string): string | undefined =>
    linesOf({ answers: [parseRecord(record)] })[4];
  assertEquals(
    line(`a. 1 DS 1 8 2 ${hex}`),
    `a.\t\t\t1\tIN\tDS\t1 8 2 ${hex.slice(0, 56)} ${hex.slice(56)}`,
  );
  assertEquals(
    line(`a. 1 TYPE65280 \\# 28 ${hex.slice(0, 56)}`),
    `a.\t\t\t1\tIN\tTYPE65280 \\# 28 ${hex.slice(0, 56)}`,
  );
  assertEquals(line(`a. 1 TXT ${hex}`), `a.\t\t\t1\tIN\tTXT\t"${hex}"`);
});

const OPTIONS: readonly (readonly [option: EdnsOption, line: string])[] = [
  [{ type: "nsid", bytes: bytesOf("gp\x00n") }, '; NSID: 67 70 00 6e ("gp.n")'],
  [{ type: "nsid", bytes: bytesOf("") }, "; NSID:"],
  [{ type: "dau", algorithms: [8, 13] }, '; OPT=5: 08 0d ("..")'],
  [
    { type: "client-subnet", address: "192.0.2.0", sourcePrefixLength: 24, scopePrefixLength: 0 },
    "; CLIENT-SUBNET: 192.0.2.0/24/0",
  ],
  [
    { type: "expire", seconds: 694_861 },
    "; EXPIRE: 694861 (1 week 1 day 1 hour 1 minute 1 second)",
  ],
  [{ type: "expire", seconds: 7_200 }, "; EXPIRE: 7200 (2 hours)"],
  [{ type: "expire", seconds: 0 }, "; EXPIRE: 0 (0 seconds)"],
  [{ type: "expire", seconds: undefined }, "; EXPIRE:"],
  [
    { type: "cookie", client: bytesOf("abcdefgh"), server: bytesOf("") },
    "; COOKIE: 6162636465666768",
  ],
  [{ type: "keepalive", idleTimeoutMs: 30_000 }, "; TCP KEEPALIVE: 30.0 secs"],
  [{ type: "keepalive", idleTimeoutMs: undefined }, "; TCP KEEPALIVE:"],
  [{ type: "padding", bytes: new Uint8Array(5) }, "; PAD: (5 bytes)"],
  [{ type: "padding", bytes: new Uint8Array(0) }, "; PAD:"],
  [{ type: "chain", closestTrustPoint: "foo." }, '; OPT=13: 03 66 6f 6f 00 (".foo.")'],
  [{ type: "key-tag", tags: [19_036, 20_326] }, "; KEY-TAG: 19036, 20326"],
  [{ type: "extended-error", infoCode: 0, text: "" }, "; EDE: 0 (Other)"],
  [{ type: "extended-error", infoCode: 999, text: "" }, "; EDE: 999"],
  [
    { type: "extended-error", infoCode: 22, text: "a\x1b[1m\u202e" },
    "; EDE: 22 (No Reachable Authority): (a.[1m.)",
  ],
  [{ type: "unknown", code: 16, bytes: new Uint8Array([1, 2]) }, "; CLIENT-TAG: 258"],
  [{ type: "unknown", code: 17, bytes: new Uint8Array([1, 2]) }, "; SERVER-TAG: 258"],
  [{ type: "unknown", code: 17, bytes: bytesOf("a") }, '; OPT=17: 61 ("a")'],
  [
    { type: "unknown", code: 1, bytes: new Uint8Array(18).fill(1) },
    "; LLQ: Version: 257, Opcode: 257, Error: 257, Identifier: 72340172838076673, " +
    "Lifetime: 16843009",
  ],
  [{ type: "unknown", code: 1, bytes: bytesOf("a") }, '; OPT=1: 61 ("a")'],
  [{ type: "unknown", code: 65_001, bytes: bytesOf("hi") }, '; OPT=65001: 68 69 ("hi")'],
];

for (const [option, line] of OPTIONS) {
  Deno.test(`printMessage() writes an option as ${line}`, () => {
    const head = { udpPayloadSize: 1, version: 0, dnssecOk: false, flags: 0 };
    assertEquals(linesOf({ edns: { ...head, options: [option] } })[5], line);
  });
}

function withCookie(client: string, server: string): Message {
  const option = { type: "cookie", client: bytesOf(client), server: bytesOf(server) } as const;
  const head = { udpPayloadSize: 1, version: 0, dnssecOk: false, flags: 0 };
  return { ...EMPTY, edns: { ...head, options: [option] } };
}

const COOKIES: readonly (readonly [client: string, server: string, remark: string])[] = [
  ["abcdefgh", "12345678", "61626364656667683132333435363738 (good)"],
  ["abcdefgh", "", "6162636465666768 (echoed)"],
  ["abcdefgi", "12345678", "61626364656667693132333435363738 (bad)"],
];

for (const [client, server, remark] of COOKIES) {
  Deno.test(`printMessage() writes the cookie of an answer as ${remark}`, () => {
    const text = printMessage(withCookie(client, server), { query: withCookie("abcdefgh", "") });
    assertEquals(text.split("\n")[5], `; COOKIE: ${remark}`);
  });
}

Deno.test("printMessage() makes no remark on a cookie where none was sent", () => {
  const text = printMessage(withCookie("abcdefgh", ""), { query: EMPTY });
  assertEquals(text.split("\n")[5], "; COOKIE: 6162636465666768");
});

Deno.test("printMessage() writes NID, L64 and SIG(0) as dig does", () => {
  const rows = [
    ["NID 10 0014:4fff:ff20:ee64", "10 14:4fff:ff20:ee64"],
    ["L64 10 2001:0db8:0040:0000", "10 2001:db8:40:0"],
    ["SIG TYPE1 8 0 0 1 2 5 . Zm9v", "A 8 0 0 19700101000001 19700101000002 5 . Zm9v"],
  ] as const;
  for (const [record, data] of rows) {
    const line = linesOf({ answers: [parseRecord(`a. 1 ${record}`)] })[4]!;
    assertEquals(line, `a.\t\t\t1\tIN\t${record.split(" ")[0]}\t${data}`);
  }
  const lines = linesOf({ additionals: [parseRecord(". 0 ANY SIG TYPE0 8 0 0 1 2 5 . Zm9v")] });
  assertEquals(
    lines[4],
    ".\t\t\t0\tANY\tSIG\t0 8 0 0 19700101000001 19700101000002 5 . Zm9v",
  );
});

Deno.test("printMessage() writes known types whose data are bytes", () => {
  const data = { bytes: new Uint8Array([1, 2, 3]) };
  const answers = [{ name: "a.", type: "TYPE1", class: "CH", ttl: 1, data }] as const;
  assertEquals(linesOf({ answers })[4], "a.\t\t\t1\tCH\tTYPE1\t\\# 3 010203");
});
