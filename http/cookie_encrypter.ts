import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";
import { CookieKeys, type VerifiedCookie } from "./cookie_keys.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** RFC 6265bis section 5.6: clients keep no longer cookie, so it cannot be ours. */
const MAX_VALUE_LENGTH = 4_096;

const encoder = new TextEncoder();
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Keeps these keys apart from others that are made of the same secret. */
const PURPOSE = encoder.encode("nbio cookie encryption");

/**
 * Encrypts cookies with AES-256-GCM, so that a client can neither read nor
 * change nor make them, nor pass the value of one off as that of another: the
 * name is authenticated too.
 *
 * The first key encrypts; all decrypt. To change the key, put the new one in
 * front, and drop the old one when the cookies made with it have ended. Nonces
 * are random: change the key before it has encrypted 2^32 cookies.
 *
 * How long a value is can be seen. Deleting a cookie does not take its value
 * back: a client can keep it and send it again.
 *
 * @example Encrypting and decrypting
 * ```ts
 * import { CookieEncrypter } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const encrypter = new CookieEncrypter([crypto.getRandomValues(new Uint8Array(32))]);
 * const text = await encrypter.encrypt("cart", JSON.stringify({ apples: 3 }));
 * assertEquals(await encrypter.decrypt("cart", text), {
 *   value: '{"apples":3}',
 *   isOutdated: false,
 * });
 * assertEquals(await encrypter.decrypt("order", text), undefined);
 * ```
 */
export class CookieEncrypter {
  readonly #keys: CookieKeys;

  /**
   * Makes an encrypter.
   *
   * @param keys 1 to 16 secrets of at least 32 bytes each, which are random bytes
   * or text that stands for its UTF-8; the newest first. They are copied, and
   * may be those of a {@linkcode CookieSigner}.
   * @throws {RangeError} If there are none or too many, or one is too short.
   */
  constructor(keys: readonly (Uint8Array | string)[]) {
    this.#keys = new CookieKeys(keys, deriveKey);
  }

  /**
   * Encrypts a value.
   *
   * @param name Name of the cookie.
   * @param value Any text; a lone surrogate becomes U+FFFD.
   * @returns Base64url of nonce, ciphertext and tag: 38 characters, and four for
   * every three bytes of the value.
   */
  async encrypt(name: string, value: string): Promise<string> {
    const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
    const sealed = await crypto.subtle.encrypt(
      { name: "AES-GCM", iv, additionalData: encoder.encode(name) },
      await this.#keys.at(0),
      encoder.encode(value),
    );
    const bytes = new Uint8Array(NONCE_BYTES + sealed.byteLength);
    bytes.set(iv);
    bytes.set(new Uint8Array(sealed), NONCE_BYTES);
    return encodeBase64Url(bytes);
  }

  /**
   * Decrypts what a client sent.
   *
   * @param name Name of the cookie.
   * @param encrypted What was sent; `undefined` where nothing was.
   * @returns The value, and whether it should be encrypted anew; `undefined`
   * where it is not ours.
   */
  async decrypt(name: string, encrypted: string | undefined): Promise<VerifiedCookie | undefined> {
    const bytes = decode(encrypted);
    if (bytes === undefined) return undefined;
    const iv = bytes.subarray(0, NONCE_BYTES);
    const algorithm = { name: "AES-GCM", iv, additionalData: encoder.encode(name) };
    for (let index = 0; index < this.#keys.count; index++) {
      const key = await this.#keys.at(index);
      try {
        const opened = await crypto.subtle.decrypt(algorithm, key, bytes.subarray(NONCE_BYTES));
        return { value: strictUtf8.decode(opened), isOutdated: index > 0 };
      } catch {
        // Not made with this key.
      }
    }
    return undefined;
  }
}

function decode(text: string | undefined): Uint8Array<ArrayBuffer> | undefined {
  if (text === undefined || text.length > MAX_VALUE_LENGTH) return undefined;
  try {
    const bytes = decodeBase64Url(text);
    return bytes.length < NONCE_BYTES + TAG_BYTES ? undefined : bytes;
  } catch {
    return undefined;
  }
}

async function deriveKey(secret: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info: PURPOSE },
    await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveKey"]),
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}
