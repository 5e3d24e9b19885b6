/** What a checker found: our own mistake, never a fault of the simulated network. */
export class SimulationError extends Error {
  override readonly name = "SimulationError";
}

/**
 * Holds that something is so.
 *
 * @param holds Whether it is.
 * @param problem What there is otherwise, to be read behind "There is".
 * @param seen What to show along with it.
 * @throws {SimulationError} If it is not.
 */
export function check(holds: boolean, problem: string, seen?: unknown): asserts holds {
  if (holds) return;
  const shown = seen === undefined ? "" : `: ${Deno.inspect(seen, { depth: 3 })}`;
  throw new SimulationError(`There is ${problem}${shown}`);
}
