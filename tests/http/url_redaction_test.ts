import { assertEquals } from "@std/assert";
import { redactQuery, redactUrl } from "../../http/url_redaction.ts";

const QUERIES: ReadonlyArray<readonly [name: string, query: string, redacted: string]> = [
  ["nothing", "", ""],
  ["nothing secret", "?a=1&b", "?a=1&b"],
  ["a signature", "a=1&Signature=x%3D&b=2", "a=1&Signature=REDACTED&b=2"],
  ["an access key", "?AWSAccessKeyId=AKIA", "?AWSAccessKeyId=REDACTED"],
  ["a short signature", "?sig=a=b=c", "?sig=REDACTED"],
  ["a signature of Google", "?X-Goog-Signature=ab", "?X-Goog-Signature=REDACTED"],
  ["a signature of version 4", "?X-Amz-Signature=ab&x=1", "?X-Amz-Signature=REDACTED&x=1"],
  ["each of several", "?sig=1&sig=2", "?sig=REDACTED&sig=REDACTED"],
  ["another spelling", "?SIG=1&%73ig=2&s%69G=3", "?SIG=REDACTED&%73ig=REDACTED&s%69G=REDACTED"],
  ["semicolons", "?a=1;sig=2;b=3", "?a=1;sig=REDACTED;b=3"],
  ["an empty value", "?sig=&a", "?sig=REDACTED&a"],
  ["no value", "?sig&a", "?sig&a"],
  ["malformed escapes", "?%=1&%zz=2&sig=%", "?%=1&%zz=2&sig=REDACTED"],
  ["longer names", "?sigma=1&design=2&x-sig=3", "?sigma=1&design=2&x-sig=3"],
  ["a second question mark", "?a?sig=1", "?a?sig=REDACTED"],
];

for (const [name, query, redacted] of QUERIES) {
  Deno.test(`redactQuery() handles ${name}`, () => assertEquals(redactQuery(query), redacted));
}

const URLS: ReadonlyArray<readonly [name: string, url: string, redacted: string]> = [
  ["nothing secret", "http://a.example:8080/x?y=1", "http://a.example:8080/x?y=1"],
  ["credentials", "https://u:p@a.example/", "https://REDACTED:REDACTED@a.example/"],
  ["a name alone", "https://u@a.example/", "https://REDACTED:REDACTED@a.example/"],
  ["an at sign in them", "https://u:p@q@a.example/", "https://REDACTED:REDACTED@a.example/"],
  ["an at sign in the path", "https://a.example/@u?v=@w", "https://a.example/@u?v=@w"],
  ["an at sign in the query", "https://a.example?v=@w", "https://a.example?v=@w"],
  ["a signature and a fragment", "http://a/?sig=1#sig=2", "http://a/?sig=REDACTED"],
];

for (const [name, url, redacted] of URLS) {
  Deno.test(`redactUrl() handles ${name}`, () => assertEquals(redactUrl(url), redacted));
}

Deno.test("redactQuery() takes time in proportion to its input", () => {
  const query = `?${"sig".repeat(20_000)}=${"&=".repeat(20_000)}`;
  assertEquals(redactQuery(query), query);
});
