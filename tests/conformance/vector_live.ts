/** Vectors against a live server: what one connection brings back. */

import { type RawAddress, RawClient, type RawEnd } from "../_support/raw_client.ts";
import type { RawResponse } from "../_support/raw_response.ts";
import { request } from "./http_case.ts";

const TIMEOUT_MS = 5000;
const CONCURRENCY = 16;

/** What came back. */
export interface LiveOutcome {
  /** All responses that answer the bytes sent, informational ones left out. */
  readonly responses: readonly RawResponse[];
  /** How the connection ended after them. */
  readonly end: RawEnd;
  /** Whether the server still answered a further request. */
  readonly isOpen: boolean;
  /** Whether bytes came that are no whole response. */
  readonly hasLeftover: boolean;
}

/** How {@linkcode exchange} goes on when the bytes are sent. */
export interface ExchangeOptions {
  /** Whether the first response answers HEAD. */
  readonly isHead?: boolean;
  /**
   * Whether the client ends its side: for bytes that are no whole request, which
   * the server would wait for.
   */
  readonly endsSide?: boolean;
}

/**
 * Sends each piece, waiting for a response in between, and finds out whether the
 * connection is open afterwards by one more request that asks for the close.
 */
export async function exchange(
  address: RawAddress,
  pieces: readonly Uint8Array[],
  options: ExchangeOptions = {},
): Promise<LiveOutcome> {
  await using client = await RawClient.connect(address, { timeoutMs: TIMEOUT_MS });
  const all: RawResponse[] = [];
  const take = async (): Promise<boolean> => {
    const response = await client.response(options.isHead === true && all.length === 0);
    if (response !== undefined && response.status >= 200) all.push(response);
    return response !== undefined;
  };
  for (const piece of pieces) {
    await client.send(piece);
    const { length } = all;
    if (options.endsSide) await client.sendEnd();
    else while (all.length === length && await take());
  }
  const marker = `/target/probe-${crypto.randomUUID()}`;
  if (!options.endsSide) await client.send(request("GET", marker, ["Connection: close"]));
  while (await take());
  const end = await client.closed();
  const responses = all.filter((response) => !response.body.includes(marker));
  const isOpen = responses.length < all.length;
  return { responses, end, isOpen, hasLeftover: client.leftover.length > 0 };
}

/** Runs `work` for every item, several at a time, and keeps their order. */
export async function mapLive<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      results[index] = await work(items[index]!);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return results;
}

/** Whether the outcome is a refusal: one 4xx or 501 or 505, then the end. */
export function isRefusal(outcome: LiveOutcome): boolean {
  const { responses, end, isOpen, hasLeftover } = outcome;
  const status = responses[0]?.status ?? 0;
  const isError = (status >= 400 && status < 500) || status === 501 || status === 505;
  return responses.length === 1 && isError && end === "eof" && !isOpen && !hasLeftover;
}

/** The outcome in a few words, for a table of differences. */
export function describeOutcome(outcome: LiveOutcome): string {
  const statuses = outcome.responses.map((response) => response.status).join(", ") || "none";
  return `${statuses}/${outcome.isOpen ? "open" : outcome.end === "eof" ? "closed" : outcome.end}`;
}
