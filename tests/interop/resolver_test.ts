/** The resolver against BIND and Unbound, and what it finds beside what `dig` finds. */

import {
  DnsResponseError,
  parseZone,
  printRecord,
  Resolver,
  type ResourceRecord,
} from "@nbio/net/dns";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { type NameServer, startBind, startUnbound } from "../_support/name_servers.ts";
import { runPeer } from "../_support/peer.ts";
import { EVERY_TYPE_ZONE } from "./dns_every_type_zone.ts";

/** Debian packages: bind9, bind9-dnsutils, unbound. */
const hasPeers = [hasCommand("named"), hasCommand("dig")].every(Boolean);
const hasUnbound = hasCommand("unbound") && hasPeers;
const ignore = !interopEnabled || !hasPeers;

/** What the resolver has to be good at beyond the types. */
const SPECIAL_ZONE = `$ORIGIN special.net.
$TTL 300
@ SOA ns root 1 7200 900 604800 60
@ NS ns
ns A 127.0.0.1
zero 0 A 192.0.2.1
huge 2147483647 A 192.0.2.2
*.wild TXT "from a wildcard"
*.wild A 192.0.2.7
empty.below.here A 192.0.2.8
both A 192.0.2.9
both AAAA 2001:db8::9
tree DNAME leaf.special.net.
x.leaf A 192.0.2.10
${Array.from({ length: 10 }, (_, index) => `c${index} CNAME c${index + 1}`).join("\n")}
c10 A 192.0.2.11
${Array.from({ length: 400 }, (_, index) => `many A 10.0.${index >> 8}.${index & 255}`).join("\n")}
large TXT ${Array.from({ length: 240 }, () => `"${"x".repeat(255)}"`).join(" ")}
`;

const ZONES = { "example": EVERY_TYPE_ZONE, "special.net": SPECIAL_ZONE } as const;

/** Records as text in lower case, because 0x20 shows in names, and in an order of their own. */
function texts(records: Iterable<ResourceRecord>): string[] {
  return Array.from(records, (record) => printRecord(record).toLowerCase()).sort();
}

/** What `dig` finds in the answer section. */
async function dig(port: number, name: string, type: string): Promise<ResourceRecord[]> {
  const shown = ["+noall", "+answer", "+nottlunits", "+tries=1", "+time=5"];
  const args = ["@127.0.0.1", "-p", `${port}`, ...shown, "-t", type, "-q", name];
  const { text } = await runPeer("dig", args);
  return [...parseZone(text, { origin: "." })];
}

async function compare(
  resolver: Resolver,
  port: number,
  name: string,
  type: string,
): Promise<void> {
  const [{ message }, theirs] = await Promise.all([
    resolver.query(name, type),
    dig(port, name, type),
  ]);
  assertEquals(texts(message.answers), texts(theirs), `${name} ${type}`);
}

function resolverAt({ port }: NameServer, maxAliasCount = 8): Resolver {
  // BIND takes types that are only asked for in other ways for what they are.
  return new Resolver({ servers: ["127.0.0.1"], port, maxAliasCount, specialNames: false });
}

Deno.test({ name: "Resolver finds every type at BIND as dig does", ignore, fn: everyType });

async function everyType(): Promise<void> {
  await using server = await startBind(ZONES);
  await using resolver = resolverAt(server);
  const pairs = new Map<string, [string, string]>();
  for (const { name, type } of parseZone(EVERY_TYPE_ZONE, { origin: "example." })) {
    // What is below a delegation is not told, and NSEC3 records are not for asking.
    if (type === "NSEC3" || (name === "sub.example." && type !== "DS")) continue;
    pairs.set(`${name} ${type}`, [name, type]);
  }
  assert(pairs.size > 50);
  for (const [name, type] of pairs.values()) {
    await compare(resolver, server.port, name, type);
    const records = await resolver.resolve(name, type);
    const { message } = await resolver.query(name, type);
    const wanted = message.answers.filter((record) => record.type === type);
    assertEquals(texts(records), texts(wanted));
  }
}

const NAMES: readonly [name: string, type: string][] = [
  ["many.special.net.", "A"],
  ["large.special.net.", "TXT"],
  ["zero.special.net.", "A"],
  ["huge.special.net.", "A"],
  ["any.wild.special.net.", "TXT"],
  ["a.b.wild.special.net.", "A"],
  ["x.tree.special.net.", "A"],
  ["c5.special.net.", "A"],
];

Deno.test({
  name: "Resolver finds large sets, odd TTLs, wildcards and aliases at BIND as dig does",
  ignore,
  async fn() {
    await using server = await startBind(ZONES);
    await using resolver = resolverAt(server);
    for (const [name, type] of NAMES) await compare(resolver, server.port, name, type);
    await checkSpecial(resolver);
    await using patient = resolverAt(server, 16);
    const [record] = await patient.resolve("c0.special.net", "A");
    assertEquals(record?.data.address, "192.0.2.11");
  },
});

/** What is the same whoever answers. */
async function checkSpecial(resolver: Resolver): Promise<void> {
  assertEquals((await resolver.resolve("many.special.net", "A")).length, 400);
  const [large] = await resolver.resolve("large.special.net", "TXT");
  assertEquals(large?.data.strings.length, 240);
  assertEquals((await resolver.resolve("zero.special.net", "A"))[0]?.ttl, 0);
  assertEquals(await resolver.lookup("both.special.net"), ["2001:db8::9", "192.0.2.9"]);
  assertEquals(await resolver.lookup("any.wild.special.net"), ["192.0.2.7"]);
  const codes = [
    ["none.special.net", "A", "ERR_DNS_NXDOMAIN"],
    ["both.special.net", "MX", "ERR_DNS_NODATA"],
    ["below.here.special.net", "A", "ERR_DNS_NODATA"],
    ["c0.special.net", "A", "ERR_DNS_ALIAS_LIMIT"],
    ["elsewhere.net", "A", "ERR_DNS_REFUSED"],
  ] as const;
  for (const [name, type, code] of codes) {
    const error = await assertRejects(() => resolver.resolve(name, type), DnsResponseError);
    assertEquals(error.code, code, error.message);
  }
}

Deno.test({
  name: "Resolver keeps what BIND says as long as it says",
  ignore,
  async fn() {
    await using server = await startBind(ZONES);
    await using resolver = resolverAt(server);
    for (const name of ["zero", "huge", "both", "none"]) {
      for (let round = 0; round < 2; round++) {
        const { isCached } = await resolver.query(`${name}.special.net`, "A");
        assertEquals(isCached, round === 1 && name !== "zero", name);
      }
    }
    // No longer than a day.
    const { message } = await resolver.query("huge.special.net", "A");
    assertEquals(message.answers[0]?.ttl, 86_400);
  },
});

Deno.test({
  name: "Resolver finds over TCP, without EDNS and with 0x20 what it finds otherwise",
  ignore,
  async fn() {
    await using server = await startBind(ZONES);
    const { port } = server;
    for (const options of [{ useTcp: true }, { edns: false }, { use0x20: true }] as const) {
      await using resolver = new Resolver({ servers: ["127.0.0.1"], port, ...options });
      for (const [name, type] of NAMES) await compare(resolver, port, name, type);
    }
  },
});

Deno.test({
  name: "Resolver finds at Unbound what dig finds there",
  ignore: ignore || !hasUnbound,
  async fn() {
    await using authority = await startBind(ZONES);
    await using server = await startUnbound("special.net", authority.port);
    await using resolver = resolverAt(server);
    for (const [name, type] of NAMES) {
      const [{ message }, theirs] = [
        await resolver.query(name, type),
        await dig(server.port, name, type),
      ];
      // It counts TTLs down between the two.
      const level = (records: readonly ResourceRecord[]): string[] =>
        texts(records.map((record) => ({ ...record, ttl: 0 }) as ResourceRecord));
      assertEquals(level(message.answers), level(theirs), `${name} ${type}`);
      assertEquals(message.recursionAvailable, true);
    }
    assertEquals((await resolver.resolve("many.special.net", "A")).length, 400);
    const [large] = await resolver.resolve("large.special.net", "TXT");
    assertEquals(large?.data.strings.length, 240);
    const error = await assertRejects(
      () => resolver.resolve("none.special.net", "A"),
      DnsResponseError,
    );
    assertEquals(error.code, "ERR_DNS_NXDOMAIN");
  },
});
