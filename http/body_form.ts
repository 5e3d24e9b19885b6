import type { BodyDecodingOptions } from "./body_content_decoding.ts";
import { MultipartReader } from "./body_multipart.ts";
import type { BodySource } from "./body_incoming.ts";
import { charsetDecoder } from "./_charset_decoder.ts";
import { parseContentType } from "./content_type.ts";
import { HttpError } from "./errors.ts";
import { parseFormUrlEncoded } from "./form_urlencoded.ts";
import { isMultipartBoundary } from "./multipart_delimiter.ts";
import type { MultipartLimits } from "./multipart_limits.ts";

/** Options of `ctx.body.multipart()`. */
export interface MultipartOptions extends MultipartLimits, BodyDecodingOptions {
  /**
   * Bytes of the whole body, decoded or not; more is refused with 413, at once where
   * Content-Length says so. 0 or Infinity for no bound: what is read is not kept.
   *
   * @default {0}
   */
  readonly maxBytes?: number;
}

/** Options of `ctx.body.form()`. */
export interface FormOptions extends MultipartLimits, BodyDecodingOptions {
  /**
   * Bytes of the whole form, decoded or not; more is refused with 413, at once where
   * Content-Length says so. 0 or Infinity for no bound.
   *
   * @default {16777216}, or what `maxBodyBytes` of the server says
   */
  readonly maxBytes?: number;
  /**
   * Fields of an urlencoded form; more are refused with 413. 0 or Infinity for no
   * bound. For a multipart form see `maxParts`.
   *
   * @default {1000}
   */
  readonly maxFields?: number;
}

/** What a body must be to be read as a form. */
export type FormFormat =
  | { readonly type: "urlencoded"; readonly charset: string }
  | { readonly type: "multipart"; readonly boundary: string };

const URLENCODED = "application/x-www-form-urlencoded";
const MULTIPART = "multipart/form-data";

/**
 * Which kind of form a body is.
 *
 * @param type Value of its Content-Type, if any.
 * @param accepted The media types that will do.
 * @throws {HttpError} With 415 if it is none of them, or its charset is unknown, with
 * 400 if its boundary is missing or can be none.
 */
export function formFormat(type: string | undefined, accepted: readonly string[]): FormFormat {
  const parsed = type === undefined ? undefined : parseContentType(type);
  if (parsed === undefined || !accepted.includes(parsed.type)) {
    throw new HttpError(415, `Cannot read form: its type is not ${accepted.join(" or ")}`, {
      headers: [["accept", accepted.join(", ")]],
    });
  }
  if (parsed.type === URLENCODED) {
    const charset = parsed.parameters.get("charset");
    const { encoding } = charsetDecoder(charset && `${parsed.type}; charset="${charset}"`);
    return { type: "urlencoded", charset: encoding };
  }
  const boundary = parsed.parameters.get("boundary") ?? "";
  if (!isMultipartBoundary(boundary)) {
    throw new HttpError(400, "Cannot read form: its boundary is missing or malformed");
  }
  return { type: "multipart", boundary };
}

/** The kinds of forms that `form()` reads. */
export const FORM_TYPES: readonly string[] = [URLENCODED, MULTIPART];
/** The kind that `multipart()` reads. */
export const MULTIPART_TYPES: readonly string[] = [MULTIPART];

/**
 * Makes a form of an urlencoded body.
 *
 * @throws {HttpProtocolError} If it is malformed.
 * @throws {LimitExceededError} If it has too many fields.
 */
export function urlencodedForm(bytes: Uint8Array, charset: string, options: FormOptions): FormData {
  const { maxFields } = options;
  const form = new FormData();
  const fields = parseFormUrlEncoded(bytes, {
    charset,
    ...maxFields !== undefined && { maxFields },
  });
  for (const [name, value] of fields) form.append(name, value);
  return form;
}

/** Collects a multipart form in memory: text for fields, a `File` for each file. */
export async function multipartForm(
  source: BodySource,
  boundary: string,
  options: FormOptions,
  maxBytes: number,
): Promise<FormData> {
  const form = new FormData();
  const reader = new MultipartReader(source, boundary, options, maxBytes, maxBytes);
  for await (const part of reader.parts()) {
    if (part.filename === undefined) {
      form.append(part.name, await part.text());
    } else {
      const { type } = part;
      form.append(part.name, new File([await part.bytes()], part.filename, { type }));
    }
  }
  return form;
}
