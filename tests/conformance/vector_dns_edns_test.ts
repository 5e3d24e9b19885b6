import { decodeMessage } from "../../dns/decode_message.ts";
import type { EdnsOption } from "../../dns/edns_option.ts";
import { decodeEdnsOption, encodeEdnsOption } from "../../dns/edns_option_codec.ts";
import { formatExtendedError } from "../../dns/extended_error.ts";
import { parseRcode } from "../../dns/rcode.ts";
import {
  type DnsCase,
  hexBytes,
  hexText,
  isRefused,
  outcomeOf,
  testDnsVectors,
} from "./vector_dns.ts";

type Fields = Readonly<Record<string, unknown>>;

interface OptionCase extends DnsCase {
  readonly kind: "option";
  readonly code: number;
  readonly option_hex: string;
  readonly expect: "ok" | "error" | "error-or-tolerate";
  readonly fields?: Fields;
}

interface RecordCase extends DnsCase {
  readonly kind: "opt-rr";
  readonly hex: string;
  readonly expect: "ok" | "error";
  readonly fields: Fields;
}

/** Options of which a part of the bytes means nothing. */
const LOSSY = new Set(["00127800"]);

/** An option in the words of the vectors. */
function fieldsOf(option: EdnsOption): Fields {
  switch (option.type) {
    case "client-subnet":
      return {
        family: option.address.includes(":") ? 2 : 1,
        source: option.sourcePrefixLength,
        scope: option.scopePrefixLength,
        address: option.address,
      };
    case "cookie":
      return { client: hexText(option.client), server: hexText(option.server) };
    case "padding":
      return { length: option.bytes.length };
    case "keepalive":
      return { timeout: option.idleTimeoutMs! / 100 };
    case "extended-error":
      return {
        info_code: option.infoCode,
        name: formatExtendedError(option.infoCode),
        extra_text: option.text,
      };
    case "dau":
      return { list: option.algorithms };
    case "key-tag":
      return { tags: option.tags };
    case "report-channel":
      return { agent: option.agentDomain };
    default:
      return {};
  }
}

/** Those of our fields that the vector names, in its order. */
function pick(ours: Fields, names: Fields): string {
  return JSON.stringify(Object.fromEntries(Object.keys(names).map((name) => [name, ours[name]])));
}

function judgeOption({ code, option_hex, expect, fields = {} }: OptionCase) {
  const got = outcomeOf(() => {
    const option = decodeEdnsOption(code, hexBytes(option_hex));
    const again = encodeEdnsOption(option);
    if (again.code !== code) return `code ${again.code}`;
    if (hexText(again.bytes) !== option_hex && !LOSSY.has(option_hex)) return hexText(again.bytes);
    return pick(fieldsOf(option), fields);
  });
  if (expect !== "ok") {
    return { wanted: expect, got, isAgreed: expect !== "error" || isRefused(got) };
  }
  const wanted = JSON.stringify(fields);
  return { wanted, got, isAgreed: got === wanted };
}

function judgeRecord({ hex, expect, fields }: RecordCase) {
  const message = hexBytes(`000000000000000000000001${hex}`);
  const got = outcomeOf(() => {
    const { edns, rcode } = decodeMessage(message);
    const options = edns!.options.map(encodeEdnsOption);
    const full = parseRcode(rcode)!;
    return pick({
      udp_size: edns!.udpPayloadSize,
      effective_udp_size: Math.max(edns!.udpPayloadSize, 512),
      ext_rcode: full >>> 4,
      full_rcode_if_header_0: full,
      version: edns!.version,
      do: edns!.dnssecOk,
      codes: options.map(({ code }) => code),
    }, fields ?? {});
  });
  if (expect === "error") return { wanted: expect, got, isAgreed: isRefused(got) };
  const wanted = JSON.stringify(fields);
  return { wanted, got, isAgreed: got === wanted };
}

testDnsVectors<OptionCase | RecordCase>(
  "edns",
  (vector) => vector.kind === "option" ? judgeOption(vector) : judgeRecord(vector),
);
