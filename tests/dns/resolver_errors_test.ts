import { assert, assertEquals } from "@std/assert";
import { decodeMessage } from "../../dns/decode_message.ts";
import { encodeMessage } from "../../dns/encode_message.ts";
import {
  DnsResponseError,
  DnsTimeoutError,
  extendedErrorsOf,
  responseErrorCode,
} from "../../dns/resolver_errors.ts";
import { NetError, TimeoutError } from "../../nbio/errors.ts";

const question = { name: "a.example.", type: "A", class: "IN" };
const RESPONSE = decodeMessage(encodeMessage({
  rcode: "SERVFAIL",
  edns: {
    udpPayloadSize: 1232,
    version: 0,
    dnssecOk: false,
    flags: 0,
    options: [
      { type: "extended-error", infoCode: 22, text: "" },
      { type: "nsid", bytes: new Uint8Array(1) },
      { type: "extended-error", infoCode: 0, text: "why" },
    ],
  },
}));

Deno.test("DnsResponseError carries question, response and attempts", () => {
  const cause = new Error("below");
  const server = { address: "192.0.2.1", port: 53 };
  const attempts = [{ server, over: "udp" as const, outcome: "SERVFAIL" }];
  const options = { question, response: RESPONSE, attempts, cause };
  const error = new DnsResponseError("ERR_DNS_SERVFAIL", "Cannot resolve", options);
  assert(error instanceof NetError);
  assertEquals([error.name, error.code, error.rcode], [
    "DnsResponseError",
    "ERR_DNS_SERVFAIL",
    "SERVFAIL",
  ]);
  assertEquals([error.question, error.attempts], [question, attempts]);
  assert(error.response === RESPONSE && error.cause === cause);
  assertEquals(error.extendedErrors, [{ infoCode: 22, text: "" }, { infoCode: 0, text: "why" }]);
});

Deno.test("DnsResponseError does without a response", () => {
  const error = new DnsResponseError("ERR_DNS_UNREACHABLE", "Cannot resolve", { question });
  assertEquals([error.rcode, error.response], [undefined, undefined]);
  assertEquals([error.extendedErrors, error.attempts], [[], []]);
  assert(!("cause" in error));
});

Deno.test("DnsTimeoutError is a TimeoutError that tells what was tried", () => {
  const options = { question, phase: "dns", timeoutMs: 5 };
  const error = new DnsTimeoutError("Cannot resolve", options);
  assert(error instanceof TimeoutError);
  assertEquals([error.code, error.phase, error.timeoutMs], ["ERR_NET_TIMEOUT", "dns", 5]);
  assertEquals([error.question, error.attempts], [question, []]);
});

Deno.test("responseErrorCode() has a code for every response code", () => {
  assertEquals(
    ["NXDOMAIN", "SERVFAIL", "REFUSED", "NOTIMP", "FORMERR", "YXDOMAIN", "RCODE15"].map(
      responseErrorCode,
    ),
    [
      "ERR_DNS_NXDOMAIN",
      "ERR_DNS_SERVFAIL",
      "ERR_DNS_REFUSED",
      "ERR_DNS_NOTIMP",
      "ERR_DNS_FORMERR",
      "ERR_DNS_RCODE",
      "ERR_DNS_RCODE",
    ],
  );
});

Deno.test("extendedErrorsOf() finds none where there is no message or no EDNS", () => {
  assertEquals(extendedErrorsOf(undefined), []);
  assertEquals(extendedErrorsOf(decodeMessage(encodeMessage({}))), []);
});
