/**
 * {@linkcode inheritedPermissions}: what this program may do, as flags for another.
 *
 * @module
 */

const KINDS = ["read", "write", "net", "env", "run", "sys", "ffi", "import"] as const;

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
