/**
 * Prints the certificates of a file much as `openssl x509 -text` does, with fingerprint, pin and
 * expiry, and says whether the first one leads to a trusted root.
 *
 * ```sh
 * deno run --allow-read examples/certinfo.ts chain.pem
 * deno run --allow-read examples/certinfo.ts chain.pem --roots roots.pem --name www.example.com
 * ```
 *
 * The file is PEM with the leaf first, or one certificate in DER. Options: `--roots` (PEM of those
 * to trust; without it nothing is verified), `--name` (host name or address the leaf has to have),
 * `--purpose` (`serverAuth` by default, or `clientAuth`), `--brief` (a few lines for each
 * certificate). Nothing is asked about revocation.
 *
 * The exit code is 0 if all is well, 1 if the chain is refused, 2 if a file cannot be read.
 */

import { parseArgs } from "node:util";
import {
  type Certificate,
  certificateFingerprint,
  CertificateVerificationError,
  formatCertificate,
  parseCertificate,
  parseCertificates,
  publicKeyPin,
  verifyChain,
  type VerifyChainOptions,
} from "@nbio/net/tls";
import { LimitExceededError, NetError } from "@nbio/net/nbio";

const MS_PER_DAY = 86_400_000;

/** What {@linkcode describeCertificate} is told. */
export interface DescribeOptions {
  /** Milliseconds since the epoch: what the expiry is counted from. */
  readonly time: number;
  /** Whether a few lines are enough. */
  readonly brief?: boolean;
}

/**
 * Reads PEM, or one certificate in DER.
 *
 * @throws {NetError} If it is neither.
 */
export function readCertificates(bytes: Uint8Array): Certificate[] {
  // A certificate in DER is a sequence of at least 128 bytes; PEM is text.
  if (bytes[0] === 0x30 && bytes[1]! >= 0x80) return [parseCertificate(bytes)];
  return parseCertificates(new TextDecoder().decode(bytes));
}

/** What there is to say about a certificate, in lines. */
export async function describeCertificate(
  certificate: Certificate,
  options: DescribeOptions,
): Promise<string> {
  const { subject, issuer } = certificate;
  const head = options.brief
    ? `Subject: ${subject}\nIssuer: ${issuer}\nSerial: ${certificate.serialHex}\n`
    : formatCertificate(certificate);
  const fingerprint = await certificateFingerprint(certificate);
  const pin = await publicKeyPin(certificate.subjectPublicKeyInfo);
  return `${head}SHA-256: ${fingerprint.toHex()}\nPin: ${pin}\n${
    describeExpiry(certificate, options.time)
  }\n`;
}

/** How long a certificate is still valid, or why it is not. */
export function describeExpiry({ notBefore, notAfter }: Certificate, time: number): string {
  const days = (from: number, to: number): string => `${Math.floor((to - from) / MS_PER_DAY)} days`;
  if (time < notBefore) return `Expiry: not valid yet, for ${days(time, notBefore)} more`;
  if (time > notAfter) return `Expiry: expired ${days(notAfter, time)} ago`;
  return `Expiry: valid for ${days(time, notAfter)} more`;
}

/** Says whether a leaf is good, and if not, why. */
export async function describeVerdict(
  leaf: Certificate,
  options: VerifyChainOptions,
): Promise<{ readonly isGood: boolean; readonly text: string }> {
  try {
    const { chain } = await verifyChain(leaf, options);
    const path = chain.map(({ subject }) => `${subject}`).join("\n  <- ");
    return { isGood: true, text: `Verdict: verified\n  ${path}` };
  } catch (error) {
    const isRefusal = error instanceof CertificateVerificationError ||
      error instanceof LimitExceededError;
    if (!isRefusal) throw error;
    return { isGood: false, text: `Verdict: refused (${error.code})\n  ${error.message}` };
  }
}

/** Runs the program; gives the exit code. */
export async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      roots: { type: "string" },
      name: { type: "string" },
      purpose: { type: "string", default: "serverAuth" },
      brief: { type: "boolean", default: false },
    },
  });
  const [file] = positionals;
  const { roots, name, purpose, brief } = values;
  if (file === undefined || positionals.length > 1) {
    console.error("Usage: certinfo.ts FILE [--roots FILE] [--name NAME] [--purpose P] [--brief]");
    return 2;
  }
  try {
    const certificates = readCertificates(await Deno.readFile(file));
    const trusted = roots === undefined ? undefined : readCertificates(await Deno.readFile(roots));
    const [leaf, ...intermediates] = certificates;
    if (leaf === undefined) throw new Deno.errors.InvalidData("the file holds no certificate");
    const time = Date.now();
    for (const certificate of certificates) {
      console.log(await describeCertificate(certificate, { time, brief }));
    }
    if (trusted === undefined) return 0;
    const { isGood, text } = await describeVerdict(leaf, {
      roots: trusted,
      intermediates,
      time,
      purpose: purpose as "serverAuth" | "clientAuth",
      ...(name === undefined ? {} : { name }),
    });
    console.log(text);
    return isGood ? 0 : 1;
  } catch (error) {
    if (!isExpected(error)) throw error;
    console.error(`Cannot read certificates: ${(error as Error).message}`);
    return 2;
  }
}

/** What a wrong file or a wrong option leads to, and no bug. */
function isExpected(error: unknown): boolean {
  return error instanceof NetError || error instanceof RangeError || error instanceof TypeError ||
    error instanceof Deno.errors.NotFound || error instanceof Deno.errors.InvalidData ||
    error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable ||
    error instanceof Deno.errors.IsADirectory;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
