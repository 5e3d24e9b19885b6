import { assertEquals, assertStrictEquals } from "@std/assert";
import { HostsFile } from "../../dns/hosts_file.ts";
import { parseResolvConf } from "../../dns/resolv_conf.ts";
import { Resolver } from "../../dns/resolver.ts";
import { ResolverConfigs } from "../../dns/resolver_config.ts";
import { resolveResolverOptions, type ResolverOptions } from "../../dns/resolver_options.ts";
import type { SystemDns } from "../../dns/system.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ManualClock } from "../../nbio/testing.ts";

const clock = new ManualClock();
const wheel = new DeadlineWheel(clock);

function systemOf(text: string): SystemDns {
  const resolvConf = parseResolvConf(text);
  return {
    resolvConf,
    servers: resolvConf.nameservers.map((address) => ({ address, port: 53 })),
    hosts: new HostsFile("192.0.2.7 known\n"),
    services: [{ name: "dns", actions: [] }],
    source: "files",
  };
}

const TEXT = `nameserver 192.0.2.53
nameserver fe80::1%eth0
search a.example b.example
options ndots:3 timeout:2 attempts:4 rotate use-vc trust-ad no-tld-query single-request no-aaaa
sortlist 192.0.2.0/255.255.255.0
`;

/** The settings a system gives, with a counter of how often it was asked. */
function configsOf(options: ResolverOptions, systems: SystemDns[]): {
  configs: ResolverConfigs;
  counts: { read: number; changed: number };
} {
  const counts = { read: 0, changed: 0 };
  const system = {
    read: () => Promise.resolve(systems[Math.min(counts.read++, systems.length - 1)]!),
  };
  const settings = resolveResolverOptions({ wheel, system, ...options });
  return { configs: new ResolverConfigs(settings, () => counts.changed++), counts };
}

Deno.test("ResolverConfigs.read() takes everything from the system", async () => {
  const { configs } = configsOf({}, [systemOf(TEXT)]);
  assertEquals(configs.current, undefined);
  const { plan, ...config } = await configs.read(undefined);
  assertEquals(config, {
    servers: [{ address: "192.0.2.53", port: 53 }, { address: "fe80::1%eth0", port: 53 }],
    timeoutMs: 2_000,
    attempts: 4,
    rotate: true,
    useTcp: true,
    trustAd: true,
    strictError: false,
    sortlist: [{ address: "192.0.2.0", mask: "255.255.255.0" }],
  });
  const { hosts, ...rest } = plan;
  assertEquals(rest, {
    search: ["a.example.", "b.example."],
    ndots: 3,
    noTldQuery: true,
    noAaaa: true,
    singleRequest: true,
    services: [{ name: "dns", actions: [] }],
  });
  assertEquals(hosts?.lookup("known"), ["192.0.2.7"]);
});

Deno.test("ResolverConfigs.read() puts options over what the system says", async () => {
  const options = {
    search: ["c.example."],
    ndots: 1,
    timeoutMs: 9,
    attempts: 1,
    rotate: false,
    useTcp: false,
    trustAd: false,
    hosts: false,
  } as const;
  const { configs } = configsOf(options, [systemOf(TEXT)]);
  const { plan, timeoutMs, attempts, rotate, useTcp, trustAd } = await configs.read(undefined);
  assertEquals([timeoutMs, attempts, rotate, useTcp, trustAd], [9, 1, false, false, false]);
  assertEquals([plan.search, plan.ndots], [["c.example."], 1]);
  assertEquals(plan.hosts?.lookup("known"), []);
});

Deno.test("ResolverConfigs reads nothing of the system where servers are given", () => {
  for (const options of [{ servers: ["192.0.2.1"] }, { exchange: () => Promise.reject() }]) {
    const { configs, counts } = configsOf(options, [systemOf(TEXT)]);
    assertEquals(configs.current?.plan.search, []);
    clock.advance(1_000_000);
    assertEquals(configs.current?.useTcp, "exchange" in options);
    assertEquals(counts.read, 0);
  }
});

Deno.test("ResolverConfigs looks again after a second, and tells of other servers", async () => {
  const same = systemOf("nameserver 192.0.2.1\n");
  const touched = systemOf("nameserver 192.0.2.1\noptions ndots:2\n");
  const moved = systemOf("nameserver 192.0.2.2\n");
  const { configs, counts } = configsOf({}, [same, same, touched, moved]);
  const first = await configs.read(undefined);
  clock.advance(999);
  assertStrictEquals(configs.current, first);
  clock.advance(1);
  assertEquals(configs.current, undefined);
  assertStrictEquals(await configs.read(undefined), first);
  assertEquals((await configs.read(undefined)).plan.ndots, 2);
  assertEquals(counts.changed, 0);
  assertEquals((await configs.read(undefined)).servers[0]?.address, "192.0.2.2");
  assertEquals(counts.changed, 1);
});

Deno.test("Resolver takes hosts and search list of the system", async () => {
  const conf = systemOf("nameserver 192.0.2.53\n");
  const services = [{ name: "files", actions: [] }];
  const system = { read: () => Promise.resolve({ ...conf, services }) };
  await using resolver = new Resolver({ system, wheel });
  assertEquals(await resolver.lookup("known"), ["192.0.2.7"]);
});
