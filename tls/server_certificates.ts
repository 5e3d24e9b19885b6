/**
 * {@linkcode ServerCertificates}: certificates by the name that a client asks for.
 *
 * @module
 */

import type { TlsCertificateSource, TlsServerCertificate } from "../nbio/tls_provider.ts";
import { isDnsIdentifier, toAsciiLowerCase } from "./dns_identifier.ts";
import { checkOwnCertificate } from "./own_certificate.ts";

/** Where {@linkcode ServerCertificates} has them from. */
export interface ServerCertificatesOptions {
  /**
   * For clients that ask for no name, or one that nothing else is for.
   *
   * @default {undefined} (they are refused)
   */
  readonly default?: TlsServerCertificate;

  /**
   * Certificates by name: `example.com`, or `*.example.com` for exactly one label in front.
   *
   * @default {{}}
   */
  readonly names?: Readonly<Record<string, TlsServerCertificate>>;

  /**
   * Finds a certificate for a name that is not in `names`; asked before `default`. What it finds is
   * kept; `undefined` and failures are not.
   *
   * @default {undefined}
   */
  readonly find?: (
    serverName: string,
  ) => TlsServerCertificate | undefined | Promise<TlsServerCertificate | undefined>;

  /**
   * Most certificates of `find` that are kept, the last ones asked for, 1 to 100,000.
   *
   * @default {1_000}
   */
  readonly maxCachedCount?: number;

  /**
   * Most calls of `find` at a time, 1 to 10,000; clients beyond that are refused.
   *
   * @default {64}
   */
  readonly maxFindCount?: number;
}

/**
 * The certificates of a server, chosen by the name that a client asks for (SNI, RFC 6066 section 3):
 * the one of that very name, one with a wildcard for its first label, one that `find` finds, the
 * default. They may be replaced at any time: who is connected stays, who comes next gets the new ones.
 *
 * @example Two names and a default
 * ```ts
 * import { createDevelopmentCertificate, ServerCertificates } from "@nbio/net/tls";
 * import { assertEquals } from "@std/assert";
 *
 * const { leaf } = await createDevelopmentCertificate(["*.example.com", "example.net"]);
 * const own = { cert: leaf.certificatePem, key: leaf.privateKeyPem };
 * const certificates = new ServerCertificates({ names: { "*.example.com": own } });
 * assertEquals(await certificates.select("www.example.com"), own);
 * assertEquals(await certificates.select("example.net"), undefined);
 *
 * certificates.replace({ default: own });
 * assertEquals(await certificates.select("example.net"), own);
 * ```
 */
export class ServerCertificates implements TlsCertificateSource {
  #options: ServerCertificatesOptions = {};
  #names = new Map<string, TlsServerCertificate>();
  #cache = new Map<string, TlsServerCertificate>();
  #finding = new Map<string, Promise<TlsServerCertificate | undefined>>();

  /**
   * Checks and takes them.
   *
   * @param options The certificates.
   * @throws {TypeError} If a text is malformed, a key encrypted, or a name none.
   * @throws {RangeError} If a key does not belong to its certificate, that is not valid now or not
   * for servers, there is nothing to choose from, or a bound is out of its range.
   */
  constructor(options: ServerCertificatesOptions) {
    this.replace(options);
  }

  /**
   * Replaces all of them at once, or none if one is not good. What `find` has found is forgotten.
   *
   * @param options The new ones.
   * @throws {TypeError} As the constructor does.
   * @throws {RangeError} As the constructor does.
   */
  replace(options: ServerCertificatesOptions): void {
    const { names = {}, maxCachedCount = 1_000, maxFindCount = 64 } = options;
    checkCount("maxCachedCount", maxCachedCount, 100_000);
    checkCount("maxFindCount", maxFindCount, 10_000);
    const checked = new Map<string, TlsServerCertificate>();
    for (const [name, own] of Object.entries(names)) {
      checkName(name);
      checkOwnCertificate(own, "server");
      checked.set(toAsciiLowerCase(name), own);
    }
    if (options.default !== undefined) checkOwnCertificate(options.default, "server");
    else if (checked.size === 0 && options.find === undefined) {
      throw new RangeError("Cannot use certificates: there is none");
    }
    this.#options = options;
    this.#names = checked;
    this.forget();
  }

  /** Forgets what `find` has found: the next client makes it search again. */
  forget(): void {
    this.#cache = new Map();
    // What is being searched for is an answer to those who wait, and to nobody after them.
    this.#finding = new Map();
  }

  /**
   * Chooses one.
   *
   * @param serverName The name in lower case; `undefined` where the client sends none.
   * @returns The certificate; `undefined` if there is none for this name.
   * @throws {RangeError} If `find` is busy with too many names.
   * @throws {Error} What `find` throws.
   */
  select(
    serverName: string | undefined,
  ): TlsServerCertificate | undefined | Promise<TlsServerCertificate | undefined> {
    if (serverName === undefined) return this.#options.default;
    const known = this.#names.get(serverName) ??
      this.#names.get(`*${serverName.slice(serverName.indexOf("."))}`);
    if (known !== undefined) return known;
    // What is no name is not searched for, and fills no cache.
    if (this.#options.find === undefined || !isDnsIdentifier(serverName)) {
      return this.#options.default;
    }
    return this.#cached(serverName) ?? this.#find(serverName);
  }

  #cached(serverName: string): TlsServerCertificate | undefined {
    const own = this.#cache.get(serverName);
    if (own === undefined) return undefined;
    // The one asked for last goes last.
    this.#cache.delete(serverName);
    this.#cache.set(serverName, own);
    return own;
  }

  /** One search for all who ask for the same name meanwhile. */
  #find(serverName: string): Promise<TlsServerCertificate | undefined> {
    const known = this.#finding.get(serverName);
    if (known !== undefined) return known;
    const { maxFindCount = 64 } = this.#options;
    if (this.#finding.size >= maxFindCount) {
      return Promise.reject(
        new RangeError(`Cannot find certificate: ${maxFindCount} are being searched for`),
      );
    }
    const finding = this.#finding;
    const found = this.#search(serverName).finally(() => finding.delete(serverName));
    finding.set(serverName, found);
    return found;
  }

  async #search(serverName: string): Promise<TlsServerCertificate | undefined> {
    const { find, maxCachedCount = 1_000, default: otherwise } = this.#options;
    const cache = this.#cache;
    const own = await find!(serverName);
    if (own === undefined) return otherwise;
    checkOwnCertificate(own, "server");
    cache.set(serverName, own);
    if (cache.size > maxCachedCount) cache.delete(cache.keys().next().value!);
    return own;
  }
}

function checkName(name: string): void {
  if (isDnsIdentifier(name, { allowWildcard: true })) return;
  const shown = JSON.stringify(name.slice(0, 32));
  throw new TypeError(`Cannot use certificates: ${shown} is no name`);
}

function checkCount(name: string, value: number, max: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= max) return;
  throw new RangeError(`Cannot use certificates: ${name} is ${value}, expected 1 to ${max}`);
}
