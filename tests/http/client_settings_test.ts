import { assertEquals, assertThrows } from "@std/assert";
import {
  type ClientCallOptions,
  connectionOptionsOf,
  resolveCallSettings,
} from "../../http/client_settings.ts";

Deno.test("resolveCallSettings() fills in the defaults", () => {
  const { retry, ...settings } = resolveCallSettings({});
  assertEquals(typeof retry, "object");
  assertEquals(settings, {
    writeTimeoutMs: 30_000,
    continueTimeoutMs: 1_000,
    firstByteTimeoutMs: 60_000,
    bodyTimeoutMs: 30_000,
    totalTimeoutMs: Infinity,
    unreadTimeoutMs: 30_000,
    maxBodyBytes: 67_108_864,
    maxResponseBytes: Infinity,
    maxContentCodings: 5,
    maxDecodingRatio: 1_000,
    decompress: true,
    redirect: "follow",
    maxRedirects: 20,
    allowInsecureRedirect: false,
    sensitiveHeaders: ["X-API-Key"],
    throwOnError: false,
  });
});

Deno.test("resolveCallSettings() takes from the client what a call does not say", () => {
  const base = resolveCallSettings({
    maxBodyBytes: 7,
    redirect: "manual",
    retry: { maxRetries: 9 },
  });
  const said = { maxBodyBytes: 8, decompress: undefined } as unknown as ClientCallOptions;
  const settings = resolveCallSettings(said, base);
  assertEquals([settings.maxBodyBytes, settings.redirect, settings.decompress], [
    8,
    "manual",
    true,
  ]);
  assertEquals(settings.retry, base.retry);
  assertEquals(resolveCallSettings({ retry: false }, base).retry, undefined);
  assertEquals(resolveCallSettings({}, resolveCallSettings({ retry: false })).retry, undefined);
  assertEquals(resolveCallSettings({ retry: {} }, base).retry === base.retry, false);
});

Deno.test("resolveCallSettings() switches off by 0", () => {
  const off = resolveCallSettings({ totalTimeoutMs: 0, unreadTimeoutMs: 0, maxBodyBytes: 0 });
  assertEquals([off.totalTimeoutMs, off.unreadTimeoutMs, off.maxBodyBytes], [
    Infinity,
    Infinity,
    Infinity,
  ]);
});

Deno.test("resolveCallSettings() refuses what is out of range", () => {
  const rows: ClientCallOptions[] = [
    { totalTimeoutMs: -1 },
    { unreadTimeoutMs: NaN },
    { bodyTimeoutMs: -1 },
    { maxBodyBytes: -1 },
    { maxResponseBytes: 0.5 },
    { maxContentCodings: -1 },
    { maxDecodingRatio: NaN },
    { maxRedirects: -1 },
    { redirect: "sometimes" as "error" },
    { retry: { baseDelayMs: 0 } },
  ];
  for (const options of rows) assertThrows(() => resolveCallSettings(options), RangeError);
});

Deno.test("connectionOptionsOf() gives the bound of a head its own name", () => {
  const connection = { maxHeaderCount: 5, maxHeaderBytes: 1 };
  assertEquals(connectionOptionsOf({ connection }), connection);
  assertEquals(connectionOptionsOf({ connection, maxHeaderBytes: 9 }), {
    maxHeaderCount: 5,
    maxHeaderBytes: 9,
  });
});
