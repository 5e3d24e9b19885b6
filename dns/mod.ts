/**
 * DNS: the codec, every record type on the wire and in text. See {@linkcode decodeMessage},
 * {@linkcode encodeMessage}, {@linkcode parseZone} and {@linkcode printMessage}; all of it is a
 * pure core, which other runtimes find at `@nbio/net/dns/core`.
 *
 * Permission: none.
 *
 * Errors, all of them a `NetError`:
 *
 * | `code` | class | when |
 * | --- | --- | --- |
 * | `ERR_DNS_TRUNCATED` | {@linkcode DnsMessageError} | a field runs over the end |
 * | `ERR_DNS_BAD_NAME` | {@linkcode DnsMessageError}, {@linkcode DnsTextError} | a label or a name has a wrong length or kind |
 * | `ERR_DNS_BAD_POINTER` | {@linkcode DnsMessageError} | a pointer does not lead strictly backwards, or may not be there |
 * | `ERR_DNS_BAD_RDATA` | {@linkcode DnsMessageError}, {@linkcode DnsTextError} | the data are not those of their type |
 * | `ERR_DNS_BAD_OPT` | {@linkcode DnsMessageError} | OPT is malformed, misplaced, or there are two |
 * | `ERR_DNS_BAD_VALUE` | {@linkcode DnsMessageError} | a value does not fit the wire |
 * | `ERR_DNS_TRAILING_BYTES` | {@linkcode DnsMessageError} | bytes stand behind the last record |
 * | `ERR_DNS_TOO_LONG` | {@linkcode DnsMessageError}, {@linkcode DnsTextError} | something exceeds its bound |
 * | `ERR_DNS_BAD_TEXT` | {@linkcode DnsTextError} | the text is none of the presentation format |
 * | `ERR_DNS_BAD_ESCAPE` | {@linkcode DnsTextError} | a backslash escapes nothing |
 * | `ERR_DNS_UNBALANCED` | {@linkcode DnsTextError} | a parenthesis or a quote has no partner |
 * | `ERR_DNS_BAD_DIRECTIVE` | {@linkcode DnsTextError} | a line with `$` is malformed or unknown |
 * | `ERR_DNS_BAD_TTL` | {@linkcode DnsTextError} | a time to live is malformed or missing |
 * | `ERR_DNS_BAD_TYPE` | {@linkcode DnsTextError} | there is no such type or class |
 *
 * @example The records of a zone
 * ```ts
 * import { parseZone } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const records = [...parseZone("www 300 IN A 192.0.2.1\n", { origin: "example." })];
 * assertEquals(records[0]?.name, "www.example.");
 * ```
 *
 * @module
 */

export * from "./core.ts";
export * from "./system.ts";
