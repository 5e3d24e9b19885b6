import type { Transport } from "../../nbio/transport.ts";
import { parseResponse, type RawResponse } from "../_support/raw_response.ts";
import { joinBytes } from "./http_plan.ts";

const RECEIVE_BYTES = 2_048;

/** The head of a request. */
export function requestHead(start: string, fields: readonly string[]): string {
  return [`${start} HTTP/1.1`, "Host: raw.sim", ...fields, "", ""].join("\r\n");
}

/** Reads to the end of the stream. */
export async function receiveToEnd(transport: Transport): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const buffer = new Uint8Array(RECEIVE_BYTES);
  for (let count; (count = await transport.read(buffer)) !== null;) {
    pieces.push(buffer.slice(0, count));
  }
  return joinBytes(pieces);
}

/** Reads to the end of the stream, and whole responses; what was broken off is dropped. */
export async function receiveAll(
  transport: Transport,
  maxCount: number,
): Promise<{ responses: RawResponse[]; rest: Uint8Array }> {
  let rest = await receiveToEnd(transport);
  const responses: RawResponse[] = [];
  while (responses.length < maxCount) {
    const parsed = parseResponse(rest, { isHead: false, isEnded: true });
    if (parsed === undefined) return { responses, rest: rest.subarray(rest.length) };
    responses.push(parsed.response);
    rest = rest.subarray(parsed.end);
  }
  return { responses, rest };
}
