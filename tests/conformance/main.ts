/**
 * Runs every raw-socket suite against ours and against what is installed, and prints one table:
 * `deno task conformance:all`, or
 * `deno run -A tests/conformance/main.ts [--suite NAME] [--ours] [--verbose]`.
 *
 * `--suite NAME -- COMMAND` runs one suite of clients against a command of your own, which speaks
 * the line protocol of `client_peer.ts`. For servers of your own there are `http_server_main.ts`
 * and `websocket_main.ts`. Exit code 1 if a case of ours, or of that command, failed; 2 if there is
 * nothing to run.
 *
 * Servers of others are spared the cases of limits, which are a choice of ours. Some of the rest ask
 * for more than the RFC does, and say so in their clause: `--verbose` lists what failed.
 */

import { parseArgs } from "node:util";
import { dial } from "../../websocket/dial.ts";
import { echo, portOf, serveWebSocket } from "../_support/websocket_harness.ts";
import type { RawAddress } from "../_support/raw_client.ts";
import { type ClientCaseResult, type ClientPeer, LinePeer } from "./client_peer.ts";
import { type ClientSuiteName, installedClients, ourClients } from "./client_peers.ts";
import { runDnsResolverSuite } from "./dns_resolver_suite.ts";
import { runHttpClientSuite } from "./http_client_suite.ts";
import { PROTOCOL_CASES, runSuite } from "./http_server_suite.ts";
import { startTarget } from "./http_target.ts";
import { installedServers, type ServerPeer, type ServerSuiteName } from "./server_peers.ts";
import { runTlsClientSuite } from "./tls_client_suite.ts";
import { SHORT_SCALE } from "./websocket_case.ts";
import { runClientSuite } from "./websocket_client_suite.ts";
import type { WebSocketCaseResult } from "./websocket_run_case.ts";
import { runServerSuite } from "./websocket_server_suite.ts";
import { websocketCases } from "./websocket_suite.ts";

/** How one peer did in one suite. */
export interface Score {
  readonly suite: string;
  readonly peer: string;
  readonly results: readonly ClientCaseResult[];
}

const CLIENT_SUITES: Readonly<
  Record<ClientSuiteName, (peer: ClientPeer) => Promise<ClientCaseResult[]>>
> = {
  "http-client": (peer) => runHttpClientSuite(peer),
  "dns-resolver": (peer) => runDnsResolverSuite(peer),
  "tls-client": (peer) => runTlsClientSuite(peer),
};

const WEBSOCKET_OPTIONS = {
  maxMessageBytes: 16 * 1024 * 1024,
  compression: { serverMaxWindowBits: 15, clientMaxWindowBits: 15 },
};

async function scoreHttpServer(): Promise<Score> {
  await using target = startTarget();
  return { suite: "http-server", peer: "ours", results: await runSuite(target.address) };
}

function toResults(results: readonly WebSocketCaseResult[]): ClientCaseResult[] {
  return results.map(({ id, name, verdict, detail }) => ({
    name: `${id} ${name}`,
    clause: "RFC 6455, RFC 7692",
    failure: verdict === "ok" || verdict === "informational" ? undefined : `${verdict}, ${detail}`,
  }));
}

async function scoreWebSocketServer(): Promise<Score> {
  await using server = serveWebSocket((ws) => echo(ws).catch(() => {}), WEBSOCKET_OPTIONS);
  const address = { hostname: "127.0.0.1", port: portOf(server) };
  const results = await runServerSuite(address, { cases: websocketCases(SHORT_SCALE) });
  return { suite: "websocket-server", peer: "ours", results: toResults(results) };
}

/** The suites of servers, for others than ours: with less patience, for they have many faults. */
const SERVER_SUITES: Readonly<
  Record<ServerSuiteName, (address: RawAddress) => Promise<ClientCaseResult[]>>
> = {
  "http-server": (address) =>
    runSuite(address, { cases: PROTOCOL_CASES, concurrency: 32, timeoutMs: 1_500 }),
  async "websocket-server"(address) {
    const cases = websocketCases(SHORT_SCALE);
    return toResults(await runServerSuite(address, { cases, concurrency: 8, timeoutMs: 3_000 }));
  },
};

async function scoreWebSocketClient(): Promise<Score> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `ws://127.0.0.1:${listener.addr.port}/`;
  const cases = websocketCases(SHORT_SCALE);
  const running = runClientSuite(listener, { cases });
  for (let index = 0; index < cases.length; index++) {
    await dial(url, WEBSOCKET_OPTIONS).then(echo).catch(() => {});
  }
  return { suite: "websocket-client", peer: "ours", results: toResults(await running) };
}

/** The suites whose target is in this process: the others are tested by their own commands. */
const OWN_SUITES: Readonly<Record<string, () => Promise<Score>>> = {
  "http-server": scoreHttpServer,
  "websocket-server": scoreWebSocketServer,
  "websocket-client": scoreWebSocketClient,
};

/** Runs a suite of servers against some of them, one after the other. */
export async function scoreServers(
  suite: ServerSuiteName,
  peers: readonly ServerPeer[],
): Promise<Score[]> {
  const scores: Score[] = [];
  for (const { name, whileRunning } of peers) {
    await whileRunning(async (address) => {
      scores.push({ suite, peer: name, results: await SERVER_SUITES[suite](address) });
    });
  }
  return scores;
}

/** Runs a suite of clients against some of them, one after the other. */
export async function scoreClients(
  suite: ClientSuiteName,
  peers: readonly ClientPeer[],
): Promise<Score[]> {
  const scores: Score[] = [];
  for (const peer of peers) {
    await using client = peer;
    scores.push({ suite, peer: client.name, results: await CLIENT_SUITES[suite](client) });
  }
  return scores;
}

const passedCount = ({ results }: Score): number =>
  results.filter(({ failure }) => failure === undefined).length;

/** What is wrong with one of ours: a case that fails and should not, or a gap that is none. */
export function faultsOf(results: readonly ClientCaseResult[]): ClientCaseResult[] {
  return results.filter(({ failure, gap }) => (failure === undefined) !== (gap === undefined));
}

/** One row for each suite, one column for each peer: cases passed, of how many. */
export function formatTable(scores: readonly Score[]): string {
  const suites = [...new Set(scores.map(({ suite }) => suite))];
  const peers = [...new Set(scores.map(({ peer }) => peer))];
  const rows = suites.map((suite) => [
    suite,
    ...peers.map((peer) => {
      const score = scores.find((it) => it.suite === suite && it.peer === peer);
      return score === undefined ? "-" : `${passedCount(score)} / ${score.results.length}`;
    }),
  ]);
  const table = [["suite", ...peers], ...rows];
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ").trimEnd())
    .join("\n");
}

function formatFailures(scores: readonly Score[]): string {
  return scores.flatMap(({ suite, peer, results }) =>
    results.filter(({ failure }) => failure !== undefined).map(({ name, clause, failure, gap }) =>
      `${suite}, ${peer}: ${name} [${clause}]: ${failure}${
        gap === undefined ? "" : `; known: ${gap}`
      }`
    )
  ).join("\n");
}

/** For what was asked there is nothing to run. */
function giveUp(message: string): never {
  console.error(message);
  Deno.exit(2);
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      suite: { type: "string", default: "" },
      ours: { type: "boolean", default: false },
      verbose: { type: "boolean", default: false },
    },
  });
  const chosen = (name: string) => name.startsWith(values.suite);
  const clientSuites = (Object.keys(CLIENT_SUITES) as ClientSuiteName[]).filter(chosen);
  const ownSuites = Object.keys(OWN_SUITES).filter(chosen);
  const isForeign = positionals.length > 0;
  if (clientSuites.length + (isForeign ? 0 : ownSuites.length) === 0) {
    const names = [...isForeign ? [] : Object.keys(OWN_SUITES), ...Object.keys(CLIENT_SUITES)];
    return giveUp(
      `No ${isForeign ? "suite of clients" : "suite"} has that name: ${names.join(", ")}`,
    );
  }
  const scores: Score[] = [];
  if (isForeign) {
    const command = new LinePeer("command", positionals);
    scores.push(
      ...await scoreClients(clientSuites[0]!, [command]).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        return giveUp(`Cannot start ${positionals[0]}: there is no such program`);
      }),
    );
  } else {
    for (const name of ownSuites) {
      scores.push(await OWN_SUITES[name]!());
      if (values.ours || !(name in SERVER_SUITES)) continue;
      const suite = name as ServerSuiteName;
      scores.push(...await scoreServers(suite, await installedServers(suite)));
    }
    for (const name of clientSuites) {
      const others = values.ours ? [] : await installedClients(name);
      scores.push(...await scoreClients(name, [...ourClients(name), ...others]));
    }
  }
  console.log(formatTable(scores));
  if (values.verbose) console.log(`\n${formatFailures(scores)}`);
  const mustPass = scores.filter(({ peer }) => peer.startsWith("ours") || peer === "command");
  const isPerfect = mustPass.every(({ results }) => faultsOf(results).length === 0);
  if (!isPerfect && !values.verbose) console.log(`\n${formatFailures(mustPass)}`);
  Deno.exit(isPerfect ? 0 : 1);
}

if (import.meta.main) await main();
