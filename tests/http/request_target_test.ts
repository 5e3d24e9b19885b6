import { assert, assertEquals } from "@std/assert";
import type { HttpLenience } from "../../http/limits.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { parseHead, refusalOf, sameForEverySplit } from "../_support/wire.ts";

function accepts(wire: string, lenience: HttpLenience = {}): void {
  assert(parseHead("request", [bytesOf(wire)], { lenience }), wire);
}

function refuses(wire: string, code: string, lenience: HttpLenience = {}): void {
  const refusal = sameForEverySplit(
    wire,
    (chunks) => refusalOf(() => parseHead("request", chunks, { lenience })),
  );
  assertEquals(refusal, { code, statusHint: 400, limit: undefined }, wire);
}

const GOOD_AUTHORITIES: [name: string, host: string][] = [
  ["a name", "example.com"],
  ["a name of one letter", "a"],
  ["a name in upper case", "EXAMPLE.Com"],
  ["a trailing dot", "example.com."],
  ["digits", "123"],
  ["an underscore", "_my_host.example"],
  ["a percent-encoded byte", "a%c3%A4.example"],
  ["sub-delims", "a!$&'()*+;=b"],
  ["a tilde and hyphens", "-a~-"],
  ["punycode", "xn--bcher-kva.example"],
  ["an IPv4 address", "127.0.0.1"],
  ["an IPv6 address", "[::1]"],
  ["the unspecified IPv6 address", "[::]"],
  ["eight groups", "[2001:db8:0:0:0:0:0:1]"],
  ["a compressed end", "[1:2:3:4:5:6:7::]"],
  ["a full IPv6 address", "[2001:db8:0:1:2:3:4:ABCD]"],
  ["an IPv6 address with an IPv4 address in it", "[::ffff:192.0.2.1]"],
];

const GOOD_PORTS = ["", ":", ":1", ":80", ":8080", ":65535", ":00080"];

for (const [name, host] of GOOD_AUTHORITIES) {
  Deno.test(`checkTargetAndHost() accepts ${name} in Host, with any port`, () => {
    for (const port of GOOD_PORTS) accepts(`GET / HTTP/1.1\r\nHost: ${host}${port}\r\n\r\n`);
  });

  Deno.test(`checkTargetAndHost() accepts ${name} in a target`, () => {
    for (const port of GOOD_PORTS) {
      accepts(`GET http://${host}${port}/ HTTP/1.1\r\nHost: ${host}${port}\r\n\r\n`);
    }
    accepts(`CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}:443\r\n\r\n`);
  });
}

const BAD_AUTHORITIES: [name: string, host: string][] = [
  ["userinfo", "user@example.com"],
  ["userinfo with a password", "user:pass@example.com"],
  ["empty userinfo", "@example.com"],
  ["a comma list", "a,b"],
  ["a trailing comma", "a,"],
  ["a port of letters", "a:http"],
  ["a port with a sign", "a:+80"],
  ["a negative port", "a:-1"],
  ["a port above 65535", "a:65536"],
  ["a port of 20 digits", "a:99999999999999999999"],
  ["two ports", "a:80:80"],
  ["only a port", ":80"],
  ["only a colon", ":"],
  ["a port with a percent-encoded digit", "a:%38"],
  ["an IPv6 address without brackets", "::1"],
  ["an open bracket", "[::1"],
  ["a closing bracket alone", "::1]"],
  ["empty brackets", "[]"],
  ["a name in brackets", "[example.com]"],
  ["an IPv4 address in brackets", "[127.0.0.1]"],
  ["a zone", "[fe80::1%25eth0]"],
  ["nothing in brackets", "[]"],
  ["three colons", "[:::]"],
  ["a colon at the end", "[1:2:]"],
  ["a colon at the start", "[:1:2:3:4:5:6:7]"],
  ["a group of five digits", "[12345::]"],
  ["two compressions", "[1::2::3]"],
  ["seven groups", "[1:2:3:4:5:6:7]"],
  ["nine groups", "[1:2:3:4:5:6:7:8:9]"],
  ["a compression of nothing", "[1:2:3:4:5:6:7:8::]"],
  ["a large part of an IPv4 address", "[::256.1.1.1]"],
  ["a short IPv4 address", "[::1.2.3]"],
  ["an IPv4 address in the middle", "[::1.2.3.4:5]"],
  ["an IPv4 address in front of a compression", "[1.2.3.4::]"],
  ["text behind the brackets", "[::1]a"],
  ["text in front of the brackets", "a[::1]"],
  ["brackets within brackets", "[[::1]]"],
  ["a percent sign alone", "a%"],
  ["a percent sign with one digit", "a%4"],
  ["a percent sign with other letters", "a%zz"],
  ["obs-text", "\xe4"],
];

/** What a target cannot hold, or where it ends the authority. */
const BAD_HOSTS: [name: string, host: string][] = [
  ["a comma list with blanks", "a, b"],
  ["a blank inside", "a b"],
  ["a tab inside", "a\tb"],
  ["a path", "a/b"],
  ["a path behind a port", "a:80/"],
  ["a slash alone", "/"],
  ["a query", "a?b"],
  ["a fragment", "a#b"],
  ["a whole URL", "http://a"],
  ["a backslash", "a\\b"],
  ["a quote", '"a"'],
  ["angle brackets", "<a>"],
  ["braces", "{a}"],
  ["a pipe", "a|b"],
  ["a caret", "a^b"],
  ["a backtick", "a`b"],
];

for (const [name, host] of [...BAD_AUTHORITIES, ...BAD_HOSTS]) {
  Deno.test(`checkTargetAndHost() refuses ${name} in Host`, () => {
    refuses(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, "ERR_HTTP_BAD_HOST");
    refuses(`GET / HTTP/1.0\r\nHost: ${host}\r\n\r\n`, "ERR_HTTP_BAD_HOST");
  });
}

for (const [name, host] of BAD_AUTHORITIES) {
  Deno.test(`checkTargetAndHost() refuses ${name} in a target`, () => {
    const lenience = { allowHostMismatch: true, allowNonAsciiTarget: true };
    refuses(`GET http://${host}/ HTTP/1.1\r\nHost: a\r\n\r\n`, "ERR_HTTP_BAD_TARGET", lenience);
    refuses(`CONNECT ${host} HTTP/1.1\r\nHost: a\r\n\r\n`, "ERR_HTTP_BAD_TARGET", lenience);
  });
}

for (
  const [name, fields, code] of [
    ["no Host", "X: y\r\n", "ERR_HTTP_MISSING_HOST"],
    ["no fields at all", "", "ERR_HTTP_MISSING_HOST"],
    ["a field that only starts with Host", "Hostname: a\r\n", "ERR_HTTP_MISSING_HOST"],
    ["an empty Host", "Host:\r\n", "ERR_HTTP_BAD_HOST"],
    ["a blank Host", "Host: \t \r\n", "ERR_HTTP_BAD_HOST"],
    ["two different Hosts", "Host: a\r\nHost: b\r\n", "ERR_HTTP_BAD_HOST"],
    ["two equal Hosts", "Host: a\r\nhost: a\r\n", "ERR_HTTP_BAD_HOST"],
    ["an empty Host and another", "Host:\r\nX: y\r\nHOST: a\r\n", "ERR_HTTP_BAD_HOST"],
  ] as const
) {
  Deno.test(`checkTargetAndHost() refuses ${name} in HTTP/1.1`, () => {
    for (const start of ["GET /", "OPTIONS *", "GET http://a/", "CONNECT a:443"]) {
      refuses(`${start} HTTP/1.1\r\n${fields}\r\n`, code);
    }
  });
}

Deno.test("checkTargetAndHost() needs no Host in HTTP/1.0, but not two either", () => {
  for (const fields of ["", "Host:\r\n", "Host: a\r\n"]) accepts(`GET / HTTP/1.0\r\n${fields}\r\n`);
  accepts("GET http://a/ HTTP/1.0\r\n\r\n");
  refuses("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", "ERR_HTTP_BAD_HOST");
});

Deno.test("checkTargetAndHost() with allowMissingHost still refuses a bad, empty or second Host", () => {
  const lenience = { allowMissingHost: true };
  accepts("GET / HTTP/1.1\r\n\r\n", lenience);
  for (const host of ["", "a,b", "a\r\nHost: a"]) {
    refuses(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`, "ERR_HTTP_BAD_HOST", lenience);
  }
});

const GOOD_TARGETS: [name: string, start: string, host?: string][] = [
  ["origin-form", "GET /"],
  ["origin-form with a query", "GET /a/b?c=/d?e"],
  ["origin-form with two slashes", "GET //a/b"],
  ["origin-form with a URL inside", "GET /http://b/"],
  ["asterisk-form with OPTIONS", "OPTIONS *"],
  ["origin-form with OPTIONS", "OPTIONS /"],
  ["absolute-form", "GET http://a/b?c"],
  ["absolute-form without path", "GET http://a"],
  ["absolute-form with a query and no path", "GET http://a?b"],
  ["absolute-form with OPTIONS", "OPTIONS http://a"],
  ["absolute-form with https", "GET https://a/"],
  ["absolute-form with another scheme", "GET coap+tcp://a/"],
  ["absolute-form in upper case", "GET HTTP://A/"],
  ["absolute-form with an @ in the path", "GET http://a/@b"],
  ["absolute-form with an @ in the query", "GET http://a?b@c"],
  ["authority-form with CONNECT", "CONNECT a:443", "a:443"],
  ["authority-form in another case", "CONNECT A:443", "a:443"],
];

for (const [name, start, host = "a"] of GOOD_TARGETS) {
  Deno.test(`checkTargetAndHost() accepts ${name}`, () => {
    accepts(`${start} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  });
}

for (
  const [name, start] of [
    ["asterisk-form outside of OPTIONS", "GET *"],
    ["asterisk-form with CONNECT", "CONNECT *"],
    ["two asterisks", "OPTIONS **"],
    ["an asterisk with a path", "OPTIONS */"],
    ["authority-form outside of CONNECT", "GET a:443"],
    ["authority-form with OPTIONS", "OPTIONS a:443"],
    ["a host alone", "GET a"],
    ["a relative path", "GET a/b"],
    ["a dot", "GET ."],
    ["a query alone", "GET ?a"],
    ["origin-form with CONNECT", "CONNECT /"],
    ["absolute-form with CONNECT", "CONNECT http://a/"],
    ["CONNECT without port", "CONNECT a"],
    ["CONNECT with an empty port", "CONNECT a:"],
    ["CONNECT with a path", "CONNECT a:443/"],
    ["CONNECT with only a port", "CONNECT :443"],
    ["a scheme without slashes", "GET http:a"],
    ["a scheme with one slash", "GET http:/a"],
    ["a scheme with three slashes", "GET http:///a"],
    ["a scheme and nothing else", "GET http://"],
    ["a scheme and a colon", "GET http:"],
    ["a scheme and one slash", "GET http:/"],
    ["an empty authority with a query", "GET http://?a"],
    ["an empty scheme", "GET ://a/"],
    ["a scheme that starts with a digit", "GET 1http://a/"],
    ["a scheme with an underscore", "GET ht_tp://a/"],
    ["a mailto URI", "GET mailto:a"],
  ] as const
) {
  Deno.test(`checkTargetAndHost() refuses ${name}`, () => {
    for (const lenience of [{}, { allowHostMismatch: true }]) {
      refuses(`${start} HTTP/1.1\r\nHost: a\r\n\r\n`, "ERR_HTTP_BAD_TARGET", lenience);
    }
  });
}

for (
  const [name, start, host] of [
    ["the default port of http is left out", "GET http://a:80/", "a"],
    ["the default port of http is left out in the target", "GET http://a/", "a:80"],
    ["the default port of https is left out", "GET https://a:443/", "a"],
    ["an empty port stands for the default", "GET http://a:/", "a:80"],
    ["a port has leading zeros", "GET http://a:080/", "a:80"],
    ["the case differs", "GET http://Example.COM:8080/", "eXAMPLE.com:8080"],
    ["both are IPv6", "GET http://[::A]:80/", "[::a]"],
    ["a CONNECT names the same port", "CONNECT [::1]:443", "[::1]:443"],
  ] as const
) {
  Deno.test(`checkTargetAndHost() sees that target and Host agree where ${name}`, () => {
    accepts(`${start} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  });
}

for (
  const [name, start, host] of [
    ["the name", "GET http://a/", "b"],
    ["a suffix of the name", "GET http://a.b/", "a"],
    ["a trailing dot", "GET http://a./", "a"],
    ["the port", "GET http://a:81/", "a"],
    ["the port of Host", "GET http://a/", "a:81"],
    ["the default port of the other scheme", "GET https://a/", "a:80"],
    ["a port without a default", "GET ftp://a:21/", "a"],
    ["percent-encoding", "GET http://%61/", "a"],
    ["the address family", "GET http://127.0.0.1/", "[::ffff:127.0.0.1]"],
    ["the name of a tunnel", "CONNECT a:443", "b:443"],
    ["the port of a tunnel", "CONNECT a:443", "a:80"],
    ["the missing port of a tunnel", "CONNECT a:443", "a"],
  ] as const
) {
  Deno.test(`checkTargetAndHost() refuses target and Host that differ in ${name}`, () => {
    const wire = `${start} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    refuses(wire, "ERR_HTTP_HOST_MISMATCH");
    refuses(wire.replace("HTTP/1.1\r\n", "HTTP/1.0\r\n"), "ERR_HTTP_HOST_MISMATCH");
    accepts(wire, { allowHostMismatch: true });
  });
}

Deno.test("checkTargetAndHost() refuses absolute-form beside an empty Host", () => {
  refuses("GET http://a/ HTTP/1.0\r\nHost:\r\n\r\n", "ERR_HTTP_HOST_MISMATCH");
});
