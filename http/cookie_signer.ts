import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { encodeBase64Url } from "@std/encoding/base64url";
import { consistsOf, TOKEN } from "./char_class.ts";
import { CookieKeys, type VerifiedCookie } from "./cookie_keys.ts";

/** Characters of an HMAC-SHA-256 in base64url. */
const MAC_LENGTH = 43;
/** RFC 6265bis section 5.6: clients keep no longer cookie, so it cannot be ours. */
const MAX_VALUE_LENGTH = 4_096;

const encoder = new TextEncoder();

/**
 * Signs cookies with HMAC-SHA-256, so that a client can read them but neither
 * change nor make them, nor pass the value of one off as that of another: the
 * name goes into the signature.
 *
 * The first key signs; all verify. To change the key, put the new one in front,
 * and drop the old one when the cookies signed with it have ended.
 *
 * Deleting a cookie does not take its value back: a client can keep it and send
 * it again. Put an instant or an id into the value where that matters.
 *
 * @example Signing, verifying, changing the key
 * ```ts
 * import { CookieSigner } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const [newKey, oldKey] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
 * const signed = await new CookieSigner([oldKey]).sign("user", "ada");
 *
 * const signer = new CookieSigner([newKey, oldKey]);
 * assertEquals(await signer.verify("user", signed), { value: "ada", isOutdated: true });
 * assertEquals(await signer.verify("admin", signed), undefined);
 * assertEquals(await signer.verify("user", signed.replace("ada", "eve")), undefined);
 * ```
 */
export class CookieSigner {
  readonly #keys: CookieKeys;

  /**
   * Makes a signer.
   *
   * @param keys 1 to 16 secrets of at least 32 bytes each, which are random bytes
   * or text that stands for its UTF-8; the newest first. They are copied.
   * @throws {RangeError} If there are none or too many, or one is too short.
   */
  constructor(keys: readonly (Uint8Array | string)[]) {
    this.#keys = new CookieKeys(
      keys,
      (secret) =>
        crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]),
    );
  }

  /**
   * Signs a value.
   *
   * @param name Name of the cookie.
   * @param value Value of the cookie.
   * @returns The value, a dot and the signature: 44 characters more.
   * @throws {TypeError} If the name is not a token.
   */
  async sign(name: string, value: string): Promise<string> {
    return `${value}.${await mac(await this.#keys.at(0), name, value)}`;
  }

  /**
   * Verifies what a client sent. How long that takes does not tell by how much a
   * signature is wrong.
   *
   * @param name Name of the cookie.
   * @param signed What was sent; `undefined` where nothing was.
   * @returns The value, and whether it should be signed anew; `undefined` where
   * the signature is not ours.
   * @throws {TypeError} If the name is not a token.
   */
  async verify(name: string, signed: string | undefined): Promise<VerifiedCookie | undefined> {
    if (signed === undefined || signed.length > MAX_VALUE_LENGTH) return undefined;
    const dot = signed.length - MAC_LENGTH - 1;
    if (signed[dot] !== ".") return undefined;
    const value = signed.slice(0, dot);
    const claimed = encoder.encode(signed.slice(dot + 1));
    for (let index = 0; index < this.#keys.count; index++) {
      const expected = encoder.encode(await mac(await this.#keys.at(index), name, value));
      if (timingSafeEqual(claimed, expected)) return { value, isOutdated: index > 0 };
    }
    return undefined;
  }
}

async function mac(key: CryptoKey, name: string, value: string): Promise<string> {
  // A token contains no "=", so that no other pair gives the same bytes.
  if (!consistsOf(name, TOKEN)) throw new TypeError("Cannot sign cookie: its name is not a token");
  const bytes = encoder.encode(`${name}=${value}`);
  return encodeBase64Url(await crypto.subtle.sign("HMAC", key, bytes));
}
