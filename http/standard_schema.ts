/**
 * What a schema library has to offer to be used here: version 1 of the Standard
 * Schema interface (https://standardschema.dev), as zod, valibot, arktype and
 * others implement it. A schema of theirs is given as it is.
 *
 * @typeParam Input Type of what is validated.
 * @typeParam Output Type of what validation makes of it.
 *
 * @example A schema by hand
 * ```ts
 * import type { StandardSchema } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const port: StandardSchema<string, number> = {
 *   "~standard": {
 *     version: 1,
 *     vendor: "example",
 *     validate(value) {
 *       const port = Number(value);
 *       return port > 0 && port < 65_536 ? { value: port } : { issues: [{ message: "No port" }] };
 *     },
 *   },
 * };
 * assertEquals(port["~standard"].validate("80"), { value: 80 });
 * ```
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  /** What there is of a schema for others than its own library. */
  readonly "~standard": StandardSchemaProperties<Input, Output>;
}

/** What a {@linkcode StandardSchema} has to offer. */
export interface StandardSchemaProperties<Input = unknown, Output = Input> {
  /** Version of the interface. */
  readonly version: 1;
  /** Name of the library. */
  readonly vendor: string;
  /** Validates a value of any type. */
  readonly validate: (
    value: unknown,
  ) => StandardSchemaResult<Output> | Promise<StandardSchemaResult<Output>>;
  /** For the compiler only; never set. */
  readonly types?: StandardSchemaTypes<Input, Output> | undefined;
}

/** The types of a {@linkcode StandardSchema}, for the compiler. */
export interface StandardSchemaTypes<Input = unknown, Output = Input> {
  /** Type of what is validated. */
  readonly input: Input;
  /** Type of what validation makes of it. */
  readonly output: Output;
}

/** What validation gives: a value, or the issues with it. */
export type StandardSchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardSchemaIssue[] };

/** One thing that is wrong with a value. */
export interface StandardSchemaIssue {
  /** What is wrong, for people. */
  readonly message: string;
  /** Keys on the way to what is wrong, from the outside; none for the value itself. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Type of what a schema makes of a value. */
export type SchemaOutput<Schema> = Schema extends StandardSchema<unknown, infer Output> ? Output
  : never;
