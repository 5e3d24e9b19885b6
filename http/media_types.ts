import { parseContentType } from "./content_type.ts";

/** Options of {@linkcode mediaTypeOf}. */
export interface MediaTypeOptions {
  /**
   * Media types by extensions in lower case without a dot, in front of those of the
   * table; a charset in them stays.
   *
   * @default {{}}
   */
  readonly types?: Readonly<Record<string, string>>;
  /**
   * The charset named with types of text that do not name one; `undefined` for none.
   *
   * @default {"utf-8"}
   */
  readonly charset?: string | undefined;
}

/** What nobody knows better (RFC 9110 section 8.3). */
const UNKNOWN = "application/octet-stream";
/** Text by another name, which has no charset of its own in its format. */
const TEXTUAL: ReadonlySet<string> = new Set([
  "application/javascript",
  "application/x-sh",
  "application/sql",
]);

/** The table's answer for a name. */
type Lookup = (name: string) => string | null;

let table: Promise<Lookup> | undefined;

/**
 * Tells the media type of a file by the extension of its name. The table is that of
 * the package `npm:mime`, made of those of IANA, Apache and nginx; it is loaded when
 * this is called first.
 *
 * @param name Name of the file, or its path.
 * @param options Types and a charset of one's own.
 * @returns The type, with a charset for text; `application/octet-stream` where the
 * extension is unknown, which browsers save instead of showing.
 * @throws {TypeError} If the package cannot be loaded.
 *
 * @example A page and something unknown
 * ```ts
 * import { mediaTypeOf } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await mediaTypeOf("a/index.html"), "text/html; charset=utf-8");
 * assertEquals(await mediaTypeOf("photo.JPG"), "image/jpeg");
 * assertEquals(await mediaTypeOf("LICENSE"), "application/octet-stream");
 * assertEquals(await mediaTypeOf("a.mine", { types: { mine: "image/x-mine" } }), "image/x-mine");
 * ```
 */
export async function mediaTypeOf(name: string, options: MediaTypeOptions = {}): Promise<string> {
  const { types = {} } = options;
  const charset = "charset" in options ? options.charset : "utf-8";
  const extension = extensionOf(name);
  if (extension === "") return UNKNOWN;
  if (Object.hasOwn(types, extension)) return withCharset(types[extension]!, charset);
  const lookup = await (table ??= loadTable());
  return withCharset(lookup(`x.${extension}`) ?? UNKNOWN, charset);
}

/**
 * Tells whether a media type is text of a kind that has a charset.
 *
 * @param type A media type, with or without parameters.
 * @returns Whether it is.
 *
 * @example A script and a picture
 * ```ts
 * import { isTextType } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isTextType("text/javascript"), true);
 * assertEquals(isTextType("image/png"), false);
 * ```
 */
export function isTextType(type: string): boolean {
  const essence = type.split(";", 1)[0]!.trim().toLowerCase();
  return essence.startsWith("text/") || TEXTUAL.has(essence);
}

async function loadTable(): Promise<Lookup> {
  const { default: mime } = await import("mime");
  return (name) => mime.getType(name);
}

/** In lower case, without its dot; empty without one, and for a name that is all extension. */
function extensionOf(name: string): string {
  const base = name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);
  const dot = base.lastIndexOf(".");
  return dot < 1 ? "" : base.slice(dot + 1).toLowerCase();
}

function withCharset(type: string, charset: string | undefined): string {
  if (charset === undefined || !isTextType(type)) return type;
  const parsed = parseContentType(type);
  return parsed === undefined || parsed.parameters.has("charset")
    ? type
    : `${type}; charset=${charset}`;
}
