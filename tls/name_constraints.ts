// This module is sans-I/O.

import type { Certificate } from "./certificate.ts";
import type { NameConstraints } from "./certificate_extension.ts";
import type { DistinguishedName } from "./distinguished_name.ts";
import { isDnsIdentifier, toAsciiLowerCase } from "./dns_identifier.ts";
import type { GeneralName } from "./general_name.ts";

/**
 * How a name lies to a subtree of names:
 *
 * - `"inside"`: it lies within, with everything it stands for.
 * - `"outside"`: nothing it stands for lies within.
 * - `"partly"`: only some of the names that a wildcard stands for lie within, or some verifiers take
 *   it for inside and others for outside.
 * - `"unknown"`: one of the two is malformed, or no rule compares names of this type.
 */
export type SubtreeRelation = "inside" | "outside" | "partly" | "unknown";

/** The attribute in which old certificates have a mail address (RFC 5280 section 4.1.2.6). */
const EMAIL_ADDRESS_OID = "1.2.840.113549.1.9.1";
/** What is longer is not read: comparisons are counted, and each has to cost about the same. */
const MAX_TEXT_LENGTH = 2_048;

/**
 * Says how a name lies to the root of a subtree (RFC 5280 section 4.2.1.10).
 *
 * - DNS: the name itself and everything below it. With a dot in front, which RFC 5280 does not know
 *   and many CAs use, the name itself is neither: not permitted where it is, excluded where it is.
 * - Addresses: those under the mask, which has no gaps.
 * - Mail: one mailbox (`user@example.com`), all of a host (`example.com`), or all of the hosts
 *   below one (`.example.com`). What stands in front of `@` is compared with its case.
 * - URIs: one host, or all below one (`.example.com`). A URI without a host that is a name lies
 *   nowhere.
 * - Directory names: those that begin with it.
 * - An empty text contains everything of its type.
 *
 * @param name The name of a certificate.
 * @param base The root of the subtree.
 * @returns How they lie; `"outside"` where the types differ.
 *
 * @example A wildcard
 * ```ts
 * import { relateToSubtree } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * const name = { type: "dns", value: "*.example.com" } as const;
 * assertEquals(relateToSubtree(name, { type: "dns", value: "Example.com" }), "inside");
 * assertEquals(relateToSubtree(name, { type: "dns", value: "a.example.com" }), "partly");
 * assertEquals(relateToSubtree(name, { type: "dns", value: "example.org" }), "outside");
 * ```
 */
export function relateToSubtree(name: GeneralName, base: GeneralName): SubtreeRelation {
  if (name.type !== base.type) return "outside";
  switch (name.type) {
    case "dns":
      return relateDns(name.value, (base as typeof name).value);
    case "ip":
      return relateAddress(name.value, (base as typeof name).value);
    case "email":
      return relateEmail(name.value, (base as typeof name).value);
    case "uri":
      return relateUri(name.value, (base as typeof name).value);
    case "directory":
      return relateDirectory(name.value, (base as typeof name).value);
    default:
      // RFC 5280 has no rules for these.
      return "unknown";
  }
}

function relateDns(presented: string, base: string): SubtreeRelation {
  if (!isDnsIdentifier(presented, { allowWildcard: true })) return "unknown";
  if (base === "") return "inside";
  const hasDot = base.startsWith(".");
  const root = toAsciiLowerCase(hasDot ? base.slice(1) : base);
  if (!isDnsIdentifier(root)) return "unknown";
  const name = toAsciiLowerCase(presented);
  if (hasDot && name === root) return "partly";
  const isWildcard = name.startsWith("*.");
  const parent = isWildcard ? name.slice(2) : name;
  if (parent === root || parent.endsWith(`.${root}`)) return "inside";
  // The wildcard is one label: what it stands for reaches into the subtree of a sibling only.
  return isWildcard && root.slice(root.indexOf(".") + 1) === parent ? "partly" : "outside";
}

function relateAddress(address: Uint8Array, base: Uint8Array): SubtreeRelation {
  const length = base.length / 2;
  if ((length !== 4 && length !== 16) || (address.length !== 4 && address.length !== 16)) {
    return "unknown";
  }
  const mask = base.subarray(length);
  if (!isPrefixMask(mask)) return "unknown";
  if (address.length !== length) return "outside";
  const isInside = mask.every((bits, index) => ((address[index]! ^ base[index]!) & bits) === 0);
  return isInside ? "inside" : "outside";
}

/** Ones, then zeros (RFC 4632 section 3.1, which RFC 5280 refers to). */
function isPrefixMask(mask: Uint8Array): boolean {
  const bits = Array.from(mask, (byte) => byte.toString(2).padStart(8, "0")).join("");
  return !bits.includes("01");
}

interface Mailbox {
  readonly local: string;
  readonly host: string;
}

function relateEmail(presented: string, base: string): SubtreeRelation {
  const mailbox = parseMailbox(presented);
  if (mailbox === undefined) return "unknown";
  if (!base.includes("@")) return relateHost(mailbox.host, base);
  const wanted = parseMailbox(base);
  if (wanted === undefined) return "unknown";
  const isSame = mailbox.local === wanted.local && mailbox.host === wanted.host;
  return isSame ? "inside" : "outside";
}

/** A dot-string or a quoted string, `@`, and a domain (RFC 5321 section 4.1.2). */
const MAILBOX =
  /^(?:([a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*)|"((?:[ !#-[\]-~]|\\[ -~])*)")@([^@]+)$/i;

function parseMailbox(text: string): Mailbox | undefined {
  if (text.length > MAX_TEXT_LENGTH) return undefined;
  const parts = MAILBOX.exec(text);
  if (parts === null || !isDnsIdentifier(parts[3]!)) return undefined;
  const local = parts[1] ?? parts[2]!.replace(/\\(.)/g, "$1");
  return { local, host: toAsciiLowerCase(parts[3]!) };
}

/** A scheme, an authority and the rest; group 1 is the host (RFC 3986 section 3.2). */
const URI =
  /^[a-z][a-z0-9+.-]*:\/\/(?:[\w.~!$&'()*+,;=:%-]*@)?([^/?#@:[\]]+)(?::[0-9]*)?(?:[/?#]|$)/i;

function relateUri(presented: string, base: string): SubtreeRelation {
  if (base === "") return "inside";
  const host = presented.length > MAX_TEXT_LENGTH ? undefined : URI.exec(presented)?.[1];
  if (host === undefined || !isDnsIdentifier(host)) return "unknown";
  return relateHost(toAsciiLowerCase(host), base);
}

/** A host against one host, or against all below one. */
function relateHost(host: string, base: string): SubtreeRelation {
  if (base === "") return "inside";
  const isDomain = base.startsWith(".");
  if (!isDnsIdentifier(isDomain ? base.slice(1) : base)) return "unknown";
  const root = toAsciiLowerCase(base);
  return (isDomain ? host.endsWith(root) : host === root) ? "inside" : "outside";
}

function relateDirectory(name: DistinguishedName, base: DistinguishedName): SubtreeRelation {
  const keys = name.rdnKeys;
  const isInside = base.rdnKeys.every((key, index) => key === keys[index]);
  return isInside ? "inside" : "outside";
}

/** A host has to follow these schemes, else the URI is a relative one in disguise. */
const SCHEME_WITH_HOST = /^(?:https?|wss?|ftps?|ldaps?):(?!\/\/[^/?#])/i;
/** RFC 3986 section 4.3, roughly; no scheme is longer, and what is longer costs no more. */
const ABSOLUTE_URI = /^[a-z][a-z0-9+.-]{0,62}:[!-~]/i;

/**
 * Says whether a name is what its type says (RFC 5280 section 4.2.1.6): a DNS name or a wildcard, a
 * mailbox, an absolute URI. Of the other types everything is.
 *
 * @param name The name.
 * @returns Whether it is well-formed.
 *
 * @example A name with something around it
 * ```ts
 * import { isWellFormedName } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isWellFormedName({ type: "email", value: "a@example.com" }), true);
 * assertEquals(isWellFormedName({ type: "email", value: "A <a@example.com>" }), false);
 * ```
 */
export function isWellFormedName(name: GeneralName): boolean {
  switch (name.type) {
    case "dns":
      return isDnsIdentifier(name.value, { allowWildcard: true });
    case "email":
      return parseMailbox(name.value) !== undefined;
    case "uri":
      return ABSOLUTE_URI.test(name.value) && !SCHEME_WITH_HOST.test(name.value);
    default:
      return true;
  }
}

/**
 * Gives the names of a certificate that name constraints of its issuers are held against: those of
 * its subjectAltName, its subject unless that is empty, and the mail addresses in the subject where
 * there is no subjectAltName (RFC 5280 section 4.2.1.10).
 *
 * @param certificate The certificate.
 * @returns The names.
 *
 * @example A certificate of old
 * ```ts
 * import { constrainedNames, DistinguishedName } from "@nbio/net/tls/x509";
 * import { decodeBase64 } from "@std/encoding";
 * import { assertEquals } from "@std/assert";
 *
 * const subject = DistinguishedName.parse(decodeBase64("MBYxFDASBgkqhkiG9w0BCQEWBWFAYi5j"));
 * const names = constrainedNames({ subject, subjectAltName: undefined });
 * assertEquals(names.map(({ type }) => type), ["directory", "email"]);
 * ```
 */
export function constrainedNames(
  certificate: Pick<Certificate, "subject" | "subjectAltName">,
): GeneralName[] {
  const { subject, subjectAltName } = certificate;
  const names: GeneralName[] = [...subjectAltName ?? []];
  if (!subject.isEmpty) names.push({ type: "directory", value: subject });
  if (subjectAltName !== undefined) return names;
  for (const { oid, value } of subject.rdns.flat()) {
    if (oid === EMAIL_ADDRESS_OID) names.push({ type: "email", value });
  }
  return names;
}

/** A name that breaks a constraint, and in which way. */
export interface NameConstraintViolation {
  /** The name. */
  readonly name: GeneralName;
  /** Whether it lies in no permitted subtree, or in an excluded one. */
  readonly rule: "permitted" | "excluded";
}

/**
 * Holds names against the constraints of a CA: each lies outside of every excluded subtree, and
 * inside of a permitted one if there is one of its type. What is malformed, or cannot be compared,
 * counts as broken.
 *
 * Takes as many comparisons as there are pairs of a name and a subtree, at most.
 *
 * @param names The names of a certificate below the CA.
 * @param constraints The constraints.
 * @param count Called before every comparison; it may throw to end the work.
 * @returns The first violation; `undefined` if there is none.
 *
 * @example A name that is excluded
 * ```ts
 * import { findNameConstraintViolation } from "@nbio/net/tls/x509";
 * import { assertEquals } from "@std/assert";
 *
 * const name = { type: "dns", value: "a.example.com" } as const;
 * const excluded = [{ base: { type: "dns", value: "example.com" } }] as const;
 * assertEquals(findNameConstraintViolation([name], { excluded }, () => {}), {
 *   name,
 *   rule: "excluded",
 * });
 * ```
 */
export function findNameConstraintViolation(
  names: readonly GeneralName[],
  constraints: NameConstraints,
  count: () => void,
): NameConstraintViolation | undefined {
  for (const name of names) {
    // What nobody can compare is not left to chance.
    if (!isWellFormedName(name)) return { name, rule: "permitted" };
    for (const { base } of constraints.excluded ?? []) {
      count();
      if (relateToSubtree(name, base) !== "outside") return { name, rule: "excluded" };
    }
    let isConstrained = false;
    let isPermitted = false;
    for (const { base } of constraints.permitted ?? []) {
      count();
      if (base.type !== name.type) continue;
      isConstrained = true;
      const relation = relateToSubtree(name, base);
      if (relation === "inside") isPermitted = true;
      // Another subtree cannot mend what nobody understands.
      if (relation === "unknown") return { name, rule: "permitted" };
    }
    if (isConstrained && !isPermitted) return { name, rule: "permitted" };
  }
  return undefined;
}
