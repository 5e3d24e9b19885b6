// This module is sans-I/O.

/**
 * Times to live in presentation format: a number of seconds, or numbers with units as BIND writes
 * them (`1w2d`, `1H30M`). Neither sign nor fraction exists; RFC 2181 section 8 gives the range.
 */

const MAX_TTL = 0xffff_ffff;

/** Seconds in a unit, by its lower-case letter. */
const UNITS: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3_600,
  d: 86_400,
  w: 604_800,
};

/** The units, largest first. */
const LARGEST_FIRST: readonly (readonly [letter: string, seconds: number])[] = Object.entries(UNITS)
  .reverse() as [string, number][];

/**
 * Parses a time to live, with or without units. Units may come in any order and more than once;
 * a number without a unit may only stand alone.
 *
 * @param text The time, for example `3600` or `1h`.
 * @returns Seconds, 0 to 4,294,967,295; `undefined` if `text` is no time to live.
 *
 * @example With and without units
 * ```ts
 * import { parseTtl } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseTtl("1h30m"), 5400);
 * assertEquals(parseTtl("5400"), 5400);
 * assertEquals(parseTtl("1h30"), undefined);
 * ```
 */
export function parseTtl(text: string): number | undefined {
  let total = 0;
  let value = 0;
  let digitCount = 0;
  let isMixed = false;
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 0x30;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digitCount++;
      if (value > MAX_TTL) return undefined;
      continue;
    }
    const unit = UNITS[text.charAt(at).toLowerCase()];
    if (unit === undefined || digitCount === 0) return undefined;
    total += value * unit;
    if (total > MAX_TTL) return undefined;
    value = 0;
    digitCount = 0;
    isMixed = true;
  }
  // Nothing at all, or a number behind the last unit.
  if ((digitCount > 0) === isMixed) return undefined;
  return isMixed ? total : value;
}

/**
 * Formats a time to live with units, largest first; {@linkcode parseTtl} reads it back.
 *
 * @param ttl Seconds, 0 to 4,294,967,295.
 * @returns The text, `0s` for zero.
 * @throws {RangeError} If `ttl` is not an integer in that range.
 *
 * @example A day and a half
 * ```ts
 * import { formatTtl } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatTtl(129_600), "1d12h");
 * ```
 */
export function formatTtl(ttl: number): string {
  if (!Number.isInteger(ttl) || ttl < 0 || ttl > MAX_TTL) {
    throw new RangeError(`Cannot format ttl ${ttl}: expected an integer from 0 to ${MAX_TTL}`);
  }
  let text = "";
  let rest = ttl;
  for (const [letter, seconds] of LARGEST_FIRST) {
    const count = Math.floor(rest / seconds);
    if (count > 0) text += `${count}${letter}`;
    rest %= seconds;
  }
  return text === "" ? "0s" : text;
}
