import { DnsMessageError, DnsTextError } from "../../dns/errors.ts";
import { nameToWire } from "../../dns/name.ts";
import { encodeRdata } from "../../dns/rdata.ts";
import { parseRecordClass } from "../../dns/record_class.ts";
import { parseRecordType } from "../../dns/record_type.ts";
import { ZoneParser } from "../../dns/zone_parser.ts";
import type { Difference } from "./vector_difference.ts";
import { hexText, testDnsVectors } from "./vector_dns.ts";

/** A record that is expected, or a faulty line. */
interface Item {
  readonly owner_hex?: string;
  readonly class?: number;
  readonly ttl?: number;
  readonly type?: number;
  readonly rdata_hex?: string;
  /** Code of the source for what is wrong. */
  readonly error?: string;
}

/** A zone. */
interface ZoneCase {
  readonly id: string;
  readonly src: string;
  readonly ref: string;
  readonly text: string;
  readonly origin?: string;
  readonly note?: string;
  /** What dnspython reads. */
  readonly records?: readonly Item[] | null;
  /** What knot's scanner gives, which goes on behind errors. */
  readonly expect_sequence?: readonly Item[];
}

const DIFFERENCES: readonly Difference[] = [
  {
    name: "dns-zone-00002",
    gives: "0 items, item 0 undefined",
    clause: "RFC 1035 section 5.1",
    reason: "lines end in CR LF in many files; knot takes LF only",
  },
  {
    name: "dns-zone-00006",
    gives: "4 items, item 2 00 3 1 2 00",
    clause: "RFC 1035 section 5.1",
    reason: "knot serves the class IN only",
  },
  {
    name: "dns-zone-00010",
    gives: "0 items, item 0 undefined",
    clause: "RFC 1035 section 5.1",
    reason: "a label may hold a percent sign; knot wants it escaped",
  },
  {
    name: "dns-zone-00032",
    gives: "19 items, item 18 error",
    clause: "RFC 1035 section 5.1",
    reason: "a string of more than 255 bytes is refused; knot makes two of it",
  },
  {
    name: "dns-zone-00050",
    gives: "4 items, item -1 undefined",
    clause: "RFC 1035 section 5.1",
    reason: "names outside of the zone are for whoever loads it; dnspython drops them",
  },
];

/** Types that dnspython reads in a form of their own, and we do not. */
const UNREAD = /^\S*[ \t]+(?:NSAP|WKS)\s+(?:\([^)]*\)|.*)$/gm;
const UNREAD_CODES: readonly number[] = [11, 22];

/** Files of knot's tests that are included. */
const FILES: Readonly<Record<string, string>> = { "./includes/include3": "" };

/** The items up to the first error, where we stop. */
function untilError(items: readonly Item[]): string[] {
  const index = items.findIndex(({ error }) => error !== undefined);
  const whole = index < 0 ? items : items.slice(0, index + 1);
  return whole.map(({ error, ...record }) => error === undefined ? lineOf(record) : "error");
}

function lineOf(item: Item): string {
  return [item.owner_hex, item.class, item.ttl, item.type, item.rdata_hex].join(" ");
}

function itemsOf({ text, origin, src, note }: ZoneCase): string[] {
  const parser = new ZoneParser({
    origin: origin ?? /origin (\S+);/.exec(note ?? "")?.[1] ?? ".",
    ttl: src === "knot" ? 0 : 3_600,
    include(file) {
      if (FILES[file] !== undefined) return FILES[file];
      throw new DnsTextError("ERR_DNS_BAD_DIRECTIVE", `Cannot include ${file}: it is not there`);
    },
  });
  parser.write(src === "dnspython" ? text.replace(UNREAD, "") : text);
  parser.end();
  const items: string[] = [];
  try {
    for (let record = parser.next(); record !== undefined; record = parser.next()) {
      items.push(lineOf({
        owner_hex: hexText(nameToWire(record.name)),
        class: parseRecordClass(record.class)!,
        ttl: record.ttl,
        type: parseRecordType(record.type)!,
        rdata_hex: hexText(encodeRdata(record.type, record.data)),
      }));
    }
  } catch (error) {
    if (!(error instanceof DnsTextError || error instanceof DnsMessageError)) throw error;
    items.push("error");
  }
  return items;
}

testDnsVectors<ZoneCase>("zone", (vector) => {
  const sequence = vector.expect_sequence ?? vector.records;
  if (sequence === undefined || sequence === null) return undefined;
  const wanted = untilError(
    vector.src === "dnspython"
      ? sequence.filter(({ type }) => !UNREAD_CODES.includes(type!))
      : sequence,
  );
  const items = itemsOf(vector);
  const isOrdered = vector.expect_sequence !== undefined;
  // The order of dnspython is that of names, not that of lines.
  const order = (lines: readonly string[]): string =>
    (isOrdered ? lines : lines.toSorted()).join("\n");
  if (order(items) === order(wanted)) {
    return { wanted: "the same", got: "the same", isAgreed: true };
  }
  const at = isOrdered
    ? wanted.findIndex((line, index) => line !== items[index])
    : wanted.findIndex((line) => !items.includes(line));
  const got = `${items.length} items, item ${at} ${items[at]}`;
  return { wanted: `${wanted.length} items, item ${at} ${wanted[at]}`, got, isAgreed: false };
}, DIFFERENCES);
