// This module is sans-I/O.

import { decodeLatin1, equalsIgnoreCase, rangesEqualIgnoreCase } from "./ascii.ts";
import { HEX_VALUE, HOST } from "./char_class.ts";
import type { ControlFields } from "./control_fields.ts";
import { HttpProtocolError } from "./errors.ts";
import type { HttpLenience } from "./limits.ts";

const COLON = 0x3a;
const SLASH = 0x2f;
const QUESTION_MARK = 0x3f;
const ASTERISK = 0x2a;
const LEFT_BRACKET = 0x5b;
const RIGHT_BRACKET = 0x5d;
const PERCENT = 0x25;
const MAX_PORT = 65535;

/**
 * Checks the form of a request target against the method, and Host against both
 * (RFC 9112 section 3.2).
 *
 * @param bytes Buffer with the head.
 * @param start Offset of the target.
 * @param end Offset behind the target.
 * @param method Method of the request.
 * @param isHttp10 Whether the request came with HTTP/1.0, which needs no Host.
 * @param fields Where the Host field is.
 * @param lenience Rules to relax.
 * @throws {HttpProtocolError} If target and Host are not what they must be.
 */
export function checkTargetAndHost(
  bytes: Uint8Array,
  start: number,
  end: number,
  method: string,
  isHttp10: boolean,
  fields: ControlFields,
  lenience: HttpLenience,
): void {
  checkHost(bytes, isHttp10, fields, lenience);
  const first = bytes[start]!;
  if (method === "CONNECT") {
    checkAuthorityForm(bytes, start, end, fields, lenience);
  } else if (first === SLASH) {
    return;
  } else if (first === ASTERISK && end - start === 1) {
    // RFC 9112 section 3.2.4.
    if (method !== "OPTIONS") throw badTarget("asterisk-form goes with OPTIONS only");
  } else {
    checkAbsoluteForm(bytes, start, end, fields, lenience);
  }
}

function checkHost(
  bytes: Uint8Array,
  isHttp10: boolean,
  fields: ControlFields,
  lenience: HttpLenience,
): void {
  const { hostCount, hostStart, hostEnd } = fields;
  if (hostCount === 0) {
    if (isHttp10 || lenience.allowMissingHost) return;
    throw new HttpProtocolError("ERR_HTTP_MISSING_HOST", "Cannot accept request: Host is missing");
  }
  if (hostCount > 1) throw badHost("it comes more than once");
  if (hostStart === hostEnd) {
    if (isHttp10) return;
    throw badHost("it is empty");
  }
  if (!isAuthority(bytes, hostStart, hostEnd)) throw badHost("it is not a host with a port");
}

/** `uri-host [ ":" port ]` of RFC 9110 section 7.2, never with userinfo. */
function isAuthority(bytes: Uint8Array, start: number, end: number): boolean {
  const hostEnd = endOfHost(bytes, start, end);
  if (hostEnd === start) return false;
  if (hostEnd === end) return true;
  return bytes[hostEnd] === COLON && isPort(bytes, hostEnd + 1, end);
}

/** Offset behind the host that starts at `start`; `start` where none does. */
function endOfHost(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  if (bytes[at] !== LEFT_BRACKET) {
    while (at < end && HOST[bytes[at]!] === 1) {
      if (bytes[at] === PERCENT && !isHexPair(bytes, at + 1, end)) break;
      at++;
    }
    return at;
  }
  while (at < end && bytes[at] !== RIGHT_BRACKET) at++;
  return at < end && isIpv6(bytes, start + 1, at) ? at + 1 : start;
}

/** Longest text of an IPv6 address: six groups and an IPv4 address. */
const MAX_IPV6_BYTES = 45;
const IPV6_GROUP = /^[0-9a-f]{1,4}$/i;
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** `IPv6address` of RFC 3986 section 3.2.2. Few requests have one: text will do. */
function isIpv6(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start > MAX_IPV6_BYTES) return false;
  const halves = decodeLatin1(bytes, start, end).split("::");
  const groups = halves.flatMap((half) => half === "" ? [] : half.split(":"));
  const last = groups.at(-1) ?? "";
  const hasIpv4 = last.includes(".");
  if (hasIpv4 && (!IPV4.test(last) || halves.at(-1) === "")) return false;
  const hex = hasIpv4 ? groups.slice(0, -1) : groups;
  const count = hex.length + (hasIpv4 ? 2 : 0);
  if (!hex.every((group) => IPV6_GROUP.test(group))) return false;
  return halves.length === 1 ? count === 8 : halves.length === 2 && count < 8;
}

/** RFC 3986 section 2.1: what a percent sign must be followed by. */
function isHexPair(bytes: Uint8Array, start: number, end: number): boolean {
  return start + 2 <= end && HEX_VALUE[bytes[start]!] !== 255 &&
    HEX_VALUE[bytes[start + 1]!] !== 255;
}

/** RFC 3986 section 3.2.3: a port may be empty. */
function isPort(bytes: Uint8Array, start: number, end: number): boolean {
  let port = 0;
  for (let at = start; at < end; at++) {
    const digit = bytes[at]! - 0x30;
    if (digit < 0 || digit > 9) return false;
    port = port * 10 + digit;
    if (port > MAX_PORT) return false;
  }
  return true;
}

/** RFC 9112 section 3.2.3: host and port, both there. */
function checkAuthorityForm(
  bytes: Uint8Array,
  start: number,
  end: number,
  fields: ControlFields,
  lenience: HttpLenience,
): void {
  const hostEnd = endOfHost(bytes, start, end);
  if (hostEnd === start || hostEnd + 1 >= end || !isAuthority(bytes, start, end)) {
    throw badTarget("CONNECT needs a host and a port");
  }
  checkAgreement(bytes, start, end, -1, fields, lenience);
}

/** RFC 9112 section 3.2.2: `scheme "://" authority`, then path or query. */
function checkAbsoluteForm(
  bytes: Uint8Array,
  start: number,
  end: number,
  fields: ControlFields,
  lenience: HttpLenience,
): void {
  const colon = start + schemeLength(bytes, start, end);
  if (colon === start || bytes[colon + 1] !== SLASH || bytes[colon + 2] !== SLASH) {
    throw badTarget("it has none of the four forms");
  }
  const authority = colon + 3;
  let authorityEnd = authority;
  while (authorityEnd < end && !endsAuthority(bytes[authorityEnd]!)) authorityEnd++;
  // RFC 9110 section 4.2.4: userinfo from outside is an error; no "@" passes here.
  if (authorityEnd > end || !isAuthority(bytes, authority, authorityEnd)) {
    throw badTarget("its authority is not a host with a port");
  }
  checkAgreement(
    bytes,
    authority,
    authorityEnd,
    defaultPort(bytes, start, colon),
    fields,
    lenience,
  );
}

function endsAuthority(byte: number): boolean {
  return byte === SLASH || byte === QUESTION_MARK;
}

/** Length of the scheme in front of a colon; 0 where there is none. */
function schemeLength(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === COLON) return at - start;
    const lower = byte | 0x20;
    const isAlpha = lower >= 0x61 && lower <= 0x7a;
    const isOther = byte === 0x2b || byte === 0x2d || byte === 0x2e ||
      (byte >= 0x30 && byte <= 0x39);
    if (!isAlpha && !(isOther && at > start)) return 0;
  }
  return 0;
}

function defaultPort(bytes: Uint8Array, start: number, end: number): number {
  if (equalsIgnoreCase(bytes, start, end, "http")) return 80;
  return equalsIgnoreCase(bytes, start, end, "https") ? 443 : -1;
}

/**
 * RFC 9112 section 3.2.2 lets the target win over Host. Two readers that choose
 * differently make two sites out of one request, so a difference is refused.
 */
function checkAgreement(
  bytes: Uint8Array,
  start: number,
  end: number,
  implied: number,
  fields: ControlFields,
  lenience: HttpLenience,
): void {
  if (fields.hostCount === 0 || lenience.allowHostMismatch) return;
  const { hostStart, hostEnd } = fields;
  const sameHost = rangesEqualIgnoreCase(
    bytes,
    start,
    endOfHost(bytes, start, end),
    hostStart,
    endOfHost(bytes, hostStart, hostEnd),
  );
  const samePort =
    portOf(bytes, start, end, implied) === portOf(bytes, hostStart, hostEnd, implied);
  if (!sameHost || !samePort) {
    throw new HttpProtocolError(
      "ERR_HTTP_HOST_MISMATCH",
      "Cannot accept request: target and Host differ",
    );
  }
}

/** Port of an authority that was checked; `implied` where it names none. */
function portOf(bytes: Uint8Array, start: number, end: number, implied: number): number {
  let at = endOfHost(bytes, start, end) + 1;
  if (at >= end) return implied;
  let port = 0;
  for (; at < end; at++) port = port * 10 + bytes[at]! - 0x30;
  return port;
}

function badHost(reason: string): HttpProtocolError {
  return new HttpProtocolError("ERR_HTTP_BAD_HOST", `Cannot use Host: ${reason}`);
}

function badTarget(reason: string): HttpProtocolError {
  return new HttpProtocolError("ERR_HTTP_BAD_TARGET", `Cannot use request target: ${reason}`);
}
