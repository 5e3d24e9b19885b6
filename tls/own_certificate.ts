import { systemClock } from "../nbio/clock.ts";
import type { TlsServerCertificate } from "../nbio/tls_provider.ts";
import { type Certificate, parseCertificate, parseCertificates } from "./certificate.ts";
import { equalBytes } from "./equal_bytes.ts";
import { formatPem, parsePemBlocks } from "./pem.ts";

/** Our own certificate and key, checked, as the runtime takes them. */
export interface OwnCertificate {
  /** The chain in PEM. */
  readonly cert: string;
  /** The key in PEM. */
  readonly key: string;
  /** The chain, our own certificate first. */
  readonly chain: readonly Certificate[];
}

/** The little of `node:crypto` that tells the public half of a private key. */
interface NodeCrypto {
  createPrivateKey(pem: string): unknown;
  createPublicKey(key: unknown): {
    export(options: { type: "spki"; format: "der" }): Uint8Array;
  };
}

/** Kinds of blocks that hold a private key. */
const KEY_LABEL = /^(?:(?:RSA|EC|ENCRYPTED) )?PRIVATE KEY$/;
const USAGES = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" } as const;
const ANY_USAGE = "2.5.29.37.0";
/** Texts that were looked at already: servers and clients come with the same ones again and again. */
const MAX_CACHED = 64;
const checked = new Map<string, OwnCertificate>();
const parsed = new Map<string, readonly Certificate[]>();

/**
 * Reads and checks our own certificate and key: that both can be read, belong together, and that
 * the certificate is for this role, and valid now. The runtime would say so, if at all, at the first
 * handshake, and to the peer alone.
 *
 * @param pair Both in PEM.
 * @param role Which side shows them.
 * @returns Both.
 * @throws {TypeError} If a text is malformed or holds no such thing, or the key is encrypted.
 * @throws {RangeError} If the key is not the certificate's, or the certificate is not valid now or
 * not for this role.
 */
export function checkOwnCertificate(
  { cert, key }: TlsServerCertificate,
  role: "server" | "client",
): OwnCertificate {
  const cacheKey = `${role}\n${cert}\n${key}`;
  const own = checked.get(cacheKey) ?? readPair(cert, key);
  // Time goes on, whatever was found before.
  checkKind(own.chain[0]!, role);
  remember(checked, cacheKey, own);
  return own;
}

function readPair(cert: string, key: string): OwnCertificate {
  const chain = readCertificates("cert", [cert]);
  const publicKey = readPublicKey(key);
  if (!equalBytes(publicKey, chain[0]!.subjectPublicKeyInfo.raw)) {
    throw new RangeError("Cannot use key: it does not belong to the first certificate of cert");
  }
  return { cert, key, chain };
}

/** The public half of a private key, as SubjectPublicKeyInfo. */
function readPublicKey(pem: string): Uint8Array {
  checkKeyBlock(pem);
  try {
    const crypto = loadNodeCrypto();
    return crypto.createPublicKey(crypto.createPrivateKey(pem)).export({
      type: "spki",
      format: "der",
    });
  } catch (cause) {
    throw new TypeError("Cannot use key: the runtime cannot read it", { cause });
  }
}

/** At first use, and at once: options are checked where they are given, not later. */
function loadNodeCrypto(): NodeCrypto {
  const { process } = globalThis as unknown as {
    readonly process: { getBuiltinModule(name: string): NodeCrypto };
  };
  return process.getBuiltinModule("node:crypto");
}

function checkKeyBlock(pem: string): void {
  const blocks = readBlocks("key", pem).filter(({ label }) => KEY_LABEL.test(label));
  if (blocks.length !== 1) {
    throw new TypeError(`Cannot use key: there are ${blocks.length} private keys, expected 1`);
  }
  const { label, headers } = blocks[0]!;
  // RFC 7468 section 11, and the older way of RFC 1421.
  const isEncrypted = label.startsWith("ENCRYPTED ") || headers.length > 0;
  if (!isEncrypted) return;
  throw new TypeError("Cannot use key: it is encrypted, and has to be decrypted before");
}

function checkKind(certificate: Certificate, role: "server" | "client"): void {
  const { basicConstraints, keyUsage, extendedKeyUsage, notBefore, notAfter } = certificate;
  const time = systemClock.wallNow();
  if (time < notBefore) throw wrongKind("it is not valid yet");
  if (time > notAfter) throw wrongKind("it has expired");
  // What is a CA is refused as a leaf by strict clients, the runtime's own among them.
  if (basicConstraints?.ca === true) throw wrongKind(`it is a CA's, not a ${role}'s`);
  // RFC 8446 section 4.4.2.2.
  if (keyUsage?.digitalSignature === false) throw wrongKind("its key may not sign");
  const isForRole = extendedKeyUsage === undefined ||
    extendedKeyUsage.some((usage) => usage === USAGES[role] || usage === ANY_USAGE);
  if (!isForRole) throw wrongKind(`it is not for a ${role} (extended key usage)`);
}

function wrongKind(reason: string): RangeError {
  return new RangeError(`Cannot use cert: ${reason}`);
}

/**
 * Reads certificates that were given as an option. What cannot be read is refused: the runtime drops
 * it, and a root that is missing shows much later.
 *
 * @param option Name of the option.
 * @param given DER, or texts in PEM with at least one certificate and nothing else.
 * @returns All of them in order.
 * @throws {TypeError} If anything cannot be read.
 */
export function readCertificates(
  option: string,
  given: readonly (string | Uint8Array)[],
): readonly Certificate[] {
  if (!Array.isArray(given)) throw new TypeError(`Cannot use ${option}: it is no list`);
  return given.flatMap((item) =>
    typeof item === "string" ? fromPem(option, item) : [fromDer(option, item)]
  );
}

function fromDer(option: string, der: Uint8Array): Certificate {
  try {
    return parseCertificate(der);
  } catch (cause) {
    throw new TypeError(`Cannot use ${option}: expected certificates in DER or PEM`, { cause });
  }
}

function fromPem(option: string, pem: string): readonly Certificate[] {
  const known = parsed.get(pem);
  if (known !== undefined) return known;
  if (readBlocks(option, pem).some(({ label }) => label !== "CERTIFICATE")) {
    throw new TypeError(`Cannot use ${option}: it holds something else than certificates`);
  }
  let certificates: readonly Certificate[];
  try {
    certificates = parseCertificates(pem);
  } catch (cause) {
    throw new TypeError(`Cannot use ${option}: a certificate cannot be read`, { cause });
  }
  if (certificates.length === 0) {
    throw new TypeError(`Cannot use ${option}: expected certificates in PEM`);
  }
  remember(parsed, pem, certificates);
  return certificates;
}

function readBlocks(option: string, pem: string): { label: string; headers: readonly unknown[] }[] {
  if (typeof pem !== "string") throw new TypeError(`Cannot use ${option}: it is no text in PEM`);
  try {
    return [...parsePemBlocks(pem)];
  } catch (cause) {
    // RFC 1421: an encrypted key has header fields, which are not looked at any further.
    throw new TypeError(`Cannot use ${option}: it cannot be read as PEM`, { cause });
  }
}

/** Keeps the newest ones. */
function remember<T>(cache: Map<string, T>, key: string, value: T): void {
  cache.delete(key);
  cache.set(key, value);
  if (cache.size > MAX_CACHED) cache.delete(cache.keys().next().value!);
}

/**
 * Formats certificates as the runtime takes them.
 *
 * @param certificates The certificates.
 * @returns One text in PEM for each.
 */
export function toPems(certificates: readonly Certificate[]): string[] {
  return certificates.map(({ raw }) => formatPem("CERTIFICATE", raw));
}
