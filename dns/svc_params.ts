// This module is sans-I/O.

/**
 * Parameters of an SVCB or HTTPS record under their registered names (RFC 9460 section 14.3.2).
 * On the wire and in print they are in ascending order of their numbers, whatever the order here.
 */
export interface SvcParams {
  /** Names of the parameters a client must understand, ascending by number; not `"mandatory"`. */
  readonly mandatory?: readonly string[];
  /** ALPN protocol ids, one character per byte (U+0000 to U+00FF), 1 to 255 each. */
  readonly alpn?: readonly string[];
  /** Whether the default protocol is not supported. */
  readonly "no-default-alpn"?: true;
  /** Port of the service. */
  readonly port?: number;
  /** IPv4 addresses to try before those of the target are known. */
  readonly ipv4hint?: readonly string[];
  /** ECHConfigList of TLS Encrypted Client Hello (RFC 9848). */
  readonly ech?: Uint8Array;
  /** IPv6 addresses to try before those of the target are known. */
  readonly ipv6hint?: readonly string[];
  /** URI template of DNS over HTTPS, with the variable `dns` (RFC 9461). */
  readonly dohpath?: string;
  /** Whether the service speaks Oblivious HTTP (RFC 9540). */
  readonly ohttp?: true;
  /** Groups the TLS server supports, by number, the preferred one first. */
  readonly "tls-supported-groups"?: readonly number[];
  /** Path of DNS over CoAP, by segment, each at most 255 bytes (RFC 9953). */
  readonly docpath?: readonly Uint8Array[];
  /** Whether the resolver has a provisioning domain. */
  readonly pvd?: true;
  /** Any other parameter: `key65280`. */
  readonly [key: `key${number}`]: Uint8Array;
}
