import { assertEquals } from "@std/assert";
import { encodeHex } from "@std/encoding/hex";
import { DnsMessageError, DnsTextError } from "../../dns/errors.ts";
import { decodeRdata, encodeRdata, parseRdata, printRdata } from "../../dns/rdata.ts";
import { parseRecordType } from "../../dns/record_type.ts";
import { loadVectors } from "../_support/vectors.ts";
import { type Difference, type Judgement, unlisted } from "./vector_difference.ts";

/** RDATA of one record, as text, on the wire, or both. */
interface RdataCase {
  readonly id: string;
  readonly src: string;
  readonly type: string | number;
  readonly expect: "ok" | "error" | "wire-ok" | "wire-error";
  readonly text?: string;
  readonly rdata_hex?: string;
  /** Whether the libraries that were asked agree. */
  readonly agree?: boolean;
}

/** A message whose records have their RDATA, in both forms. */
interface MessageCase {
  readonly id: string;
  readonly expect: Readonly<Record<string, unknown>>;
}

interface MessageRecord {
  readonly type: number;
  readonly rdata_hex: string;
  readonly rdata_text: string | null;
  readonly empty?: boolean;
}

/** Types that stay bytes, and RDATA that its source reads as what it is. */
const OPAQUE = {
  clause: "RFC 3597 section 5",
  reason: "the type is obsolete or hardly in use: its data is bytes, its text that of any type",
} as const;

/** Options are read with the message: here they are bytes. */
const OPTIONS = {
  clause: "RFC 6891 section 6.1",
  reason: "its source looks into the options, which we do with the message they come in",
} as const;

const DIFFERENCES: readonly Difference[] = [
  { name: "dns-rdata-00030 bind9 ATMA wire", gives: "00", ...OPAQUE },
  { name: "dns-rdata-00124 bind9 DOA wire", gives: "123456781234567801", ...OPAQUE },
  { name: "dns-rdata-00316 bind9 RKEY wire", gives: "0001000000", ...OPAQUE },
  { name: "dns-rdata-00348 bind9 WKS text", gives: "refused", ...OPAQUE },
  { name: "dns-rdata-00350 bind9 WKS wire", gives: "00080000", ...OPAQUE },
  { name: "dns-rdata-00352 bind9 WKS text", gives: "refused", ...OPAQUE },
  { name: "dns-rdata-00846 unbound NSAP text", gives: "refused", ...OPAQUE },
  { name: "dns-rdata-00892 unbound WKS text", gives: "refused", ...OPAQUE },
  { name: "dns-rdata-00180 bind9 OPT text", gives: "refused", ...OPTIONS },
  { name: "dns-rdata-00182 bind9 OPT wire", gives: "000800080001210000000000", ...OPTIONS },
  { name: "dns-rdata-00184 bind9 OPT wire", gives: "000800080001002100000000", ...OPTIONS },
  { name: "dns-rdata-00186 bind9 OPT wire", gives: "000800050000010000", ...OPTIONS },
  { name: "dns-rdata-00188 bind9 OPT wire", gives: "0008000700012000000000", ...OPTIONS },
  { name: "dns-rdata-00190 bind9 OPT wire", gives: "00120000", ...OPTIONS },
  { name: "dns-rdata-00192 bind9 OPT wire", gives: "001200020000", ...OPTIONS },
  { name: "dns-rdata-00194 bind9 OPT wire", gives: "0012000c076578616d706c6503636f6d", ...OPTIONS },
  {
    name: "dns-rdata-00208 bind9 ISDN text",
    gives: "0101",
    clause: "RFC 1183 section 3.2",
    reason: "the text has no subaddress; its source tells none from an empty one",
  },
  {
    name: "dns-rdata-01052 dns-packet TXT wire",
    gives: "refused",
    clause: "RFC 1035 section 3.3.14",
    reason: "one string or more; its source writes none",
  },
  {
    name: "dns-rdata-01088 dns-packet DS wire",
    gives: "refused",
    clause: "RFC 4034 section 5.1.4",
    reason: "SHA-1 has twenty bytes; its source does not look",
  },
];

/** Names of RFC 1035 types its source leaves compressed, and types that stay bytes. */
const MESSAGE_DIFFERENCES: readonly Difference[] = [
  { name: "dns-message-00304 message 22 text", gives: "refused", ...OPAQUE },
  { name: "dns-message-01060 message 22 text", gives: "refused", ...OPAQUE },
  { name: "dns-message-01204 message 11 text", gives: "refused", ...OPAQUE },
  ...["00728 message 9 text", "00728 message 9 wire", "01214 message 14 text"].map(undecompressed),
  undecompressed("01214 message 14 wire"),
];

function undecompressed(name: string): Difference {
  return {
    name: `dns-message-${name}`,
    gives: "refused",
    clause: "RFC 3597 section 4",
    reason: "its source takes MR and MINFO for bytes and leaves a pointer in them",
  };
}

/** Wire form of a text, or the code of its refusal. */
function wireOfText(type: string | number, text: string): string {
  try {
    return encodeHex(encodeRdata(type, parseRdata(type, text, { origin: "." })));
  } catch (error) {
    if (error instanceof DnsTextError) return "refused";
    throw error;
  }
}

/** Wire form of what a wire form, and then its text, are read as. */
function wireOfWire(type: string | number, hex: string): string {
  try {
    const data = decodeRdata(type, Uint8Array.fromHex(hex));
    assertEquals(encodeHex(encodeRdata(type, data)), hex);
    return encodeHex(encodeRdata(type, parseRdata(type, printRdata(type, data))));
  } catch (error) {
    if (error instanceof DnsMessageError) return "refused";
    if (error instanceof DnsTextError) return "read, but text may not say it";
    throw error;
  }
}

function judge({ id, src, type, expect, text, rdata_hex: hex }: RdataCase): Judgement[] {
  const name = `${id} ${src} ${type}`;
  const judgements: Judgement[] = [];
  const add = (form: string, wanted: string, got: string): void => {
    judgements.push({ name: `${name} ${form}`, wanted, got, isAgreed: wanted === got });
  };
  const wanted = expect.endsWith("error") ? "refused" : hex;
  if (text !== undefined && expect !== "wire-error") {
    const got = wireOfText(type, text);
    add("text", wanted ?? "accepted", wanted !== undefined || got === "refused" ? got : "accepted");
  }
  if (hex !== undefined && expect !== "error") add("wire", wanted ?? hex, wireOfWire(type, hex));
  return judgements;
}

const vectors = loadVectors<{ readonly cases: readonly RdataCase[] }>("dns-rdata");

Deno.test({
  name: "dns-rdata vectors",
  ignore: vectors === undefined,
  fn(): void {
    const must = vectors!.cases.filter(({ agree }) => agree !== false);
    assertEquals(unlisted(must.flatMap(judge), DIFFERENCES), []);
    // Where the libraries differ, nothing but a documented outcome is wanted.
    vectors!.cases.filter(({ type }) => parseRecordType(String(type)) !== undefined).forEach(judge);
  },
});

const messages = loadVectors<{ readonly cases: readonly MessageCase[] }>("dns-message");

Deno.test({
  name: "dns-message vectors: RDATA of every record, both ways",
  ignore: messages === undefined,
  fn(): void {
    const seen = new Set<string>();
    const judgements: Judgement[] = [];
    for (const { id, expect } of messages!.cases) {
      for (const record of Object.values(expect).flat() as MessageRecord[]) {
        if (record?.rdata_hex === undefined || record.empty || record.type === 41) continue;
        const key = `${record.type} ${record.rdata_hex}`;
        if (seen.has(key)) continue;
        seen.add(key);
        const { type, rdata_hex } = record;
        judgements.push(
          ...judge({
            id,
            src: "message",
            type,
            expect: "wire-ok",
            rdata_hex,
            ...(record.rdata_text !== null && { text: record.rdata_text }),
          }),
        );
      }
    }
    assertEquals(unlisted(judgements, MESSAGE_DIFFERENCES), []);
  },
});
