import { decodeMessage } from "../../dns/decode_message.ts";
import { encodeMessage } from "../../dns/encode_message.ts";
import { type DnsCase, hexBytes, isRefused, outcomeOf, testDnsVectors } from "./vector_dns.ts";

interface MalformedCase extends DnsCase {
  readonly hex: string;
  readonly expect: "reject" | "reject-rdata" | "no-crash-no-hang";
}

function judge({ hex, expect }: MalformedCase) {
  // What gets through can be written again.
  const got = outcomeOf(() => {
    encodeMessage(decodeMessage(hexBytes(hex)));
    return "accepted";
  });
  return { wanted: expect, got, isAgreed: expect === "no-crash-no-hang" || isRefused(got) };
}

testDnsVectors("malformed", judge);
