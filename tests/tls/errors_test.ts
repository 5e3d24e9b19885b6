import { assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { NetError } from "../../nbio/errors.ts";
import { TlsError, TlsUnsupportedError } from "../../tls/errors.ts";

Deno.test("TlsError says what, where and why", () => {
  const plain = new TlsError("ERR_TLS_HANDSHAKE", "Cannot secure connection");
  assertInstanceOf(plain, NetError);
  assertEquals([plain.name, plain.code, plain.phase], [
    "TlsError",
    "ERR_TLS_HANDSHAKE",
    "handshake",
  ]);
  assertEquals([plain.alert, plain.reason, plain.cause], [undefined, undefined, undefined]);
  const cause = new Error("below");
  const options = { phase: "read", alert: "bad_certificate", reason: "why", cause } as const;
  const full = new TlsError("ERR_TLS_HANDSHAKE", "Cannot read", options);
  assertEquals([full.phase, full.alert, full.reason], ["read", "bad_certificate", "why"]);
  assertStrictEquals(full.cause, cause);
});

Deno.test("TlsUnsupportedError names the provider, the alternative and the option", () => {
  const few = new TlsUnsupportedError("ERR_TLS_UNSUPPORTED_ROLE", "Cannot", { provider: "deno" });
  assertInstanceOf(few, NetError);
  assertEquals([few.name, few.provider, few.alternative, few.option], [
    "TlsUnsupportedError",
    "deno",
    undefined,
    undefined,
  ]);
  const options = { provider: "deno", alternative: "node", option: "cert" };
  const all = new TlsUnsupportedError("ERR_TLS_UNSUPPORTED_OPTION", "Cannot", options);
  assertEquals([all.code, all.provider, all.alternative, all.option], [
    "ERR_TLS_UNSUPPORTED_OPTION",
    "deno",
    "node",
    "cert",
  ]);
});
