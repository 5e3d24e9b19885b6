import { HttpError } from "./errors.ts";

const utf8 = new TextDecoder();

/**
 * The decoder of a body or part with a Content-Type: of its charset, else of UTF-8.
 *
 * @param type Value of the field, if any.
 * @throws {HttpError} With 415 if the charset is unknown.
 */
export function charsetDecoder(type: string | undefined): TextDecoder {
  const charset = charsetOf(type);
  if (charset === undefined || /^utf-?8$/i.test(charset)) return utf8;
  try {
    return new TextDecoder(charset);
  } catch (cause) {
    throw new HttpError(415, "Cannot decode body: its charset is unknown", { cause });
  }
}

/** The `charset` parameter of a Content-Type, also of one that is a little off. */
export function charsetOf(type: string | undefined): string | undefined {
  return /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(type ?? "")?.[1];
}
