/**
 * Lets the requests of one session store it one after the other, so that those of
 * one process never contend for it: a page may well send thirty at once.
 */
export class SessionQueue {
  /** What is last in the line of each session; sessions without a line are not in it. */
  readonly #tails: Map<string, Promise<void>> = new Map();

  /** Number of sessions with a line. */
  get size(): number {
    return this.#tails.size;
  }

  /**
   * Runs a task when those before it in the line of its session have ended.
   *
   * @param id Id of the session.
   * @param task What to run.
   * @returns What the task gives.
   */
  async run<T>(id: string, task: () => Promise<T>): Promise<T> {
    const ahead = this.#tails.get(id);
    const result = ahead === undefined ? task() : ahead.then(task);
    // Whoever comes next does not care how this one ended.
    const tail = result.then(() => {}, () => {});
    this.#tails.set(id, tail);
    try {
      return await result;
    } finally {
      if (this.#tails.get(id) === tail) this.#tails.delete(id);
    }
  }
}
