import type { SeededRandom } from "../../nbio/testing_random.ts";
import type { Service, World } from "./world.ts";

/** Faults come in this time; what they broke is whole again soon after. */
const STORM_MS = 6_000;

/** Lets faults happen, as chance has it, and repairs everything in the end. */
export async function storm(world: World, random: SeededRandom): Promise<void> {
  const count = random.between(1, 6);
  await Promise.all(Array.from({ length: count }, async () => {
    const own = random.fork();
    await world.sleep(own.int(STORM_MS));
    await own.weighted([
      [cutLink, 3],
      [resetConnection, 3],
      [restartService, 2],
      [losePower, 1],
    ])(world, own);
  }));
}

async function cutLink(world: World, random: SeededRandom): Promise<void> {
  const [a, b] = random.shuffle(world.hosts);
  if (a === undefined || b === undefined) return;
  world.ledger.note(`cut ${a.name} ${b.name}`);
  world.streams.cut(a.address, b.address);
  world.datagrams.partition(a.address, b.address);
  await world.sleep(random.length(5_000));
  world.ledger.note(`repair ${a.name} ${b.name}`);
  world.streams.repair(a.address, b.address);
  world.datagrams.repair(a.address, b.address);
}

async function resetConnection(world: World, random: SeededRandom): Promise<void> {
  world.ledger.note("reset");
  world.streams.resetAny(random);
  await Promise.resolve();
}

/** A process ends, at once or after its work, and another one takes its place. */
async function restartService(world: World, random: SeededRandom): Promise<void> {
  if (world.services.length === 0) return;
  const service = random.pick(world.services);
  await whileFree(world, [service], async () => {
    const graceMs = random.pick([0, 0, 100, 2_000]);
    world.ledger.note(`restart ${service.host.name}, ${graceMs} ms`);
    await service.stop(graceMs);
    await world.sleep(random.length(1_000));
    service.start();
  });
}

/** Everything on a host ends, and nobody is told. */
async function losePower(world: World, random: SeededRandom): Promise<void> {
  if (world.services.length === 0) return;
  const { host } = random.pick(world.services);
  const services = world.services.filter((service) => service.host === host);
  await whileFree(world, services, async () => {
    world.ledger.note(`power off ${host.name}`);
    world.streams.powerOff(host.address);
    await Promise.all(services.map((service) => service.stop(0)));
    await world.sleep(random.length(3_000));
    world.ledger.note(`power on ${host.name}`);
    world.streams.powerOn(host.address);
    for (const service of services) service.start();
  });
}

/** Does something to services, unless somebody else is at it already. */
async function whileFree(
  world: World,
  services: readonly Service[],
  act: () => Promise<void>,
): Promise<void> {
  const { restarting } = world;
  if (services.some((service) => restarting.has(service))) return;
  for (const service of services) restarting.add(service);
  await act();
  for (const service of services) restarting.delete(service);
}
