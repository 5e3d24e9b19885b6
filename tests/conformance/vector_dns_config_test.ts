import { HostsFile } from "../../dns/hosts_file.ts";
import { LookupPlan } from "../../dns/lookup_plan.ts";
import { parseNsswitchConf } from "../../dns/nsswitch_conf.ts";
import { parseResolvConf, type ResolvConf } from "../../dns/resolv_conf.ts";
import { SearchList, type SearchOutcome } from "../../dns/search_list.ts";
import { DnsTextError } from "../../dns/errors.ts";
import { type DnsCase, testDnsVectors } from "./vector_dns.ts";
import type { Difference } from "./vector_difference.ts";

interface ResolvConfCase extends DnsCase {
  readonly kind: "resolv.conf" | "default-search";
  readonly text?: string;
  readonly hostname: string | null;
  readonly env?: { readonly LOCALDOMAIN?: string; readonly RES_OPTIONS?: string };
  readonly files?: { readonly nsswitch?: string };
  readonly expect: Readonly<Record<string, unknown>>;
}

interface HostsCase extends DnsCase {
  readonly kind: "hosts";
  readonly text: string;
  readonly expect: {
    readonly forward: readonly { readonly name: string; readonly addresses: readonly string[] }[];
    readonly reverse?: readonly { readonly address: string; readonly names: readonly string[] }[];
  };
}

interface NsswitchCase extends DnsCase {
  readonly kind: "nsswitch.conf";
  readonly text: string;
  readonly expect: Readonly<Record<string, readonly unknown[]>>;
}

interface SearchCase extends DnsCase {
  readonly kind: "search";
  readonly search: readonly string[];
  readonly ndots: number;
  readonly name: string;
  readonly expect: { readonly fqdn: string };
  readonly zone: Readonly<Record<string, number>>;
}

interface AvoidCase extends DnsCase {
  readonly kind: "avoid-dns";
  readonly name: string;
  readonly expect: { readonly avoid: boolean };
}

/** Flags by the names that the files have for them. */
const FLAGS = {
  "use-vc": "useTcp",
  edns0: "edns0",
  "no-reload": "noReload",
  "single-request": "singleRequest",
  "single-request-reopen": "singleRequestReopen",
  "trust-ad": "trustAd",
  "strict-error": "strictError",
  "no-aaaa": "noAaaa",
  rotate: "rotate",
} as const satisfies Record<string, keyof ResolvConf>;

/** What other systems call the services. */
const LOOKUP_NAMES: Readonly<Record<string, string>> = {
  files: "file",
  dns: "bind",
  resolve: "bind",
};

function judgeResolvConf({ text = "", hostname, env = {}, files, expect }: ResolvConfCase) {
  const conf = parseResolvConf(text, {
    hostname: hostname ?? undefined,
    localDomain: env.LOCALDOMAIN,
    resOptions: env.RES_OPTIONS,
  });
  const services = parseNsswitchConf(files?.nsswitch ?? "").get("hosts") ?? [];
  const all: Record<string, unknown> = {
    nameservers: conf.nameservers,
    search: conf.search.map((name) => name.slice(0, -1)),
    ndots: conf.ndots,
    timeout: conf.timeoutMs / 1_000,
    attempts: conf.attempts,
    flags: Object.entries(FLAGS).filter(([, field]) => conf[field]).map(([flag]) => flag).sort(),
    sortlist: conf.sortlist.map(({ address, mask }) => `${address}/${mask}`),
    lookup: services.flatMap(({ name }) => LOOKUP_NAMES[name] ?? []),
  };
  // What a source says nothing about is not compared.
  const stated = Object.keys(expect).filter((key) => key in all);
  const wanted = stated.map((
    key,
  ) => [key, key === "flags" ? [...expect[key] as string[]].sort() : expect[key]]);
  return compare(
    Object.fromEntries(wanted),
    Object.fromEntries(stated.map((key) => [key, all[key]])),
  );
}

function judgeHosts({ text, expect }: HostsCase) {
  const hosts = new HostsFile(text);
  const variants = (
    name: string,
  ): string[] => [name, name.toLowerCase(), name.toUpperCase(), `${name}.`];
  const forward = expect.forward.flatMap(({ name }) =>
    variants(name).map((variant) => ({ name, addresses: hosts.lookup(variant) }))
  );
  const wantedForward = expect.forward.flatMap((entry) => variants(entry.name).map(() => entry));
  const reverse = expect.reverse?.map(({ address }) => ({
    address,
    names: hosts.reverse(address),
  }));
  return compare({ forward: wantedForward, reverse: expect.reverse }, { forward, reverse });
}

function judgeNsswitch({ text, expect }: NsswitchCase) {
  const databases = [...parseNsswitchConf(text)].map(([database, services]) => {
    return [database, services.map(({ name, actions }) => [name, actions])];
  });
  const wanted = Object.entries(expect).map(([database, services]) => [
    database,
    (services as [string, { negate: boolean; status: string; action: string }[]][]).map(
      ([name, actions]) => [
        name,
        actions.map(({ status, negate, action }) => ({ status, negate, action })),
      ],
    ),
  ]);
  return compare(wanted, databases);
}

function judgeSearch({ search, ndots, name, expect, zone }: SearchCase) {
  const list = new SearchList(name, { search: search.map((domain) => `${domain}.`), ndots });
  let last: string | undefined;
  for (let next = list.next(); next !== undefined; next = list.next()) {
    last = next.slice(0, -1);
    list.report(outcomeIn(zone, search, last));
  }
  return compare(expect.fqdn, list.decidingOutcome === undefined ? last : undefined);
}

function outcomeIn(
  zone: Readonly<Record<string, number>>,
  search: readonly string[],
  name: string,
): SearchOutcome {
  const kind = zone[name];
  if (kind === undefined) return search.includes(name) ? "nodata" : "nxdomain";
  return kind > 0 ? "answer" : "servfail";
}

function judgeAvoid({ name, expect }: AvoidCase) {
  return compare(expect.avoid, neverLeaves(name));
}

function neverLeaves(name: string): boolean {
  try {
    return new LookupPlan(name).next().type !== "query";
  } catch (error) {
    if (error instanceof DnsTextError) return true;
    throw error;
  }
}

function compare(wantedValue: unknown, value: unknown) {
  const wanted = JSON.stringify(wantedValue);
  const got = JSON.stringify(value);
  return { wanted, got, isAgreed: got === wanted };
}

const DIFFERENCES: readonly Difference[] = [
  {
    name: "dns-config-00030",
    gives:
      '{"nameservers":["127.0.0.1"],"search":["domain.local"],"ndots":1,"attempts":2,"timeout":5,"flags":[]}',
    clause: "resolv.conf(5), nameserver",
    reason: "Go asks ::1 as well",
  },
  {
    name: "dns-config-00032",
    gives:
      '{"nameservers":["127.0.0.1"],"search":["domain.local"],"ndots":15,"attempts":2,"timeout":5,"flags":[]}',
    clause: "resolv.conf(5), nameserver",
    reason: "Go asks ::1 as well",
  },
  {
    name: "dns-config-00034",
    gives:
      '{"nameservers":["169.254.169.254","10.240.0.1"],"search":["c.symbolic-datum-552.internal"],"ndots":1,"attempts":2,"timeout":5,"flags":[],"lookup":[]}',
    clause: "nsswitch.conf(5)",
    reason: "lookup is a directive of OpenBSD; here nsswitch.conf says the order",
  },
  {
    name: "dns-config-00036",
    gives:
      '{"nameservers":["127.0.0.1"],"search":["domain.local"],"ndots":1,"attempts":2,"timeout":5,"flags":["single-request-reopen"]}',
    clause: "resolv.conf(5), single-request-reopen",
    reason: "Go takes both options for one",
  },
  {
    name: "dns-config-00038",
    gives:
      '{"nameservers":["127.0.0.1"],"search":["domain.local"],"ndots":1,"attempts":2,"timeout":5,"flags":[]}',
    clause: "resolv.conf(5), use-vc",
    reason: "usevc is the spelling of FreeBSD, which glibc does not know",
  },
  {
    name: "dns-config-00056",
    gives: "true",
    clause: "RFC 7686 section 2",
    reason: "Go lets the special name itself leave",
  },
  {
    name: "dns-config-00058",
    gives: "true",
    clause: "RFC 7686 section 2",
    reason: "Go lets the special name itself leave",
  },
  {
    name: "dns-config-00070",
    gives: '{"nameservers":["127.0.0.1"],"search":[]}',
    clause: "resolv.conf(5): the keyword must start the line",
    reason: "c-ares takes indented lines",
  },
  {
    name: "dns-config-00074",
    gives: '{"lookup":[]}',
    clause: "nsswitch.conf(5)",
    reason: "svc.conf is a file of AIX",
  },
  {
    name: "dns-config-00078",
    gives:
      '{"nameservers":["2001:4860:4860::8888","2001:4860:4860::8844","8.8.8.8","8.8.4.4"],"search":["example.com","sub.example.com"],"ndots":8,"timeout":8,"attempts":5,"flags":["rotate"]}',
    clause: "resolv.conf(5), attempts: silently capped to 5",
    reason: "hickory has no cap",
  },
];

testDnsVectors<ResolvConfCase | HostsCase | NsswitchCase | SearchCase | AvoidCase>(
  "config",
  (vector) => {
    switch (vector.kind) {
      case "hosts":
        return judgeHosts(vector);
      case "nsswitch.conf":
        return judgeNsswitch(vector);
      case "search":
        return judgeSearch(vector);
      case "avoid-dns":
        return judgeAvoid(vector);
      default:
        return judgeResolvConf(vector);
    }
  },
  DIFFERENCES,
);
