import type { ExchangeRequest } from "@nbio/net/http";

/** What a client of ours is told about a run; see `loop.mjs`. */
export interface Run {
  /** What is asked for, by the workers in turn. */
  readonly urls: readonly string[];
  /** Bytes that are sent; 0 for a GET. */
  readonly uploadBytes: number;
  /** Requests under way at a time. */
  readonly concurrency: number;
  /** Bytes that come back, or the number that does. */
  readonly expected: number;
}

/** The request of a run, built once. */
export function requestOf({ urls, uploadBytes }: Run): ExchangeRequest {
  const { host, pathname: target } = new URL(urls[0]!);
  const headers = [["host", host]] as const;
  if (uploadBytes === 0) return { target, headers };
  return { method: "POST", target, headers, body: new Uint8Array(uploadBytes).fill(0x62) };
}

/** What a worker gives back: the length of a download, or what an upload was counted to. */
export function lengthOf({ uploadBytes }: Run, bytes: Uint8Array): number {
  return uploadBytes === 0 ? bytes.length : Number(new TextDecoder().decode(bytes));
}
