// This module is sans-I/O.

/**
 * Puts pieces one behind the other.
 *
 * @param pieces The pieces.
 * @param length How long they are together.
 * @returns A copy.
 */
export function concatBytes(
  pieces: readonly Uint8Array[],
  length: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
