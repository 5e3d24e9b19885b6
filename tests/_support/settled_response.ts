/**
 * Responses that take more than promises: what hashes, compresses or loads a module goes on in the
 * runtime, and tells nobody when it is through.
 */

import type { RawResponse } from "./raw_response.ts";
import { type HarnessClient, type ServerHarness, turn } from "./server_harness.ts";

/** Milliseconds of real time that a response may take. */
const TIMEOUT_MS = 10_000;

/**
 * Waits for a condition, letting everything run in between.
 *
 * @throws {Error} If it does not come true in time.
 */
export async function settled(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + TIMEOUT_MS;
  while (!await condition()) {
    if (performance.now() > deadlineMs) throw new Error("Cannot go on: the condition stays false");
    await turn();
  }
}

/** Waits for the next response on a connection. */
export async function settledResponse(client: HarnessClient, isHead = false): Promise<RawResponse> {
  let response: RawResponse | undefined;
  await settled(async () => (response = await client.maybeResponse(isHead)) !== undefined);
  return response!;
}

/** Sends one request on a connection of its own and waits for the response. */
export async function settledRequest(
  harness: ServerHarness,
  data: string,
  isHead = false,
): Promise<RawResponse> {
  return await settledResponse(await harness.open(data), isHead);
}
