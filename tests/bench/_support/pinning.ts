/** A program and its arguments. */
export interface CommandLine {
  /** Program to run. */
  readonly command: string;
  /** Its arguments. */
  readonly args: readonly string[];
}

let available: boolean | undefined;

/** Core for the process under test. */
export const SERVER_CORE = 0;

/** Core for the process that makes the load. */
export const LOADER_CORE = 1;

/** Whether processes can be pinned here: `taskset` is there and the machine has two cores. */
export function canPin(): boolean {
  available ??= navigator.hardwareConcurrency > LOADER_CORE && tasksetWorks();
  return available;
}

function tasksetWorks(): boolean {
  try {
    return new Deno.Command("taskset", { args: ["-c", String(LOADER_CORE), "true"] })
      .outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The command line that runs a program on one core, or anywhere where pinning is impossible. */
export function pinned(command: string, args: readonly string[], core?: number): CommandLine {
  if (core === undefined || !canPin()) return { command, args };
  return { command: "taskset", args: ["-c", String(core), command, ...args] };
}
