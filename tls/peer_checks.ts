import { systemClock } from "../nbio/clock.ts";
import { NetError } from "../nbio/errors.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { checkLeaf } from "./chain_rules.ts";
import { TlsError } from "./errors.ts";
import { checkPins } from "./pins.ts";
import type { TlsClientSettings } from "./tls_options.ts";
import { verifyChain, type VerifyChainOptions } from "./verify_chain.ts";
import { verifyHostname } from "./verify_hostname.ts";

/**
 * Whether a server is looked at beyond what verifies its certificate.
 *
 * @param settings What was asked for.
 * @returns Whether {@linkcode checkPeer} has something to do.
 */
export function hasPeerChecks({ pins, verifyPeer }: TlsClientSettings): boolean {
  return pins !== undefined || verifyPeer !== undefined;
}

/**
 * Looks at a server whose certificate was accepted: its pins, then the caller's own hook. It can
 * only refuse.
 *
 * @param chain The server's certificate, and those above it where they are known.
 * @param settings What was asked for.
 * @param signal Ends when there is no time left.
 * @throws {TlsError} If the server is refused.
 */
export async function checkPeer(
  chain: readonly Certificate[],
  settings: TlsClientSettings,
  signal: AbortSignal,
): Promise<void> {
  const { pins, verifyPeer, hostname } = settings;
  if (pins !== undefined) await checkPins(chain, pins, hostname);
  if (verifyPeer === undefined) return;
  const raw = chain.map(({ raw }) => raw);
  try {
    // Its own copy of the list, but not of the bytes: they are said to be read only.
    const peer = { hostname, certificate: raw[0]!, chain: raw, signal };
    await Promise.race([Promise.try(verifyPeer, peer), abortion(signal)]);
  } catch (cause) {
    throw new TlsError(
      "ERR_TLS_REFUSED",
      `Cannot secure connection to ${hostname}: verifyPeer has refused it`,
      { cause, phase: "verify" },
    );
  }
}

/**
 * Holds a server's own certificate, whose chain somebody else has verified, against everything that
 * needs no other: that it can be read strictly, its form and validity, what it is for, and the name.
 *
 * @param raw The certificate in DER.
 * @param settings Who the server has to be.
 * @returns The certificate.
 * @throws {TlsError} If it is refused; why is in the cause.
 */
export function verifyPeerLeaf(
  raw: Uint8Array,
  { hostname, skipHostname }: Pick<TlsClientSettings, "hostname" | "skipHostname">,
): Certificate {
  try {
    const leaf = parseCertificate(raw);
    checkLeaf(leaf, { time: systemClock.wallNow(), purpose: "serverAuth" });
    if (!skipHostname) verifyHostname(leaf, hostname);
    return leaf;
  } catch (cause) {
    throw refusal(`Cannot secure connection to ${hostname}`, cause);
  }
}

/**
 * Verifies what a peer has shown, on the very bytes.
 *
 * @param sent What it has sent, its own certificate first.
 * @param action What fails otherwise, for the error.
 * @param options Roots, purpose and name.
 * @returns The chain up to the root.
 * @throws {TlsError} If it is refused; why is in the cause.
 */
export async function verifyPeerChain(
  sent: readonly Certificate[],
  action: string,
  options: Pick<VerifyChainOptions, "roots" | "purpose" | "name" | "signal">,
): Promise<readonly Certificate[]> {
  try {
    const { chain } = await verifyChain(sent[0]!, { ...options, intermediates: sent.slice(1) });
    return chain;
  } catch (cause) {
    throw refusal(action, cause);
  }
}

/** What a check of ours has found; anything else as it is. */
function refusal(action: string, cause: unknown): unknown {
  if (!(cause instanceof NetError)) return cause;
  return new TlsError("ERR_TLS_CERTIFICATE", `${action}: its certificate is not accepted`, {
    cause,
    phase: "verify",
    reason: cause.code,
  });
}

/** Rejects when there is no time left: a hook may not heed its signal. */
function abortion(signal: AbortSignal): Promise<never> {
  signal.throwIfAborted();
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
