import { CLIENT } from "./middleware_trusted_proxy.ts";
import type { Context } from "./server_context.ts";

const GROUPS_PER_ADDRESS = 8;
const GROUPS_PER_NETWORK = 4;

/**
 * Whom a request is counted for unless told otherwise: the address of the
 * client, of IPv6 its network of 64 bits. Behind proxies it is what `trustedProxy`
 * has found, if that stands further out.
 *
 * @param ctx The request.
 * @returns The key; all clients of a Unix socket have the same, and so have those
 * whose address a proxy hides.
 */
export function clientKey(ctx: Context): string {
  const client = ctx.state.get(CLIENT);
  if (client !== undefined) {
    return client.address === undefined ? "unknown" : networkOf(client.address);
  }
  const addr = ctx.remoteAddr;
  return "hostname" in addr ? networkOf(addr.hostname) : "unix";
}

/**
 * An IPv4 address as it is, and one of IPv6 that stands for one; of any other
 * IPv6 address its first 64 bits.
 *
 * @param hostname An address as the platform writes it.
 */
export function networkOf(hostname: string): string {
  const address = hostname.replace(/%.*$/s, "").toLowerCase();
  if (!address.includes(":")) return address;
  const mapped = /^(?:0*:)*:?ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  if (mapped !== null) return mapped[1]!;
  const [head = "", tail] = address.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const gap = Math.max(0, GROUPS_PER_ADDRESS - front.length - back.length);
  const groups = [...front, ...new Array<string>(gap).fill("0"), ...back];
  const network = groups.slice(0, GROUPS_PER_NETWORK).map((group) => group.replace(/^0+(?=.)/, ""));
  return `${network.join(":")}::/64`;
}
