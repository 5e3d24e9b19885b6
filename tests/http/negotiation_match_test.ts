import { assertEquals } from "@std/assert";
import {
  fitCharset,
  fitEncoding,
  fitLanguage,
  fitType,
  type OfferFit,
} from "../../http/negotiation_match.ts";
import { parsePreferences, type Preference } from "../../http/negotiation_parser.ts";

type Fitter = (offer: string, preferences: readonly Preference[]) => OfferFit | undefined;

for (
  const [name, fit, offer, field, order] of [
    ["fitType", fitType, "a/b", "*/*, a/*, a/b, a/b;c=d", 2],
    ["fitType", fitType, "a/b;c=d", "a/b;c=d, a/b;e=f, a/b", 0],
    ["fitType", fitType, "a/b;c=d;e=f", "a/b, a/b;c=d, a/b;c=d;e=f", 2],
    ["fitType", fitType, "x/b", "*/*;q=0.1, a/*", 0],
    ["fitType", fitType, "a/b", "a/b;q=0.1, a/b;q=0.3, a/b;q=0.2", 1],
    ["fitType", fitType, "a/b", "a/b;q=0.1, a/b;q=0.1", 0],
    ["fitType", fitType, "a/b", "c/d", undefined],
    ["fitType", fitType, "a/b;c=d", `a/b;${"c=d;".repeat(2_000)}, a/b`, 0],
    ["fitLanguage", fitLanguage, "a-b-c", "*, a, a-b, a-b-c-d", 2],
    ["fitLanguage", fitLanguage, "a-b", "a-b-c, *", 0],
    ["fitLanguage", fitLanguage, "a-b", "a-b-c;q=0, *", 1],
    ["fitEncoding", fitEncoding, "gzip", "*, x-gzip", 0],
    ["fitEncoding", fitEncoding, "identity", "gzip", 0],
    ["fitEncoding", fitEncoding, "br", "gzip", undefined],
    ["fitCharset", fitCharset, "UTF-8", "*, utf-8", 1],
    ["fitCharset", fitCharset, "UTF-8", "utf-16", undefined],
  ] as [string, Fitter, string, string, number | undefined][]
) {
  Deno.test(`${name}() finds what fits ${offer} best in ${field.slice(0, 40)}`, () => {
    assertEquals(fit(offer, parsePreferences(field))?.order, order);
  });
}

Deno.test("fitEncoding() takes no coding in the last place", () => {
  const { quality } = fitEncoding("identity", parsePreferences("gzip;q=0.001"))!;
  assertEquals([quality > 0, quality < 0.001], [true, true]);
});
