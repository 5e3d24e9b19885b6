// This module is sans-I/O.

import { parseContentDisposition, type ParsedContentDisposition } from "./content_disposition.ts";
import { HttpProtocolError } from "./errors.ts";
import type { HeaderList } from "./header_list.ts";
import { baseFilename } from "./safe_filename.ts";

/** RFC 7578 section 4.4: what a part without a type is. */
const DEFAULT_TYPE = "text/plain";

/** What the head of a part of a form says. */
export interface MultipartPartHead {
  /** Name of the form field. */
  readonly name: string;
  /**
   * Last segment of the file's name; `undefined` for a field that is no file. It
   * may be empty: a form in which no file was chosen says so.
   */
  readonly filename: string | undefined;
  /** The Content-Type as sent; `text/plain` where there is none. */
  readonly type: string;
  /** The Content-Disposition, with the file's name as it was sent. */
  readonly disposition: ParsedContentDisposition;
  /** All header fields, as sent. */
  readonly headers: HeaderList;
}

/**
 * Reads the head of a part of `multipart/form-data` (RFC 7578 section 4).
 *
 * @param headers Header fields of the part.
 * @throws {HttpProtocolError} If it is not exactly one form field that it names.
 */
export function readPartHead(headers: HeaderList): MultipartPartHead {
  const values = headers.getAll("content-disposition");
  if (values.length !== 1) {
    throw badHead(`it has ${values.length} Content-Disposition fields, not one`);
  }
  const disposition = parseContentDisposition(decodeUtf8(values[0]!));
  if (disposition === undefined) throw badHead("its Content-Disposition is malformed");
  if (disposition.type !== "form-data") throw badHead("its disposition is not form-data");
  const { name, filename } = disposition;
  if (name === undefined) throw badHead("it names no field");
  return {
    name,
    filename: filename === undefined ? undefined : baseFilename(filename),
    type: headers.get("content-type") || DEFAULT_TYPE,
    disposition,
    headers,
  };
}

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * RFC 7578 section 5.1: names are sent in UTF-8, unescaped. Header values are
 * decoded byte by byte; here the bytes are put together again.
 */
function decodeUtf8(value: string): string {
  // deno-lint-ignore no-control-regex
  if (/^[\x00-\x7f]*$/.test(value)) return value;
  return utf8.decode(Uint8Array.from(value, (character) => character.charCodeAt(0)));
}

function badHead(reason: string): HttpProtocolError {
  return new HttpProtocolError("ERR_HTTP_BAD_MULTIPART", `Cannot parse head of part: ${reason}`);
}
