import { assertEquals, assertThrows } from "@std/assert";
import { DnsTextError } from "../../dns/errors.ts";
import { HostsFile } from "../../dns/hosts_file.ts";
import { LookupPlan, type LookupPlanOptions, type LookupStep } from "../../dns/lookup_plan.ts";
import { parseNsswitchConf } from "../../dns/nsswitch_conf.ts";
import type { SearchOutcome } from "../../dns/search_list.ts";

const HOSTS = new HostsFile(
  "192.0.2.1 db.example db\n2001:db8::1 db\n127.0.0.2 localhost\n192.0.2.9 hidden.onion\n",
);

/** Runs a plan to its end; `zone` says what becomes of the names it asks for. */
function run(
  host: string,
  options: LookupPlanOptions,
  zone: Readonly<Record<string, SearchOutcome>> = {},
): { readonly asked: string[]; readonly end: LookupStep } {
  const plan = new LookupPlan(host, { hosts: HOSTS, ...options });
  const asked: string[] = [];
  for (;;) {
    const step = plan.next();
    assertEquals(plan.next(), step);
    if (step.type !== "query") return { asked, end: step };
    asked.push(step.name);
    const outcome = zone[step.name] ?? "nxdomain";
    plan.report(outcome, outcome === "answer" ? ["192.0.2.50"] : undefined);
  }
}

function services(line: string): Pick<LookupPlanOptions, "services"> {
  return { services: parseNsswitchConf(`hosts: ${line}`).get("hosts")! };
}

const FOUND: LookupStep = {
  type: "found",
  addresses: ["192.0.2.50"],
  canonicalName: "www.a.",
  source: "dns",
};
const NOT_FOUND: LookupStep = { type: "failed", name: undefined, outcome: "nxdomain" };

Deno.test("LookupPlan takes an address for itself", () => {
  for (const host of ["192.0.2.7", "2001:db8::7", "fe80::1%eth0"]) {
    const end = {
      type: "found",
      addresses: [host],
      canonicalName: host,
      source: "literal",
    } as const;
    assertEquals(run(host, {}), { asked: [], end });
    const family = host.includes(":") ? 4 : 6;
    assertEquals(run(host, { family }), { asked: [], end: { ...end, addresses: [] } });
  }
});

Deno.test("LookupPlan takes the addresses of the hosts file, of the family asked for", () => {
  const end = { type: "found", canonicalName: "db.example", source: "hosts" } as const;
  const addresses = ["192.0.2.1", "2001:db8::1"];
  assertEquals(run("DB", {}).end, { ...end, addresses });
  assertEquals(run("db.", { family: 6 }).end, { ...end, addresses: ["2001:db8::1"] });
  assertEquals(run("db.example", { family: 6 }).asked, ["db.example."]);
});

Deno.test("LookupPlan asks for the types of the family", () => {
  const step = (options: LookupPlanOptions): LookupStep => new LookupPlan("x.", options).next();
  const query = { type: "query", name: "x.", parallel: true } as const;
  assertEquals(step({}), { ...query, types: ["A", "AAAA"] });
  assertEquals(step({ family: 4 }), { ...query, types: ["A"] });
  assertEquals(step({ family: 6 }), { ...query, types: ["AAAA"] });
  assertEquals(step({ noAaaa: true }), { ...query, types: ["A"] });
  assertEquals(step({ singleRequest: true }), { ...query, types: ["A", "AAAA"], parallel: false });
  assertEquals(step({ noAaaa: true, family: 6 }), { ...NOT_FOUND, outcome: "nodata" });
});

Deno.test("LookupPlan goes through the search list", () => {
  const search = ["b.", "a."];
  const { asked, end } = run("www", { search }, { "www.a.": "answer" });
  assertEquals([asked, end], [["www.b.", "www.a."], FOUND]);
});

Deno.test("LookupPlan tells the name whose failure counts", () => {
  const options = { search: ["a.", "b."] };
  assertEquals(run("x", options).end, { type: "failed", name: "x.", outcome: "nxdomain" });
  assertEquals(run("x", options, { "x.b.": "nodata" }).end, {
    type: "failed",
    name: "x.b.",
    outcome: "nodata",
  });
  assertEquals(run("x", options, { "x.a.": "unreachable" }), {
    asked: ["x.a."],
    end: { type: "failed", name: "x.a.", outcome: "unreachable" },
  });
});

Deno.test("LookupPlan keeps special names from servers, completed or not", () => {
  const options = { search: ["a."] };
  for (const host of ["x.invalid", "x.onion", "INVALID", "onion."]) {
    assertEquals(run(host, options), { asked: [], end: NOT_FOUND });
  }
  const loopback = { type: "found", canonicalName: "x.localhost.", source: "special" } as const;
  assertEquals(run("x.localhost", options), {
    asked: [],
    end: { ...loopback, addresses: ["127.0.0.1", "::1"] },
  });
  assertEquals(run("x.localhost", { family: 6 }).end, { ...loopback, addresses: ["::1"] });
});

Deno.test("LookupPlan lets the hosts file say what special names are", () => {
  const end = run("localhost", {}).end;
  assertEquals(end.type === "found" && [end.addresses, end.source], [["127.0.0.2"], "hosts"]);
  assertEquals(run("hidden.onion", {}).end.type, "found");
});

Deno.test("LookupPlan asks for no special name of the search list", () => {
  const { asked, end } = run("www", { search: ["invalid.", "a."] }, { "www.a.": "answer" });
  assertEquals([asked, end], [["www.a."], FOUND]);
  assertEquals(run("www", { search: ["localhost."] }).end.type, "found");
});

interface ServiceRow {
  readonly line: string;
  readonly host: string;
  readonly outcome?: SearchOutcome;
  readonly asked: number;
  /** Source, or what became of it. */
  readonly end: string;
}

const SERVICE_ROWS: readonly ServiceRow[] = [
  { line: "files dns", host: "db.", asked: 0, end: "hosts" },
  { line: "dns files", host: "db.", outcome: "answer", asked: 1, end: "dns" },
  { line: "dns files", host: "db.", asked: 1, end: "hosts" },
  { line: "dns [NOTFOUND=return] files", host: "db.", asked: 1, end: "nxdomain" },
  { line: "dns [NOTFOUND=return] files", host: "db.", outcome: "servfail", asked: 1, end: "hosts" },
  {
    line: "dns [!UNAVAIL=return] files",
    host: "db.",
    outcome: "unreachable",
    asked: 1,
    end: "hosts",
  },
  { line: "dns [!UNAVAIL=return] files", host: "db.", outcome: "failed", asked: 1, end: "failed" },
  { line: "files", host: "x.", asked: 0, end: "nxdomain" },
  { line: "dns", host: "db.", asked: 1, end: "nxdomain" },
  {
    line: "files mdns4_minimal [NOTFOUND=return] dns",
    host: "x.",
    outcome: "answer",
    asked: 1,
    end: "dns",
  },
  {
    line: "mymachines [!UNAVAIL=return] resolve [!UNAVAIL=return] files myhostname dns",
    host: "x.",
    asked: 1,
    end: "nxdomain",
  },
  { line: "resolve dns", host: "x.", outcome: "servfail", asked: 1, end: "servfail" },
  { line: "files [NOTFOUND=return] dns", host: "x.", asked: 0, end: "nxdomain" },
  { line: "nis", host: "x.", asked: 0, end: "nxdomain" },
  { line: "nis [UNAVAIL=return] dns", host: "x.", asked: 0, end: "nxdomain" },
  { line: "", host: "x.", asked: 0, end: "nxdomain" },
  { line: "dns [SUCCESS=continue] files", host: "x.", outcome: "answer", asked: 1, end: "dns" },
];

for (const { line, host, outcome, asked, end } of SERVICE_ROWS) {
  Deno.test(`LookupPlan with "${line}" ends ${host} (${outcome ?? "nxdomain"}) with ${end}`, () => {
    const got = run(host, services(line), outcome === undefined ? {} : { [host]: outcome });
    const verdict = got.end.type === "found"
      ? got.end.source
      : (got.end as { outcome: string }).outcome;
    assertEquals([got.asked.length, verdict], [asked, end]);
  });
}

Deno.test("LookupPlan.report() takes the name at the end of the aliases", () => {
  const plan = new LookupPlan("x.");
  plan.next();
  plan.report("answer", ["192.0.2.1"], "y.");
  const end = plan.next();
  assertEquals(end.type === "found" && end.canonicalName, "y.");
});

Deno.test("LookupPlan.report() throws where there is no query", () => {
  assertThrows(() => new LookupPlan("192.0.2.1").report("answer"), TypeError);
  const plan = new LookupPlan("x.");
  plan.next();
  plan.report("nxdomain");
  plan.next();
  assertThrows(() => plan.report("nxdomain"), TypeError);
});

Deno.test("LookupPlan throws on what is no host and on options out of their range", () => {
  for (const host of ["", "a..b", "b\u00fccher.example"]) {
    assertThrows(() => new LookupPlan(host), DnsTextError);
  }
  assertThrows(() => new LookupPlan("a", { family: 5 as 4 }), RangeError);
  assertThrows(() => new LookupPlan("a", { ndots: 16 }), RangeError);
});
