// This module is sans-I/O.

import { DnsTextError } from "./errors.ts";
import { parseName } from "./name.ts";
import { type TextTokens, tokenAt, tokenError } from "./text_tokens.ts";

const BACKSLASH = 0x5c;
const MAX_ASCII = 0x7f;

/**
 * The absolute name a token of a zone file stands for: `@` for the origin, without a final dot
 * relative to it (RFC 1035 section 5.1).
 *
 * @param tokens The entry.
 * @param index Index of the token.
 * @param origin What relative names are under; without it they are refused.
 * @throws {DnsTextError} If it is no name.
 */
export function nameAt(tokens: TextTokens, index: number, origin: string | undefined): string {
  const text = tokenAt(tokens, index);
  if (tokens.quoted[index] === 1) {
    throw tokenError(tokens, index, "ERR_DNS_BAD_NAME", "a name does not stand in quotes");
  }
  try {
    return parseName(isAscii(text) ? text : escapeHigh(text), { origin });
  } catch (error) {
    if (!(error instanceof DnsTextError)) throw error;
    throw tokenError(tokens, index, error.code, error.message, error);
  }
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > MAX_ASCII) return false;
  return true;
}

/** Bytes outside of ASCII as `\DDD`: here they are bytes, not characters of a name to convert. */
function escapeHigh(text: string): string {
  let escaped = "";
  for (let at = 0; at < text.length; at++) {
    const isEscape = text.charCodeAt(at) === BACKSLASH && at + 1 < text.length;
    const code = text.charCodeAt(isEscape ? at + 1 : at);
    if (code > MAX_ASCII) escaped += `\\${code}`;
    else escaped += isEscape ? text.slice(at, at + 2) : text[at];
    if (isEscape) at++;
  }
  return escaped;
}
