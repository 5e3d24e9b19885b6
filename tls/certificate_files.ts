/**
 * {@linkcode CertificateFiles}: the certificate of a server as files that somebody renews.
 *
 * @module
 */

import { type Clock, systemClock } from "../nbio/clock.ts";
import { readEntireFile } from "../nbio/read_entire_file.ts";
import type { TlsCertificateSource, TlsServerCertificate } from "../nbio/tls_provider.ts";
import { checkOwnCertificate } from "./own_certificate.ts";

/** Options of {@linkcode CertificateFiles.open}. */
export interface CertificateFilesOptions {
  /**
   * Milliseconds after which the files are read again, by the next client that comes. 0 reads them
   * for each, `Infinity` only when `reload` is called.
   *
   * @default {60_000}
   */
  readonly maxAgeMs?: number;

  /**
   * Most bytes of each file, 1 to 2^24.
   *
   * @default {1_048_576}
   */
  readonly maxFileBytes?: number;

  /**
   * Is told when files that were read again are not good, or not there. The certificate stays what it
   * was: a file may be half written.
   *
   * @default {console.error}
   */
  readonly onReloadError?: (error: unknown) => void;

  /**
   * Where the age is measured.
   *
   * @default {systemClock}
   */
  readonly clock?: Pick<Clock, "now">;
}

const DEFAULT_MAX_AGE_MS = 60_000;
const DEFAULT_MAX_FILE_BYTES = 1_048_576;
const MOST_FILE_BYTES = 2 ** 24;

/**
 * Certificate and key of a server in two files, which are read again now and then: whoever is
 * connected stays, whoever comes next gets what is in the files. There is no timer and nothing to
 * close: the next client after `maxAgeMs` waits for the reading.
 *
 * Permission: `--allow-read` for both files.
 *
 * @example Files that change
 * ```ts
 * import { CertificateFiles, createDevelopmentCertificate } from "@nbio/net/tls";
 * import { assertEquals } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * async function renew(): Promise<string> {
 *   const { leaf } = await createDevelopmentCertificate(["localhost"]);
 *   await Deno.writeTextFile(`${folder}/cert.pem`, leaf.certificatePem);
 *   await Deno.writeTextFile(`${folder}/key.pem`, leaf.privateKeyPem);
 *   return leaf.certificatePem;
 * }
 * await renew();
 * const certificates = await CertificateFiles.open(`${folder}/cert.pem`, `${folder}/key.pem`);
 * const renewed = await renew();
 * await certificates.reload();
 * assertEquals((await certificates.select()).cert, renewed);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export class CertificateFiles implements TlsCertificateSource {
  readonly #certPath: string | URL;
  readonly #keyPath: string | URL;
  readonly #options: Required<CertificateFilesOptions>;
  #current: TlsServerCertificate;
  #readMs: number;
  #reloading: Promise<void> | undefined;

  private constructor(
    paths: readonly [cert: string | URL, key: string | URL],
    current: TlsServerCertificate,
    options: Required<CertificateFilesOptions>,
  ) {
    [this.#certPath, this.#keyPath] = paths;
    this.#current = current;
    this.#options = options;
    this.#readMs = options.clock.now();
  }

  /**
   * Reads the files for the first time.
   *
   * @param certPath Where the chain is, in PEM, the server's own certificate first.
   * @param keyPath Where its key is, in PEM and not encrypted.
   * @param options When they are read again, and bounds.
   * @returns The certificates, for `certificates` of a server.
   * @throws {FileError} If a file cannot be read.
   * @throws {LimitExceededError} If a file is too large.
   * @throws {TypeError} If a file is malformed, or the key encrypted.
   * @throws {RangeError} If the key does not belong to the certificate, that is not valid now or not
   * for servers, or an option is out of its range.
   */
  static async open(
    certPath: string | URL,
    keyPath: string | URL,
    options: CertificateFilesOptions = {},
  ): Promise<CertificateFiles> {
    const { maxAgeMs = DEFAULT_MAX_AGE_MS, maxFileBytes = DEFAULT_MAX_FILE_BYTES } = options;
    const { onReloadError = console.error, clock = systemClock } = options;
    if (!(maxAgeMs >= 0)) {
      throw new RangeError(`Cannot use files: maxAgeMs is ${maxAgeMs}, expected at least 0`);
    }
    if (!(Number.isInteger(maxFileBytes) && maxFileBytes >= 1 && maxFileBytes <= MOST_FILE_BYTES)) {
      throw new RangeError(
        `Cannot use files: maxFileBytes is ${maxFileBytes}, expected 1 to ${MOST_FILE_BYTES}`,
      );
    }
    const complete = { maxAgeMs, maxFileBytes, onReloadError, clock };
    const current = await readPair(certPath, keyPath, maxFileBytes);
    return new CertificateFiles([certPath, keyPath], current, complete);
  }

  /**
   * Gives the certificate, whatever the name; the files are read again if it is time.
   *
   * @returns The certificate.
   */
  async select(): Promise<TlsServerCertificate> {
    const { clock, maxAgeMs, onReloadError } = this.#options;
    if (clock.now() - this.#readMs >= maxAgeMs) {
      try {
        await this.reload();
      } catch (error) {
        onReloadError(error);
      }
    }
    return this.#current;
  }

  /**
   * Reads the files again now. If they are not good, the certificate stays what it was.
   *
   * @returns A promise that resolves when the certificate is the new one.
   * @throws {Error} As {@linkcode CertificateFiles.open} does.
   */
  reload(): Promise<void> {
    // One reading for all who come meanwhile.
    return this.#reloading ??= this.#reload().finally(() => this.#reloading = undefined);
  }

  async #reload(): Promise<void> {
    // Failed readings count as well: a missing file is not looked for by each client.
    this.#readMs = this.#options.clock.now();
    this.#current = await readPair(this.#certPath, this.#keyPath, this.#options.maxFileBytes);
  }
}

async function readPair(
  certPath: string | URL,
  keyPath: string | URL,
  maxBytes: number,
): Promise<TlsServerCertificate> {
  const [cert, key] = await Promise.all(
    [certPath, keyPath].map(async (path) =>
      new TextDecoder().decode(await readEntireFile(path, { maxBytes }))
    ),
  );
  const pair = { cert: cert!, key: key! };
  checkOwnCertificate(pair, "server");
  return pair;
}
