import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { decodeMessage } from "../../dns/decode_message.ts";
import { encodeMessage, type MessageInit } from "../../dns/encode_message.ts";
import type { ServerResponse } from "../../dns/query_action.ts";
import { QueryFailure } from "../../dns/query_failure.ts";
import { DnsResponseError, DnsTimeoutError } from "../../dns/resolver_errors.ts";

const server = { address: "192.0.2.1", port: 53 };
const question = { name: "a.example.", type: "A", class: "IN" };

function response(rcode: string, init: MessageInit = {}): ServerResponse {
  const bytes = encodeMessage({ rcode, ...init });
  return { message: decodeMessage(bytes), server, over: "udp", bytes };
}

function failure(): QueryFailure {
  return new QueryFailure(question, 10_000);
}

Deno.test("QueryFailure gives the most telling failure, whatever comes last", () => {
  const one = failure();
  one.note("rcode", response("SERVFAIL"));
  one.note("malformed");
  one.note("refused", response("FORMERR"));
  one.record(server, "udp", "timeout");
  const { error, response: last } = one.finish();
  assertEquals([error.code, last?.message.rcode], ["ERR_DNS_SERVFAIL", "SERVFAIL"]);
});

Deno.test("QueryFailure gives the last of equals", () => {
  const one = failure();
  one.note("rcode", response("SERVFAIL"));
  one.note("rcode", response("REFUSED"));
  assertEquals(one.finish().error.code, "ERR_DNS_REFUSED");
});

Deno.test("QueryFailure keeps the message of an unusable response", () => {
  const one = failure();
  one.note("malformed", response("NOERROR"));
  one.note("malformed");
  const { error, response: last } = one.finish();
  assertEquals([error.code, last?.message.rcode], ["ERR_DNS_MALFORMED", "NOERROR"]);
});

Deno.test("QueryFailure tells time from what could not be sent", () => {
  const slow = failure();
  slow.record(server, "udp", "unreachable", new Error("x"));
  slow.record(server, "udp", "timeout");
  assertInstanceOf(slow.finish().error, DnsTimeoutError);
  const cut = failure();
  const cause = new Error("y");
  cut.record(server, "tcp", "unreachable", cause);
  const { error } = cut.finish();
  assertInstanceOf(error, DnsResponseError);
  assert(error.cause === cause);
  assertEquals(error.code, "ERR_DNS_UNREACHABLE");
});

Deno.test("QueryFailure keeps 256 attempts", () => {
  const one = failure();
  for (let count = 0; count < 300; count++) one.record(server, "udp", "malformed");
  assertEquals(one.finish().error.attempts.length, 256);
});

for (const infoCode of [18, 49_152]) {
  Deno.test(`QueryFailure quotes and cuts the text of extended error ${infoCode}`, () => {
    const text = `\x1b[2J"${"b".repeat(40)}`;
    const options = [{ type: "extended-error", infoCode, text }] as const;
    const edns = { udpPayloadSize: 1232, version: 0, dnssecOk: false, flags: 0, options };
    const one = failure();
    one.note("rcode", response("REFUSED", { edns }));
    const { error } = one.finish();
    assertEquals(error.code, "ERR_DNS_REFUSED");
    assert(/^[\x20-\x7e]*$/.test(error.message), error.message);
    assert(error.message.includes(`"\\u001b[2J\\"${"b".repeat(27)}"`), error.message);
  });
}

Deno.test("QueryFailure says nothing of a text that an extended error does not have", () => {
  const messages = ["", "x"].map((text) => {
    const options = [{ type: "extended-error", infoCode: 18, text }] as const;
    const edns = { udpPayloadSize: 1232, version: 0, dnssecOk: false, flags: 0, options };
    const one = failure();
    one.note("rcode", response("REFUSED", { edns }));
    return one.finish().error.message;
  });
  assertEquals(messages.map((message) => message.includes('"')), [false, true]);
});
