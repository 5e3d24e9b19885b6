import { textOf } from "./raw_bytes.ts";

/** A response as it stood on the wire, read by {@linkcode parseResponse}. */
export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  /** `"1.0"` or `"1.1"`. */
  readonly version: string;
  /** Field lines in order, names as sent. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The body with its transfer coding removed. */
  readonly body: string;
  /** Field lines of the trailer section. */
  readonly trailers: readonly (readonly [name: string, value: string])[];
  /** How the end of the body was found. */
  readonly framing: "none" | "length" | "chunked" | "close";
}

/** The server sent what is no HTTP response. */
export class MalformedResponseError extends Error {
  override readonly name = "MalformedResponseError";
}

/** How {@linkcode parseResponse} is to read. */
export interface ParseResponseOptions {
  /** Whether the response answers HEAD, so that no body follows. */
  readonly isHead: boolean;
  /** Whether the server has ended its side: nothing more comes. */
  readonly isEnded: boolean;
}

/** A response and the offset behind it. */
export interface ParsedResponse {
  readonly response: RawResponse;
  readonly end: number;
}

const STATUS_LINE = /^HTTP\/(1\.[01]) ([1-5][0-9][0-9]) ([\t\x20-\x7e\x80-\xff]*)$/;
const FIELD_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[\t ]*([\t\x20-\x7e\x80-\xff]*?)[\t ]*$/;

/**
 * Reads one response from the start of `bytes`. Written without any code of the
 * package, so that a mistake there cannot hide itself here.
 *
 * @param bytes What has come and was not read yet.
 * @param options The request's method, and whether more can come.
 * @returns The response, or `undefined` if more bytes are needed.
 * @throws {MalformedResponseError} If the bytes are no response.
 */
export function parseResponse(
  bytes: Uint8Array,
  options: ParseResponseOptions,
): ParsedResponse | undefined {
  const text = textOf(bytes);
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const lines = text.slice(0, headEnd).split("\r\n");
  const start = STATUS_LINE.exec(lines[0]!);
  if (start === null) throw new MalformedResponseError(`Bad status line ${quote(lines[0]!)}`);
  const fields = lines.slice(1).map(parseField);
  const head = { status: Number(start[2]), reason: start[3]!, version: start[1]!, fields };
  const bodyStart = headEnd + 4;
  const body = parseBody(text, bodyStart, head, options);
  if (body === undefined) return undefined;
  const { end, ...rest } = body;
  return { response: { ...head, ...rest }, end };
}

/** The values of one field, joined with a comma; `undefined` without any. */
export function fieldOf(response: RawResponse, name: string): string | undefined {
  return valueOf(response.fields, name);
}

type Fields = RawResponse["fields"];
type Body = Pick<RawResponse, "body" | "trailers" | "framing"> & { readonly end: number };

function valueOf(fields: Fields, name: string): string | undefined {
  const values = fields.filter(([key]) => key.toLowerCase() === name.toLowerCase());
  return values.length === 0 ? undefined : values.map(([, value]) => value).join(", ");
}

function parseField(line: string): readonly [string, string] {
  const match = FIELD_LINE.exec(line);
  if (match === null) throw new MalformedResponseError(`Bad field line ${quote(line)}`);
  return [match[1]!, match[2]!];
}

function parseBody(
  text: string,
  start: number,
  head: Pick<RawResponse, "status" | "fields">,
  { isHead, isEnded }: ParseResponseOptions,
): Body | undefined {
  const { status, fields } = head;
  if (isHead || status < 200 || status === 204 || status === 304) {
    return { body: "", trailers: [], framing: "none", end: start };
  }
  const coding = valueOf(fields, "transfer-encoding");
  const length = valueOf(fields, "content-length");
  if (coding !== undefined) {
    if (coding.toLowerCase() !== "chunked" || length !== undefined) {
      throw new MalformedResponseError(`Bad framing: ${quote(coding)}, length ${length}`);
    }
    return parseChunks(text, start);
  }
  if (length !== undefined) {
    if (!/^[0-9]+$/.test(length)) throw new MalformedResponseError(`Bad length ${quote(length)}`);
    const end = start + Number(length);
    if (end > text.length) return undefined;
    return { body: text.slice(start, end), trailers: [], framing: "length", end };
  }
  if (!isEnded) return undefined;
  return { body: text.slice(start), trailers: [], framing: "close", end: text.length };
}

function parseChunks(text: string, start: number): Body | undefined {
  let body = "";
  for (let at = start;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const line = text.slice(at, lineEnd);
    if (!/^[0-9A-Fa-f]+$/.test(line)) {
      throw new MalformedResponseError(`Bad chunk size ${quote(line)}`);
    }
    const size = parseInt(line, 16);
    at = lineEnd + 2;
    if (size === 0) return parseTrailers(text, at, body);
    if (text.length < at + size + 2) return undefined;
    body += text.slice(at, at + size);
    at += size + 2;
    if (text.slice(at - 2, at) !== "\r\n") {
      throw new MalformedResponseError("Chunk ends without CRLF");
    }
  }
}

function parseTrailers(text: string, start: number, body: string): Body | undefined {
  const trailers: (readonly [string, string])[] = [];
  for (let at = start;;) {
    const lineEnd = text.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    if (lineEnd === at) return { body, trailers, framing: "chunked", end: at + 2 };
    trailers.push(parseField(text.slice(at, lineEnd)));
    at = lineEnd + 2;
  }
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 32));
}
