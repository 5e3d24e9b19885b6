// This module is sans-I/O.

import { encodeHex } from "@std/encoding/hex";
import { type Edns, encodeEdnsOptions } from "./edns.ts";
import type { EdnsOption } from "./edns_option.ts";
import { formatExtendedError } from "./extended_error.ts";
import type { Message, Question, ResourceRecord } from "./message.ts";
import { alignQuestion, alignRecord, printRecordData } from "./print_record.ts";

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
  "ZONEMD",
  "IPSECKEY",
  "NULL",
]);

const WORD_LENGTH = 56;
/** RFC 9824: the second flag of EDNS, compact answers. */
const COMPACT_OK = 0x4000;
/** Where the data of an encoded option begin: behind code and length. */
const OPTION_HEAD_BYTES = 4;

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

/**
 * Prints a message as `dig` does, from the line with `->>HEADER<<-` to the last section: for
 * people and logs. What only `dig` knows (times, servers, whether a cookie is the right one) is
 * left out.
 *
 * @param message The message.
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
export function printMessage(message: Message): string {
  const titles = message.opcode === "UPDATE" ? SECTIONS.updateTitles : SECTIONS.queryTitles;
  const additionals = message.additionals.filter((record) => pseudoTitle(record) === undefined);
  let text = printHeader(message);
  if (message.edns !== undefined) text += printEdns(message.edns);
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
  return `;${alignQuestion(name, recordClass, type)}`;
}

function printLine(record: ResourceRecord): string {
  const { name, ttl, class: recordClass, type } = record;
  const rdata = printRecordData(record);
  const isCut = CUT_TYPES.has(type) || type.startsWith("TYPE");
  return alignRecord(name, `${ttl}`, recordClass, type, isCut ? cutLastWord(rdata) : rdata);
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

function printEdns({ version, dnssecOk, flags, udpPayloadSize, options }: Edns): string {
  const names = (dnssecOk ? " do" : "") + ((flags & COMPACT_OK) === 0 ? "" : " co");
  const rest = flags & ~COMPACT_OK;
  const zeros = rest === 0 ? "; " : `; MBZ: 0x${rest.toString(16).padStart(4, "0")}, `;
  const head = `; EDNS: version: ${version}, flags:${names}${zeros}udp: ${udpPayloadSize}`;
  const lines = [";; OPT PSEUDOSECTION:", head, ...options.map(printOption)];
  return `${lines.join("\n")}\n`;
}

function printOption(option: EdnsOption): string {
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
      return `; COOKIE: ${encodeHex(option.client)}${encodeHex(option.server)}`;
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

function printExtendedError(infoCode: number, text: string): string {
  const name = EXTENDED_ERRORS[infoCode] ?? formatExtendedError(infoCode);
  const named = name === undefined ? `${infoCode}` : `${infoCode} (${name})`;
  // What the server says must not steer the terminal.
  return text === "" ? named : `${named}: (${text.replace(/\p{C}/gu, ".")})`;
}

/** An option without words of its own: its bytes in hexadecimal and as characters. */
function printBytes(option: EdnsOption): string {
  const encoded = encodeEdnsOptions([option]);
  const bytes = encoded.subarray(OPTION_HEAD_BYTES);
  const name = option.type === "nsid" ? "NSID" : `OPT=${encoded[0]! << 8 | encoded[1]!}`;
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
