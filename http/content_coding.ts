// This module is sans-I/O.

import { LimitExceededError } from "../nbio/errors.ts";
import { HttpError } from "./errors.ts";

/** A content coding that can be undone (RFC 9110 section 8.4.1, RFC 7932, RFC 8878). */
export type ContentCoding = "gzip" | "deflate" | "br" | "zstd";

/** RFC 9110 section 8.4.1.3: an old name of gzip. */
const CODINGS: ReadonlyMap<string, ContentCoding> = new Map([
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["deflate", "deflate"],
  ["br", "br"],
  ["zstd", "zstd"],
]);

/** What an answer with 415 says about codings (RFC 9110 section 12.5.3). */
const ACCEPTED = "gzip, deflate, br, zstd";

/**
 * The codings of a body, in the order in which they were applied.
 *
 * @param value Value of Content-Encoding, if any.
 * @param max Most codings; Infinity for no bound.
 * @returns The codings; none for `identity`, which is no coding.
 * @throws {HttpError} With 415 if one is unknown.
 * @throws {LimitExceededError} If there are more.
 */
export function parseContentCodings(value: string | undefined, max: number): ContentCoding[] {
  const { codings, unknown } = readCodings(value, max);
  if (unknown === undefined) return codings;
  throw new HttpError(415, `Cannot decode body: coding "${unknown.slice(0, 32)}" is unknown`, {
    headers: [["accept-encoding", ACCEPTED]],
  });
}

/**
 * The codings of a body, in the order in which they were applied, where all can be
 * undone.
 *
 * @param value Value of Content-Encoding, if any.
 * @param max Most codings; Infinity for no bound.
 * @returns The codings; none for `identity`, which is no coding, and `undefined` if
 * one is unknown.
 * @throws {LimitExceededError} If there are more.
 */
export function knownContentCodings(
  value: string | undefined,
  max: number,
): ContentCoding[] | undefined {
  const { codings, unknown } = readCodings(value, max);
  return unknown === undefined ? codings : undefined;
}

/** What is known up to the first that is not. */
function readCodings(
  value: string | undefined,
  max: number,
): { codings: ContentCoding[]; unknown: string | undefined } {
  const codings: ContentCoding[] = [];
  for (const item of (value ?? "").split(",")) {
    const name = item.trim().toLowerCase();
    if (name === "" || name === "identity") continue;
    const coding = CODINGS.get(name);
    if (coding === undefined) return { codings, unknown: name };
    if (codings.length === max) {
      throw new LimitExceededError(`Cannot decode body: it has more than ${max} content codings`, {
        limit: "maxContentCodings",
        max,
        statusHint: 415,
      });
    }
    codings.push(coding);
  }
  return { codings, unknown: undefined };
}

/**
 * Refuses a body that is coded and is not to be decoded: its bytes are not what its
 * type says.
 *
 * @param value Value of Content-Encoding, if any.
 * @throws {HttpError} With 415 if there is a coding.
 */
export function refuseContentCodings(value: string | undefined): void {
  const isCoded = value?.split(",").some((item) => !/^(?:identity)?$/i.test(item.trim()));
  if (isCoded !== true) return;
  throw new HttpError(415, "Cannot read body: it is encoded, and decoding is off", {
    headers: [["accept-encoding", "identity"]],
  });
}
