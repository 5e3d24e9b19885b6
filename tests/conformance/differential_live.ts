/**
 * A live server and the parser of its batch path on the same bytes: what the
 * handler sees, and the status that follows, have to be what the parser says.
 */

import type { Context } from "../../http/server_context.ts";
import { textOf } from "../_support/raw_bytes.ts";
import { type RawAddress, RawClient } from "../_support/raw_client.ts";
import type { RawResponse } from "../_support/raw_response.ts";
import type { Transcript, TranscriptMessage } from "./transcript.ts";

/** Answers with what the handler saw of the request. */
export async function describeRequest(ctx: Context): Promise<void> {
  const headers = [...ctx.headers];
  const body = textOf(await ctx.body.bytes());
  ctx.json({ method: ctx.method, target: ctx.url, headers, body });
}

/** Sends the pieces and the end, and holds what comes back against the transcript. */
export async function compareLive(
  address: RawAddress,
  pieces: readonly Uint8Array[],
  transcript: Transcript,
): Promise<string | undefined> {
  await using client = await RawClient.connect(address);
  const sending = sendAll(client, pieces);
  const mayBeHead = pieces.map(textOf).join("").includes("HEAD");
  const complete = transcript.messages.filter((message) => message.isComplete);
  const responses: RawResponse[] = [];
  for (;;) {
    const message = transcript.messages[responses.length];
    // What is refused may be HEAD too, and is answered without a body then.
    const response = await client.response(message?.method === "HEAD") ??
      (message === undefined && mayBeHead ? await client.response(true) : undefined);
    if (response === undefined) break;
    if (response.status >= 200) responses.push(response);
  }
  await sending;
  const end = await client.closed();
  if (end !== "eof") return `ended with ${end}`;
  return compareMessages(complete, responses) ??
    compareRest(transcript, responses.slice(complete.length));
}

async function sendAll(client: RawClient, pieces: readonly Uint8Array[]): Promise<void> {
  for (const piece of pieces) await client.send(piece);
  await client.sendEnd();
}

function compareMessages(
  messages: readonly TranscriptMessage[],
  responses: readonly RawResponse[],
): string | undefined {
  for (const [index, message] of messages.entries()) {
    const response = responses[index];
    if (response === undefined) return `request ${index + 1} was not answered`;
    const { method, target, headers, body } = message;
    // There is no hook for tunnels.
    if (method === "CONNECT") {
      if (response.status !== 501) return `CONNECT got ${response.status}`;
    } else if (response.status !== 200) {
      return `request ${index + 1} got ${response.status}`;
    } else if (method !== "HEAD") {
      const seen = JSON.stringify({ method, target, headers, body });
      if (textOf(new TextEncoder().encode(seen)) !== response.body) {
        return `handler saw ${response.body}, parser ${seen}`;
      }
    }
  }
  return undefined;
}

/** What comes behind the answers to whole requests. */
function compareRest(
  { outcome, statusHint }: Transcript,
  rest: readonly RawResponse[],
): string | undefined {
  const statuses = rest.map((response) => response.status).join(", ");
  if (outcome === "complete") return statuses === "" ? undefined : `${statuses} came too many`;
  // The server upgrades nothing: what follows, to it, is a request or none.
  if (outcome === "upgrade") return undefined;
  // Nothing but an empty line came.
  if (outcome === "incomplete") return statuses === "" ? undefined : `${statuses} to nothing`;
  // A body may be too large for the handler as well as cut off.
  if (outcome.endsWith("TRUNCATED_MESSAGE") && statuses === "413") return undefined;
  return statuses === `${statusHint}`
    ? undefined
    : `got ${statuses || "nothing"}, wanted ${statusHint}`;
}
