// This module is sans-I/O.

import { encodeHex } from "@std/encoding/hex";
import type { Edns } from "./edns.ts";
import type { CookieOption, EdnsOption } from "./edns_option.ts";
import { encodeEdnsOption } from "./edns_option_codec.ts";
import { formatExtendedError } from "./extended_error.ts";
import type { Message, Question, ResourceRecord } from "./message.ts";
import { alignQuestion, alignRecord, printRecordData, printRecordHead } from "./print_record.ts";
import { printName } from "./rdata_field.ts";
import { WireReader } from "./wire_reader.ts";

/** The flags of the header, in the order of `dig`. */
const FLAGS = [
  ["qr", "response"],
  ["aa", "authoritative"],
  ["tc", "truncated"],
  ["rd", "recursionDesired"],
  ["ra", "recursionAvailable"],
  ["ad", "authenticData"],
  ["cd", "checkingDisabled"],
] as const satisfies readonly (readonly [string, keyof Message])[];

/** Names of the sections: in the header, and above what is in them. */
const SECTIONS = {
  query: ["QUERY", "ANSWER", "AUTHORITY", "ADDITIONAL"],
  queryTitles: ["QUESTION", "ANSWER", "AUTHORITY", "ADDITIONAL"],
  update: ["ZONE", "PREREQ", "UPDATE", "ADDITIONAL"],
  updateTitles: ["ZONE", "PREREQUISITE", "UPDATE", "ADDITIONAL"],
} as const;

/** Types whose data end in digits that `dig` cuts into words. */
const CUT_TYPES: ReadonlySet<string> = new Set([
  "DS",
  "CDS",
  "DLV",
  "KEY",
  "DNSKEY",
  "CDNSKEY",
  "SIG",
  "RRSIG",
  "TLSA",
  "SMIMEA",
  "SSHFP",
  "OPENPGPKEY",
  "CERT",
  "DHCID",
  "HHIT",
  "BRID",
  "ZONEMD",
  "IPSECKEY",
  "NULL",
]);

const WORD_LENGTH = 56;
/** RFC 9824: the second flag of EDNS, compact answers. */
const COMPACT_OK = 0x4000;
/** Options that only `dig` has words for: long-lived queries (RFC 8764), and tags of a draft. */
const LLQ = 1;
const LLQ_BYTES = 18;
const TAGS: ReadonlyMap<number, string> = new Map([[16, "CLIENT-TAG"], [17, "SERVER-TAG"]]);

/** Units of time, largest first. */
const UNITS: readonly (readonly [name: string, seconds: number])[] = [
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

/** Names of extended errors for which `dig` has other words than the registry. */
const EXTENDED_ERRORS: Readonly<Record<number, string>> = {
  0: "Other",
  19: "Stale NXDOMAIN Answer",
};

/** What {@linkcode printMessage} can tell more of. */
export interface PrintMessageOptions {
  /**
   * The query that the message answers: what comes back of its cookie is called good, bad or echoed.
   *
   * @default {undefined}
   */
  readonly query?: Message | undefined;
}

/**
 * Prints a message as `dig` does, from the line with `->>HEADER<<-` to the last section: for
 * people and logs. What only `dig` knows, as times and servers, is left out.
 *
 * @param message The message.
 * @param options What it answers.
 * @returns The text, its last line with an end.
 * @throws {DnsMessageError} If a value of the message fits neither wire nor text.
 *
 * @example A query
 * ```ts
 * import { decodeMessage, encodeMessage, printMessage } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const query = encodeMessage({
 *   id: 7,
 *   recursionDesired: true,
 *   questions: [{ name: "example.", type: "A", class: "IN" }],
 * });
 * assertEquals(printMessage(decodeMessage(query)).split("\n"), [
 *   ";; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 7",
 *   ";; flags: rd; QUERY: 1, ANSWER: 0, AUTHORITY: 0, ADDITIONAL: 0",
 *   "",
 *   ";; QUESTION SECTION:",
 *   ";example.\t\t\tIN\tA",
 *   "",
 *   "",
 * ]);
 * ```
 */
export function printMessage(message: Message, options: PrintMessageOptions = {}): string {
  const titles = message.opcode === "UPDATE" ? SECTIONS.updateTitles : SECTIONS.queryTitles;
  const additionals = message.additionals.filter((record) => pseudoTitle(record) === undefined);
  let text = printHeader(message);
  if (message.edns !== undefined) text += printEdns(message.edns, cookieOf(options.query));
  text += printSection(titles[0], message.questions.map(printQuestion));
  text += printSection(titles[1], message.answers.map(printLine));
  text += printSection(titles[2], message.authorities.map(printLine));
  text += printSection(titles[3], additionals.map(printLine));
  for (const record of message.additionals) {
    const title = pseudoTitle(record);
    if (title !== undefined) text += `;; ${title} PSEUDOSECTION:\n${printLine(record)}\n\n`;
  }
  return text;
}

function printHeader(message: Message): string {
  const { opcode, rcode, id, edns } = message;
  const counts = [
    message.questions.length,
    message.answers.length,
    message.authorities.length,
    message.additionals.length + (edns === undefined ? 0 : 1),
  ];
  const names = opcode === "UPDATE" ? SECTIONS.update : SECTIONS.query;
  const flags = FLAGS.filter(([, field]) => message[field]).map(([flag]) => ` ${flag}`).join("");
  const kind = opcode.replace("OPCODE", "RESERVED");
  const status = rcode.replace("RCODE", "RESERVED");
  const lines = [
    `;; ->>HEADER<<- opcode: ${kind}, status: ${status}, id: ${id}`,
    `;; flags:${flags};${message.zero ? " MBZ: 0x4;" : ""} ` +
    counts.map((count, index) => `${names[index]}: ${count}`).join(", "),
  ];
  if (message.response && message.recursionDesired && !message.recursionAvailable) {
    lines.push(";; WARNING: recursion requested but not available");
  }
  return `${lines.join("\n")}\n\n`;
}

function printSection(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? "" : `;; ${title} SECTION:\n${lines.join("\n")}\n\n`;
}

function printQuestion({ name, class: recordClass, type }: Question): string {
  return `;${alignQuestion(printName(name), recordClass, type)}`;
}

function printLine(record: ResourceRecord): string {
  const { type } = record;
  const rdata = printDigData(record);
  const isCut = CUT_TYPES.has(type) || type.startsWith("TYPE");
  return alignRecord(printRecordHead(record), isCut ? cutLastWord(rdata) : rdata);
}

/** The data of a record, where `dig` prints them in a form that others cannot read. */
function printDigData(record: ResourceRecord): string {
  const rdata = printRecordData(record);
  switch (record.type) {
    case "NID":
    case "L64":
      return rdata.replace(/([ :])0{1,3}(?=[0-9a-f])/g, "$1");
    case "SIG":
      return rdata.replace(/^TYPE0 /, "0 ");
    default:
      return rdata;
  }
}

/** The digits at the end in words of 56, as `dig` prints them. */
function cutLastWord(rdata: string): string {
  const start = rdata.lastIndexOf(" ") + 1;
  if (rdata.length - start <= WORD_LENGTH) return rdata;
  const words: string[] = [];
  for (let at = start; at < rdata.length; at += WORD_LENGTH) {
    words.push(rdata.slice(at, at + WORD_LENGTH));
  }
  return rdata.slice(0, start) + words.join(" ");
}

/** The section of its own that `dig` gives to signatures of messages. */
function pseudoTitle(record: ResourceRecord): string | undefined {
  if (record.type === "TSIG") return "TSIG";
  // RFC 2931 section 3: a SIG that covers no type is over the message.
  return record.type === "SIG" && record.data.typeCovered === "TYPE0" ? "SIG0" : undefined;
}

function cookieOf(message: Message | undefined): CookieOption | undefined {
  return message?.edns?.options.find((option) => option.type === "cookie");
}

function printEdns(edns: Edns, sent: CookieOption | undefined): string {
  const { version, dnssecOk, flags, udpPayloadSize, options } = edns;
  const names = (dnssecOk ? " do" : "") + ((flags & COMPACT_OK) === 0 ? "" : " co");
  const rest = flags & ~COMPACT_OK;
  const zeros = rest === 0 ? "; " : `; MBZ: 0x${rest.toString(16).padStart(4, "0")}, `;
  const head = `; EDNS: version: ${version}, flags:${names}${zeros}udp: ${udpPayloadSize}`;
  const lines = [
    ";; OPT PSEUDOSECTION:",
    head,
    ...options.map((option) => printOption(option, sent)),
  ];
  return `${lines.join("\n")}\n`;
}

function printOption(option: EdnsOption, sent: CookieOption | undefined): string {
  switch (option.type) {
    case "client-subnet": {
      const { address, sourcePrefixLength, scopePrefixLength } = option;
      return `; CLIENT-SUBNET: ${address}/${sourcePrefixLength}/${scopePrefixLength}`;
    }
    case "expire": {
      const { seconds } = option;
      return seconds === undefined ? "; EXPIRE:" : `; EXPIRE: ${seconds} (${spell(seconds)})`;
    }
    case "cookie":
      return `; COOKIE: ${printCookie(option)}${
        sent === undefined ? "" : judgeCookie(option, sent)
      }`;
    case "keepalive": {
      const { idleTimeoutMs } = option;
      if (idleTimeoutMs === undefined) return "; TCP KEEPALIVE:";
      return `; TCP KEEPALIVE: ${(idleTimeoutMs / 1_000).toFixed(1)} secs`;
    }
    case "padding":
      return option.bytes.length === 0 ? "; PAD:" : `; PAD: (${option.bytes.length} bytes)`;
    case "key-tag":
      return `; KEY-TAG: ${option.tags.join(", ")}`;
    case "extended-error":
      return `; EDE: ${printExtendedError(option.infoCode, option.text)}`;
    default:
      return printBytes(option);
  }
}

function printCookie({ client, server }: CookieOption): string {
  return encodeHex(client) + encodeHex(server);
}

/** RFC 7873 section 5.3: the client's part has to come back, with a part of the server. */
function judgeCookie(cookie: CookieOption, sent: CookieOption): string {
  if (encodeHex(cookie.client) !== encodeHex(sent.client)) return " (bad)";
  return cookie.server.length === 0 ? " (echoed)" : " (good)";
}

function printExtendedError(infoCode: number, text: string): string {
  const name = EXTENDED_ERRORS[infoCode] ?? formatExtendedError(infoCode);
  const named = name === undefined ? `${infoCode}` : `${infoCode} (${name})`;
  // What the server says must not steer the terminal.
  return text === "" ? named : `${named}: (${text.replace(/\p{C}/gu, ".")})`;
}

/** An option that is not decoded, or has no words of its own. */
function printBytes(option: EdnsOption): string {
  const { code, bytes } = encodeEdnsOption(option);
  const reader = new WireReader(bytes);
  if (code === LLQ && bytes.length === LLQ_BYTES) {
    return `; LLQ: Version: ${reader.u16()}, Opcode: ${reader.u16()}, Error: ${reader.u16()}, ` +
      `Identifier: ${reader.u64()}, Lifetime: ${reader.u32()}`;
  }
  const tagged = TAGS.get(code);
  if (tagged !== undefined && bytes.length === 2) return `; ${tagged}: ${reader.u16()}`;
  return printDump(option.type === "nsid" ? "NSID" : `OPT=${code}`, bytes);
}

/** Bytes in hexadecimal and as characters. */
function printDump(name: string, bytes: Uint8Array): string {
  if (bytes.length === 0) return `; ${name}:`;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
  const characters = Array.from(bytes, (byte) => {
    return byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : ".";
  }).join("");
  return `; ${name}: ${digits} ("${characters}")`;
}

function spell(seconds: number): string {
  const words: string[] = [];
  let rest = seconds;
  for (const [name, unit] of UNITS) {
    const count = Math.floor(rest / unit);
    rest %= unit;
    if (count > 0) words.push(`${count} ${name}${count === 1 ? "" : "s"}`);
  }
  return words.length === 0 ? "0 seconds" : words.join(" ");
}
