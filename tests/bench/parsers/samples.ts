/** What the parsers are given. */

import { SCENARIOS } from "../http_server/scenarios.ts";

const encoder = new TextEncoder();

/** Heads of requests: one of two lines, and that of a browser with ten fields. */
export const HEADS: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = Object.fromEntries(
  ["minimal", "browser"].map((name) => [
    name,
    SCENARIOS.find((scenario) => scenario.name === name)!.request,
  ]),
);

/** Bytes of a chunked body, and of each chunk. */
export const CHUNKED_BYTES = 65_536;
const CHUNK_BYTES = 1_024;

/** A body of 64 KiB in chunks of 1 KiB. */
export const CHUNKED_BODY: Uint8Array<ArrayBuffer> = encoder.encode(
  `${CHUNK_BYTES.toString(16)}\r\n${"x".repeat(CHUNK_BYTES)}\r\n`.repeat(
    CHUNKED_BYTES / CHUNK_BYTES,
  ) + "0\r\n\r\n",
);

/** Value of a Cookie field as a site with some scripts gets it. */
export const COOKIE_FIELD: string = [
  "session=0123456789abcdef0123456789abcdef",
  "theme=dark",
  "consent=necessary",
  "_ga=GA1.1.1234567890.1700000000",
  "cart=%7B%22items%22%3A3%7D",
  "lang=en-GB",
].join("; ");

/** Value of a Set-Cookie field with most attributes. */
export const SET_COOKIE_FIELD: string =
  "session=0123456789abcdef; Domain=example.com; Path=/account; Max-Age=3600; " +
  "Expires=Wed, 21 Oct 2026 07:28:00 GMT; Secure; HttpOnly; SameSite=Lax";

/** A form as a page sends it. */
const FORM_TEXT =
  "name=Ada+Lovelace&email=ada%40example.com&message=Hello%2C+World%21+%C3%A9%C3%A8&tag=a&tag=b";

/** The same as bytes, which is how it comes. */
export const FORM_BYTES: Uint8Array<ArrayBuffer> = encoder.encode(FORM_TEXT);
