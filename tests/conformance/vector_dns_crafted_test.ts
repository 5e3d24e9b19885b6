import { decodeMessage } from "../../dns/decode_message.ts";
import { encodeMessage } from "../../dns/encode_message.ts";
import { type DnsCase, hexBytes, isRefused, outcomeOf, testDnsVectors } from "./vector_dns.ts";

interface CraftedCase extends DnsCase {
  readonly why: string;
  readonly hex: string;
  readonly expect: "reject" | "reject-rdata" | "reject-or-tolerate" | "no-crash-no-hang" | "accept";
}

/** What we do where both would be right. */
const CHOICES: Readonly<Record<string, string>> = {
  "dns-crafted-00024": "ERR_DNS_TRAILING_BYTES", // Unless they are to be reported.
  "dns-crafted-00050": "ERR_DNS_BAD_RDATA", // RFC 8659 section 4.1: the tag has a character.
  "dns-crafted-00052": "ERR_DNS_BAD_OPT", // RFC 6891 section 6.1.1: the additional section.
  "dns-crafted-00058": "accepted", // RFC 9619 is about queries to servers, not about the codec.
};

function judge({ id, hex, expect }: CraftedCase) {
  const got = outcomeOf(() => {
    encodeMessage(decodeMessage(hexBytes(hex)));
    return "accepted";
  });
  if (expect === "reject-or-tolerate") {
    const wanted = CHOICES[id] ?? "a choice";
    return { wanted, got, isAgreed: got === wanted };
  }
  if (expect === "no-crash-no-hang") return { wanted: expect, got, isAgreed: true };
  return { wanted: expect, got, isAgreed: isRefused(got) === (expect !== "accept") };
}

testDnsVectors("crafted", judge);
