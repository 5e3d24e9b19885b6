/** Room that bodies are cut from, so that making one costs a copy and no more. */
const ROOM = crypto.getRandomValues(new Uint8Array(65_536));

/** The longest body there is. */
export const MAX_PATTERN_BYTES = 60_000;

/** A body that only its number makes, as far as one process goes. */
export function patternBytes(id: number, length: number): Uint8Array<ArrayBuffer> {
  const at = id % (ROOM.length - MAX_PATTERN_BYTES);
  return ROOM.slice(at, at + length);
}
