// This module is sans-I/O.

/** Services a host is likely to have, by port (IANA, Service Name and Port Number Registry). */
const NAMES: ReadonlyMap<number, string> = new Map([
  [7, "echo"],
  [9, "discard"],
  [13, "daytime"],
  [20, "ftp-data"],
  [21, "ftp"],
  [22, "ssh"],
  [23, "telnet"],
  [25, "smtp"],
  [37, "time"],
  [43, "whois"],
  [49, "tacacs"],
  [53, "domain"],
  [70, "gopher"],
  [79, "finger"],
  [80, "http"],
  [88, "kerberos"],
  [110, "pop3"],
  [111, "sunrpc"],
  [113, "auth"],
  [119, "nntp"],
  [143, "imap2"],
  [179, "bgp"],
  [194, "irc"],
  [389, "ldap"],
  [427, "svrloc"],
  [443, "https"],
  [445, "microsoft-ds"],
  [465, "submissions"],
  [514, "shell"],
  [515, "printer"],
  [540, "uucp"],
  [554, "rtsp"],
  [563, "nntps"],
  [587, "submission"],
  [631, "ipp"],
  [636, "ldaps"],
  [853, "domain-s"],
  [873, "rsync"],
  [989, "ftps-data"],
  [990, "ftps"],
  [992, "telnets"],
  [993, "imaps"],
  [995, "pop3s"],
  [1080, "socks"],
  [1433, "ms-sql-s"],
  [1883, "mqtt"],
  [2049, "nfs"],
  [3306, "mysql"],
  [3389, "ms-wbt-server"],
  [5060, "sip"],
  [5061, "sip-tls"],
  [5222, "xmpp-client"],
  [5269, "xmpp-server"],
  [5432, "postgresql"],
  [5672, "amqp"],
  [6379, "redis"],
  [6667, "ircd"],
  [8080, "http-alt"],
  [8883, "secure-mqtt"],
]);

/**
 * Names the service that is usually at a port of TCP.
 *
 * @param port The port.
 * @returns Its name, or the port as text where it is none of the common ones.
 *
 * @example With and without a name
 * ```ts
 * import { formatService } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([formatService(443), formatService(4_444)], ["https", "4444"]);
 * ```
 */
export function formatService(port: number): string {
  return NAMES.get(port) ?? String(port);
}
