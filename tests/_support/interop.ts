/**
 * The switch of the interop tests and the look-up of their peers.
 *
 * Tests against other programs run only when `NBIO_INTEROP` is set to something other than the
 * empty string or `0`, as `.ci/run --interop` does: they need programs that a checkout does not
 * bring along. Use it as
 *
 * ```ts ignore
 * const curl = hasCommand("curl");
 * Deno.test({ name: "curl reads hello", ignore: !interopEnabled || !curl, async fn() { ... } });
 * ```
 */

import { reportPeer } from "./report.ts";

/** Whether tests against other programs are wanted in this run. */
export const interopEnabled: boolean = readSwitch();

/**
 * Whether the program `name` is found on `PATH`; reports the peer as run or skipped.
 *
 * Looks only when {@linkcode interopEnabled}; else the answer is `false` and the report says why.
 */
export function hasCommand(name: string): boolean {
  if (!interopEnabled) {
    reportPeer(name, { skipped: "NBIO_INTEROP is not set" });
    return false;
  }
  const found = (Deno.env.get("PATH") ?? "").split(":").some((folder) =>
    folder !== "" && isExecutable(`${folder}/${name}`)
  );
  reportPeer(name, found ? "ran" : { skipped: "not on PATH" });
  return found;
}

function readSwitch(): boolean {
  if (Deno.permissions.querySync({ name: "env", variable: "NBIO_INTEROP" }).state !== "granted") {
    return false;
  }
  const value = Deno.env.get("NBIO_INTEROP") ?? "";
  return value !== "" && value !== "0";
}

function isExecutable(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && mode !== null && (mode & 0o111) !== 0;
  } catch {
    return false;
  }
}
