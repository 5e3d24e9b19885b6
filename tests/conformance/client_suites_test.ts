import { assert, assertEquals } from "@std/assert";
import { type ClientPeer, LinePeer, type PeerAnswer } from "./client_peer.ts";
import { type ClientSuiteName, ourClients } from "./client_peers.ts";
import { DNS_RESOLVER_CASES, runDnsResolverSuite } from "./dns_resolver_suite.ts";
import { HTTP_CLIENT_CASES } from "./http_client_cases.ts";
import { runHttpClientSuite } from "./http_client_suite.ts";
import { faultsOf, formatTable, scoreClients } from "./main.ts";
import { runTlsClientSuite, TLS_CLIENT_CASES } from "./tls_client_suite.ts";

const SUITES: readonly ClientSuiteName[] = ["http-client", "dns-resolver", "tls-client"];

for (const suite of SUITES) {
  Deno.test(`every client of ours passes every case of the suite ${suite}, but known gaps`, async () => {
    for (const { peer, results } of await scoreClients(suite, ourClients(suite))) {
      const lines = faultsOf(results).map(({ name, clause, failure }) =>
        `${peer}: ${name} [${clause}]: ${failure}`
      );
      assertEquals(lines, []);
    }
  });
}

/** A client that says the same to everything. */
function sayingAlways(answer: PeerAnswer): ClientPeer {
  return {
    name: "fake",
    ask: () => Promise.resolve(answer),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const RUNS = [
  ["http-client", HTTP_CLIENT_CASES, runHttpClientSuite, "200 OK"],
  ["dns-resolver", DNS_RESOLVER_CASES, runDnsResolverSuite, ["192.0.2.1"]],
  ["tls-client", TLS_CLIENT_CASES, runTlsClientSuite, "secure"],
] as const;

for (const [suite, cases, run, ok] of RUNS) {
  Deno.test(`the suite ${suite} has each name once`, () => {
    const names = cases.map(({ name }) => name);
    assertEquals(names.filter((name, index) => names.indexOf(name) !== index), []);
  });

  Deno.test(`the suite ${suite} fails on who takes everything, and on who refuses everything`, async () => {
    const isWrong = ({ failure }: { failure: string | undefined }) => failure !== undefined;
    const credulous = (await run(sayingAlways({ ok }))).filter(isWrong);
    const timid = (await run(sayingAlways({ error: "no" }))).filter(isWrong);
    assert(credulous.length >= 9 && timid.length >= 5, `${credulous.length}, ${timid.length}`);
    // No case lets both pass but where the clause leaves the choice.
    const choices = cases.filter(({ expect }) => expect.length > 1).length;
    assert(credulous.length + timid.length >= cases.length - choices);
    const mute = await run(sayingAlways({ fault: "it hangs" }));
    assertEquals(mute.filter((result) => !isWrong(result)), []);
  });
}

Deno.test("LinePeer.ask() tells of a program that leaves, and starts it again", async () => {
  const program = [Deno.execPath(), "eval", "Deno.exit(1)"];
  await using peer = new LinePeer("leaver", program);
  for (let round = 0; round < 2; round++) assert("fault" in await peer.ask(["a"]));
});

Deno.test("formatTable() has a row for each suite and a column for each peer", () => {
  const result = { name: "a", clause: "b", failure: undefined };
  const table = formatTable([
    { suite: "one", peer: "ours", results: [result] },
    { suite: "two", peer: "ours", results: [result, { ...result, failure: "x" }] },
    { suite: "two", peer: "other", results: [] },
  ]);
  assertEquals(table.split("\n"), [
    "suite  ours   other",
    "one    1 / 1  -",
    "two    1 / 2  0 / 0",
  ]);
});
