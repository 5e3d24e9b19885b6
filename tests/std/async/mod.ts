/**
 * Stand-in for `@std/async`: the functions this repository uses, with the names, signatures and
 * thrown classes of the published package. Resolved through `links` in `deno.json`.
 *
 * @module
 */

export * from "./delay.ts";
