import { assertEquals, assertRejects } from "@std/assert";
import type { TlsPinReport } from "../../nbio/tls_provider.ts";
import { parseCertificates } from "../../tls/certificate.ts";
import { TlsError } from "../../tls/errors.ts";
import { publicKeyPin } from "../../tls/fingerprint.ts";
import { checkPins } from "../../tls/pins.ts";
import type { TlsPinSettings } from "../../tls/tls_options.ts";
import { ca, server } from "../_support/tls_pki.ts";

const leaf = parseCertificates(server.cert)[0]!;
const chain = [leaf, ca.certificate];
const leafPin = await publicKeyPin(leaf.subjectPublicKeyInfo);
const caPin = await publicKeyPin(ca.certificate.subjectPublicKeyInfo);
const otherPin = `${"A".repeat(43)}=`;

/** Checks the pins of the chain; gives what was reported. */
async function check(pins: Partial<TlsPinSettings>): Promise<TlsPinReport[]> {
  const reports: TlsPinReport[] = [];
  const defaults: TlsPinSettings = {
    keys: [otherPin],
    backupKeys: [],
    match: "leaf",
    enforce: true,
    onReport: (report) => void reports.push(report),
  };
  await checkPins(chain, { ...defaults, ...pins }, "localhost");
  return reports;
}

Deno.test("checkPins() lets a pinned key in and tells nobody", async () => {
  assertEquals(await check({ keys: [otherPin, leafPin] }), []);
  assertEquals(await check({ keys: [caPin], match: "chain" }), []);
});

Deno.test("checkPins() looks at the leaf alone unless it is told to look at the chain", async () => {
  const error = await assertRejects(() => check({ keys: [caPin] }), TlsError);
  assertEquals([error.code, error.phase], ["ERR_TLS_PIN", "verify"]);
});

Deno.test("checkPins() lets a backup key in and tells of it", async () => {
  assertEquals(await check({ backupKeys: [leafPin] }), [
    { type: "backup", hostname: "localhost", found: [leafPin] },
  ]);
  await assertRejects(() => check({ backupKeys: [caPin] }), TlsError);
});

Deno.test("checkPins() tells of a mismatch before it refuses, and only tells if so asked", async () => {
  const reports: TlsPinReport[] = [];
  const onReport = (report: TlsPinReport) => void reports.push(report);
  await assertRejects(() => check({ onReport, match: "chain" }), TlsError);
  assertEquals(reports, [{ type: "mismatch", hostname: "localhost", found: [leafPin, caPin] }]);
  assertEquals((await check({ enforce: false })).map(({ type }) => type), ["mismatch"]);
});

Deno.test("checkPins() does not care what the one who is told throws", async () => {
  const { error } = console;
  const printed: unknown[] = [];
  console.error = (value: unknown) => void printed.push(value);
  try {
    const reason = new Error("told");
    const onReport = () => {
      throw reason;
    };
    const { code } = await assertRejects(() => check({ onReport }), TlsError);
    assertEquals(code, "ERR_TLS_PIN");
    await check({ onReport, backupKeys: [leafPin] });
    assertEquals(printed, [reason, reason]);
  } finally {
    console.error = error;
  }
});
