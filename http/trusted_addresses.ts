import { IpRangeSet } from "./ip_range.ts";

/** Stands for everybody who connects to a Unix socket. */
const UNIX = "unix";

/** Whose word about the client is believed. */
export class TrustedAddresses {
  readonly #ranges: IpRangeSet;
  readonly #trustsUnix: boolean;

  /**
   * @param trusted Addresses, CIDR ranges, and `"unix"`.
   * @throws {RangeError} If a text is none of these.
   */
  constructor(trusted: Iterable<string>) {
    const texts = [...trusted];
    this.#ranges = new IpRangeSet(texts.filter((text) => text !== UNIX));
    this.#trustsUnix = texts.includes(UNIX);
  }

  /** Whether the other end of a connection is trusted. */
  has(addr: Deno.Addr): boolean {
    if ("hostname" in addr) return this.#ranges.has(addr.hostname);
    return addr.transport === "unix" && this.#trustsUnix;
  }

  /** Whether an address that somebody told is trusted. */
  hasAddress(address: Parameters<IpRangeSet["has"]>[0]): boolean {
    return this.#ranges.has(address);
  }
}
