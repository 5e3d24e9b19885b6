import { versionOf } from "./machine.ts";
import { exists, installPeer } from "./npm_peer.ts";
import { record } from "./record.ts";

/** The Bun that is compared with. */
const BUN_VERSION = "1.4.5";

/** A rival, or ours, that is measured. */
export interface BenchPeer {
  /** Short name, also for `--peers`. */
  readonly name: string;
  /** What runs it: name and version. */
  readonly version: string;
}

/** A program that is there, and its version. */
export interface FoundProgram {
  /** How it is started. */
  readonly command: string;
  /** Its version. */
  readonly version: string;
}

/**
 * Finds or installs peers. One that is missing here is left out with a word on stderr.
 *
 * @throws {RangeError} If there is no peer of that name.
 */
export function findPeers<P extends BenchPeer>(
  known: Readonly<Record<string, () => P>>,
  names: readonly string[],
): P[] {
  return names.flatMap((name) => {
    if (!Object.hasOwn(known, name)) {
      throw new RangeError(
        `Cannot find peer "${name}": known are ${Object.keys(known).join(", ")}`,
      );
    }
    try {
      return [known[name]!()];
    } catch (error) {
      reportMissing(name, error instanceof Error ? error.message : String(error));
      return [];
    }
  });
}

/** Says on stderr, and in the record, that a rival is not there. */
export function reportMissing(name: string, reason: string): void {
  console.error(`Without ${name}: ${reason}`);
  record({ type: "missing", name, reason });
}

/**
 * Finds a program on the path.
 *
 * @throws {Error} If it is not there.
 */
export function findProgram(command: string, versionOption = "--version"): FoundProgram {
  const version = versionOf(command, versionOption);
  if (version === "unknown") throw new Error(`Cannot find ${command}: it is not on the path`);
  record({ type: "peer", name: command, version });
  return { command, version };
}

/**
 * Bun, installed where it is missing. The package `bun` brings its program as optional
 * dependencies, one for each platform. A script moves the right one to where the package wants it,
 * but npm may have been told to run none.
 *
 * @throws {Error} If npm has no program that runs here.
 */
export function findBun(): FoundProgram {
  const modules = installPeer("bun", BUN_VERSION);
  const candidates = [`${modules}/bun/bin/bun.exe`];
  if (exists(`${modules}/@oven`)) {
    for (const { name } of Deno.readDirSync(`${modules}/@oven`)) {
      candidates.push(`${modules}/@oven/${name}/bin/bun`);
    }
  }
  const command = candidates.find((path) => exists(path) && versionOf(path) === BUN_VERSION);
  if (command === undefined) {
    throw new Error("Cannot find Bun: npm installed no program that runs here");
  }
  return { command, version: BUN_VERSION };
}
