import { reverseName, reverseNameAddress } from "../../dns/reverse_name.ts";
import { formatIpv4, formatIpv6, parseIpv4, parseIpv6 } from "../../nbio/ip_address.ts";
import { type DnsCase, hexBytes, hexText, testDnsVectors } from "./vector_dns.ts";

interface ParseCase extends DnsCase {
  readonly kind: "pton";
  readonly text: string;
  readonly ipv4_ok: boolean;
  readonly ipv6_ok: boolean;
  readonly ipv4_hex?: string;
  readonly ipv6_hex?: string;
}

interface FormatCase extends DnsCase {
  readonly kind: "ntop";
  readonly ipv4_hex?: string;
  readonly ipv6_hex?: string;
  readonly print: string;
}

interface ReverseCase extends DnsCase {
  readonly kind: "reverse";
  readonly text: string;
  readonly expect: string;
}

function judgeParse({ text, ipv4_ok, ipv6_ok, ipv4_hex, ipv6_hex }: ParseCase) {
  const got = `${bytesText(parseIpv4(text), ipv4_hex)}, ${bytesText(parseIpv6(text), ipv6_hex)}`;
  const wanted = `${ipv4_ok ? ipv4_hex ?? "ok" : "none"}, ${ipv6_ok ? ipv6_hex ?? "ok" : "none"}`;
  return { wanted, got, isAgreed: got === wanted };
}

/** Not every case says which bytes the address has. */
function bytesText(bytes: Uint8Array | undefined, known: string | undefined): string {
  if (bytes === undefined) return "none";
  return known === undefined ? "ok" : hexText(bytes);
}

function judgeFormat({ ipv4_hex, ipv6_hex, print }: FormatCase) {
  const got = ipv4_hex === undefined
    ? formatIpv6(hexBytes(ipv6_hex!))
    : formatIpv4(hexBytes(ipv4_hex));
  return { wanted: print, got, isAgreed: got === print };
}

function judgeReverse({ text, expect }: ReverseCase) {
  const name = reverseName(text);
  const got = `${name} ${reverseNameAddress(name)}`;
  const wanted = `${expect} ${text}`;
  return { wanted, got, isAgreed: got === wanted };
}

testDnsVectors<ParseCase | FormatCase | ReverseCase>("addr", (vector) => {
  if (vector.kind === "pton") return judgeParse(vector);
  return vector.kind === "ntop" ? judgeFormat(vector) : judgeReverse(vector);
});
