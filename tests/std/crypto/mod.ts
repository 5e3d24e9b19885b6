/**
 * Stand-in for `@std/crypto`: the functions this repository uses, with the names, signatures and
 * results of the published package. Resolved through `links` in `deno.json`.
 *
 * @module
 */

export * from "./timing_safe_equal.ts";
