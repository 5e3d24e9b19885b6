import { encodeHex } from "@std/encoding/hex";
import { FileError } from "../nbio/file_error.ts";
import type { PositionalFile } from "../nbio/positional_file.ts";
import { type ByteRange, formatContentRange, selectRanges } from "./byte_range.ts";
import { addVary } from "./compression_rules.ts";
import { evaluateConditions, rangeApplies, type Validators } from "./conditional_request.ts";
import { formatContentDisposition } from "./content_disposition.ts";
import { formatHttpDate } from "./date.ts";
import { formatEntityTag } from "./entity_tag.ts";
import { HttpError } from "./errors.ts";
import { FileBody } from "./file_body.ts";
import { type FileBodyPlan, planMultipartRanges, planSinglePart } from "./file_multipart.ts";
import type { ResolvedFileOptions } from "./file_options.ts";
import { type FileRepresentation, validatorsOf } from "./file_representation.ts";
import type { Context } from "./server_context.ts";

/** Bodies up to this size are read at once, and leave with their head. */
const MAX_WHOLE_BYTES = 65_536;
const IMMUTABLE = "public, max-age=31536000, immutable";
/** The last instant that a date of HTTP can tell. */
const MAX_DATE_MS = 253_402_300_799_999;
const BOUNDARY_BYTES = 16;

/** Methods a file answers to. */
const METHODS = "GET, HEAD";
/** Of the system, which does not let this process read something. */
const FORBIDDEN = "PermissionDenied";

/** What a request for a file comes to. */
type FilePlan =
  | { readonly type: "not-modified" }
  | { readonly type: "whole" }
  | { readonly type: "partial"; readonly ranges: readonly ByteRange[] };

/** What is to be sent, and on whose behalf. */
export interface FileAnswer {
  /** The request. */
  readonly ctx: Context;
  /** What is sent. */
  readonly representation: FileRepresentation;
  /** The file that was asked for, by which it is saved. */
  readonly path: string;
  /** How. */
  readonly options: ResolvedFileOptions;
}

/**
 * @throws {HttpError} With 405, if a file does not answer to the method.
 */
export function checkFileMethod(ctx: Context): void {
  if (ctx.method === "GET" || ctx.method === "HEAD") return;
  throw new HttpError(405, "Method Not Allowed", { headers: [["allow", METHODS]] });
}

/**
 * What a failure is answered with: 403 where the system forbids to read, which says
 * nothing else about the server; itself otherwise.
 *
 * @param error What was thrown.
 */
export function fileFault(error: unknown): unknown {
  if (!(error instanceof FileError)) return error;
  const { cause } = error;
  const isForbidden = cause instanceof Error && cause.name === FORBIDDEN;
  return isForbidden ? new HttpError(403, "Forbidden", { cause: error }) : error;
}

/**
 * Answers with an open file: conditions, ranges, header fields and body. The file is
 * closed when it is not needed any more, at the latest with the body.
 *
 * @param answer What and how.
 * @throws {HttpError} With 412 or 416, if conditions or ranges say so.
 * @throws {FileError} If the file cannot be read.
 */
export async function answerWithFile(answer: FileAnswer): Promise<void> {
  const { ctx, representation: { file } } = answer;
  try {
    const nowMs = answer.options.clock.wallNow();
    const plan = planFile(answer, nowMs);
    const body = setHead(answer, plan, nowMs);
    if (plan.type === "not-modified" || ctx.method === "HEAD") await file.close();
    else await send(answer, body);
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** RFC 9110 section 13.2.2. */
function planFile({ ctx, representation, options }: FileAnswer, nowMs: number): FilePlan {
  const { method, headers } = ctx;
  const { size } = representation.status;
  const request = { method, headers, nowMs };
  const validators = validatorsOf(representation, options.etag, nowMs);
  const outcome = evaluateConditions(request, validators);
  if (outcome === "not-modified") return { type: "not-modified" };
  if (outcome === "precondition-failed") throw new HttpError(412, "The file is another one");
  if (!rangeApplies(request, validators)) return { type: "whole" };
  const { maxRangeCount } = options;
  const selection = selectRanges(headers.get("range"), size, { maxRangeCount });
  if (selection.type !== "unsatisfiable") return selection;
  throw new HttpError(416, "The file has no such bytes", {
    headers: [["content-range", formatContentRange(undefined, size)], ["accept-ranges", "bytes"]],
  });
}

async function send(answer: FileAnswer, body: FileBodyPlan): Promise<void> {
  const { ctx, options: { onProgress, pieceBytes }, path, representation: { file } } = answer;
  if (body.parts.length <= 1 && body.length <= MAX_WHOLE_BYTES) {
    return ctx.bytes(await readWhole(file, body));
  }
  const { signal } = ctx;
  // Nobody else would close the file for a client that has left meanwhile.
  signal.throwIfAborted();
  const totalBytes = body.length;
  ctx.stream(
    new FileBody(file, body, {
      pieceBytes,
      signal,
      // A middleware that takes the body for itself puts another one into its place.
      isSentAsItIs: (body) => ctx.response.committed && ctx.response.body === body,
      onProgress: onProgress && ((sentBytes) => onProgress({ ctx, path, sentBytes, totalBytes })),
    }),
  );
}

async function readWhole(file: PositionalFile, body: FileBodyPlan): Promise<Uint8Array> {
  const bytes = new Uint8Array(body.length);
  const count = await file.readAt(bytes, body.parts[0]?.range.first ?? 0);
  await file.close();
  // Nothing has left yet: the client can still be told.
  if (count < bytes.length) throw new HttpError(503, "The file is being changed");
  return bytes;
}

/** Sets status and header fields, and plans the body. */
function setHead(answer: FileAnswer, plan: FilePlan, nowMs: number): FileBodyPlan {
  const { ctx, representation, options } = answer;
  const { type, status: { size } } = representation;
  setCacheFields(answer, validatorsOf(representation, options.etag, nowMs));
  if (plan.type === "not-modified") {
    ctx.status = 304;
    return planSinglePart(0, 0);
  }
  setContentFields(answer);
  if (plan.type === "whole") {
    ctx.status = 200;
    return announce(ctx, planSinglePart(0, size));
  }
  ctx.status = 206;
  const [first, ...others] = plan.ranges;
  if (others.length === 0) {
    ctx.set("content-range", formatContentRange(first!, size));
    return announce(ctx, planSinglePart(first!.first, first!.last - first!.first + 1));
  }
  const boundary = encodeHex(crypto.getRandomValues(new Uint8Array(BOUNDARY_BYTES)));
  ctx.set("content-type", `multipart/byteranges; boundary=${boundary}`);
  return announce(ctx, planMultipartRanges(plan.ranges, { sizeBytes: size, type, boundary }));
}

function announce(ctx: Context, body: FileBodyPlan): FileBodyPlan {
  ctx.set("content-length", String(body.length));
  return body;
}

/** What a 304 repeats of a 200 (RFC 9110 section 15.4.5). */
function setCacheFields({ ctx, options }: FileAnswer, validators: Validators): void {
  const { etag, lastModifiedMs } = validators;
  if (etag !== undefined) ctx.set("etag", formatEntityTag(etag));
  if (lastModifiedMs !== undefined && lastModifiedMs >= 0 && lastModifiedMs <= MAX_DATE_MS) {
    ctx.set("last-modified", formatHttpDate(lastModifiedMs));
  }
  const isImmutable = options.immutable !== undefined && ctx.path.search(options.immutable) >= 0;
  const cacheControl = isImmutable ? IMMUTABLE : options.cacheControl;
  if (cacheControl !== "" && !ctx.response.headers.has("cache-control")) {
    ctx.set("cache-control", cacheControl);
  }
  // Of every file that might have another beside it, whether it has one today or not.
  if (options.codings.length > 0) addVary(ctx.response.headers);
}

function setContentFields({ ctx, representation, path, options }: FileAnswer): void {
  const { type, coding } = representation;
  ctx.set("accept-ranges", "bytes");
  ctx.set("content-type", type);
  if (coding !== undefined) ctx.set("content-encoding", coding);
  const { download } = options;
  if (download === false) return;
  const filename = typeof download === "string" ? download : path;
  ctx.set("content-disposition", formatContentDisposition("attachment", filename));
}
