/** Running the Deno executable that runs the checks, from the checks. */

/** What a finished run of the tool said. */
export interface ToolResult {
  /** Whether it exited with 0. */
  readonly success: boolean;
  /** Standard output. */
  readonly stdout: string;
  /** Standard error. */
  readonly stderr: string;
}

/** Runs `deno` with `args` in `cwd` and waits for it. */
export async function runDeno(args: readonly string[], cwd: URL): Promise<ToolResult> {
  const command = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1" },
    stdin: "null",
  });
  const { success, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { success, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs `deno` and parses what it prints; throws with its complaint if it fails. */
export async function runDenoJson<T>(args: readonly string[], cwd: URL): Promise<T> {
  const { success, stdout, stderr } = await runDeno(args, cwd);
  if (!success) throw new Error(`Cannot run deno ${args.join(" ")}: ${stderr}`);
  const value: T = JSON.parse(stdout);
  return value;
}

/** The entry points of the package, as `deno.json` below `root` exports them, without `./`. */
export function entryPoints(root: URL): string[] {
  const config: { exports: Record<string, string> } = JSON.parse(
    Deno.readTextFileSync(new URL("deno.json", root)),
  );
  return Object.values(config.exports).map((path) => path.replace(/^\.\//, ""));
}

/** Prints the problems a check has found and exits with 1 if there are any. */
export function exitWithProblems(check: string, problems: readonly string[]): void {
  for (const problem of problems) console.error(`${check}: ${problem}`);
  if (problems.length > 0) Deno.exit(1);
  console.log(`${check}: no problem found`);
}
