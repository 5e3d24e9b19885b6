/** The value of the option `--name`: a whole number above 0. */
export function readCount(name: string, text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new RangeError(`Cannot use --${name} ${text}: want a whole number above 0`);
  }
  return count;
}
