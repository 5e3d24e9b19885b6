/**
 * Microseconds for parsing a certificate and reading subject, names, validity, extensions and
 * public key: ours, `node:crypto` and `@peculiar/x509`, in interleaved rounds of one run. The
 * latter is installed from npm where it is missing.
 *
 * `deno run -A tests/bench/tls/x509.ts [--rounds 9] [--visit-ms 100]
 * [--peers ours,node,peculiar]`
 */
import { X509Certificate } from "node:crypto";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { parseCertificate, parseCertificates } from "../../../tls/certificate.ts";
import { judge } from "../_support/budget.ts";
import { describeMachine } from "../_support/machine.ts";
import { installPeer } from "../_support/npm_peer.ts";
import { type Cell, runRounds } from "../_support/rounds.ts";
import { summarize } from "../_support/statistics.ts";
import { formatTable } from "../_support/table.ts";
import { createBenchCertificate } from "./certificates.ts";

const { values } = parseArgs({
  options: {
    "rounds": { type: "string", default: "9" },
    "visit-ms": { type: "string", default: "100" },
    "peers": { type: "string", default: "ours,node,peculiar" },
  },
});

/** Parses one certificate and reads it; gives a number, to be a sink. */
type Reader = (der: Uint8Array<ArrayBuffer>) => number;

function readOurs(der: Uint8Array<ArrayBuffer>): number {
  const certificate = parseCertificate(der);
  const { subject, subjectAltName, notBefore, notAfter, extensions } = certificate;
  const { subjectPublicKeyInfo: { raw } } = certificate;
  return subject.toString().length + (subjectAltName?.length ?? 0) + (notAfter - notBefore) +
    extensions.length + raw.length;
}

/** It shows neither a list of extensions nor their values: what it has is read instead. */
function readNode(der: Uint8Array<ArrayBuffer>): number {
  const certificate = new X509Certificate(der);
  const { subject, subjectAltName, validFrom, validTo, keyUsage, ca, publicKey } = certificate;
  const spki = publicKey.export({ type: "spki", format: "der" });
  return (subject?.length ?? 0) + (subjectAltName?.length ?? 0) + validFrom.length +
    validTo.length + (keyUsage?.length ?? 0) + Number(ca) + spki.length;
}

async function loadPeculiar(): Promise<Reader> {
  const require = createRequire(`${installPeer("@peculiar/x509", "1.14.0")}/`);
  // It wants the metadata interface to be there before it is loaded.
  await import(require.resolve("reflect-metadata"));
  const { X509Certificate } = require("@peculiar/x509");
  return (der) => {
    const certificate = new X509Certificate(der);
    const names = certificate.getExtension("2.5.29.17")?.names.items.length ?? 0;
    return certificate.subject.length + names + (certificate.notAfter - certificate.notBefore) +
      certificate.extensions.length + certificate.publicKey.rawData.byteLength;
  };
}

const READERS: Readonly<Record<string, () => Reader | Promise<Reader>>> = {
  ours: () => readOurs,
  node: () => readNode,
  peculiar: loadPeculiar,
};

/** One like those of public servers, and the roots of the system where it has them. */
function certificateSets(): Record<string, Uint8Array<ArrayBuffer>[]> {
  const sets: Record<string, Uint8Array<ArrayBuffer>[]> = { server: [createBenchCertificate()] };
  try {
    const pem = Deno.readTextFileSync("/etc/ssl/certs/ca-certificates.crt");
    sets.roots = parseCertificates(pem).map(({ raw }) => raw);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return sets;
}

let sink = 0;

function runFor(
  read: Reader,
  certificates: readonly Uint8Array<ArrayBuffer>[],
  durationMs: number,
): number {
  let count = 0;
  let elapsedMs = 0;
  const startMs = performance.now();
  while (elapsedMs < durationMs) {
    for (const der of certificates) sink += read(der);
    count += certificates.length;
    elapsedMs = performance.now() - startMs;
  }
  return elapsedMs * 1e3 / count;
}

const peers = values.peers.split(",");
const sets = certificateSets();
const cells: Cell[] = [];
for (const [set, certificates] of Object.entries(sets)) {
  for (const peer of peers) {
    const read = await READERS[peer]!();
    runFor(read, certificates, 200);
    cells.push({
      key: `${set}/${peer}`,
      visit: () => Promise.resolve(runFor(read, certificates, Number(values["visit-ms"]))),
    });
  }
}
const costs = await runRounds(cells, Number(values.rounds));
const { cpu, cores, kernel } = describeMachine();
console.log(`${cpu}, ${cores} cores, ${kernel}\n\nMicroseconds per certificate (quartiles)\n`);
const rows = [["certificates", ...peers]];
for (const set of Object.keys(sets)) {
  rows.push([
    set,
    ...peers.map((peer) => {
      const { median, lowerQuartile, upperQuartile } = summarize(costs.get(`${set}/${peer}`)!);
      return `${median.toFixed(1)} (${lowerQuartile.toFixed(1)}-${upperQuartile.toFixed(1)})`;
    }),
  ]);
}
console.log(formatTable(rows));
const budgets = Object.keys(sets).flatMap((set) => [
  { name: `${set}: node / 1.2`, of: `${set}/ours`, over: `${set}/node`, max: 1 / 1.2 },
  { name: `${set}: peculiar / 6`, of: `${set}/ours`, over: `${set}/peculiar`, max: 1 / 6 },
]);
for (const { name, ratio, max, met } of judge(budgets, costs)) {
  const text = `${ratio.median.toFixed(3)}, budget ${max.toFixed(3)}`;
  console.log(`\n${name}: ${text}, ${met ? "met" : "MISSED"}`);
}
if (sink === 0) throw new Error("Nothing was read");
