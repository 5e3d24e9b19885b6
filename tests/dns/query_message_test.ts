import { assertEquals, assertThrows } from "@std/assert";
import { decodeMessage } from "../../dns/decode_message.ts";
import { ServerMemory } from "../../dns/dns_server.ts";
import { DnsTextError } from "../../dns/errors.ts";
import { encodeQuery, normalizeQuestion } from "../../dns/query_message.ts";
import { resolveQueryOptions } from "../../dns/query_options.ts";

const OPTIONS = resolveQueryOptions({
  servers: [{ address: "192.0.2.1", port: 53 }],
  memory: new ServerMemory(),
  randomUint16: () => 0,
  random: () => 0,
  ednsOptions: [{ type: "nsid", bytes: new Uint8Array(0) }],
});
const question = { name: "a.example.", type: "A", class: "IN" };

Deno.test("encodeQuery() writes the cookie in front of other options", () => {
  const cookie = { client: new Uint8Array(8).fill(1), server: new Uint8Array(8).fill(2) };
  const { id, edns } = decodeMessage(
    encodeQuery({ id: 5, question, hasEdns: true, cookie }, OPTIONS),
  );
  assertEquals([id, edns?.udpPayloadSize, edns?.version], [5, 1_232, 0]);
  assertEquals(edns?.options, [
    { type: "cookie", ...cookie },
    { type: "nsid", bytes: new Uint8Array(0) },
  ]);
});

Deno.test("encodeQuery() has no options without EDNS", () => {
  const bytes = encodeQuery({ id: 5, question, hasEdns: false, cookie: undefined }, OPTIONS);
  assertEquals(decodeMessage(bytes).edns, undefined);
});

Deno.test("normalizeQuestion() gives every spelling one form", () => {
  const wanted = { name: "a.example.", type: "AAAA", class: "IN" };
  for (const name of ["a.example", "a.example.", "\\097.example."]) {
    for (const type of ["AAAA", "aaaa", "TYPE28"]) {
      assertEquals(normalizeQuestion({ name, type, class: "class1" }), wanted);
    }
  }
  assertEquals(normalizeQuestion({ ...wanted, name: "." }).name, ".");
});

Deno.test("normalizeQuestion() refuses what is none", () => {
  assertThrows(() => normalizeQuestion({ ...question, name: "" }), DnsTextError);
  assertThrows(() => normalizeQuestion({ ...question, name: "a..b" }), DnsTextError);
  assertThrows(() => normalizeQuestion({ ...question, type: "TYPE65536" }), RangeError);
  assertThrows(() => normalizeQuestion({ ...question, class: "" }), RangeError);
});
