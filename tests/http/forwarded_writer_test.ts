import { assertEquals } from "@std/assert";
import { parseForwarded } from "../../http/forwarded.ts";
import { formatForwarded, writeForwarded } from "../../http/forwarded_writer.ts";
import { HeaderList } from "../../http/header_list.ts";

const ROWS: readonly (readonly [string | undefined, string | undefined, string])[] = [
  ["192.0.2.1", "a.example", "for=192.0.2.1;host=a.example;proto=http"],
  ["::ffff:192.0.2.1", "a:81", 'for=192.0.2.1;host="a:81";proto=http'],
  ["2001:DB8:0::1", "[::1]:8", 'for="[2001:db8::1]";host="[::1]:8";proto=http'],
  ["fe80::1%eth0", undefined, 'for="[fe80::1]";proto=http'],
  [undefined, "", "for=unknown;proto=http"],
  ["nonsense", 'a"\\b', 'for=unknown;host="a\\"\\\\b";proto=http'],
];

for (const [address, host, text] of ROWS) {
  Deno.test(`formatForwarded() gives ${text}`, () => {
    assertEquals(formatForwarded({ address, host, scheme: "http" }), text);
  });
}

Deno.test("parseForwarded() understands what formatForwarded() gives", () => {
  const text = formatForwarded({ address: "2001:db8::1", host: "a:81", scheme: "https" });
  const [element] = parseForwarded(text)!;
  assertEquals([element?.for?.name, element?.host, element?.proto], [
    "2001:db8::1",
    "a:81",
    "https",
  ]);
});

const HOP = { address: "192.0.2.9", host: "a", scheme: "http" };
const LIES: readonly (readonly [string, string])[] = [
  ["Forwarded", "for=1.1.1.1"],
  ["forwarded", "for=1.1.1.2"],
  ["X-Forwarded-For", "1.1.1.1"],
  ["X-Forwarded-Port", "1"],
  ["X-Real-IP", "1.1.1.1"],
  ["X-Other", "1"],
];

Deno.test("writeForwarded() drops what a stranger says, whatever is written", () => {
  const headers = new HeaderList(LIES);
  writeForwarded(headers, HOP, { forwarded: false });
  assertEquals([...headers], [["X-Other", "1"]]);
});

Deno.test("writeForwarded() adds on one line to what a trusted peer says", () => {
  const headers = new HeaderList(LIES);
  writeForwarded(headers, HOP, { isTrusted: true, xForwarded: true });
  assertEquals(headers.getAll("forwarded"), [
    "for=1.1.1.1, for=1.1.1.2, for=192.0.2.9;host=a;proto=http",
  ]);
  assertEquals(headers.getAll("x-forwarded-for"), ["1.1.1.1, 192.0.2.9"]);
  assertEquals([headers.get("x-forwarded-proto"), headers.get("x-forwarded-host")], ["http", "a"]);
});

Deno.test("writeForwarded() tells of a client without an address, and keeps a trusted host", () => {
  const headers = new HeaderList([["X-Forwarded-For", ""], ["X-Forwarded-Host", "b"]]);
  const hop = { address: undefined, host: "a", scheme: "http" };
  writeForwarded(headers, hop, { isTrusted: true, forwarded: false, xForwarded: true });
  assertEquals([...headers], [
    ["x-forwarded-for", "unknown"],
    ["X-Forwarded-Host", "b"],
    ["x-forwarded-proto", "http"],
  ]);
});

for (const host of [undefined, ""]) {
  Deno.test(`writeForwarded() tells of no host where it is ${JSON.stringify(host)}`, () => {
    const headers = new HeaderList();
    writeForwarded(headers, { ...HOP, host }, { forwarded: false, xForwarded: true });
    assertEquals(headers.has("x-forwarded-host"), false);
  });
}
