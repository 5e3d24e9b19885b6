// This module is sans-I/O.

import { DnsTextError, type DnsTextErrorCode } from "./errors.ts";

/** The tokens of an entry, as its readers see them. */
export interface TextTokens {
  /** The file they come from, if it has a name. */
  readonly file: string | undefined;
  /** The entry up to the end of its last token, one UTF-16 code unit for each byte. */
  readonly text: string;
  /** Number of tokens. */
  readonly count: number;
  /** Where tokens begin in `text`, without their quotes. */
  readonly starts: Int32Array;
  /** Where tokens end in `text`, without their quotes. */
  readonly ends: Int32Array;
  /** 1 for tokens that stood in quotes. */
  readonly quoted: Uint8Array;
  /** The line of the entry, from 1. */
  readonly line: number;
}

/**
 * A token as text, without quotes around it.
 *
 * @param tokens The entry.
 * @param index Index of the token.
 * @throws {DnsTextError} If there are not so many.
 */
export function tokenAt(tokens: TextTokens, index: number): string {
  if (index < tokens.count) return tokens.text.slice(tokens.starts[index], tokens.ends[index]);
  throw tokenError(tokens, index, "ERR_DNS_BAD_TEXT", "the line ends too early");
}

/**
 * The error for something wrong with a token, or behind the last one.
 *
 * @param tokens The entry.
 * @param index Index of the token; an index that is too high means the end of the entry.
 * @param code What is broken.
 * @param reason It in words.
 * @param cause The error behind it.
 */
export function tokenError(
  tokens: TextTokens,
  index: number,
  code: DnsTextErrorCode,
  reason: string,
  cause?: unknown,
): DnsTextError {
  const { file, text, count } = tokens;
  const offset = index < count ? tokens.starts[index]! - tokens.quoted[index]! : text.length;
  let line = tokens.line;
  let lineStart = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) {
    line++;
    lineStart = at + 1;
  }
  const column = offset - lineStart + 1;
  const message = `Cannot parse ${placeOf(file, line, column)}: ${reason}`;
  return new DnsTextError(code, message, { file, line, column, ...cause ? { cause } : {} });
}

/**
 * A place as it begins messages of errors.
 *
 * @param file The file, if it has a name.
 * @param line The line, from 1.
 * @param column The column, from 1.
 */
export function placeOf(file: string | undefined, line: number, column: number): string {
  return `${file ?? "text"}:${line}:${column}`;
}
