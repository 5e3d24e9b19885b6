/**
 * The number behind an option of the command line, `--name 5` or `--name=5`. The last one counts: a
 * task has its own, and who calls the task puts another behind it.
 *
 * @throws {RangeError} If it is no whole number of at least 0.
 */
export function numberOption(
  name: string,
  fallback: number,
  args: readonly string[] = Deno.args,
): number {
  const at = args.findLastIndex((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
  if (at < 0) return fallback;
  const text = args[at] === `--${name}` ? args[at + 1] : args[at]!.slice(name.length + 3);
  const value = text === undefined || text === "" ? NaN : Number(text);
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`Cannot use --${name}: it needs a whole number of at least 0`);
  }
  return value;
}
