import { canPin } from "./pinning.ts";

/** Where a result was measured. */
export interface Machine {
  /** Model name of the processor. */
  readonly cpu: string;
  /** Number of cores. */
  readonly cores: number;
  /** Name and release of the kernel. */
  readonly kernel: string;
  /** Whether the processes were pinned to cores. */
  readonly pinned: boolean;
  /** Load average of the last minute before the run: other people's work disturbs. */
  readonly loadAverage: number;
}

/** Describes this machine. */
export function describeMachine(): Machine {
  const model = /^model name\s*:\s*(.+)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"));
  return {
    cpu: model?.[1] ?? Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    kernel: `${Deno.build.os} ${Deno.osRelease()}`,
    pinned: canPin(),
    loadAverage: Deno.loadavg()[0]!,
  };
}

/**
 * The first word with a digit that `command --version` prints, or whatever option asks it, without
 * a leading `v`, or `"unknown"` if the command cannot be run.
 */
export function versionOf(command: string, versionOption = "--version"): string {
  try {
    const { stdout, stderr } = new Deno.Command(command, { args: [versionOption] }).outputSync();
    const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    return /\d\S*/.exec(text)?.[0] ?? "unknown";
  } catch {
    // Not there, not executable or for another platform: whatever it is, it does not run here.
    return "unknown";
  }
}
