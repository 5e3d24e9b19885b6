import { HttpProblem } from "./problem_details.ts";
import type { StandardSchemaIssue } from "./standard_schema.ts";

/** A part of a request that is validated. */
export type ValidatedPart = "params" | "headers" | "query" | "body";

/** One thing that is wrong with a request, as the client is told in `errors`. */
export interface ValidationIssue {
  /** Where it is. */
  readonly in: ValidatedPart;
  /** JSON Pointer to it (RFC 6901), from the part; empty for the part itself. */
  readonly pointer: string;
  /** What is wrong. */
  readonly detail: string;
}

/** Text that schemas make of what clients send has no bound of its own. */
const MAX_TEXT_LENGTH = 256;

/**
 * A request that does not have the form it must have; see `validate`.
 *
 * @example What the client is told
 * ```ts
 * import { ValidationError } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const issue = { in: "query", pointer: "/page", detail: "Expected a number" } as const;
 * const error = new ValidationError(400, [issue]);
 * assertEquals(error.toProblem(), {
 *   title: "Bad Request",
 *   status: 400,
 *   detail: "Request is not valid",
 *   errors: [issue],
 * });
 * ```
 */
export class ValidationError extends HttpProblem {
  /** What is wrong. */
  readonly issues: readonly ValidationIssue[];

  /**
   * Makes the error.
   *
   * @param status Status of the answer, 400 to 599.
   * @param issues What is wrong.
   * @throws {RangeError} If the status is not an integer from 400 to 599.
   */
  constructor(status: number, issues: readonly ValidationIssue[]) {
    super({ status, detail: "Request is not valid", errors: issues });
    this.issues = issues;
  }
}

/**
 * An issue of a schema, as the client is told.
 *
 * @param part Where it is.
 * @param issue What the schema says.
 */
export function describeIssue(part: ValidatedPart, issue: StandardSchemaIssue): ValidationIssue {
  const { message, path = [] } = issue;
  return { in: part, pointer: cut(formatPointer(path)), detail: cut(message) };
}

function formatPointer(path: NonNullable<StandardSchemaIssue["path"]>): string {
  let pointer = "";
  for (const segment of path) {
    const key = String(typeof segment === "object" ? segment.key : segment);
    pointer += `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (pointer.length > MAX_TEXT_LENGTH) break;
  }
  return pointer;
}

function cut(text: string): string {
  return text.length > MAX_TEXT_LENGTH ? `${text.slice(0, MAX_TEXT_LENGTH)}...` : text;
}
