/**
 * {@linkcode loadProcessLauncher}: workers that are processes.
 *
 * @module
 */

import type { ChildProcess } from "node:child_process";
import type { PreforkExit } from "./prefork_event.ts";
import type { ResolvedPreforkOptions } from "./prefork_resolve.ts";
import {
  type PreforkHandle,
  type PreforkLauncher,
  type PreforkLaunchEvents,
  readPreforkWord,
  SETTINGS_VARIABLE,
} from "./prefork_settings.ts";
import { toSystemError } from "./system_error.ts";

const KINDS = ["read", "write", "net", "env", "run", "sys", "ffi", "import"] as const;

/**
 * Prepares to start processes. They share the standard output and error of this one, have no
 * input, and a channel of Node by which they hear of the end of this process, whatever kills it.
 *
 * @param options What to run.
 * @returns How to start one.
 * @throws {Deno.errors.NotSupported} If the program is compiled: it holds no `deno` to run.
 */
export async function loadProcessLauncher(
  options: ResolvedPreforkOptions,
): Promise<PreforkLauncher> {
  if (Deno.build.standalone) {
    throw new Deno.errors.NotSupported("Cannot prefork processes: the program is compiled");
  }
  const { spawn } = await import("node:child_process");
  const { module, args, denoArgs } = options;
  const flags = allowSettings(options.permissions ?? inheritedPermissions());
  const command = ["run", "--no-prompt", "--unstable-net", ...flags, ...denoArgs, module, ...args];
  const inherited = readEnvironment();
  return (settings, events) => {
    const env = { ...inherited, ...options.env, [SETTINGS_VARIABLE]: JSON.stringify(settings) };
    const stdio = ["ignore", "inherit", "inherit", "ipc"] as const;
    return new ProcessHandle(spawn(Deno.execPath(), command, { stdio: [...stdio], env }), events);
  };
}

/**
 * The flags that give a process every kind of permission this one has without a bound. A kind that
 * is bounded, by `--allow-net=...` as by `--deny-net=...`, is left out: the bounds cannot be asked
 * for, and more must not be given.
 *
 * @returns Flags of `deno run`.
 */
export function inheritedPermissions(): string[] {
  return KINDS.filter((name) => {
    // The types of the runtime do not know all kinds.
    const status = Deno.permissions.querySync({ name } as Deno.PermissionDescriptor);
    return status.state === "granted" && !status.partial;
  }).map((name) => `--allow-${name}`);
}

/** A worker has to read its settings; each flag may be given once only. */
function allowSettings(flags: readonly string[]): string[] {
  const isAll = (flag: string): boolean => /^(-A|--allow-all|-E|--allow-env)$/.test(flag);
  if (flags.some(isAll)) return [...flags];
  const allowed: string[] = [SETTINGS_VARIABLE];
  const others = flags.filter((flag) => {
    const names = /^(?:-E|--allow-env)=(.*)$/.exec(flag)?.[1];
    if (names !== undefined) allowed.push(names);
    return names === undefined;
  });
  return [...others, `--allow-env=${allowed.join(",")}`];
}

function readEnvironment(): Record<string, string> {
  const { state, partial } = Deno.permissions.querySync({ name: "env" });
  return state === "granted" && !partial ? Deno.env.toObject() : {};
}

class ProcessHandle implements PreforkHandle {
  readonly pid: number | undefined;
  readonly #child: ChildProcess;
  #ended = false;

  constructor(child: ChildProcess, { onReady, onExit }: PreforkLaunchEvents) {
    this.#child = child;
    this.pid = child.pid;
    const end = (exit: PreforkExit): void => {
      if (this.#ended) return;
      this.#ended = true;
      onExit(exit);
    };
    child.on("message", (message) => {
      if (readPreforkWord(message)?.nbioPrefork === "ready") onReady();
    });
    child.on("exit", (code, signal) => end({ code, signal }));
    child.on("error", (error) => {
      // A word that did not get through is of one that is about to end.
      if (child.pid === undefined) end({ code: null, signal: null, error: toSystemError(error) });
    });
  }

  stop(): void {
    if (this.#child.connected) this.#child.send({ nbioPrefork: "stop" }, () => {});
  }

  kill(): void {
    if (!this.#ended) this.#child.kill("SIGKILL");
  }
}
