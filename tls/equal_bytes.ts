// This module is sans-I/O.

/**
 * Compares bytes. The time depends on where they differ: not for secrets.
 *
 * @param one Some bytes.
 * @param other Other bytes.
 * @returns Whether they are the same.
 */
export function equalBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}
