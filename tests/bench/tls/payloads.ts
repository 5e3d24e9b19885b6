/** Body of the small answer. */
export const GREETING = "Hello, World!";

/** Bytes of the large one. */
export const BULK_BYTES: number = 100 * 1_048_576;
