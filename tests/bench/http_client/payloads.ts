/** Body of the smallest answer. */
export const GREETING = "Hello, World!";

/** Size of the download and of the upload. */
export const LARGE_BYTES = 1_048_576;

/** Hosts of the scenario with many. */
export const HOST_COUNT = 100;
