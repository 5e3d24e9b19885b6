/**
 * {@linkcode FormDataWriter}: a form as `multipart/form-data`, piece by piece.
 *
 * @module
 */

import { encodeHex } from "@std/encoding/hex";
import { blobChunks } from "./_blob_chunks.ts";
import { concatBytes } from "./_concat_bytes.ts";
import { isMultipartBoundary } from "./multipart_delimiter.ts";

/** Options of {@linkcode FormDataWriter}. */
export interface FormDataWriterOptions {
  /**
   * What stands between the parts: 1 to 70 characters of RFC 2046 section 5.1.1.
   * Nothing in the form may contain it, which only chance sees to: leave the choice
   * to the default unless a test needs it.
   *
   * @default {32 random hexadecimal digits behind a prefix}
   */
  readonly boundary?: string;
}

const RANDOM_BYTES = 16;
/** RFC 9110 section 8.3.1: a token needs no quotes. */
const TOKEN = /^[0-9A-Za-z!#$%&'*+.^_`|~-]+$/;
const CRLF = Uint8Array.of(0x0d, 0x0a);
const ENCODER = new TextEncoder();

/** One part: its head, then its content. */
interface EncodedPart {
  readonly head: Uint8Array<ArrayBuffer>;
  readonly content: Uint8Array<ArrayBuffer> | Blob;
}

/**
 * Writes a form as `multipart/form-data` (RFC 7578), in the way of browsers: line
 * ends of names and texts become CRLF, and in names a quote becomes `%22`, CR `%0D`
 * and LF `%0A`. The length is known before a byte is written; files are read as
 * they are sent, and never held as a whole.
 *
 * @example What is sent
 * ```ts
 * import { FormDataWriter } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const form = new FormData();
 * form.set("title", "A cat");
 * form.set("photo", new File(["meow"], "cat.txt", { type: "text/plain" }));
 * const writer = new FormDataWriter(form, { boundary: "b" });
 * let text = "";
 * for await (const chunk of writer.chunks()) text += new TextDecoder().decode(chunk);
 * assertEquals(writer.length, text.length);
 * assertEquals(text.split("\r\n").slice(0, 4), [
 *   "--b",
 *   'Content-Disposition: form-data; name="title"',
 *   "",
 *   "A cat",
 * ]);
 * ```
 */
export class FormDataWriter {
  /** The Content-Type, with the boundary. */
  readonly contentType: string;
  /** Bytes in all. */
  readonly length: number;
  readonly #parts: EncodedPart[] = [];
  readonly #end: Uint8Array<ArrayBuffer>;

  /**
   * Takes a form as it is now: what is set in it later is not sent.
   *
   * @param form The fields and files. The contents of files are not copied.
   * @param options The boundary.
   * @throws {TypeError} If the boundary is not one.
   */
  constructor(form: FormData, options: FormDataWriterOptions = {}) {
    const { boundary = randomBoundary() } = options;
    if (!isMultipartBoundary(boundary)) {
      const shown = JSON.stringify(boundary.slice(0, 32));
      throw new TypeError(`Cannot write form: ${shown} is no boundary`);
    }
    const parameter = TOKEN.test(boundary) ? boundary : `"${boundary}"`;
    this.contentType = `multipart/form-data; boundary=${parameter}`;
    this.#end = ENCODER.encode(`--${boundary}--\r\n`);
    let length = this.#end.length;
    for (const [name, value] of form) {
      const part = encodePart(boundary, name, value);
      length += part.head.length + sizeOf(part.content) + CRLF.length;
      this.#parts.push(part);
    }
    this.length = length;
  }

  /**
   * The bytes, from the beginning with every call.
   *
   * @returns The chunks, at least one byte each. They must not be changed.
   * @throws {DOMException} If a file cannot be read, while it is.
   */
  async *chunks(): AsyncIterableIterator<Uint8Array<ArrayBuffer>> {
    for (const { head, content } of this.#parts) {
      if (content instanceof Uint8Array) {
        // Fields are small: one write each.
        const length = head.length + content.length + CRLF.length;
        yield concatBytes([head, content, CRLF], length);
        continue;
      }
      yield head;
      yield* blobChunks(content);
      yield CRLF;
    }
    yield this.#end;
  }
}

function randomBoundary(): string {
  return `----nbio-${encodeHex(crypto.getRandomValues(new Uint8Array(RANDOM_BYTES)))}`;
}

function encodePart(boundary: string, name: string, value: string | File): EncodedPart {
  let head = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(name)}"`;
  if (typeof value === "string") {
    head += "\r\n\r\n";
    return { head: ENCODER.encode(head), content: ENCODER.encode(withCrlf(value)) };
  }
  // A type of a Blob is printable ASCII or empty.
  const type = value.type || "application/octet-stream";
  head += `; filename="${escapeQuotes(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`;
  return { head: ENCODER.encode(head), content: value };
}

function escapeName(name: string): string {
  return escapeQuotes(withCrlf(name));
}

/** Names of files keep their line ends, as they came. */
function escapeQuotes(text: string): string {
  return text.replaceAll("\r", "%0D").replaceAll("\n", "%0A").replaceAll('"', "%22");
}

function withCrlf(text: string): string {
  return text.replace(/\r\n?|\n/g, "\r\n");
}

function sizeOf(content: Uint8Array | Blob): number {
  return content instanceof Uint8Array ? content.length : content.size;
}
