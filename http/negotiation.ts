// This module is sans-I/O.

import {
  fitCharset,
  fitEncoding,
  fitLanguage,
  fitType,
  type OfferFit,
} from "./negotiation_match.ts";
import { type NegotiateOptions, parsePreferences, type Preference } from "./negotiation_parser.ts";

/**
 * Chooses the media type of an answer by `Accept` (RFC 9110 section 12.5.1): the
 * most specific range that matches an offer gives its weight. Of several with the
 * highest weight the one that was named most specifically wins, then the one
 * named first, then the one offered first.
 *
 * An answer that was chosen by a field should say `Vary` with its name.
 *
 * @param field Value of the field; `undefined` where there was none, which takes
 * everything, as does an empty one.
 * @param offers Media types that could be answered with, the best first.
 * @param options How many preferences to read.
 * @returns One of the offers as it was spelled, or `undefined` if the client takes
 * none of them: answer 406, or with the best offer nevertheless.
 * @throws {RangeError} If `maxPreferenceCount` is no whole number of at least 0.
 *
 * @example Data for programs, a page for browsers
 * ```ts
 * import { negotiateType } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const offers = ["application/json", "text/html"];
 * assertEquals(negotiateType("text/html,application/xml;q=0.9,*\/*;q=0.8", offers), "text/html");
 * assertEquals(negotiateType("*\/*", offers), "application/json");
 * assertEquals(negotiateType("image/png", offers), undefined);
 * ```
 */
export function negotiateType(
  field: string | undefined,
  offers: readonly string[],
  options?: NegotiateOptions,
): string | undefined {
  return rankTypes(field, offers, options)[0];
}

/**
 * The media types a client takes, the best first; see {@linkcode negotiateType}.
 *
 * @param field Value of `Accept`; `undefined` where there was none.
 * @param offers Media types that could be answered with, the best first.
 * @param options How many preferences to read.
 * @returns Those of the offers that the client takes.
 * @throws {RangeError} If `maxPreferenceCount` is no whole number of at least 0.
 *
 * @example The best first
 * ```ts
 * import { rankTypes } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const offers = ["image/png", "image/webp", "text/plain"];
 * assertEquals(rankTypes("image/webp, image/*;q=0.8", offers), ["image/webp", "image/png"]);
 * ```
 */
export function rankTypes(
  field: string | undefined,
  offers: readonly string[],
  options?: NegotiateOptions,
): string[] {
  return rank(field, offers, fitType, options);
}

/**
 * Chooses the language of an answer by `Accept-Language` (RFC 9110 section
 * 12.5.4). A range matches the tag it is, every longer tag (`en` takes `en-GB`,
 * the basic filtering of RFC 4647 section 3.3.1), and in the second place, if no
 * weight of 0 is attached, every shorter one (`en-GB` takes `en`, as the lookup of
 * section 3.4 does). Ties are decided as by {@linkcode negotiateType}.
 *
 * @param field Value of the field; `undefined` where there was none, which takes
 * everything, as does an empty one.
 * @param offers Language tags that could be answered with, the best first.
 * @param options How many preferences to read.
 * @returns One of the offers as it was spelled, or `undefined` if the client takes
 * none of them: answer with the best offer nevertheless, mostly.
 * @throws {RangeError} If `maxPreferenceCount` is no whole number of at least 0.
 *
 * @example Swiss German is German
 * ```ts
 * import { negotiateLanguage } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(negotiateLanguage("de-CH, en;q=0.5", ["en", "de"]), "de");
 * assertEquals(negotiateLanguage("fr", ["en", "de"]), undefined);
 * ```
 */
export function negotiateLanguage(
  field: string | undefined,
  offers: readonly string[],
  options?: NegotiateOptions,
): string | undefined {
  return rankLanguages(field, offers, options)[0];
}

/**
 * The languages a client takes, the best first; see {@linkcode negotiateLanguage}.
 *
 * @param field Value of `Accept-Language`; `undefined` where there was none.
 * @param offers Language tags that could be answered with, the best first.
 * @param options How many preferences to read.
 * @returns Those of the offers that the client takes.
 * @throws {RangeError} If `maxPreferenceCount` is no whole number of at least 0.
 *
 * @example The best first
 * ```ts
 * import { rankLanguages } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(rankLanguages("de, en;q=0.5", ["en-GB", "fr", "de"]), ["de", "en-GB"]);
 * ```
 */
export function rankLanguages(
  field: string | undefined,
  offers: readonly string[],
  options?: NegotiateOptions,
): string[] {
  return rank(field, offers, fitLanguage, options);
}

/**
 * Chooses the content coding of an answer by `Accept-Encoding` (RFC 9110 section
 * 12.5.3). `identity`, no coding, is taken in the last place unless the client
 * refuses it. Where the client does not mind, the order of the offers decides:
 * browsers weigh everything alike, and the server knows what its codings cost.
 *
 * @param field Value of the field; `undefined` where there was none. RFC 9110
 * would allow any coding then; who does not say what it decodes gets none here.
 * @param offers Content codings that could be answered with, `identity` among
 * them, the best first.
 * @param options How many preferences to read.
 * @returns One of the offers as it was spelled, or `undefined` if the client takes
 * none of them.
 * @throws {RangeError} If `maxPreferenceCount` is no whole number of at least 0.
 *
 * @example The server prefers one of what the client takes
 * ```ts
 * import { negotiateEncoding } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const offers = ["zstd", "br", "gzip", "identity"];
 * assertEquals(negotiateEncoding("gzip, deflate, br", offers), "br");
 * assertEquals(negotiateEncoding(undefined, offers), "identity");
 * ```
 */
export function negotiateEncoding(
  field: string | undefined,
  offers: readonly string[],
  options?: NegotiateOptions,
): string | undefined {
  return rankEncodings(field, offers, options)[0];
}

/**
 * The content codings a client takes, the best first; see
 * {@linkcode negotiateEncoding}.
 *
 * @param field Value of `Accept-Encoding`; `undefined` where there was none.
 * @param offers Content codings that could be answered with, the best first.
 * @param options How many preferences to read.
 * @returns Those of the offers that the client takes.
 * @throws {RangeError} If `maxPreferenceCount` is no whole number of at least 0.
 *
 * @example No coding comes last
 * ```ts
 * import { rankEncodings } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(rankEncodings("gzip;q=0.1", ["identity", "br", "gzip"]), ["gzip", "identity"]);
 * ```
 */
export function rankEncodings(
  field: string | undefined,
  offers: readonly string[],
  options?: NegotiateOptions,
): string[] {
  return rank(field ?? "", offers, fitEncoding, options, true);
}

/**
 * Chooses the charset of an answer by `Accept-Charset` (RFC 9110 section 12.5.2,
 * which advises against the field: nearly everybody takes UTF-8). Ties are
 * decided as by {@linkcode negotiateType}.
 *
 * @param field Value of the field; `undefined` where there was none, which takes
 * everything, as does an empty one.
 * @param offers Charsets that could be answered with, the best first.
 * @param options How many preferences to read.
 * @returns One of the offers as it was spelled, or `undefined` if the client takes
 * none of them.
 * @throws {RangeError} If `maxPreferenceCount` is no whole number of at least 0.
 *
 * @example An old client
 * ```ts
 * import { negotiateCharset } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(negotiateCharset("ISO-8859-1, *;q=0.1", ["utf-8", "iso-8859-1"]), "iso-8859-1");
 * ```
 */
export function negotiateCharset(
  field: string | undefined,
  offers: readonly string[],
  options?: NegotiateOptions,
): string | undefined {
  return rankCharsets(field, offers, options)[0];
}

/**
 * The charsets a client takes, the best first; see {@linkcode negotiateCharset}.
 *
 * @param field Value of `Accept-Charset`; `undefined` where there was none.
 * @param offers Charsets that could be answered with, the best first.
 * @param options How many preferences to read.
 * @returns Those of the offers that the client takes.
 * @throws {RangeError} If `maxPreferenceCount` is no whole number of at least 0.
 *
 * @example The best first
 * ```ts
 * import { rankCharsets } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(rankCharsets("latin1;q=0.5, utf-8", ["latin1", "utf-8"]), ["utf-8", "latin1"]);
 * ```
 */
export function rankCharsets(
  field: string | undefined,
  offers: readonly string[],
  options?: NegotiateOptions,
): string[] {
  return rank(field, offers, fitCharset, options);
}

/** How one kind of offer fits the preferences; `undefined` where the client does not take it. */
type Fitter = (offer: string, preferences: readonly Preference[]) => OfferFit | undefined;

function rank(
  field: string | undefined,
  offers: readonly string[],
  fitter: Fitter,
  options?: NegotiateOptions,
  isEmptyMeant = false,
): string[] {
  const preferences = parsePreferences(field ?? "", options);
  if (preferences.length === 0 && !isEmptyMeant) return [...offers];
  const found: { offer: string; fit: OfferFit }[] = [];
  for (const offer of offers) {
    const fit = fitter(offer, preferences);
    if (fit !== undefined && fit.quality > 0) found.push({ offer, fit });
  }
  // The sort is stable: what is left equal stays in the order of the offers.
  found.sort((a, b) =>
    b.fit.quality - a.fit.quality || b.fit.specificity - a.fit.specificity ||
    a.fit.order - b.fit.order
  );
  return found.map(({ offer }) => offer);
}
