/** The error thrown by every failed assertion. */
export class AssertionError extends Error {
  /** Creates an assertion error. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}
