/**
 * DNS: a stub resolver that tells everything, and the codec under it.
 *
 * {@linkcode Resolver} asks the servers of the system, or those it is given: `query` for whole
 * messages, `resolve` for the records of a type with their TTLs, `lookup` for the addresses of a
 * host (hosts file, search list, RFC 6724 order), `reverse` and `lookupService`. It caches, fails
 * over, falls back to TCP, and believes only answers to what it has asked. A `Resolver` is a
 * `HostResolver` of `@nbio/net/nbio`: hand it to `dial`. {@linkcode systemResolver} gives a shared
 * one; {@linkcode toNodeLookup} and {@linkcode toResolveDns} make stand-ins for `dns.lookup` and
 * `Deno.resolveDns`.
 *
 * The codec is {@linkcode decodeMessage}, {@linkcode encodeMessage}, {@linkcode parseZone} and
 * {@linkcode printMessage}. It and all logic of the resolver are a pure core, which other runtimes
 * find at `@nbio/net/dns/core`.
 *
 * Take it where `Deno.resolveDns` says too little: for times to live, reasons, caches, other types, other
 * transports.
 *
 * | standard | done | missing, and why |
 * | --- | --- | --- |
 * | RFC 1034, 1035 | a stub resolver, all of the wire, zone files | recursion, answering: it is no server |
 * | RFC 2181, 2308, 9520 | one time to live for a set; negative answers and failures cached | |
 * | RFC 3597 | unknown types, on the wire and in text | |
 * | RFC 4034, 5155 | records read, written and printed, key tags, NSEC3 hashes | RFC 4035: signatures are not verified; AD of a trusted server is told (`trustAd`) |
 * | RFC 5452, 0x20 | random ids and ports, a check of all an answer echoes | |
 * | RFC 6724 | order of addresses | rules that need routes the runtime does not tell |
 * | RFC 6761, 7686 | localhost, invalid, onion | `local`: no multicast DNS |
 * | RFC 6891, 7873, 8914 | EDNS, cookies, extended errors | cookies of a server |
 * | RFC 7766 | TCP kept, several queries on it | RFC 7858 (TLS) and RFC 8484 (HTTPS): plug an `exchange` in |
 * | RFC 7871, 7830, 9567 | as options of a query | nothing is told by default |
 * | RFC 8767 | stale answers while servers fail, prefetch | |
 * | RFC 9460, 9461, 9848 | SVCB and HTTPS, their parameters and aliases | |
 * | RFC 2136, 8945, 1995, 5936 | messages read and written | updates, TSIG and zone transfers are not carried out |
 *
 * Permissions: the codec needs none. A resolver needs `--allow-net` for its servers and, for UDP,
 * for the local address of its sockets (`0.0.0.0` and `[::]`); for the settings of the system
 * `--allow-read` of `/etc/resolv.conf`, `/etc/hosts` and `/etc/nsswitch.conf`, or
 * `--allow-sys=networkInterfaces`.
 *
 * Errors, all of them a `NetError`:
 *
 * | `code` | class | when |
 * | --- | --- | --- |
 * | `ERR_DNS_NXDOMAIN`, `_NODATA`, `_SERVFAIL`, `_REFUSED`, `_NOTIMP`, `_FORMERR`, `_RCODE` | {@linkcode DnsResponseError} | the answer is that there is none; `extendedErrors` and `attempts` say more |
 * | `ERR_DNS_LAME`, `_MALFORMED`, `_UNREACHABLE` | {@linkcode DnsResponseError} | no server gave an answer that can be used |
 * | `ERR_DNS_ALIAS_LOOP`, `_ALIAS_LIMIT` | {@linkcode DnsResponseError} | the aliases lead in a circle, or are too many |
 * | `ERR_NET_TIMEOUT` | {@linkcode DnsTimeoutError} | no server answered in time |
 * | `ERR_DNS_TRUNCATED` | {@linkcode DnsMessageError} | a field runs over the end |
 * | `ERR_DNS_BAD_NAME` | {@linkcode DnsMessageError}, {@linkcode DnsTextError} | a label or a name has a wrong length or kind |
 * | `ERR_DNS_BAD_POINTER` | {@linkcode DnsMessageError} | a pointer does not lead strictly backwards, or may not be there |
 * | `ERR_DNS_BAD_RDATA` | {@linkcode DnsMessageError}, {@linkcode DnsTextError} | the data are not those of their type |
 * | `ERR_DNS_BAD_OPT` | {@linkcode DnsMessageError} | OPT is malformed, misplaced, or there are two |
 * | `ERR_DNS_BAD_VALUE` | {@linkcode DnsMessageError} | a value does not fit the wire |
 * | `ERR_DNS_TRAILING_BYTES` | {@linkcode DnsMessageError} | bytes stand behind the last record |
 * | `ERR_DNS_TOO_LONG` | {@linkcode DnsMessageError} | a message or a field exceeds its bound |
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
export { type HostLookupOptions, type HostService, Resolver } from "./resolver.ts";
export type { QueryOptions, ResolveOptions, ResolverOptions } from "./resolver_options.ts";
export type { DnsAnswer, ResolverStats } from "./resolver_query.ts";
export type { QueryExchange } from "./query_run.ts";
export * from "./system_resolver.ts";
export * from "./dns_adapters.ts";
export * from "./random_uint16.ts";
export type { UdpExchangeOptions } from "./udp_exchange.ts";
export type { TcpExchangeOptions } from "./tcp_exchange.ts";
