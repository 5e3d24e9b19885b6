// This module is sans-I/O.

import { parseIpAddress } from "../nbio/ip_address.ts";
import type { EncodedName } from "./certificate_extension_encoder.ts";
import { isDnsIdentifier, toAsciiLowerCase } from "./dns_identifier.ts";

/** More than a local server has, and what every TLS stack takes. */
const MAX_NAMES = 100;
const PREFIX = /^(?:0|[1-9][0-9]{0,2})$/;

/**
 * Parses the names of a leaf, and drops those that occur again.
 *
 * @param names DNS names as A-labels, wildcards, and addresses as text.
 * @returns The names in order, in lower case.
 * @throws {RangeError} If there is none or more than 100, or one is neither.
 */
export function parseSubjectNames(names: readonly string[]): EncodedName[] {
  return parseEach("names", names, (name) => {
    const address = parseIpAddress(name);
    if (address !== undefined && address.zone === undefined) {
      return { type: "ip", value: address.bytes };
    }
    if (!isDnsIdentifier(name, { allowWildcard: true })) return undefined;
    return { type: "dns", value: toAsciiLowerCase(name) };
  });
}

/**
 * Parses the roots of the subtrees in which a CA may certify.
 *
 * @param names DNS names, addresses, and networks such as `10.0.0.0/8`.
 * @returns The roots in order; addresses have a mask.
 * @throws {RangeError} If there is none or more than 100, or one is neither.
 */
export function parsePermittedNames(names: readonly string[]): EncodedName[] {
  return parseEach("permittedNames", names, (name) => {
    const network = parseNetwork(name);
    if (network !== undefined) return { type: "ip", value: network };
    return isDnsIdentifier(name) ? { type: "dns", value: toAsciiLowerCase(name) } : undefined;
  });
}

/**
 * Gives what has to be excluded, so that a CA that may certify some names may not certify every
 * name of the other type: a type without a permitted subtree is free (RFC 5280 section 4.2.1.10).
 *
 * @param permitted The roots of the permitted subtrees.
 * @returns The roots of the excluded ones.
 */
export function excludedNames(permitted: readonly EncodedName[]): EncodedName[] {
  const excluded: EncodedName[] = [];
  if (!permitted.some(({ type }) => type === "dns")) excluded.push({ type: "dns", value: "" });
  if (!permitted.some(({ type }) => type === "ip")) {
    for (const length of [8, 32]) excluded.push({ type: "ip", value: new Uint8Array(length) });
  }
  return excluded;
}

function parseEach(
  option: string,
  names: readonly string[],
  parse: (name: string) => EncodedName | undefined,
): EncodedName[] {
  if (names.length === 0 || names.length > MAX_NAMES) {
    const message = `${names.length} ${option} are not 1 to ${MAX_NAMES}`;
    throw new RangeError(`Cannot create certificate: ${message}`);
  }
  const parsed = new Map<string, EncodedName>();
  for (const text of names) {
    const name = parse(text);
    if (name === undefined) {
      const shown = JSON.stringify(String(text).slice(0, 32));
      throw new RangeError(`Cannot create certificate: ${shown} in ${option} is no such name`);
    }
    const key = `${name.type} ${name.value}`;
    if (!parsed.has(key)) parsed.set(key, name);
  }
  return [...parsed.values()];
}

/** An address and its mask; `undefined` if it is none, or has bits that the mask leaves out. */
function parseNetwork(text: string): Uint8Array<ArrayBuffer> | undefined {
  const slash = text.indexOf("/");
  const address = parseIpAddress(slash === -1 ? text : text.slice(0, slash));
  if (address === undefined || address.zone !== undefined) return undefined;
  const { bytes } = address;
  const prefix = slash === -1 ? `${bytes.length * 8}` : text.slice(slash + 1);
  if (!PREFIX.test(prefix) || Number(prefix) > bytes.length * 8) return undefined;
  const network = new Uint8Array(bytes.length * 2);
  network.set(bytes);
  for (let i = 0; i < bytes.length; i++) {
    const bitCount = Math.min(Math.max(Number(prefix) - i * 8, 0), 8);
    const mask = 0xff00 >> bitCount & 0xff;
    if ((bytes[i]! & ~mask) !== 0) return undefined;
    network[bytes.length + i] = mask;
  }
  return network;
}
