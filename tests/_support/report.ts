/**
 * What ran and what was left out, said to whoever runs the gate.
 *
 * A vector file or an interop peer that is missing must not fail a checkout that cannot have it,
 * and must not go unnoticed either. Tests report here; `.ci/run` points `NBIO_REPORT` at a file
 * and prints its sorted, distinct lines at the end. Without `NBIO_REPORT` nothing is written.
 */

/** What became of a vector file or a peer; a skip gives its reason. */
export type Outcome = "ran" | { readonly skipped: string };

/** Reports that the vector file `name` (without `.json`) was run or skipped. */
export function reportVector(name: string, outcome: Outcome): void {
  appendLine(`vectors: ${name} ${format(outcome)}`);
}

/** Reports that the tests against the peer `name` (`curl`, `nginx`) were run or skipped. */
export function reportPeer(name: string, outcome: Outcome): void {
  appendLine(`peer: ${name} ${format(outcome)}`);
}

function format(outcome: Outcome): string {
  return outcome === "ran" ? "ran" : `skipped ${outcome.skipped}`;
}

function appendLine(line: string): void {
  // Without env permission (unit tests of cores run with none) nobody asked for a report.
  if (Deno.permissions.querySync({ name: "env", variable: "NBIO_REPORT" }).state !== "granted") {
    return;
  }
  const path = Deno.env.get("NBIO_REPORT");
  if (path === undefined || path === "") return;
  // One short append per line: test files run in parallel processes and share the file.
  Deno.writeTextFileSync(path, `${line}\n`, { append: true });
}
