import { assertEquals } from "@std/assert";
import {
  addressPolicy,
  addressScope,
  commonPrefixBits,
  isMappedIpv4,
  toIpv6Bytes,
} from "../../nbio/address_policy.ts";
import { parseIpAddress } from "../../nbio/ip_address.ts";
import { loadVectors } from "../_support/vectors.ts";

function toBytes(text: string): Uint8Array {
  return toIpv6Bytes(parseIpAddress(text)!);
}

/** Rows of the policy table, each at its first and last address and just outside. */
const POLICIES: readonly (readonly [text: string, precedence: number, label: number])[] = [
  ["::1", 50, 0],
  ["::", 1, 3],
  ["::2", 1, 3],
  ["::255.255.255.255", 1, 3],
  ["::1:0:0", 40, 1],
  ["0.0.0.0", 35, 4],
  ["192.0.2.1", 35, 4],
  ["::ffff:192.0.2.1", 35, 4],
  ["::fffe:192.0.2.1", 40, 1],
  ["2000:ffff::", 40, 1],
  ["2001::", 5, 5],
  ["2001:0:ffff:ffff:ffff:ffff:ffff:ffff", 5, 5],
  ["2001:1::", 40, 1],
  ["2001:db8::1", 40, 1],
  ["2002::", 30, 2],
  ["2002:ffff::", 30, 2],
  ["2003::", 40, 1],
  ["3ffe::", 1, 12],
  ["3fff::", 40, 1],
  ["fbff::", 40, 1],
  ["fc00::", 3, 13],
  ["fdff::", 3, 13],
  ["fe00::", 40, 1],
  ["fe80::1%eth0", 40, 1],
  ["fec0::", 1, 11],
  ["feff::", 1, 11],
  ["ff02::1", 40, 1],
];

for (const [text, precedence, label] of POLICIES) {
  Deno.test(`addressPolicy() gives ${text} precedence ${precedence} and label ${label}`, () => {
    const policy = addressPolicy(toBytes(text));
    assertEquals([policy.precedence, policy.label], [precedence, label]);
  });
}

const LINK_LOCAL = 2;
const SITE_LOCAL = 5;
const GLOBAL = 14;

const SCOPES: readonly (readonly [text: string, scope: number])[] = [
  ["::1", LINK_LOCAL],
  ["::2", GLOBAL],
  ["2001:db8::1", GLOBAL],
  ["fc00::1", GLOBAL],
  ["fe7f::1", GLOBAL],
  ["fe80::1", LINK_LOCAL],
  ["febf::1", LINK_LOCAL],
  ["fec0::1", SITE_LOCAL],
  ["ff01::1", 1],
  ["ff02::1", LINK_LOCAL],
  ["ff15::1", SITE_LOCAL],
  ["ff0e::1", GLOBAL],
  ["127.0.0.1", LINK_LOCAL],
  ["127.255.255.255", LINK_LOCAL],
  ["169.253.0.1", GLOBAL],
  ["169.254.0.1", LINK_LOCAL],
  ["10.0.0.1", GLOBAL],
  ["192.168.0.1", GLOBAL],
  ["192.0.2.1", GLOBAL],
  ["::ffff:127.0.0.1", LINK_LOCAL],
];

for (const [text, scope] of SCOPES) {
  Deno.test(`addressScope() gives ${text} scope ${scope}`, () => {
    assertEquals(addressScope(toBytes(text)), scope);
  });
}

const PREFIXES: readonly (readonly [first: string, second: string, bits: number])[] = [
  ["2001:db8::1", "2001:db8::1", 64],
  ["fe80::1", "fe80::2", 64],
  ["2001:db8:0:1::", "2001:db8::", 63],
  ["2001:db8::", "a001:db8::", 0],
  ["2001:db8::", "2001:db9::", 31],
  ["192.0.2.1", "192.0.2.1", 32],
  ["192.0.2.1", "192.0.2.0", 31],
  ["192.0.2.1", "10.0.0.1", 0],
  ["192.0.2.1", "::ffff:192.0.2.1", 32],
  ["192.0.2.1", "::192.0.2.1", 0],
];

for (const [first, second, bits] of PREFIXES) {
  Deno.test(`commonPrefixBits() finds ${bits} in ${first} and ${second}`, () => {
    assertEquals(commonPrefixBits(toBytes(first), toBytes(second)), bits);
    assertEquals(commonPrefixBits(toBytes(second), toBytes(first)), bits);
  });
}

Deno.test("isMappedIpv4() looks at all of the prefix", () => {
  assertEquals(isMappedIpv4(toBytes("192.0.2.1")), true);
  for (const text of ["::192.0.2.1", "::fffe:192.0.2.1", "1::ffff:192.0.2.1", "::1:0:ffff:0:0"]) {
    assertEquals(isMappedIpv4(toBytes(text)), false);
  }
});

interface PolicyVector {
  readonly id: string;
  readonly kind: string;
  readonly ip: string;
  readonly a: string;
  readonly b: string;
  readonly expect: unknown;
}

/** The names that the vectors have for scopes (RFC 4291 section 2.7). */
const SCOPE_NAMES: Readonly<Record<string, number>> = {
  "interface-local": 1,
  "link-local": LINK_LOCAL,
  "admin-local": 4,
  "site-local": SITE_LOCAL,
  "org-local": 8,
  "global": GLOBAL,
};

const vectors = loadVectors<{ readonly cases: readonly PolicyVector[] }>("dns-addrselect");

Deno.test({
  name: "policies, scopes and prefixes agree with the vectors of another project",
  ignore: vectors === undefined,
  fn() {
    for (const { id, kind, ip, a, b, expect } of vectors!.cases) {
      if (kind === "scope") {
        assertEquals(addressScope(toBytes(ip)), SCOPE_NAMES[String(expect)], id);
      } else if (kind === "prefixlen") {
        assertEquals(commonPrefixBits(toBytes(a), toBytes(b)), expect, id);
      } else if (kind === "policy") {
        const { precedence, label } = addressPolicy(toBytes(ip));
        assertEquals({ precedence, label }, expect, id);
      }
    }
  },
});
