import { assertEquals, assertThrows } from "@std/assert";
import { DigUsageError, parseDigArguments } from "../../examples/dig_arguments.ts";

function parse(line: string) {
  return parseDigArguments(line === "" ? [] : line.split(" "));
}

Deno.test("parseDigArguments() takes type and class on either side of a name", () => {
  for (
    const line of [
      "a.example mx ch",
      "mx ch a.example",
      "-c CH -t MX a.example",
      "a.example -tMX -cch",
    ]
  ) {
    const [query] = parse(line);
    assertEquals([query?.name, query?.type, query?.class], ["a.example", "MX", "CH"]);
  }
});

Deno.test("parseDigArguments() asks the root for its servers without a name", () => {
  assertEquals(parse("").map(({ name, type }) => [name, type]), [[".", "NS"]]);
  assertEquals(parse("SOA").map(({ name, type }) => [name, type]), [[".", "SOA"]]);
});

Deno.test("parseDigArguments() turns an address around", () => {
  const [query] = parse("-x 192.0.2.1");
  assertEquals([query?.name, query?.type], ["1.2.0.192.in-addr.arpa.", "PTR"]);
});

Deno.test("parseDigArguments() shares what stands in front of the first name", () => {
  const queries = parse("@192.0.2.53 -p 5300 +short -6 x y +noshort +tcp AAAA z +noall +answer");
  assertEquals(
    queries.map(({ name, type, isShort, useTcp, server, port, family, parts }) => [
      name,
      type,
      isShort,
      useTcp,
      `${server}#${port} ${family}`,
      parts.size,
    ]),
    [
      ["x", "A", true, false, "192.0.2.53#5300 6", 7],
      ["y", "AAAA", false, true, "192.0.2.53#5300 6", 7],
      ["z", "A", true, false, "192.0.2.53#5300 6", 1],
    ],
  );
});

Deno.test("parseDigArguments() takes the words behind a plus", () => {
  const [query] = parse("x +noedns +nocookie +dnssec +cdflag +norecurse +nsid +time=2 +tries=1");
  assertEquals(query, {
    ...parse("x")[0]!,
    edns: false,
    cookies: false,
    dnssecOk: true,
    checkingDisabled: true,
    recursionDesired: false,
    nsid: true,
    timeoutMs: 2_000,
    attempts: 1,
  });
  assertEquals(parse("x +retry=0")[0]?.attempts, 1);
  assertEquals(parse("x +bufsize=4096")[0]?.edns, 4_096);
});

Deno.test("parseDigArguments() throws on what it does not understand", () => {
  const wrong = [
    ...["-z", "+what", "+time=0", "+tries=x", "+bufsize=511", "+edns=1", "-p 0", "-p 65536", "-p"],
    ...["-t WHAT", "-c WHAT", "-x example", "-b 192.0.2.1"],
  ];
  for (const line of wrong) assertThrows(() => parse(line), DigUsageError);
});
