import { DnsCache } from "../../dns/dns_cache.ts";
import type { Resolver } from "../../dns/resolver.ts";
import { NAME_PORT, NameService } from "./name_service.ts";
import { NameZone } from "./name_zone.ts";
import { check } from "./simulation_error.ts";
import type { World, WorldHost } from "./world.ts";

/** The name servers of a world, and what resolvers have to be told of them. */
export class NameServers {
  readonly zone: NameZone;
  readonly #world: World;
  readonly #addresses: string[] = [];

  constructor(world: World) {
    this.#world = world;
    const { random } = world;
    this.zone = new NameZone(random.fork());
    const isSpoofed = random.chance(0.4);
    const count = random.between(1, 3);
    for (let index = 0; index < count; index++) {
      const host = world.host(`ns${index}`);
      this.#addresses.push(host.address);
      // One that works there always is: what cannot be answered is no test of us.
      const isDead = index + 1 < count && random.chance(0.25);
      if (isDead) continue;
      const silentChance = world.isCalm ? 0 : random.pick([0, 0, 0.2]);
      const failChance = world.isCalm ? 0 : random.pick([0, 0, 0.2]);
      world.run(new NameService(world, host, this.zone, { silentChance, failChance, isSpoofed }));
    }
  }

  /** A host with a name. */
  host(name: string): WorldHost {
    const host = this.#world.host(name);
    this.zone.add(name, host.address);
    return host;
  }

  /** A resolver on a host. */
  resolver(host: WorldHost): Resolver {
    const { random } = this.#world;
    const maxEntryCount = random.between(2, 50);
    const cache = new DnsCache({ maxEntryCount });
    this.#world.watch(() => {
      check(cache.entryCount <= maxEntryCount, `${cache.entryCount} of ${maxEntryCount} entries`);
    });
    return this.#world.resolver(host, {
      servers: this.#addresses.map((address) => ({ address, port: NAME_PORT })),
      timeoutMs: 1_000,
      attempts: 2,
      use0x20: random.chance(0.3),
      sourcePorts: random.pick(["pool", "fresh"]),
      cache,
    });
  }
}
