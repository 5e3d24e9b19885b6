import { SimulationError } from "./simulation_error.ts";

const MAX_LINES = 200;

/** An operation that has begun. */
export interface Operation {
  /** Tells its outcome, once. */
  end(outcome: string): void;
}

/**
 * What was begun and how it ended: every operation in exactly one outcome. It also keeps a digest
 * of everything that happened, by which two runs are compared.
 */
export class Ledger {
  readonly #now: () => number;
  readonly #open = new Map<number, string>();
  readonly #outcomes = new Map<string, number>();
  readonly #lines: string[] = [];
  #count = 0;
  #digest = 0x811c_9dc5;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** How many operations were begun. */
  get count(): number {
    return this.#count;
  }

  /** A number that two runs share only if the same happened at the same time. */
  get digest(): number {
    return this.#digest >>> 0;
  }

  /** How often each outcome was. */
  get outcomes(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#outcomes].toSorted(([a], [b]) => a < b ? -1 : 1));
  }

  /** What has begun and not ended. */
  get open(): readonly string[] {
    return [...this.#open.values()];
  }

  /** Begins an operation. */
  begin(label: string): Operation {
    const id = this.#count++;
    this.#open.set(id, label);
    this.note(`${label} begins`);
    return {
      end: (outcome) => {
        if (!this.#open.delete(id)) throw new SimulationError(`${label} ended twice`);
        this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
        this.note(`${label} ends: ${outcome}`);
      },
    };
  }

  /** Writes down what happened. */
  note(text: string): void {
    const line = `${this.#now().toFixed(3)} ${text}`;
    for (let at = 0; at < line.length; at++) {
      this.#digest = Math.imul(this.#digest ^ line.charCodeAt(at), 0x0100_0193);
    }
    if (this.#lines.push(line) > MAX_LINES) this.#lines.shift();
  }

  /** The last things that happened. */
  report(): string {
    return this.#lines.join("\n");
  }
}
