import { nameToWire, parseName } from "../../dns/name.ts";
import { WireReader } from "../../dns/wire_reader.ts";
import {
  type DnsCase,
  hexBytes,
  hexText,
  isRefused,
  outcomeOf,
  testDnsVectors,
} from "./vector_dns.ts";
import type { Difference } from "./vector_difference.ts";

interface WireCase extends DnsCase {
  readonly kind: "wire";
  /** The whole message. */
  readonly hex: string;
  readonly offset: number;
  readonly expect: "ok" | "error" | "no-crash-no-hang";
  readonly name_hex: string;
  readonly consumed?: number;
}

interface TextCase extends DnsCase {
  readonly kind: "text";
  readonly text_bytes_hex: string;
  readonly expect: "ok" | "error" | "no-crash-no-hang";
  /** As glibc prints the name. */
  readonly print: string;
  readonly fully_qualified: boolean;
}

function judgeWire({ hex, offset, expect, name_hex, consumed }: WireCase) {
  const got = outcomeOf(() => {
    const reader = new WireReader(hexBytes(hex), offset);
    const name = reader.name();
    const read = consumed === undefined ? "" : ` ${reader.offset - offset}`;
    return hexText(nameToWire(name)) + read;
  });
  if (expect !== "ok") {
    return { wanted: expect, got, isAgreed: expect !== "error" || isRefused(got) };
  }
  const wanted = name_hex + (consumed === undefined ? "" : ` ${consumed}`);
  return { wanted, got, isAgreed: got === wanted };
}

function judgeText({ text_bytes_hex, expect, print, fully_qualified }: TextCase) {
  const text = String.fromCharCode(...hexBytes(text_bytes_hex));
  const options = fully_qualified ? {} : { origin: "." };
  const got = outcomeOf(() => parseName(text, options));
  if (expect !== "ok") {
    return { wanted: expect, got, isAgreed: expect !== "error" || isRefused(got) };
  }
  const wanted = parseName(print, { origin: "." });
  return { wanted, got, isAgreed: got === wanted };
}

const WITHIN_ITSELF = {
  gives: "ERR_DNS_BAD_POINTER",
  clause: "RFC 1035 section 4.1.4",
  reason: "the pointer leads into the name it ends, not to a prior one; glibc only counts steps",
};

const DIFFERENCES: readonly Difference[] = [
  ...["00052", "00066", "00308", "00312", "00314", "00404"].map((number) => ({
    name: `dns-name-${number}`,
    ...WITHIN_ITSELF,
  })),
  {
    name: "dns-name-00524",
    gives: "ERR_DNS_BAD_NAME",
    clause: "RFC 1035 section 5.1, RFC 5891 section 4",
    reason: "the text is characters, not bytes: those beyond ASCII need an escape or IDNA",
  },
];

testDnsVectors<WireCase | TextCase>(
  "name",
  (vector) => vector.kind === "wire" ? judgeWire(vector) : judgeText(vector),
  DIFFERENCES,
);
