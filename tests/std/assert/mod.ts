/**
 * Stand-in for `@std/assert`: the functions this repository uses, with the names, signatures and
 * thrown classes of the published package. Resolved through `links` in `deno.json`.
 *
 * @module
 */

export * from "./assertion_error.ts";
export * from "./conditions.ts";
export * from "./equality.ts";
export * from "./order.ts";
export * from "./text.ts";
export * from "./throws.ts";
