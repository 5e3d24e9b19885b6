import {
  FORM_TYPES,
  type FormFormat,
  formFormat,
  multipartForm,
  urlencodedForm,
} from "./body_form.ts";
import type { BodySource } from "./body_incoming.ts";
import { HttpError } from "./errors.ts";
import type { MultipartLimits } from "./multipart_limits.ts";

/** Bounds of a form in a response. */
export interface FormLimits extends MultipartLimits {
  /**
   * Fields of an urlencoded form; 0 or Infinity for no bound.
   *
   * @default {1_000}
   */
  readonly maxFields?: number;
}

/** A form that a server has sent, urlencoded or multipart. */
export class ClientForm {
  readonly #type: string | undefined;
  readonly #format: FormFormat;

  /**
   * @param type Value of its Content-Type, if any.
   * @throws {TypeError} If it is no form by that.
   */
  constructor(type: string | undefined) {
    this.#type = type;
    try {
      this.#format = formFormat(type, FORM_TYPES);
    } catch (error) {
      // That of a server, which says so by a status.
      throw error instanceof HttpError ? new TypeError(error.message) : error;
    }
  }

  /**
   * Takes it apart.
   *
   * @param bytes All of it.
   * @param limits Bounds.
   * @returns Text for fields, a `File` for each file.
   * @throws {HttpProtocolError} If it is malformed.
   * @throws {LimitExceededError} If it passes a bound.
   */
  async parse(bytes: Uint8Array, limits: FormLimits): Promise<FormData> {
    const format = this.#format;
    if (format.type === "urlencoded") return urlencodedForm(bytes, format.charset, limits);
    const source = new CollectedBody(bytes, this.#type);
    return await multipartForm(source, format.boundary, limits, Infinity);
  }
}

/** A body that is in memory already. */
class CollectedBody implements BodySource {
  readonly bodyLength: number;
  readonly bodyType: string | undefined;
  readonly bodyTrailers = undefined;
  #bytes: Uint8Array | undefined;

  constructor(bytes: Uint8Array, type: string | undefined) {
    this.bodyLength = bytes.length;
    this.bodyType = type;
    this.#bytes = bytes.length === 0 ? undefined : bytes;
  }

  get isBodyDone(): boolean {
    return this.#bytes === undefined;
  }

  peekBody(): number {
    return this.#bytes?.length ?? 0;
  }

  takeBody(): Uint8Array | undefined {
    const bytes = this.#bytes;
    this.#bytes = undefined;
    return bytes;
  }

  awaitBody(): Promise<void> {
    return Promise.resolve();
  }

  readBodyInto(): Promise<number> {
    return Promise.resolve(0);
  }
}
