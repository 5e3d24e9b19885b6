/**
 * TLS by the runtime behind one interface, and certificates: read, verified, pinned, made.
 *
 * {@linkcode connectTls} and {@linkcode startTls} are the client's side, {@linkcode listenTls} and
 * {@linkcode acceptTls} the server's. The cryptography is the runtime's own (rustls), reached in two
 * ways: {@linkcode denoProvider} and {@linkcode nodeProvider}; {@linkcode defaultTlsProvider}, which
 * `http` and `websocket` use for `https:` and `wss:` URLs, takes the one that can do what is asked
 * for. What a provider cannot do it refuses, with its name and the alternative: no option is ever
 * passed over. Certificates are verified strictly, and what loosens that is grouped under
 * `dangerous`.
 *
 * Who listens: {@linkcode listenTls} takes `node` unless it is told otherwise. Of the two it is the one
 * whose first answer on a new connection does not wait for 40 ms, since `Deno.listenTls` leaves Nagle's
 * algorithm on: with one small exchange each, new connections are more than ten times as fast. It can
 * do all there is to ask of a server, and its connections tell a cut from an end. `deno` is for few
 * clients that stay: a small exchange on a kept connection costs it about two thirds of the CPU, a large
 * transfer about half. No rule chooses it by itself: what it cannot do would then be missing at times.
 *
 * Who verifies: with `deno` the chain is the runtime's to judge, and it takes an intermediate whose
 * `keyUsage` lacks `keyCertSign` (RFC 5280 section 4.2.1.3). {@linkcode nodeProvider} refuses that one,
 * as {@linkcode verifyChain} does: name it as `provider`, or set `exclusiveCas`, which has the default
 * one take it.
 *
 * {@linkcode parseCertificate} reads X.509 strictly, {@linkcode verifyHostname} holds a certificate
 * against a name (RFC 9525), {@linkcode verifyChain} finds and verifies a path to a root (RFC 5280),
 * {@linkcode createDevelopmentCertificate} makes a local CA and leaves for developing.
 * What needs no Web Crypto of these is in `@nbio/net/tls/x509` as well, without any I/O. Nothing here
 * looks at CRLs or asks by OCSP: an option for them throws.
 *
 * | standard | done | missing, and why |
 * | --- | --- | --- |
 * | RFC 8446, 5246 | TLS 1.3 and 1.2 by the runtime | 1.1 and older: the runtime has none |
 * | RFC 6066, 7301 | SNI, ALPN, both roles | stapled OCSP |
 * | RFC 5280 section 4 | every extension it defines, strictly in DER | |
 * | section 6, paths | names, constraints, usages, lengths, policies as far as they are required | policies that are mapped to each other; CRLs (section 5) and OCSP (RFC 6960), which are not asked for |
 * | RFC 9525, 6125 | names of hosts, addresses; a wildcard as the whole left-most label | common names, other wildcards |
 * | RFC 7468 | certificates and PKCS #8 keys; one's own key also as PKCS #1 or SEC 1 | encrypted keys |
 * | RFC 4514 | names as text | |
 * | RFC 7469 | pins of keys, as options | its header field, which browsers have dropped |
 * | RFC 6962 | time stamps are shown | they are not verified |
 *
 * Permission: none of its own; the connection below TLS needs `--allow-net`.
 *
 * Errors, all of them a `NetError`:
 *
 * | `code` | class | when |
 * | --- | --- | --- |
 * | `ERR_TLS_CERTIFICATE` | {@linkcode TlsError} | the peer's certificate was refused |
 * | `ERR_TLS_HANDSHAKE` | {@linkcode TlsError} | the handshake failed |
 * | `ERR_TLS_PIN` | {@linkcode TlsError} | no certificate of the peer has a key that is pinned |
 * | `ERR_TLS_REFUSED` | {@linkcode TlsError} | a check of yours has refused the peer |
 * | `ERR_TLS_NOT_TLS` | {@linkcode TlsError} | what came is no TLS |
 * | `ERR_TLS_UNSUPPORTED_ROLE` | {@linkcode TlsUnsupportedError} | the server's side was asked for |
 * | `ERR_TLS_UNSUPPORTED_TRANSPORT` | {@linkcode TlsUnsupportedError} | the transport is none of the runtime's |
 * | `ERR_TLS_UNSUPPORTED_OPTION` | {@linkcode TlsUnsupportedError} | an option is not known |
 * | `ERR_X509_BAD_...`, `ERR_X509_DUPLICATE_EXTENSION`, `ERR_X509_UNKNOWN_KEY_ALGORITHM` | {@linkcode CertificateError} | a certificate or key cannot be read |
 * | `ERR_X509_...`, all others | {@linkcode CertificateVerificationError} | a certificate is well-formed and refused; {@linkcode HostnameError} where it names somebody else |
 * | `ERR_NET_LIMIT_EXCEEDED` | `LimitExceededError` | the search for a path, or an input, passes a bound |
 *
 * @example Who a certificate is for
 * ```ts
 * import { denoProvider, HostnameError, parseCertificates, verifyHostname } from "@nbio/net/tls";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(denoProvider.capabilities.client, true);
 * const [certificate] = parseCertificates(await Deno.readTextFile("tests/tls/leaf.pem"));
 * verifyHostname(certificate!, "localhost");
 * assertThrows(() => verifyHostname(certificate!, "example.com"), HostnameError);
 * ```
 *
 * @module
 */

export { type CertifiedKey, importCertifiedKey } from "./certified_key.ts";
export type { Clock, SetTimerOptions } from "../nbio/clock.ts";
export * from "./accept_tls.ts";
export * from "./certificate_files.ts";
export * from "./connect_tls.ts";
export * from "./default_provider.ts";
export { denoProvider } from "./deno_provider.ts";
export * from "./listen_tls.ts";
export { nodeProvider } from "./node_provider.ts";
export * from "./server_certificates.ts";
export * from "./start_tls.ts";
export * from "./development_certificate.ts";
export * from "./errors.ts";
export * from "./fingerprint.ts";
export * from "./public_key.ts";
export * from "./verify_chain.ts";
export * from "./verify_signature.ts";
export * from "./x509.ts";
