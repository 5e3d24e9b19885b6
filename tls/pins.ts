import type { Certificate } from "./certificate.ts";
import { TlsError } from "./errors.ts";
import { publicKeyPin } from "./fingerprint.ts";
import type { TlsPinSettings } from "./tls_options.ts";
import type { TlsPinReport } from "../nbio/tls_provider.ts";

/**
 * Holds keys against those that were pinned.
 *
 * @param certificates The server's own certificate, or the chain that was verified: a chain as it
 * was sent says nothing, because anybody can add the certificate with the pinned key to it.
 * @param pins What was pinned.
 * @param hostname Who the server has to be, for the report.
 * @throws {TlsError} If no key is pinned, and that is enforced.
 */
export async function checkPins(
  certificates: readonly Certificate[],
  pins: TlsPinSettings,
  hostname: string,
): Promise<void> {
  const looked = pins.match === "leaf" ? certificates.slice(0, 1) : certificates;
  const found = await Promise.all(
    looked.map(({ subjectPublicKeyInfo }) => publicKeyPin(subjectPublicKeyInfo)),
  );
  if (found.some((pin) => pins.keys.includes(pin))) return;
  const type = found.some((pin) => pins.backupKeys.includes(pin)) ? "backup" : "mismatch";
  report(pins, { type, hostname, found });
  if (type === "backup" || !pins.enforce) return;
  throw new TlsError(
    "ERR_TLS_PIN",
    `Cannot secure connection to ${hostname}: none of its keys is pinned`,
    { phase: "verify", reason: `found ${found.join(", ")}` },
  );
}

/** Who is told decides nothing: what it throws must not open the door, or close it. */
function report({ onReport }: TlsPinSettings, told: TlsPinReport): void {
  try {
    onReport?.(told);
  } catch (error) {
    console.error(error);
  }
}
