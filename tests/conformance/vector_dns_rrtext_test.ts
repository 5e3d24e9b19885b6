import { encodeRdata } from "../../dns/rdata.ts";
import { nameToWire } from "../../dns/name.ts";
import { parseRecordClass } from "../../dns/record_class.ts";
import { parseRecordType } from "../../dns/record_type.ts";
import { parseZone } from "../../dns/zone_parser.ts";
import { hexText, isRefused, outcomeOf, testDnsVectors } from "./vector_dns.ts";
import type { Difference } from "./vector_difference.ts";

/** A record as its source states it; what it does not state is left out. */
interface RecordCase {
  readonly owner_hex?: string;
  readonly class?: number;
  readonly ttl?: number;
  readonly type?: number;
  readonly rdata_hex?: string;
}

/** A piece of a zone with one record. */
interface TextCase {
  readonly id: string;
  readonly src: "knot" | "simdzone" | "miekg";
  readonly text: string;
  readonly expect: "ok" | "error";
  readonly records?: readonly RecordCase[];
}

/** What the sources take for the TTL where there is none. */
const DEFAULT_TTL = { knot: 0, simdzone: 3_600, miekg: 3_600 } as const;

const UNREAD = "the type is none of those with a text of their own";

const DIFFERENCES: readonly Difference[] = [
  ...rows(
    "ok",
    "RFC 1035 section 5.1",
    "a label may hold any character; knot wants these escaped",
    [
      "00064",
      "00070",
      "00178",
    ],
  ),
  ...rows("ok", "RFC 4034 section 2.2", "base64 may be cut anywhere; knot wants whole groups", [
    "00268",
    "00294",
    "00448",
    "00696",
  ]),
  ...rows(
    "ERR_DNS_BAD_RDATA",
    "RFC 4034 section 3.1.5",
    "dates end in 2106, where the field comes round; knot reads them as earlier ones up to 2225",
    ["00386"],
  ),
  ...rows("ok", "RFC 6742 section 2.3", "leading zeros of a group may be left out", ["00650"]),
  ...rows("ERR_DNS_BAD_RDATA", "RFC 1876 section 2", "no latitude is that far", ["00556"]),
  ...rows("ERR_DNS_BAD_RDATA", "RFC 7553 section 4.5", "the target is not empty", ["00710"]),
  ...rows("ERR_DNS_BAD_RDATA", "RFC 8659 section 4.1", "the tag is not empty", ["00724"]),
  ...rows("ERR_DNS_BAD_RDATA", "RFC 8976 section 2.2.4", "a digest has 12 bytes at least", [
    "00758",
    "00760",
    "00762",
  ]),
  ...rows("ERR_DNS_BAD_RDATA", "RFC 3597 section 5", UNREAD, [
    "00818",
    "00882",
    "00884",
    "00886",
    "00894",
    "00912",
    "00966",
  ]),
  ...rows("ERR_DNS_BAD_TYPE", "IANA, DNS Parameters", "ALIAS and DELEG are not registered", [
    "00806",
    "00810",
    "00812",
    "00814",
    "00816",
  ]),
  ...rows("ERR_DNS_BAD_RDATA", "RFC 8078 section 4", "the digest that deletes has one byte", [
    "00916",
  ]),
  ...rows("ERR_DNS_BAD_RDATA", "RFC 9460 section 2.1", "an empty value has no equals sign", [
    "00926",
  ]),
  ...rows("ok", "RFC 9460 section 2.4.2", "parameters of an AliasMode record mean nothing", [
    "01030",
  ]),
  ...rows(
    '[{"rdata_hex":"0000000000000200030001000403646f7400020000000300020355"}]',
    "RFC 9460 section 2.2",
    "mandatory is first on the wire by its number, whatever the text",
    ["01034"],
  ),
  ...rows(
    "ERR_DNS_BAD_RDATA",
    "RFC 9460 section 2.1",
    "oots is of a draft of its own; it stays bytes under key12",
    ["01052"],
  ),
];

function rows(
  gives: string,
  clause: string,
  reason: string,
  numbers: readonly string[],
): Difference[] {
  return numbers.map((number) => ({ name: `dns-rrtext-${number}`, gives, clause, reason }));
}

function readZone({ src, text, records }: TextCase): string {
  const read = parseZone(text, { origin: ".", ttl: DEFAULT_TTL[src] });
  if (records === undefined) return "ok";
  return JSON.stringify(read.map((record, index) => {
    const all: RecordCase = {
      owner_hex: hexText(nameToWire(record.name)),
      class: parseRecordClass(record.class)!,
      ttl: record.ttl,
      type: parseRecordType(record.type)!,
      rdata_hex: hexText(encodeRdata(record.type, record.data)),
    };
    const stated = Object.keys(records[index] ?? all) as (keyof RecordCase)[];
    return Object.fromEntries(stated.map((key) => [key, all[key]]));
  }));
}

testDnsVectors<TextCase>("rrtext", (vector) => {
  const got = outcomeOf(() => readZone(vector));
  if (vector.expect === "error") {
    return { wanted: "refused", got, isAgreed: isRefused(got) };
  }
  const wanted = vector.records === undefined ? "ok" : JSON.stringify(vector.records);
  return { wanted, got, isAgreed: got === wanted };
}, DIFFERENCES);
