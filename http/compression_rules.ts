// This module is sans-I/O.

import {
  type EntityTag,
  formatEntityTag,
  parseEntityTag,
  parseEntityTagList,
} from "./entity_tag.ts";
import type { HeaderList } from "./header_list.ts";

/** What decides whether an answer may be compressed. */
export interface CompressionCandidate {
  /** Method of the request. */
  readonly method: string;
  /** Status of the answer. */
  readonly status: number;
  /** Header fields of the answer. */
  readonly headers: HeaderList;
}

/** Types under `application/`, `image/` and so on that are text or otherwise not compressed. */
const COMPRESSIBLE: ReadonlySet<string> = new Set([
  "application/ecmascript",
  "application/graphql",
  "application/javascript",
  "application/json",
  "application/json5",
  "application/jsonl",
  "application/manifest+json",
  "application/ndjson",
  "application/rtf",
  "application/sql",
  "application/tar",
  "application/toml",
  "application/vnd.ms-fontobject",
  "application/wasm",
  "application/x-httpd-php",
  "application/x-javascript",
  "application/x-ndjson",
  "application/x-sh",
  "application/x-tar",
  "application/x-www-form-urlencoded",
  "application/xml",
  "application/yaml",
  "font/otf",
  "font/ttf",
  "image/bmp",
  "image/vnd.microsoft.icon",
  "image/x-icon",
  "model/gltf+json",
]);
const COMPRESSIBLE_SUFFIX = /\+(?:json|json-seq|text|xml|yaml)$/;

/** RFC 9110 section 15: no content, or not the whole of one. */
const NEVER: ReadonlySet<number> = new Set([204, 205, 206, 304]);
/**
 * What would be wrong of other bytes: RFC 9530 (and what came before it) has digests of the
 * content as it is sent.
 */
const FORBIDDING = [
  "content-encoding",
  "content-range",
  "content-digest",
  "repr-digest",
  "digest",
  "content-md5",
];

/**
 * Tells whether content of a media type gets smaller by compression: text of all kinds, JSON,
 * XML, and formats that are not compressed themselves.
 *
 * @param type A media type, with or without parameters.
 * @returns Whether it does, mostly.
 *
 * @example A page and a picture
 * ```ts
 * import { isCompressibleType } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(isCompressibleType("text/html; charset=utf-8"), true);
 * assertEquals(isCompressibleType("image/svg+xml"), true);
 * assertEquals(isCompressibleType("image/png"), false);
 * ```
 */
export function isCompressibleType(type: string): boolean {
  const essence = type.split(";", 1)[0]!.trim().toLowerCase();
  return essence.startsWith("text/") || COMPRESSIBLE.has(essence) ||
    COMPRESSIBLE_SUFFIX.test(essence);
}

/**
 * Whether an answer may be coded at all, whatever its type and size are.
 *
 * @param answer The answer.
 */
export function mayBeCompressed({ method, status, headers }: CompressionCandidate): boolean {
  if (status < 200 || NEVER.has(status)) return false;
  // RFC 9110 section 9.3.6: what follows is no content.
  if (method === "CONNECT" && status < 300) return false;
  if (FORBIDDING.some((name) => headers.has(name))) return false;
  // RFC 9111 section 5.2.2.6.
  return !lists(headers.get("cache-control"), "no-transform");
}

/**
 * Names `Accept-Encoding` among what the answer depends on (RFC 9110 section 12.5.5), once.
 *
 * @param headers Header fields of the answer.
 */
export function addVary(headers: HeaderList): void {
  const vary = headers.get("vary");
  if (lists(vary, "accept-encoding") || lists(vary, "*")) return;
  headers.append("vary", "Accept-Encoding");
}

/**
 * Says that an answer is coded. What holds for its bytes does not hold any more: its length, the
 * ranges that can be asked for, and that its entity tag is strong (RFC 9110 section 8.8.1).
 *
 * @param headers Header fields of the answer.
 * @param coding The coding.
 */
export function markCoded(headers: HeaderList, coding: string): void {
  headers.set("content-encoding", coding);
  headers.delete("content-length");
  headers.delete("accept-ranges");
  const tag = strongTag(headers);
  if (tag !== undefined) headers.set("etag", formatEntityTag({ ...tag, isWeak: true }));
}

/**
 * A 304 names the tag that the client's copy has (RFC 9111 section 4.3.4): a weak one, if that was
 * compressed.
 *
 * @param headers Header fields of the answer.
 * @param ifNoneMatch What the client has.
 */
export function weakenNotModified(headers: HeaderList, ifNoneMatch: string | undefined): void {
  const tag = strongTag(headers);
  if (tag === undefined || ifNoneMatch === undefined) return;
  const held = parseEntityTagList(ifNoneMatch);
  if (held === undefined || held === "*") return;
  const same = held.filter(({ value }) => value === tag.value);
  if (same.length === 0 || same.some(({ isWeak }) => !isWeak)) return;
  headers.set("etag", formatEntityTag({ ...tag, isWeak: true }));
}

function strongTag(headers: HeaderList): EntityTag | undefined {
  const tag = parseEntityTag(headers.get("etag") ?? "");
  return tag?.isWeak === false ? tag : undefined;
}

/** Whether a list-valued field has an item without parameters, in any case. */
function lists(value: string | undefined, item: string): boolean {
  if (value === undefined) return false;
  return value.toLowerCase().split(",").some((text) => text.trim() === item);
}
