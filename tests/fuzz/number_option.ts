/** The number behind an option of the command line. */
export function numberOption(name: string, fallback: number): number {
  const at = Deno.args.indexOf(`--${name}`);
  if (at < 0) return fallback;
  const value = Number(Deno.args[at + 1]);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`Cannot use --${name}: it needs a whole number of at least 0`);
  }
  return value;
}
