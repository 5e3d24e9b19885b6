// This module is sans-I/O.

import { isBlank } from "./ascii.ts";
import { QUOTED_TEXT, TOKEN } from "./char_class.ts";

/**
 * Parameters behind a field value, for Content-Type and Content-Disposition:
 * `*( OWS ";" OWS [ token "=" ( token / quoted-string ) ] )` of RFC 9110 section
 * 5.6.6.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;

/** Which backslashes of a quoted string escape what is behind them. */
export type Quoting =
  /** All of them, as RFC 9110 section 5.6.4 says. */
  | "strict"
  /** Those in front of a quote or a backslash: browsers send paths as they are. */
  | "form";

/**
 * Where a token ends.
 *
 * @param text Text with the token.
 * @param start Index of its first character.
 * @returns Index behind its last character; `start` where there is none.
 */
export function tokenEnd(text: string, start: number): number {
  let at = start;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code > 0x7f || TOKEN[code] !== 1) break;
    at++;
  }
  return at;
}

/**
 * Parses the parameters that follow a value.
 *
 * @param text The field value.
 * @param start Index behind what the parameters belong to.
 * @param quoting How backslashes are read.
 * @returns Values by name in lower case, or `undefined` where the grammar is
 * broken or a name comes twice: which of the two counts nobody can know.
 */
export function parseParameters(
  text: string,
  start: number,
  quoting: Quoting,
): Map<string, string> | undefined {
  const parameters = new Map<string, string>();
  let at = start;
  for (;;) {
    at = skipBlanks(text, at);
    if (at === text.length) return parameters;
    if (text.charCodeAt(at) !== SEMICOLON) return undefined;
    const nameStart = skipBlanks(text, at + 1);
    at = tokenEnd(text, nameStart);
    if (at === nameStart) continue;
    if (text.charCodeAt(at) !== EQUALS) return undefined;
    const name = text.slice(nameStart, at).toLowerCase();
    const value = readValue(text, at + 1, quoting);
    if (value === undefined || parameters.has(name)) return undefined;
    parameters.set(name, value.text);
    at = value.end;
  }
}

interface ParameterValue {
  readonly text: string;
  /** Index behind it. */
  readonly end: number;
}

function readValue(text: string, start: number, quoting: Quoting): ParameterValue | undefined {
  if (text.charCodeAt(start) === QUOTE) return readQuoted(text, start + 1, quoting);
  const end = tokenEnd(text, start);
  return end === start ? undefined : { text: text.slice(start, end), end };
}

function readQuoted(text: string, start: number, quoting: Quoting): ParameterValue | undefined {
  let value = "";
  let from = start;
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) return { text: value + text.slice(from, at), end: at + 1 };
    if (code === BACKSLASH) {
      if (!isEscape(text, at, quoting)) continue;
      value += text.slice(from, at);
      from = ++at;
      if (at === text.length) return undefined;
    } else if (code <= 0xff && QUOTED_TEXT[code] !== 1) {
      return undefined;
    }
  }
  return undefined;
}

function isEscape(text: string, at: number, quoting: Quoting): boolean {
  if (quoting === "strict") return true;
  const next = text.charCodeAt(at + 1);
  // A quote that ends the whole value closes the string: what is in front of it
  // is the end of a path.
  return next === BACKSLASH || (next === QUOTE && at + 2 < text.length);
}

function skipBlanks(text: string, start: number): number {
  let at = start;
  while (at < text.length && isBlank(text.charCodeAt(at))) at++;
  return at;
}
