import { assertEquals } from "@std/assert";
import { type DecodedMessage, decodeMessage } from "../../dns/decode_message.ts";
import type { EdnsOption } from "../../dns/edns_option.ts";
import { encodeEdnsOption } from "../../dns/edns_option_codec.ts";
import { encodeMessage } from "../../dns/encode_message.ts";
import type { Question, ResourceRecord } from "../../dns/message.ts";
import { MessageReader } from "../../dns/message_reader.ts";
import { equalNames } from "../../dns/name.ts";
import { parseOpcode } from "../../dns/opcode.ts";
import { parseRcode } from "../../dns/rcode.ts";
import { encodeRdata } from "../../dns/rdata.ts";
import { parseRecordClass } from "../../dns/record_class.ts";
import { parseRecordType } from "../../dns/record_type.ts";
import { type DnsCase, hexBytes, hexText, outcomeOf, testDnsVectors } from "./vector_dns.ts";
import type { Difference } from "./vector_difference.ts";

type Flag = "qr" | "opcode" | "aa" | "tc" | "rd" | "ra" | "z" | "ad" | "cd" | "rcode";

interface WantedRecord {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  readonly ttl: number;
  readonly rdata_hex: string;
  readonly edns?: {
    readonly udp_size: number;
    readonly ext_rcode: number;
    readonly version: number;
    readonly do: number;
    readonly z: number;
    readonly options: readonly { readonly code: number; readonly hex: string }[];
  };
}

interface MessageCase extends DnsCase {
  readonly hex: string;
  readonly expect: {
    readonly id: number;
    readonly flags: Readonly<Record<Flag, number>>;
    readonly counts: readonly number[];
    readonly question: readonly Omit<WantedRecord, "ttl" | "rdata_hex">[];
    readonly answer: readonly WantedRecord[];
    readonly authority: readonly WantedRecord[];
    readonly additional: readonly WantedRecord[];
    readonly trailing: number;
  };
}

function isOpt({ type }: WantedRecord): boolean {
  return type === 41;
}

/** All that the case states about a message, one line each. */
function linesWanted({ expect }: MessageCase): string[] {
  const { id, flags, question, answer, authority, additional, trailing } = expect;
  const opt = additional.find(isOpt);
  const rcode = flags.rcode | (opt?.edns?.ext_rcode ?? 0) << 4;
  return [
    `${id} ${flags.opcode} ${rcode} ${trailing}`,
    [flags.qr, flags.aa, flags.tc, flags.rd, flags.ra, flags.z, flags.ad, flags.cd].join(""),
    ...question.map(({ name, type, class: code }) => `${normal(name)} ${type} ${code}`),
    ...[answer, authority, additional.filter((record) => !isOpt(record))].flatMap((records) => [
      `-- ${records.length}`,
      ...records.map((record) =>
        `${normal(record.name)} ${record.type} ${record.class} ${record.ttl} ${record.rdata_hex}`
      ),
    ]),
    ...(opt === undefined ? [] : ednsWanted(opt)),
  ];
}

function ednsWanted({ edns }: WantedRecord): string[] {
  const { udp_size, version, do: dnssecOk, z, options } = edns!;
  return [
    `${udp_size} ${version} ${dnssecOk} ${z}`,
    ...options.map(({ code, hex }) => `${code} ${hex}`),
  ];
}

function linesOf(message: DecodedMessage): string[] {
  const { id, opcode, rcode, trailingByteCount, questions, edns } = message;
  return [
    `${id} ${parseOpcode(opcode)} ${parseRcode(rcode)} ${trailingByteCount}`,
    flagsText(message),
    ...questions.map(questionLine),
    ...[message.answers, message.authorities, message.additionals].flatMap((records) => [
      `-- ${records.length}`,
      ...records.map(recordLine),
    ]),
    ...(edns === undefined ? [] : [
      `${edns.udpPayloadSize} ${edns.version} ${Number(edns.dnssecOk)} ${edns.flags}`,
      ...edns.options.map(optionLine),
    ]),
  ];
}

function flagsText(message: DecodedMessage): string {
  return [
    message.response,
    message.authoritative,
    message.truncated,
    message.recursionDesired,
    message.recursionAvailable,
    message.zero,
    message.authenticData,
    message.checkingDisabled,
  ].map(Number).join("");
}

function questionLine({ name, type, class: recordClass }: Question): string {
  return `${name} ${parseRecordType(type)} ${parseRecordClass(recordClass)}`;
}

function recordLine(record: ResourceRecord): string {
  const { name, type, class: recordClass, ttl, data } = record;
  const isBytes = recordClass !== "IN" && "bytes" in data && data.bytes.length === 0;
  const rdata = type.startsWith("TYPE") || isBytes
    ? (data as { bytes: Uint8Array }).bytes
    : encodeRdata(type, data as never);
  const codes = `${parseRecordType(type)} ${parseRecordClass(recordClass)}`;
  return `${name} ${codes} ${ttl} ${hexText(rdata)}`;
}

function optionLine(option: EdnsOption): string {
  const { code, bytes } = encodeEdnsOption(option);
  return `${code} ${hexText(bytes)}`;
}

/** The vectors escape fewer bytes than we do. */
function normal(name: string): string {
  return name.replace(/(?<!\\)[@$]/g, "\\$&");
}

function judge(vector: MessageCase) {
  const bytes = hexBytes(vector.hex);
  const wanted = linesWanted(vector);
  const got = outcomeOf(() => {
    const message = decodeMessage(bytes, { trailingBytes: "report" });
    checkAgain(message, bytes.length);
    checkSteps(bytes, message);
    return linesOf(message).join("\n");
  });
  if (got.startsWith("ERR_DNS_")) return { wanted: "ok", got, isAgreed: false };
  const line = got.split("\n").find((text, index) => text !== wanted[index]) ?? "";
  const isAgreed = got === wanted.join("\n");
  return {
    wanted: isAgreed ? "" : wanted.find((text) => !got.includes(text)) ?? "",
    got: line,
    isAgreed,
  };
}

/** What we write is what we read. */
function checkAgain(message: DecodedMessage, byteLength: number): void {
  const again = decodeMessage(encodeMessage(message));
  assertEquals(again, { ...message, trailingByteCount: 0 });
  // Without compression a message of 64 KiB may have no room.
  const plain = encodeMessage(message, { maxCompressionLabels: byteLength > 8192 ? 1024 : 0 });
  assertEquals(decodeMessage(plain), { ...message, trailingByteCount: 0 });
}

/** Step by step there comes the same. */
function checkSteps(
  bytes: Uint8Array,
  { answers, authorities, additionals, edns }: DecodedMessage,
) {
  const reader = new MessageReader(bytes);
  const wanted = [...answers, ...authorities, ...additionals];
  let index = 0;
  for (let head = reader.nextHead(); head !== undefined; head = reader.nextHead()) {
    if (head.type === "OPT") assertEquals(reader.edns(), edns);
    else {
      assertEquals(equalNames(head.name, wanted[index]!.name), true);
      assertEquals(reader.record(), wanted[index++]!);
    }
  }
  assertEquals(index, wanted.length);
}

/** What we have instead where a source leaves a compressed name as it is. */
function decompressed(number: string, gives: string): Difference {
  return {
    name: `dns-message-${number}`,
    gives,
    clause: "RFC 3597 section 4",
    reason: "names in types of RFC 1035 are decompressed; the source knows these types no more",
  };
}

const DIFFERENCES: readonly Difference[] = [
  {
    name: "dns-message-00596",
    gives: "ERR_DNS_BAD_POINTER",
    clause: "RFC 4034 section 4.1.1",
    reason: "compression in NSEC is of multicast DNS only (RFC 6762 section 18.14)",
  },
  decompressed("00728", "mr01.example. 9 1 0 066d726e616d65076578616d706c6500"),
  decompressed(
    "01214",
    "minfo01.example. 14 1 0 07726d61696c6278076578616d706c650007656d61696c6278076578616d706c6500",
  ),
];

testDnsVectors("message", judge, DIFFERENCES);
