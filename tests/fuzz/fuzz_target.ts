/** What every fuzzer of this folder is: a name, the parsers it drives, and a way to run it. */

/** Which inputs to run. */
export interface FuzzRun {
  /** Where chance begins. */
  readonly seed: number;
  /** Number of the first input. @default {0} */
  readonly first?: number;
  /** How many inputs. */
  readonly count: number;
}

/**
 * How often inputs ended in which way: `accepted`, `ignored` where a parser says that the input is
 * nothing, and the class and code of a documented error, `HttpProtocolError ERR_HTTP_BAD_HOST`.
 */
export type Outcomes = Readonly<Record<string, number>>;

/** One target: with the same run it makes the same inputs, and fails by throwing. */
export interface FuzzTarget {
  /** What it is called on the command line. */
  readonly name: string;
  /** The files whose parsers it drives. */
  readonly drives: readonly string[];
  /**
   * Runs inputs.
   *
   * @throws {Error} If a parser does anything but what is documented; the message tells seed and
   * number of the input.
   */
  readonly fuzz: (run: FuzzRun) => Outcomes | Promise<Outcomes>;
  /**
   * Runs what is kept, as it is.
   *
   * @throws {Error} As `fuzz` does.
   */
  readonly replay: () => Outcomes | Promise<Outcomes>;
}

/** Any class of errors. */
// deno-lint-ignore no-explicit-any
export type ErrorClass = abstract new (...parameters: any[]) => Error;

/**
 * Names the end that is an error.
 *
 * @param documented Which classes may come.
 * @throws The error, if it is none of them.
 */
export function outcomeOf(error: unknown, documented: readonly ErrorClass[]): string {
  if (!(error instanceof Error) || !documented.some((type) => error instanceof type)) throw error;
  const { code } = error as { code?: unknown };
  const name = error.constructor.name;
  return typeof code === "string" ? `${name} ${code}` : name;
}

/** Adds one more. */
export function count(outcomes: Record<string, number>, outcome: string): void {
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}
