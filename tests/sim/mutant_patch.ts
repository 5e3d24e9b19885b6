import { type Workload, WORKLOADS } from "./workload.ts";

/** A deliberate mistake, as a patch of one file. */
export interface MutantPatch {
  /** What goes wrong with it. */
  readonly why: string;
  /** Where it is to be found. */
  readonly workload: Workload;
  /** The file it is made in, from the top of the tree. */
  readonly path: string;
  readonly hunks: readonly MutantHunk[];
}

/** One place of a patch. */
export interface MutantHunk {
  /** The lines as they are. */
  readonly before: string;
  /** The lines as they become. */
  readonly after: string;
}

/**
 * Reads a patch in the unified format, behind a line that says why and one that names a workload.
 *
 * @param text The patch.
 * @returns What it changes.
 * @throws {SyntaxError} If it is none.
 */
export function parseMutantPatch(text: string): MutantPatch {
  const match = /^([^\n]+)\nworkload: (\w+)\n\n--- a\/\S+\n\+\+\+ b\/(\S+)\n(@@[^]*)$/.exec(text);
  if (match === null) throw new SyntaxError("Cannot parse patch: its head is not as expected");
  const [, why, name, path, body] = match as unknown as [string, string, string, string, string];
  const workload = WORKLOADS.find((known) => known === name);
  if (workload === undefined) throw new SyntaxError(`Cannot parse patch: no workload ${name}`);
  const hunks = body.split(/^@@.*@@\n/m).slice(1).map(parseHunk);
  return { why, workload, path, hunks };
}

/**
 * Applies a patch. Line numbers are not looked at: each place has to be there exactly once.
 *
 * @param source The file as it is.
 * @param patch What to change.
 * @returns The file with the mistake.
 * @throws {Error} If the patch does not apply.
 */
export function applyMutantPatch(source: string, { path, hunks }: MutantPatch): string {
  let mutated = source;
  for (const { before, after } of hunks) {
    const count = mutated.split(before).length - 1;
    if (count !== 1) throw new Error(`Cannot patch ${path}: its lines are there ${count} times`);
    mutated = mutated.replace(before, () => after);
  }
  return mutated;
}

function parseHunk(text: string): MutantHunk {
  const lines = text.split("\n").slice(0, -1);
  const side = (mark: string): string =>
    lines
      .filter((line) => line.startsWith(" ") || line.startsWith(mark))
      .map((line) => `${line.slice(1)}\n`)
      .join("");
  const hunk = { before: side("-"), after: side("+") };
  if (hunk.before === hunk.after) throw new SyntaxError("Cannot parse patch: it changes nothing");
  return hunk;
}
