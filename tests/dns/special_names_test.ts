import { assertEquals, assertThrows } from "@std/assert";
import { DnsMessageError } from "../../dns/errors.ts";
import { answerSpecialName } from "../../dns/special_names.ts";

/** Response code and data; `undefined` for a name like others. */
function answerTo(name: string, type = "A", recordClass = "IN"): unknown {
  const message = answerSpecialName({ name, type, class: recordClass });
  return message && [message.rcode, ...message.answers.map(({ data }) => data)];
}

const LOOPBACK = { address: "127.0.0.1" };
const LOOPBACK_IPV6 = { address: "::1" };

const CASES: readonly [name: string, type: string, gives: unknown][] = [
  ["localhost.", "A", ["NOERROR", LOOPBACK]],
  ["localhost", "A", ["NOERROR", LOOPBACK]],
  ["LocalHost.", "AAAA", ["NOERROR", LOOPBACK_IPV6]],
  ["a.b.localhost.", "A", ["NOERROR", LOOPBACK]],
  ["localhost.", "ANY", ["NOERROR", LOOPBACK, LOOPBACK_IPV6]],
  ["localhost.", "MX", ["NOERROR"]],
  ["invalid.", "A", ["NXDOMAIN"]],
  ["a.INVALID.", "TXT", ["NXDOMAIN"]],
  ["onion.", "A", ["NXDOMAIN"]],
  ["expyuzz4wqqyqhjn.onion.", "AAAA", ["NXDOMAIN"]],
  ["notlocalhost.", "A", undefined],
  ["localhost.example.", "A", undefined],
  ["a\\.localhost.", "A", undefined],
  ["invalid.example.", "A", undefined],
  ["onions.", "A", undefined],
  ["test.", "A", undefined],
  ["example.", "A", undefined],
  ["printer.local.", "A", undefined],
  ["1.0.0.127.in-addr.arpa.", "PTR", undefined],
  [".", "NS", undefined],
];

for (const [name, type, gives] of CASES) {
  Deno.test(`answerSpecialName() for ${name} ${type}: ${JSON.stringify(gives)}`, () => {
    assertEquals(answerTo(name, type), gives);
  });
}

Deno.test("answerSpecialName() has addresses in the class of the Internet only", () => {
  assertEquals(answerTo("localhost.", "A", "CH"), ["NOERROR"]);
  assertEquals(answerTo("localhost.", "A", "ANY"), ["NOERROR", LOOPBACK]);
});

Deno.test("answerSpecialName() looks like what a resolver sends", () => {
  const question = { name: "localhost.", type: "A", class: "IN" };
  const message = answerSpecialName(question)!;
  assertEquals(message.questions, [question]);
  assertEquals([message.response, message.recursionAvailable, message.truncated], [
    true,
    true,
    false,
  ]);
  assertEquals(message.answers[0]?.name, "localhost.");
});

Deno.test("answerSpecialName() refuses what is no name", () => {
  assertThrows(() => answerTo("a..b"), DnsMessageError);
});
