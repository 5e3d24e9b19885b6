/** A secret has at least this many bytes: as many as SHA-256 and AES-256 make use of. */
const MIN_SECRET_BYTES = 32;
const MAX_KEY_COUNT = 16;

/**
 * A cookie that only a holder of the keys can have made: what
 * {@linkcode CookieSigner.verify} and {@linkcode CookieEncrypter.decrypt} give.
 */
export interface VerifiedCookie {
  /** The value that was signed or encrypted. */
  readonly value: string;
  /** Whether it was made with another key than the first, and should be made anew. */
  readonly isOutdated: boolean;
}

/** A list of secrets, made into keys when they are needed. */
export class CookieKeys {
  readonly #secrets: readonly Uint8Array<ArrayBuffer>[];
  readonly #keys: (Promise<CryptoKey> | undefined)[];
  readonly #importKey: (secret: Uint8Array<ArrayBuffer>) => Promise<CryptoKey>;

  /**
   * @param secrets The newest first.
   * @param importKey Makes a key of a secret.
   */
  constructor(
    secrets: readonly (Uint8Array | string)[],
    importKey: (secret: Uint8Array<ArrayBuffer>) => Promise<CryptoKey>,
  ) {
    if (secrets.length === 0 || secrets.length > MAX_KEY_COUNT) {
      throw new RangeError(
        `Cannot use keys: there are ${secrets.length}, expected 1 to ${MAX_KEY_COUNT}`,
      );
    }
    this.#secrets = secrets.map(toSecret);
    this.#keys = secrets.map(() => undefined);
    this.#importKey = importKey;
  }

  /** Number of keys. */
  get count(): number {
    return this.#secrets.length;
  }

  /** A key by its place in the list. */
  at(index: number): Promise<CryptoKey> {
    return this.#keys[index] ??= this.#importKey(this.#secrets[index]!);
  }
}

function toSecret(secret: Uint8Array | string): Uint8Array<ArrayBuffer> {
  const bytes = typeof secret === "string"
    ? new TextEncoder().encode(secret)
    : new Uint8Array(secret);
  if (bytes.length < MIN_SECRET_BYTES) {
    throw new RangeError(
      `Cannot use key of ${bytes.length} bytes: expected at least ${MIN_SECRET_BYTES}`,
    );
  }
  return bytes;
}
