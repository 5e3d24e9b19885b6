import { openRegularFile } from "../nbio/file_info.ts";
import { HttpError } from "./errors.ts";
import { answerWithFile, checkFileMethod, fileFault } from "./file_answer.ts";
import { type FileOptions, resolveFileOptions } from "./file_options.ts";
import { openRepresentation } from "./file_representation.ts";
import type { Context } from "./server_context.ts";

/**
 * Answers with a file: its media type, `ETag` and `Last-Modified`, the conditions of
 * the request in the order of RFC 9110 section 13.2.2, ranges of bytes, one or several,
 * and what lies beside it compressed. It is read in large pieces, as fast as the client
 * takes them. If it shrinks while it is sent the connection is cut, so that the client
 * does not take what it got for the whole.
 *
 * The path is the caller's, and trusted: links are followed wherever they lead. For
 * paths that come from clients there is {@linkcode serveDir}.
 *
 * Permission: `--allow-read` for the file.
 *
 * @param ctx The request.
 * @param path The file.
 * @param options Types, caching, ranges, downloads.
 * @returns A promise that resolves when the answer is fixed; the body is sent
 * afterwards.
 * @throws {HttpError} With 404 if there is no such file, 403 if it cannot be read, 405
 * for methods other than GET and HEAD, 412 and 416 as the request has it.
 * @throws {FileError} If the file system fails otherwise.
 * @throws {RangeError} If an option is out of its range.
 *
 * @example A download under a name of its own
 * ```ts
 * import { Router, serveFile } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile({ suffix: ".txt" });
 * await Deno.writeTextFile(path, "hello, world");
 *
 * const app = new Router();
 * app.get("/report", (ctx) => serveFile(ctx, path, { download: "report.txt" }));
 * const response = await app.request("/report", { headers: { range: "bytes=7-" } });
 * assertEquals(response.status, 206);
 * assertEquals(response.headers.get("content-range"), "bytes 7-11/12");
 * assertEquals(await response.text(), "world");
 * await Deno.remove(path);
 * ```
 */
export async function serveFile(
  ctx: Context,
  path: string,
  options: FileOptions = {},
): Promise<void> {
  const resolved = resolveFileOptions(options);
  checkFileMethod(ctx);
  try {
    const accepted = ctx.headers.get("accept-encoding");
    const representation = await openRepresentation(path, accepted, resolved, openRegularFile);
    if (representation === undefined) throw new HttpError(404, "Not Found");
    await answerWithFile({ ctx, representation, path, options: resolved });
  } catch (error) {
    throw fileFault(error);
  }
}
