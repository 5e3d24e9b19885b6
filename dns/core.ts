// This module is sans-I/O.

/**
 * The codec of DNS: messages, names, records of every type and EDNS on the wire (RFC 1035, 6891),
 * and the presentation format of records, zones and messages. No socket, no clock, no promise: it
 * runs in a test, a server, a browser or another runtime, and needs no permission.
 *
 * Names are strings, absolute and with one escaping, so that two names have the same bytes exactly
 * if they are the same string; {@linkcode equalNames} compares as DNS does. Types and classes are
 * mnemonics, addresses canonical text, everything that may hold any byte is a `Uint8Array`. Types
 * without a mnemonic are `TYPE` and a number, and their data are bytes (RFC 3597).
 *
 * - {@linkcode decodeMessage}, {@linkcode encodeMessage}: whole messages;
 *   {@linkcode MessageReader} reads one step by step.
 * - {@linkcode ZoneParser}, {@linkcode parseZone}, {@linkcode printZone}: zone files;
 *   {@linkcode parseRecord}, {@linkcode printRecord}: one record.
 * - {@linkcode printMessage}: a message as `dig` shows it.
 * - {@linkcode decodeRdata}, {@linkcode encodeRdata}, {@linkcode parseRdata},
 *   {@linkcode printRdata}: the data of one record.
 *
 * What goes wrong tells by its class where:
 *
 * - {@linkcode DnsMessageError}: the wire form is broken, or a value does not fit it.
 *   `ERR_DNS_TRUNCATED`, `ERR_DNS_BAD_NAME`, `ERR_DNS_BAD_POINTER`, `ERR_DNS_BAD_RDATA`,
 *   `ERR_DNS_BAD_OPT`, `ERR_DNS_BAD_VALUE`, `ERR_DNS_TRAILING_BYTES`, `ERR_DNS_TOO_LONG`.
 * - {@linkcode DnsTextError}: the presentation format is broken, with file, line and column.
 *   `ERR_DNS_BAD_TEXT`, `ERR_DNS_BAD_NAME`, `ERR_DNS_BAD_ESCAPE`, `ERR_DNS_UNBALANCED`,
 *   `ERR_DNS_BAD_DIRECTIVE`, `ERR_DNS_BAD_TTL`, `ERR_DNS_BAD_TYPE`, `ERR_DNS_BAD_RDATA`.
 * - `TypeError`, `RangeError`: an argument is wrong.
 *
 * @example An answer there and back
 * ```ts
 * import { decodeMessage, encodeMessage } from "@nbio/net/dns/core";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = encodeMessage({
 *   response: true,
 *   questions: [{ name: "example.com.", type: "MX", class: "IN" }],
 *   answers: [{
 *     name: "example.com.",
 *     type: "MX",
 *     class: "IN",
 *     ttl: 300,
 *     data: { preference: 10, exchange: "mail.example.com." },
 *   }],
 * });
 * const [answer] = decodeMessage(bytes).answers;
 * assertEquals(answer?.type === "MX" && answer.data.exchange, "mail.example.com.");
 * ```
 *
 * @module
 */

export { NetError } from "../nbio/errors.ts";
export * from "./base32hex.ts";
export { printCharacterString } from "./character_string.ts";
export * from "./decode_message.ts";
export { decodeEdnsOptions, type Edns, encodeEdnsOptions } from "./edns.ts";
export type * from "./edns_option.ts";
export * from "./edns_option_codec.ts";
export * from "./encode_message.ts";
export * from "./errors.ts";
export * from "./extended_error.ts";
export * from "./key_tag.ts";
export * from "./message.ts";
export * from "./message_reader.ts";
export * from "./name.ts";
export * from "./nsec3_hash.ts";
export * from "./opcode.ts";
export * from "./parse_record.ts";
export * from "./print_message.ts";
export { printRecord, printRecordData, type PrintRecordOptions } from "./print_record.ts";
export * from "./print_zone.ts";
export * from "./rcode.ts";
export {
  decodeRdata,
  encodeRdata,
  type EncodeRdataOptions,
  parseRdata,
  type ParseRdataOptions,
  printRdata,
  rdataCodec,
  type RdataType,
  readRdataText,
} from "./rdata.ts";
export type { RdataCodec } from "./rdata_codec.ts";
export { RdataText, type RdataTextOptions } from "./rdata_text.ts";
export * from "./record_class.ts";
export type * from "./record_data.ts";
export * from "./record_type.ts";
export * from "./reverse_name.ts";
export * from "./signature_time.ts";
export * from "./svc_param_key.ts";
export type { SvcParams } from "./svc_params.ts";
export type { TextTokens } from "./text_tokens.ts";
export * from "./ttl_text.ts";
export * from "./wire_reader.ts";
export * from "./wire_writer.ts";
export {
  parseZone,
  type ZoneIncludePlace,
  ZoneParser,
  type ZoneParserOptions,
  type ZoneText,
} from "./zone_parser.ts";
export type { ZoneTokenizerOptions } from "./zone_tokenizer.ts";
export * from "./answer_chain.ts";
export * from "./answer_check.ts";
export type { CacheEntryKind } from "./cache_entry.ts";
export * from "./dns_cache.ts";
export {
  type DnsCookie,
  type DnsServer,
  type EdnsAbility,
  formatServer,
  isFromServer,
  type ServerHealth,
  ServerMemory,
  type ServerMemoryOptions,
} from "./dns_server.ts";
export * from "./hosts_file.ts";
export * from "./lookup_plan.ts";
export * from "./nsswitch_conf.ts";
export type * from "./query_action.ts";
export * from "./query_case.ts";
export { QueryMachine } from "./query_machine.ts";
export type { QueryMachineOptions } from "./query_options.ts";
export * from "./query_schedule.ts";
export * from "./resolv_conf.ts";
export * from "./resolver_errors.ts";
export * from "./search_list.ts";
export * from "./service_binding.ts";
export * from "./sortlist.ts";
export * from "./special_names.ts";
export * from "./service_names.ts";
export * from "./tcp_framing.ts";
