// This module is sans-I/O.

import { formatIpAddress, parseIpAddress } from "../nbio/ip_address.ts";

interface Host {
  readonly canonicalName: string;
  /** In the order of the file. */
  readonly addresses: Set<string>;
}

/**
 * The content of a hosts file: an address, its canonical name and its aliases in each line, `#` and
 * what follows ignored. Lines without an address or a name are skipped. A name may stand in several
 * lines, and so may an address.
 *
 * Names are compared in any case, with or without a dot at their end. Making one takes time linear
 * in the text, a lookup none to speak of.
 *
 * @example Both ways
 * ```ts
 * import { HostsFile } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const hosts = new HostsFile("127.0.0.1 localhost\n192.0.2.1 db.example db\n2001:db8::1 DB # new\n");
 * assertEquals(hosts.lookup("db"), ["192.0.2.1", "2001:db8::1"]);
 * assertEquals(hosts.lookup("db", 6), ["2001:db8::1"]);
 * assertEquals(hosts.canonicalName("db"), "db.example");
 * assertEquals(hosts.reverse("192.0.2.1"), ["db.example", "db"]);
 * ```
 */
export class HostsFile {
  readonly #byName = new Map<string, Host>();
  readonly #byAddress = new Map<string, Set<string>>();

  /**
   * Parses a hosts file.
   *
   * @param text Its text; without one there is no host.
   */
  constructor(text: string = "") {
    for (const line of text.split("\n")) this.#addLine(line);
  }

  /**
   * Gives the addresses of a name.
   *
   * @param name The name, with or without a dot at its end.
   * @param family 4 or 6 for addresses of one family; both if absent.
   * @returns The addresses in the order of the file, each once; none if the name is not there.
   */
  lookup(name: string, family?: 4 | 6): readonly string[] {
    const addresses = [...this.#byName.get(nameKey(name))?.addresses ?? []];
    if (family === undefined) return addresses;
    return addresses.filter((address) => address.includes(":") === (family === 6));
  }

  /**
   * Gives the first name of the first line that a name stands in.
   *
   * @param name The name, with or without a dot at its end.
   * @returns That name as it is written there; `undefined` if the name is not there.
   */
  canonicalName(name: string): string | undefined {
    return this.#byName.get(nameKey(name))?.canonicalName;
  }

  /**
   * Gives the names of an address.
   *
   * @param address An address in any form, maybe with a zone.
   * @returns The names in the order of the file, each once; none if the address is not there.
   */
  reverse(address: string): readonly string[] {
    return [...this.#byAddress.get(addressKey(address) ?? "") ?? []];
  }

  #addLine(line: string): void {
    const [first = "", ...names] = line.split("#", 1)[0]!.split(/\s+/).filter((word) =>
      word !== ""
    );
    const [canonicalName] = names;
    const address = addressKey(first);
    if (address === undefined || canonicalName === undefined) return;
    for (const name of names) {
      const key = nameKey(name);
      const host = this.#byName.get(key);
      if (host === undefined) {
        this.#byName.set(key, { canonicalName, addresses: new Set([address]) });
      } else host.addresses.add(address);
    }
    const known = this.#byAddress.get(address);
    if (known === undefined) this.#byAddress.set(address, new Set(names));
    else for (const name of names) known.add(name);
  }
}

function nameKey(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith(".") ? lower.slice(0, -1) : lower;
}

function addressKey(text: string): string | undefined {
  const address = parseIpAddress(text);
  return address && formatIpAddress(address);
}
