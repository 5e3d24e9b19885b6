// This module is sans-I/O.

import {
  BACKSLASH,
  DOT,
  formatLabel,
  MAX_LABEL_BYTES,
  MAX_NAME_BYTES,
  PLAIN,
  quoteName,
  writeNameWire,
} from "./_name_text.ts";
import { DnsMessageError, DnsTextError } from "./errors.ts";

/**
 * Domain names as text. A name is a string: absolute, with a dot at its end, the root a dot alone.
 * What would mean something in a zone file has a backslash in front of it, bytes that are no
 * visible ASCII stand as `\DDD`, and nothing else is escaped: two names have the same bytes exactly
 * if they are the same string.
 */

/** What {@linkcode parseName} completes and converts with. */
export interface ParseNameOptions {
  /**
   * The name that relative ones stand on, as with `$ORIGIN`; absolute, with a dot at its end or
   * without. Without it they are refused.
   *
   * @default {undefined}
   */
  readonly origin?: string | undefined;
  /**
   * Converts a name with characters beyond ASCII to A-labels (IDNA, RFC 5891); without it they are
   * refused. Called once with the whole name, its final dot included.
   */
  readonly toAscii?: ((name: string) => string) | undefined;
}

/** Bytes of the name at hand. */
const scratch = new Uint8Array(MAX_NAME_BYTES + 1);

/**
 * Parses a name as it stands in zone files (RFC 1035 section 5.1) and elsewhere.
 *
 * @param text A name with any lawful escaping; `@` alone is the origin.
 * @param options The origin and IDNA.
 * @returns The absolute name with its one escaping.
 * @throws {DnsTextError} If it or the origin is no name, or it is relative without an origin.
 *
 * @example Relative and escaped
 * ```ts
 * import { parseName } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseName("www", { origin: "example.com." }), "www.example.com.");
 * assertEquals(parseName("\\097 b.example."), "a\\032b.example.");
 * ```
 */
export function parseName(text: string, options: ParseNameOptions = {}): string {
  const origin = options.origin === undefined ? undefined : normalOrigin(options.origin);
  const plainEnd = endOfPlainLabels(text);
  if (plainEnd === text.length && plainEnd > 0 && text !== ".") {
    if (text.charCodeAt(plainEnd - 1) === DOT) {
      if (plainEnd < MAX_NAME_BYTES) return text;
    } else if (origin !== undefined) {
      // A text is never shorter than the bytes it stands for.
      if (origin === ".") {
        if (plainEnd + 1 < MAX_NAME_BYTES) return `${text}.`;
      } else if (plainEnd + origin.length + 1 < MAX_NAME_BYTES) return `${text}.${origin}`;
    }
  }
  if (text === "@") return origin ?? failText(text, "there is no origin", 0);
  return parseWithCare(text, origin, options.toAscii);
}

/** The origin that was given last, and the name it stands for: mostly it is the same for long. */
let originText = ".";
let originName = ".";

/** An origin in its one form. */
function normalOrigin(origin: string): string {
  if (origin === originText) return originName;
  // Without a dot at its end it is absolute all the same, as everywhere in the API.
  const name = origin === "." ? "." : parseName(origin, { origin: "." });
  originText = origin;
  return originName = name;
}

function parseWithCare(
  text: string,
  origin: string | undefined,
  toAscii: ParseNameOptions["toAscii"],
): string {
  // deno-lint-ignore no-control-regex
  const isAscii = /^[\x00-\x7f]*$/.test(text);
  const ascii = isAscii || toAscii === undefined ? text : toAscii(text);
  const end = writeNameWire(ascii, scratch, 0, failText);
  const name = formatWire(scratch, end);
  if (isAbsolute(ascii)) return name;
  if (origin === undefined) return failText(text, "it is relative, and there is no origin", 0);
  if (origin === ".") return name;
  const whole = name + origin;
  if (end - 1 + writeNameWire(origin, ORIGIN_SCRATCH, 0, failText) > MAX_NAME_BYTES) {
    return failText(text, "with the origin it has more than 255 bytes", 0);
  }
  return whole;
}

const ORIGIN_SCRATCH = new Uint8Array(MAX_NAME_BYTES + 1);

/** Index up to which there are labels of plain characters and of a lawful length. */
function endOfPlainLabels(text: string): number {
  let start = 0;
  let index = 0;
  for (; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code === DOT) {
      if (index === start || index - start > MAX_LABEL_BYTES) return -1;
      start = index + 1;
    } else if (PLAIN[code] !== 1) return -1;
  }
  return index - start > MAX_LABEL_BYTES ? -1 : index;
}

/** Whether a name ends in a dot that is not escaped. */
function isAbsolute(text: string): boolean {
  if (text.charCodeAt(text.length - 1) !== DOT) return false;
  let index = text.length - 2;
  while (index >= 0 && text.charCodeAt(index) === BACKSLASH) index--;
  // An even number of backslashes escapes only itself; `\092.` has none in front of the dot.
  return (text.length - 2 - index) % 2 === 0;
}

/** The text of the uncompressed name in `bytes`, which ends before `end`. */
function formatWire(bytes: Uint8Array, end: number): string {
  let text = "";
  for (let at = 0; at < end - 1; at += bytes[at]! + 1) {
    text += formatLabel(bytes, at + 1, at + 1 + bytes[at]!);
  }
  return text === "" ? "." : text;
}

/**
 * Converts a name to its wire form, uncompressed.
 *
 * @param name The name; without a final dot it counts as absolute nevertheless.
 * @returns Its 1 to 255 bytes.
 * @throws {DnsMessageError} If it is no name.
 *
 * @example Two labels and the root
 * ```ts
 * import { nameToWire } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nameToWire("ab.c."), new Uint8Array([2, 0x61, 0x62, 1, 0x63, 0]));
 * ```
 */
export function nameToWire(name: string): Uint8Array<ArrayBuffer> {
  const end = writeNameWire(name, scratch, 0, failValue);
  return scratch.slice(0, end);
}

/**
 * Takes a name apart.
 *
 * @param name The name; without a final dot it counts as absolute nevertheless.
 * @returns The bytes of each label, the root left out.
 * @throws {DnsMessageError} If it is no name.
 *
 * @example A label with a dot in it
 * ```ts
 * import { labelsOf } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(labelsOf("a\\.b.c."), [new Uint8Array([0x61, 0x2e, 0x62]), new Uint8Array([0x63])]);
 * ```
 */
export function labelsOf(name: string): Uint8Array<ArrayBuffer>[] {
  const end = writeNameWire(name, scratch, 0, failValue);
  const labels: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < end - 1; at += scratch[at]! + 1) {
    labels.push(scratch.slice(at + 1, at + 1 + scratch[at]!));
  }
  return labels;
}

/**
 * Puts a name together.
 *
 * @param labels The bytes of each label, 1 to 63, without the root.
 * @returns The absolute name; the root for no label.
 * @throws {DnsMessageError} If a label is empty or too long, or the name is.
 *
 * @example Bytes that need an escape
 * ```ts
 * import { joinLabels } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(joinLabels([new Uint8Array([0x61, 0xff]), new Uint8Array([0x63])]), "a\\255.c.");
 * ```
 */
export function joinLabels(labels: readonly Uint8Array[]): string {
  let text = "";
  let wireBytes = 1;
  for (const label of labels) {
    wireBytes += label.length + 1;
    if (label.length === 0 || label.length > MAX_LABEL_BYTES || wireBytes > MAX_NAME_BYTES) {
      throw new DnsMessageError(
        "ERR_DNS_BAD_NAME",
        `Cannot join labels: one has ${label.length} bytes, expected 1 to 63 and 255 in all`,
      );
    }
    text += formatLabel(label, 0, label.length);
  }
  return text === "" ? "." : text;
}

/**
 * Gives the one lower-case form of a name (RFC 4034 section 6.2): names that DNS takes as equal
 * give the same string.
 *
 * @param name The name, with any lawful escaping; without a final dot it counts as absolute.
 * @returns The absolute name, ASCII letters in lower case.
 * @throws {DnsMessageError} If it is no name.
 *
 * @example As the key of a map
 * ```ts
 * import { canonicalName } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(canonicalName("WWW.Example"), "www.example.");
 * ```
 */
export function canonicalName(name: string): string {
  const end = endOfPlainLabels(name);
  if (end > 0 && end < MAX_NAME_BYTES - 1 && name !== ".") {
    const lower = name.toLowerCase();
    return name.charCodeAt(end - 1) === DOT ? lower : `${lower}.`;
  }
  return formatWire(scratch, writeNameWire(name, scratch, 0, failValue)).toLowerCase();
}

/**
 * Tells whether two names are equal to DNS: ASCII letters match in any case (RFC 4343).
 *
 * @param a A name.
 * @param b Another.
 * @returns Whether they are equal.
 * @throws {DnsMessageError} If one is no name.
 *
 * @example Case does not count
 * ```ts
 * import { equalNames } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(equalNames("Example.COM.", "example.com."), true);
 * assertEquals(equalNames("a.example.com.", "example.com."), false);
 * ```
 */
export function equalNames(a: string, b: string): boolean {
  return a === b || canonicalName(a) === canonicalName(b);
}

/**
 * Orders two names canonically (RFC 4034 section 6.1): label by label from the root, as bytes in
 * lower case.
 *
 * @param a A name.
 * @param b Another.
 * @returns Less than 0 if `a` comes first, more than 0 if `b` does, 0 if they are equal.
 * @throws {DnsMessageError} If one is no name.
 *
 * @example The order of a zone
 * ```ts
 * import { compareNames } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const names = ["z.example.", "a.b.example.", "B.example.", "example."];
 * assertEquals(names.sort(compareNames), ["example.", "B.example.", "a.b.example.", "z.example."]);
 * ```
 */
export function compareNames(a: string, b: string): number {
  const left = labelsOf(a);
  const right = labelsOf(b);
  const count = Math.min(left.length, right.length);
  for (let index = 1; index <= count; index++) {
    const order = compareLabels(left[left.length - index]!, right[right.length - index]!);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareLabels(a: Uint8Array, b: Uint8Array): number {
  const count = Math.min(a.length, b.length);
  for (let index = 0; index < count; index++) {
    const order = lowerCase(a[index]!) - lowerCase(b[index]!);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function lowerCase(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

/**
 * Tells whether a name is another one or stands below it.
 *
 * @param child The name in question.
 * @param parent The name above.
 * @returns Whether it is so.
 * @throws {DnsMessageError} If one is no name.
 *
 * @example Labels count, not letters
 * ```ts
 * import { isSubdomain } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isSubdomain("www.Example.com.", "example.com."), true);
 * assertEquals(isSubdomain("badexample.com.", "example.com."), false);
 * ```
 */
export function isSubdomain(child: string, parent: string): boolean {
  const below = canonicalName(child);
  const above = canonicalName(parent);
  if (above === ".") return true;
  if (!below.endsWith(above)) return false;
  const start = below.length - above.length;
  return start === 0 || isAbsolute(below.slice(0, start));
}

/**
 * Takes the first label off a name.
 *
 * @param name The name.
 * @returns The name above it, `undefined` for the root.
 * @throws {DnsMessageError} If it is no name.
 *
 * @example One level up
 * ```ts
 * import { parentName } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parentName("www.example.com."), "example.com.");
 * assertEquals(parentName("."), undefined);
 * ```
 */
export function parentName(name: string): string | undefined {
  const labels = labelsOf(name);
  return labels.length === 0 ? undefined : joinLabels(labels.slice(1));
}

/**
 * Counts the labels of a name, the root left out.
 *
 * @param name The name.
 * @returns The number, 0 to 127.
 * @throws {DnsMessageError} If it is no name.
 *
 * @example As RRSIG counts them
 * ```ts
 * import { countLabels } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([countLabels("."), countLabels("a\\.b.example.")], [0, 2]);
 * ```
 */
export function countLabels(name: string): number {
  const end = writeNameWire(name, scratch, 0, failValue);
  let count = 0;
  for (let at = 0; at < end - 1; at += scratch[at]! + 1) count++;
  return count;
}

function failValue(text: string, reason: string): never {
  throw new DnsMessageError("ERR_DNS_BAD_NAME", `Cannot use name ${quoteName(text)}: ${reason}`);
}

function failText(text: string, reason: string, index: number): never {
  throw new DnsTextError("ERR_DNS_BAD_NAME", `Cannot parse name ${quoteName(text)}: ${reason}`, {
    column: index + 1,
  });
}
