/**
 * Those of a list that an option names, in the order of the list; all of them without the option.
 *
 * @param option The name of the option, without its dashes.
 * @param text Names with commas between them.
 * @throws {RangeError} If there is none of a name.
 */
export function chooseNamed<T extends { readonly name: string }>(
  option: string,
  known: readonly T[],
  text: string | undefined,
): readonly T[] {
  if (text === undefined) return known;
  const wanted = new Set(text.split(","));
  const chosen = known.filter(({ name }) => wanted.delete(name));
  if (wanted.size === 0) return chosen;
  const names = known.map(({ name }) => name).join(", ");
  throw new RangeError(`Cannot use --${option} ${[...wanted].join()}: known are ${names}`);
}
