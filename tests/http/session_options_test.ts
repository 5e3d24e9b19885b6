import { assertEquals, assertThrows } from "@std/assert";
import {
  checkGrace,
  resolveSessionOptions,
  type SessionOptions,
} from "../../http/session_options.ts";

const keys = [new Uint8Array(32)];

Deno.test("resolveSessionOptions() fills in what is missing", () => {
  const { signer: _signer, queue: _queue, store: _store, clock: _clock, ...rest } =
    resolveSessionOptions({
      keys,
    });
  assertEquals(rest, {
    cookieName: "__Host-session",
    cookie: { path: "/", secure: true, sameSite: "Lax", httpOnly: true },
    isPersistent: true,
    idleTimeoutMs: 1_800_000,
    absoluteTimeoutMs: 43_200_000,
    renewAfterMs: 450_000,
    rotationGraceMs: 10_000,
    maxDataBytes: 65_536,
    cacheControl: "private, no-cache",
  });
});

Deno.test("resolveSessionOptions() knows no absolute end where it is switched off", () => {
  for (const absoluteTimeoutMs of [0, Infinity]) {
    assertEquals(resolveSessionOptions({ keys, absoluteTimeoutMs }).absoluteTimeoutMs, Infinity);
  }
});

for (
  const [what, options] of [
    ["no key", { keys: [] }],
    ["a short key", { keys: ["short"] }],
    ["an idle time of 0", { idleTimeoutMs: 0 }],
    ["an idle time without end", { idleTimeoutMs: Infinity }],
    ["an idle time that is none", { idleTimeoutMs: NaN }],
    ["a negative absolute time", { absoluteTimeoutMs: -1 }],
    ["a negative share", { renewAfter: -0.1 }],
    ["a share above 1", { renewAfter: 1.1 }],
    ["a negative grace", { rotationGraceMs: -1 }],
    ["a grace of more than an hour", { rotationGraceMs: 3_600_001 }],
    ["a negative size", { maxDataBytes: -1 }],
    ["a Cache-Control that ends its line", { cacheControl: "no-store\r\nx-a: b" }],
  ] as [string, Partial<SessionOptions>][]
) {
  Deno.test(`resolveSessionOptions() throws a RangeError on ${what}`, () => {
    assertThrows(() => resolveSessionOptions({ keys, ...options }), RangeError);
  });
}

for (
  const [what, options] of [
    ["a name that is no token", { cookieName: "a b" }],
    ["a domain beside the prefix", { cookie: { domain: "a.example" } }],
    ["a prefix without Secure", { cookie: { secure: false } }],
    ["SameSite=None without Secure", {
      cookieName: "a",
      cookie: { sameSite: "None", secure: false },
    }],
  ] as [string, Partial<SessionOptions>][]
) {
  Deno.test(`resolveSessionOptions() throws a TypeError on ${what}`, () => {
    assertThrows(() => resolveSessionOptions({ keys, ...options }), TypeError);
  });
}

Deno.test("checkGrace() allows 0 to an hour", () => {
  assertEquals([checkGrace(0), checkGrace(3_600_000)], [0, 3_600_000]);
  for (const graceMs of [-1, 3_600_001, NaN]) assertThrows(() => checkGrace(graceMs), RangeError);
});
