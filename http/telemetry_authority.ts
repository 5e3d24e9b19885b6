// This module is sans-I/O.

/** The port a scheme stands for where none is named. */
export const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };
const MAX_PORT = 65_535;
const AUTHORITY = /^(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::(\d{1,5})?)?$/i;

/** Where a request was sent to. */
export interface Authority {
  /** Name or address; of an IPv6 address without its brackets. */
  readonly host: string;
  /** Port; that of the scheme where none is named. */
  readonly port: number | undefined;
}

/**
 * Takes host and port out of a Host field (RFC 9110 section 7.2).
 *
 * @param value Value of the field.
 * @param scheme Says which port is meant where none is named.
 * @returns `undefined` where it is missing, empty or malformed.
 */
export function splitAuthority(value: string | undefined, scheme: string): Authority | undefined {
  const match = AUTHORITY.exec(value ?? "");
  if (match === null) return undefined;
  const port = match[2] === undefined ? DEFAULT_PORTS[scheme] : Number(match[2]);
  if (port !== undefined && port > MAX_PORT) return undefined;
  return { host: match[1]!.replace(/^\[|\]$/g, ""), port };
}
