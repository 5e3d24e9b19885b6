// This module is sans-I/O.

/** By number: RFC 9460 section 14.3.2 and the registry it set up. */
const NAMES = [
  "mandatory",
  "alpn",
  "no-default-alpn",
  "port",
  "ipv4hint",
  "ech",
  "ipv6hint",
  "dohpath",
  "ohttp",
  "tls-supported-groups",
  "docpath",
  "pvd",
] as const;
const CODES: ReadonlyMap<string, number> = new Map(NAMES.map((name, code) => [name, code]));
/** RFC 9460 section 2.1: lower case, no leading zeros. */
const GENERIC = /^key(0|[1-9]\d{0,4})$/;

/**
 * Names a parameter of SVCB and HTTPS by its number.
 *
 * @param code The number, 0 to 65,535.
 * @returns Its registered name; `key` and the number where it has none.
 *
 * @example With and without a name
 * ```ts
 * import { formatSvcParamKey } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([formatSvcParamKey(1), formatSvcParamKey(65280)], ["alpn", "key65280"]);
 * ```
 */
export function formatSvcParamKey(code: number): string {
  return NAMES[code] ?? `key${code}`;
}

/**
 * Gives the number of a parameter of SVCB and HTTPS.
 *
 * @param text Its registered name, or `key` and a number without leading zeros; lower case.
 * @returns The number; `undefined` if the text names none.
 *
 * @example With and without a name
 * ```ts
 * import { parseSvcParamKey } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([parseSvcParamKey("alpn"), parseSvcParamKey("key65280")], [1, 65280]);
 * assertEquals(parseSvcParamKey("key01"), undefined);
 * ```
 */
export function parseSvcParamKey(text: string): number | undefined {
  const code = CODES.get(text);
  if (code !== undefined) return code;
  const digits = GENERIC.exec(text)?.[1];
  return digits === undefined || Number(digits) > 0xffff ? undefined : Number(digits);
}
