// This module is sans-I/O.

import { parsePreferences, type Preference } from "./negotiation_parser.ts";

/** How well an offer fits what a client says it takes. */
export interface OfferFit {
  /** The weight of the preference that decides; 0 where the client refuses the offer. */
  readonly quality: number;
  /** How closely that preference names the offer. */
  readonly specificity: number;
  /** Its place in the field. */
  readonly order: number;
}

/** How much more an exact name counts than any number of parameters. */
const LEVEL = 1_000;

/** RFC 9110 section 12.5.1. */
export function fitType(offer: string, preferences: readonly Preference[]): OfferFit | undefined {
  const [type] = parsePreferences(offer);
  const slash = type?.value.indexOf("/") ?? -1;
  if (type === undefined || slash < 0) return undefined;
  const anySubtype = `${type.value.slice(0, slash)}/*`;
  return closest(preferences, ({ value, params }) => {
    if (!params.every((param) => hasParam(type, param))) return undefined;
    const paramCount = Math.min(params.length, LEVEL - 1);
    if (value === type.value) return 2 * LEVEL + paramCount;
    if (value === anySubtype) return LEVEL + paramCount;
    // Clients of old say "*" for every type.
    return value === "*/*" || value === "*" ? paramCount : undefined;
  });
}

/** RFC 9110 section 12.5.4, RFC 4647 sections 3.3.1 and 3.4. */
export function fitLanguage(
  offer: string,
  preferences: readonly Preference[],
): OfferFit | undefined {
  const tag = offer.toLowerCase();
  return closest(preferences, ({ value, quality }) => {
    if (value === tag) return 3 * LEVEL;
    if (tag.startsWith(`${value}-`)) return 2 * LEVEL + Math.min(value.length, LEVEL - 1);
    // Whoever does not want a dialect may still want the language.
    if (quality > 0 && value.startsWith(`${tag}-`)) return LEVEL;
    return value === "*" ? 0 : undefined;
  });
}

/** RFC 9110 section 12.5.3. */
export function fitEncoding(
  offer: string,
  preferences: readonly Preference[],
): OfferFit | undefined {
  const coding = withoutAlias(offer.toLowerCase());
  const fit = closest(preferences, ({ value }) => {
    if (withoutAlias(value) === coding) return 1;
    return value === "*" ? 0 : undefined;
  });
  if (fit !== undefined) return { ...fit, order: 0 };
  if (coding !== "identity") return undefined;
  return { quality: Number.MIN_VALUE, specificity: 0, order: 0 };
}

/** RFC 9110 section 12.5.2. */
export function fitCharset(
  offer: string,
  preferences: readonly Preference[],
): OfferFit | undefined {
  const charset = offer.toLowerCase();
  return closest(preferences, ({ value }) => {
    if (value === charset) return 1;
    return value === "*" ? 0 : undefined;
  });
}

/** The preference that names an offer most closely; of several the best, of these the first. */
function closest(
  preferences: readonly Preference[],
  specificityOf: (preference: Preference) => number | undefined,
): OfferFit | undefined {
  let best: OfferFit | undefined;
  for (const [order, preference] of preferences.entries()) {
    const specificity = specificityOf(preference);
    if (specificity === undefined) continue;
    const { quality } = preference;
    const isBetter = best === undefined || specificity > best.specificity ||
      (specificity === best.specificity && quality > best.quality);
    if (isBetter) best = { quality, specificity, order };
  }
  return best;
}

function hasParam(type: Preference, [name, value]: readonly [string, string]): boolean {
  return type.params.some(([otherName, otherValue]) =>
    otherName === name && otherValue.toLowerCase() === value.toLowerCase()
  );
}

/** RFC 9110 sections 8.4.1.1 and 8.4.1.3. */
function withoutAlias(coding: string): string {
  return coding === "x-gzip" || coding === "x-compress" ? coding.slice(2) : coding;
}
