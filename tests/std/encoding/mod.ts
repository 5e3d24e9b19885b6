/**
 * Stand-in for `@std/encoding`: the functions this repository uses, with the names, signatures
 * and thrown classes of the published package. Resolved through `links` in `deno.json`.
 *
 * @module
 */

export * from "./base64.ts";
export * from "./base64url.ts";
export * from "./hex.ts";
