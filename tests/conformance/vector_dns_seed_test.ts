import { DnsMessageError, DnsTextError } from "../../dns/errors.ts";
import { parseName } from "../../dns/name.ts";
import { decodeRdata, parseRdata } from "../../dns/rdata.ts";
import { formatRecordType } from "../../dns/record_type.ts";
import { parseZone } from "../../dns/zone_parser.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { textOf } from "../_support/raw_bytes.ts";
import { hexBytes, testDnsVectors } from "./vector_dns.ts";

/** An input other libraries start fuzzing from; it must end, in data or in an error of ours. */
interface SeedCase {
  readonly id: string;
  readonly kind: "rdata-text" | "rdata-wire" | "name-text" | "zone-text" | "txt-text";
  readonly hex: string;
}

/** Every type with a codec of its own, and one without. */
const TYPES = Array.from({ length: 300 }, (_, code) => formatRecordType(code));

function runSeed({ kind, hex }: SeedCase): void {
  const bytes = hexBytes(hex);
  switch (kind) {
    case "rdata-wire":
      return TYPES.forEach((type) => expectError(() => decodeRdata(type, bytes)));
    case "rdata-text":
      return expectError(() => parseZone(`@ 1 ${textOf(bytes)}`, { origin: "." }));
    case "name-text":
      return expectError(() => parseName(textOf(bytes).trimEnd(), { origin: "." }));
    case "txt-text":
      return expectError(() => parseRdata("TXT", textOf(bytes)));
    case "zone-text":
      return expectError(() => parseZone(bytes, { origin: "example.", include: () => "" }));
  }
}

/** Lets documented errors pass, nothing else. */
function expectError(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (error instanceof DnsMessageError || error instanceof DnsTextError) return;
    if (error instanceof LimitExceededError) return;
    throw error;
  }
}

testDnsVectors<SeedCase>("seed", (vector) => {
  runSeed(vector);
  return { wanted: "an end", got: "an end", isAgreed: true };
});
