import { assert, assertFalse } from "@std/assert";
import { mayBeTrailer } from "../../http/trailer_rules.ts";

const FORBIDDEN: Record<string, string[]> = {
  "framing and connection": [
    "Connection",
    "Content-Length",
    "Host",
    "Keep-Alive",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
  ],
  "request modifiers": [
    "Cache-Control",
    "Expect",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Max-Forwards",
    "Pragma",
    "Range",
  ],
  "authentication and state": [
    "Authorization",
    "Cookie",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Set-Cookie",
    "WWW-Authenticate",
  ],
  "response control": ["Age", "Date", "Expires", "Location", "Retry-After", "Vary", "Warning"],
  "content handling": ["Content-Encoding", "Content-Range", "Content-Type"],
  "the work of proxies": ["Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "x-forwarded-"],
};

for (const [group, names] of Object.entries(FORBIDDEN)) {
  Deno.test(`mayBeTrailer() forbids fields for ${group} in any case`, () => {
    for (const name of names) {
      for (const spelling of [name, name.toLowerCase(), name.toUpperCase()]) {
        assertFalse(mayBeTrailer(spelling), spelling);
      }
    }
  });
}

Deno.test("mayBeTrailer() allows every other field", () => {
  for (
    const name of [
      "Server-Timing",
      "ETag",
      "Content-Digest",
      "Grpc-Status",
      "X-Checksum",
      "X-Forwarded",
      "Hosts",
      "__proto__",
      "constructor",
    ]
  ) {
    assert(mayBeTrailer(name), name);
  }
});
