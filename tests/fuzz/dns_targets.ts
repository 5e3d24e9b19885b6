/** Targets for names, records and settings of DNS: as text, and as bytes out of a message. */

import { encodeBase32Hex } from "../../dns/base32hex.ts";
import { encodeEdnsOptions } from "../../dns/edns.ts";
import { decodeEdnsOptions } from "../../dns/edns.ts";
import { DnsMessageError, DnsTextError } from "../../dns/errors.ts";
import { HostsFile } from "../../dns/hosts_file.ts";
import { canonicalName, nameToWire, parseName } from "../../dns/name.ts";
import { parseNsswitchConf } from "../../dns/nsswitch_conf.ts";
import { parseOpcode } from "../../dns/opcode.ts";
import { parseRecord } from "../../dns/parse_record.ts";
import { printRecord } from "../../dns/print_record.ts";
import { parseRcode } from "../../dns/rcode.ts";
import { decodeRdata, encodeRdata, parseRdata, printRdata } from "../../dns/rdata.ts";
import { parseRecordClass } from "../../dns/record_class.ts";
import { parseRecordType } from "../../dns/record_type.ts";
import { parseResolvConf } from "../../dns/resolv_conf.ts";
import { reverseName, reverseNameAddress } from "../../dns/reverse_name.ts";
import { formatSignatureTime, parseSignatureTime } from "../../dns/signature_time.ts";
import { parseSvcParamKey } from "../../dns/svc_param_key.ts";
import { MessageDeframer } from "../../dns/tcp_framing.ts";
import { formatTtl, parseTtl } from "../../dns/ttl_text.ts";
import { textOf } from "../_support/raw_bytes.ts";
import { RDATA_SAMPLES } from "../dns/rdata_samples.ts";
import {
  demand,
  demandSame,
  type InputTarget,
  inputTarget,
  readBothWays,
  textTarget,
} from "./input_target.ts";

const TEXT = [
  " ",
  "\t",
  "\n",
  "(",
  ")",
  '"',
  ";",
  "\\",
  "\\000",
  "\\255",
  "\\256",
  ".",
  "@",
  "\xff",
] as const;
const BYTES = [
  "\0",
  "\x01",
  "\x02",
  "\x04",
  "\x08",
  "\x3f",
  "\x40",
  "\xc0",
  "\xff",
  "\x00\x00",
] as const;
const DNS_ERRORS = [DnsMessageError, DnsTextError];
/** All types whose data has a form of its own. */
const TYPES = Object.keys(RDATA_SAMPLES).filter((type) => type !== "OPT");

const name = textTarget({
  name: "dns/name",
  drives: ["dns/name.ts", "dns/_name_text.ts", "dns/reverse_name.ts"],
  pieces: [...TEXT, "..", "a".repeat(64), "a.".repeat(127), "\\.", "in-addr.arpa.", "ip6.arpa."],
  throws: DNS_ERRORS,
  run(text) {
    const read = parseName(text, { origin: "example." });
    demand(nameToWire(read).length <= 255, "a name has at most 255 bytes");
    demandSame(parseName(read), read, "a name is written in one way");
    demandSame(canonicalName(canonicalName(read)), canonicalName(read), "one form is final");
    const address = reverseNameAddress(read);
    if (address !== undefined) {
      demandSame(reverseName(address), canonicalName(read), "it turns back");
    }
    return read;
  },
});

const mnemonic = textTarget({
  name: "dns/mnemonic",
  drives: [
    ...["dns/opcode.ts", "dns/rcode.ts", "dns/record_class.ts", "dns/record_type.ts"],
    ...["dns/svc_param_key.ts", "dns/ttl_text.ts", "dns/signature_time.ts"],
  ],
  pieces: [
    "TYPE",
    "CLASS",
    "RCODE",
    "OPCODE",
    "key",
    "0",
    "65535",
    "65536",
    "1h",
    "w",
    "-1",
    "A",
    "in",
    "+",
  ],
  run(text) {
    const ttl = parseTtl(text);
    if (ttl !== undefined) demandSame(parseTtl(formatTtl(ttl)), ttl, "a TTL reads back");
    const time = parseSignatureTime(text);
    if (time !== undefined) {
      demandSame(parseSignatureTime(formatSignatureTime(time)), time, "a time reads back");
    }
    const codes = [parseRecordType, parseRecordClass, parseRcode, parseOpcode, parseSvcParamKey]
      .map((parse) => parse(text));
    for (const code of codes) {
      demand(code === undefined || (code >= 0 && code <= 0xffff), "a code has 16 bits");
    }
    return [ttl, time, ...codes].find((value) => value !== undefined);
  },
});

const record = textTarget({
  name: "dns/record",
  drives: ["dns/parse_record.ts", "dns/rdata.ts", "dns/rdata_opaque.ts", "dns/rdata_field.ts"],
  pieces: [
    ...TEXT,
    "IN",
    "CH",
    "TYPE65280",
    "\\# 1 00",
    "\\#",
    "0x",
    "-1",
    "4294967296",
    "=",
    "::1",
    "99",
  ],
  throws: DNS_ERRORS,
  run(text) {
    const read = parseRecord(text, { origin: "example.", ttl: 60 });
    const again = parseRecord(printRecord(read));
    demandSame(again, read, "a record reads back");
    const wire = encodeRdata(read.type, read.data);
    demandSame(decodeRdata(read.type, wire), read.data, "its data decodes");
    return read;
  },
});

const rdata = inputTarget({
  name: "dns/rdata",
  drives: ["dns/rdata.ts", "dns/type_bitmap.ts", "dns/svc_param_codec.ts", "dns/base32hex.ts"],
  pieces: BYTES,
  throws: [DnsMessageError],
  run(input, random) {
    const type = random.pick(TYPES);
    // Half of them data of that type, so that not all are refused.
    const sample = () => encodeRdata(type, RDATA_SAMPLES[type]!(random) as never);
    const bytes = random.int(2) === 0 ? input : sample();
    if (bytes.length > 0 && random.int(2) === 0) {
      bytes[random.int(bytes.length)] = input[0] ?? 0;
    }
    const data = decodeRdata(type, bytes);
    demandSame(decodeRdata(type, encodeRdata(type, data)), data, `${type} is written back`);
    const text = printRdata(type, data);
    demandSame(parseRdata(type, text), data, `${type} is printed and read`);
    encodeBase32Hex(bytes);
    return data;
  },
});

const edns = inputTarget({
  name: "dns/edns",
  drives: ["dns/edns.ts", "dns/edns_option_codec.ts"],
  pieces: [
    ...BYTES,
    "\x00\x03",
    "\x00\x08\x00\x07\x00\x01\x18",
    "\x00\x0a\x00\x08",
    "\x00\x0f\x00\x02",
  ],
  throws: [DnsMessageError],
  run(input) {
    const options = decodeEdnsOptions(input);
    demandSame(decodeEdnsOptions(encodeEdnsOptions(options)), options, "options are written back");
    return options.length === 0 ? undefined : options;
  },
});

const framing = inputTarget({
  name: "dns/framing",
  drives: ["dns/tcp_framing.ts"],
  pieces: [...BYTES, "\x00\x01a", "\xff\xff"],
  run: (input, random) =>
    readBothWays(input, random, (chunks) => {
      const deframer = new MessageDeframer();
      const messages: string[] = [];
      for (const chunk of chunks) {
        deframer.receive(chunk);
        for (let next; (next = deframer.next()) !== undefined;) messages.push(textOf(next));
      }
      const taken = messages.reduce((sum, { length }) => sum + length + 2, 0);
      demandSame(taken + deframer.pendingByteCount, input.length, "no byte is lost");
      return messages;
    }, []),
});

const settings = textTarget({
  name: "dns/settings",
  drives: ["dns/resolv_conf.ts", "dns/hosts_file.ts", "dns/nsswitch_conf.ts"],
  pieces: [
    ...TEXT,
    "nameserver ",
    "search ",
    "options ",
    "ndots:",
    "timeout:99999",
    "sortlist ",
    "127.0.0.1 ",
    "::1 ",
    "#",
    "hosts: ",
    "[NOTFOUND=return]",
    "a ".repeat(50),
  ],
  run(text) {
    const conf = parseResolvConf(text, { hostname: text.slice(0, 20) });
    demand(conf.ndots >= 0 && conf.ndots <= 15, "ndots is in its range");
    demand(conf.timeoutMs >= 1_000 && conf.timeoutMs <= 30_000, "a timeout is in its range");
    demand(conf.attempts >= 1 && conf.attempts <= 5, "attempts are in their range");
    demand(conf.sortlist.length <= 10, "the sort list is bounded");
    const hosts = new HostsFile(text);
    for (const address of hosts.lookup("localhost")) {
      demand(hosts.reverse(address).length > 0, "an address that a name has has a name");
    }
    const services = parseNsswitchConf(text);
    return conf.nameservers.length + services.size + hosts.lookup("a").length;
  },
});

/** All of them. */
export const DNS_TARGETS: readonly InputTarget[] = [
  ...[name, mnemonic, record, rdata, edns, framing, settings],
];
