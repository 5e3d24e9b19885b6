/** Multipart bodies as text, and what a parser makes of them as text. */

import { HttpProtocolError } from "../../http/errors.ts";
import type { MultipartLimits } from "../../http/multipart_limits.ts";
import { MultipartParser } from "../../http/multipart_parser.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { textOf } from "./raw_bytes.ts";

/** A part with a name and further field lines. */
export function part(name: string, content: string, ...fields: string[]): string {
  const head = [`Content-Disposition: form-data; name="${name}"`, ...fields];
  return `${head.join("\r\n")}\r\n\r\n${content}`;
}

/** A part that is a file. */
export function filePart(name: string, filename: string, content: string): string {
  const disposition = `Content-Disposition: form-data; name="${name}"; filename="${filename}"`;
  return `${disposition}\r\nContent-Type: application/octet-stream\r\n\r\n${content}`;
}

/** A body of parts between lines with the boundary. */
export function multipart(boundary: string, parts: readonly string[]): string {
  return parts.map((text) => `--${boundary}\r\n${text}\r\n`).join("") + `--${boundary}--\r\n`;
}

/** One part as a parser told it. */
export interface SeenPart {
  readonly name: string;
  readonly filename: string | undefined;
  readonly type: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  content: string;
  isWhole: boolean;
}

/** All that a parser told of a body. */
export interface Seen {
  readonly parts: readonly SeenPart[];
  /** `end`, `more`, the code of an error, or the limit that was passed. */
  readonly outcome: string;
  readonly statusHint: number | undefined;
}

/** Feeds a parser and writes down what it tells. */
export function parseAll(
  boundary: string,
  chunks: readonly Uint8Array[],
  limits: MultipartLimits = {},
  isEnd = true,
): Seen {
  const parser = new MultipartParser(boundary, limits);
  const parts: SeenPart[] = [];
  let outcome = "more";
  const pull = () => {
    for (let event; (event = parser.nextEvent()) !== undefined;) {
      const last = parts.at(-1);
      if (event.type === "part") {
        const { name, filename, type, headers } = event.head;
        parts.push({ name, filename, type, headers: [...headers], content: "", isWhole: false });
      } else if (event.type === "data") last!.content += textOf(event.bytes);
      else if (event.type === "part-end") last!.isWhole = true;
      else outcome = "end";
    }
  };
  try {
    for (const chunk of chunks) {
      parser.receive(chunk);
      pull();
    }
    if (isEnd) parser.receiveEnd();
    pull();
    return { parts, outcome, statusHint: undefined };
  } catch (error) {
    if (error instanceof HttpProtocolError) {
      return { parts, outcome: error.code, statusHint: error.statusHint };
    }
    if (error instanceof LimitExceededError) {
      return { parts, outcome: error.limit, statusHint: error.statusHint };
    }
    throw error;
  }
}
