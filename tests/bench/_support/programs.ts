import { Child } from "./child.ts";
import { findProgram } from "./peers.ts";

/** How a script is started. */
export interface ScriptOptions {
  /** Core it is pinned to. @default undefined (any) */
  readonly core?: number;
  /** Flags of the runtime. @default [] */
  readonly flags?: readonly string[];
  /** Arguments of the script. @default [] */
  readonly args?: readonly string[];
}

/** The command that runs a script of TypeScript: Deno, with all permissions. */
export function denoCommand(file: URL, flags: readonly string[] = []): [string, ...string[]] {
  return [Deno.execPath(), "run", "-A", "--no-check", ...flags, file.pathname];
}

/**
 * Starts a script: what ends in `.mjs` by Node, the rest by Deno with all permissions.
 *
 * @throws {Error} If Node is wanted and not there.
 */
export function startScript(file: URL, options: ScriptOptions = {}): Child {
  const { core, flags = [], args = [] } = options;
  const [command, ...before] = file.pathname.endsWith(".mjs")
    ? [findProgram("node").command, file.pathname]
    : denoCommand(file, flags);
  const name = file.pathname.slice(file.pathname.lastIndexOf("/") + 1);
  return new Child([name, ...args].join(" "), {
    command: command!,
    args: [...before, ...args],
    ...core !== undefined && { core },
  });
}
