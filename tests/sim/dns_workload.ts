import { DnsResponseError } from "../../dns/resolver_errors.ts";
import type { Resolver } from "../../dns/resolver.ts";
import type { SeededRandom } from "../../nbio/testing_random.ts";
import type { NameServers } from "./name_servers.ts";
import { checkFresh } from "./name_zone.ts";
import { check } from "./simulation_error.ts";
import type { World } from "./world.ts";

const MAX_QUESTION_COUNT = 12;

/** Resolvers ask about names whose addresses change, and about such as there are none. */
export async function askNames(
  world: World,
  names: NameServers,
  random: SeededRandom,
): Promise<void> {
  const client = random.between(1, 2);
  await Promise.all(Array.from({ length: client }, async (_, index) => {
    const resolver = names.resolver(world.host(`resolver${index}`));
    const count = random.between(1, MAX_QUESTION_COUNT);
    await Promise.all(Array.from({ length: count }, async (_, question) => {
      const own = random.fork();
      await world.sleep(own.int(own.pick([10, 3_000, 15_000])));
      const label = `question ${index}.${question}`;
      if (own.chance(0.15)) await askNothing(world, resolver, label);
      else await askChanging(world, names, resolver, own, label);
    }));
  }));
}

async function askChanging(
  world: World,
  names: NameServers,
  resolver: Resolver,
  random: SeededRandom,
  label: string,
): Promise<void> {
  const name = random.pick(names.zone.changing);
  // An answer over a stream is not lost while a link is cut: it comes late.
  const slackMs = world.isCalm ? 1_500 : 15_000;
  await world.operation(label, async () => {
    const askedMs = world.clock.now();
    const addresses = random.chance(0.5)
      ? await resolver.lookup(name.name, { family: 4 })
      : (await resolver.resolve(name.name, "A")).map(({ data }) => data.address);
    checkFresh(name, addresses, [askedMs, world.clock.now()], slackMs);
    return "answered";
  });
}

async function askNothing(world: World, resolver: Resolver, label: string): Promise<void> {
  await world.operation(label, async () => {
    try {
      const records = await resolver.resolve("nobody.sim.", "A");
      check(false, "an answer about a name that is not", records);
    } catch (error) {
      if (!(error instanceof DnsResponseError && error.code === "ERR_DNS_NXDOMAIN")) throw error;
      return "no such name";
    }
  });
}
