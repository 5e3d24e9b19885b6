/**
 * Prints the certificates of a file, or of a server, much as `openssl x509 -text` does, with fingerprint, pin and
 * expiry, and says whether the first one leads to a trusted root.
 *
 * ```sh
 * deno run --allow-read examples/certinfo.ts chain.pem
 * deno run --allow-read examples/certinfo.ts chain.pem --roots roots.pem --name www.example.com
 * deno run --allow-net examples/certinfo.ts --connect www.example.com:443 --brief
 * deno run --allow-net --allow-read examples/certinfo.ts --connect 127.0.0.1:8443 \
 *   --name localhost --roots ca.pem
 * ```
 *
 * The file is PEM with the leaf first, or one certificate in DER. Options: `--roots` (PEM of those
 * to trust; without it nothing is verified), `--name` (host name or address the leaf has to have),
 * `--purpose` (`serverAuth` by default, or `clientAuth`), `--brief` (a few lines for each
 * certificate). Nothing is asked about revocation.
 *
 * `--connect HOST:PORT` shows what a server sends, good or not, and what was agreed on with it. The
 * name to ask for and to expect is `--name`, else the host. It is verified against `--roots`, else, by a
 * second connection, as any client of this package would: against the roots of the system.
 *
 * The exit code is 0 if all is well, 1 if the chain is refused, 2 if a file cannot be read or
 * there is no connection.
 */

import { parseArgs } from "node:util";
import {
  type Certificate,
  certificateFingerprint,
  CertificateVerificationError,
  connectTls,
  formatCertificate,
  parseCertificate,
  parseCertificates,
  publicKeyPin,
  TlsError,
  verifyChain,
  type VerifyChainOptions,
} from "@nbio/net/tls";
import { LimitExceededError, NetError, type TlsInfo } from "@nbio/net/nbio";

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

/** Where a server is, and who it has to be. */
export interface ServerPlace {
  readonly hostname: string;
  readonly port: number;
  readonly name: string;
}

/**
 * Reads `HOST:PORT`, with an address of IPv6 in brackets.
 *
 * @throws {TypeError} If it is something else.
 */
export function parsePlace(text: string, name: string | undefined): ServerPlace {
  const match = /^(?:\[(.+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) throw new TypeError(`${JSON.stringify(text)} is not HOST:PORT`);
  const hostname = match[1] ?? match[2]!;
  return { hostname, port: Number(match[3]), name: name ?? hostname };
}

/** What a server sends, good or not. */
export async function readServerChain(
  { hostname, port, name }: ServerPlace,
): Promise<{ readonly info: TlsInfo; readonly chain: Certificate[] }> {
  // To be looked at: nothing is said to this server, and nothing it says is believed.
  const tls = { hostname: name, peerChain: true, dangerous: { skipVerification: true } };
  const transport = await connectTls({ hostname, port, tls });
  transport.close();
  const { tlsInfo: info } = transport;
  return { info, chain: (info.peerChain ?? []).map((der) => parseCertificate(der)) };
}

/** Says whether a client that trusts the roots of the system would go on. */
export async function describeTrust(
  { hostname, port, name }: ServerPlace,
): Promise<{ readonly isGood: boolean; readonly text: string }> {
  try {
    (await connectTls({ hostname, port, tls: { hostname: name } })).close();
    return { isGood: true, text: "Verdict: verified\n  by the roots of the system" };
  } catch (error) {
    if (!(error instanceof TlsError)) throw error;
    const reason = error.reason ?? error.message;
    return { isGood: false, text: `Verdict: refused (${error.code})\n  ${reason}` };
  }
}

interface Flags {
  readonly connect: string | undefined;
  readonly roots: string | undefined;
  readonly name: string | undefined;
  readonly purpose: string;
  readonly brief: boolean;
}

/** Runs the program; gives the exit code. */
export async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      connect: { type: "string" },
      roots: { type: "string" },
      name: { type: "string" },
      purpose: { type: "string", default: "serverAuth" },
      brief: { type: "boolean", default: false },
    },
  });
  const { connect, roots, name, purpose, brief } = values;
  if (positionals.length !== (connect === undefined ? 1 : 0)) {
    console.error(
      "Usage: certinfo.ts FILE [--roots FILE] [--name NAME] [--purpose P] [--brief]\n" +
        "       certinfo.ts --connect HOST:PORT [--roots FILE] [--name NAME] [--brief]",
    );
    return 2;
  }
  try {
    return await show(positionals[0], { connect, roots, name, purpose, brief });
  } catch (error) {
    if (!isExpected(error)) throw error;
    console.error(`Cannot read certificates: ${(error as Error).message}`);
    return 2;
  }
}

/** Prints what there is to say; gives the exit code. */
async function show(file: string | undefined, flags: Flags): Promise<number> {
  const { roots, purpose, brief } = flags;
  const trusted = roots === undefined ? undefined : readCertificates(await Deno.readFile(roots));
  const place = flags.connect === undefined ? undefined : parsePlace(flags.connect, flags.name);
  const certificates = place === undefined
    ? readCertificates(await Deno.readFile(file!))
    : await showServer(place);
  const [leaf, ...intermediates] = certificates;
  if (leaf === undefined) throw new Deno.errors.InvalidData("there is no certificate");
  const time = Date.now();
  for (const certificate of certificates) {
    console.log(await describeCertificate(certificate, { time, brief }));
  }
  if (trusted === undefined && place === undefined) return 0;
  const name = place?.name ?? flags.name;
  const { isGood, text } = trusted === undefined
    ? await describeTrust(place!)
    : await describeVerdict(leaf, {
      roots: trusted,
      intermediates,
      time,
      purpose: purpose as "serverAuth" | "clientAuth",
      ...(name === undefined ? {} : { name }),
    });
  console.log(text);
  return isGood ? 0 : 1;
}

/** Prints what was agreed on with a server; gives what it sends. */
async function showServer(place: ServerPlace): Promise<Certificate[]> {
  const { info, chain } = await readServerChain(place);
  const { version, cipher } = info;
  console.log(`Server: ${place.hostname}:${place.port} as ${place.name}`);
  console.log(`Session: ${version ?? "?"} ${cipher ?? "?"}, ${chain.length} certificates\n`);
  return chain;
}

/** What a wrong file or a wrong option leads to, and no bug. */
function isExpected(error: unknown): boolean {
  return error instanceof NetError || error instanceof RangeError || error instanceof TypeError ||
    error instanceof Deno.errors.NotFound || error instanceof Deno.errors.InvalidData ||
    error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable ||
    error instanceof Deno.errors.IsADirectory;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
