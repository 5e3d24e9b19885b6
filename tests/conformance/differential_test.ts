/**
 * The batch path of the server, the event core and a live server on the same
 * bytes: what one makes of them, the others have to make of them.
 */

import { assertEquals } from "@std/assert";
import { serve } from "../../http/serve.ts";
import type { Context } from "../../http/server_context.ts";
import { textOf } from "../_support/raw_bytes.ts";
import { type RawAddress, RawClient } from "../_support/raw_client.ts";
import type { RawResponse } from "../_support/raw_response.ts";
import { compareMutated, disagreement, LENIENCES } from "./differential.ts";
import type { Transcript, TranscriptMessage } from "./transcript.ts";
import { readBatch } from "./transcript_batch.ts";
import { requestInputs, seedInputs } from "./vector_inputs.ts";
import { mapLive } from "./vector_live.ts";

const INPUTS = requestInputs();

for (const lenience of LENIENCES) {
  const rules = Object.keys(lenience).join(", ") || "no lenience";
  Deno.test(`RequestReader and HttpConnection agree on every input with ${rules}`, () => {
    const disagreements = INPUTS.flatMap(({ name, bytes }) =>
      [false, true].flatMap((isEnd) => {
        const difference = disagreement([bytes], { lenience, isEnd });
        return difference === undefined ? [] : [`${name}: ${difference}`];
      })
    );
    assertEquals(disagreements, []);
  });
}

Deno.test("RequestReader and HttpConnection agree on 10,000 mutated inputs", () => {
  assertEquals(compareMutated(seedInputs(), { count: 10_000, seed: 20 }), []);
});

/** How many pieces an input goes out in: more than one reaches the server as more than one read. */
for (const pieceCount of [1, 7]) {
  Deno.test(`serve() makes of every input in ${pieceCount} what RequestReader makes of it`, async () => {
    const lenience = { allowMissingHost: true };
    const options = { hostname: "127.0.0.1", port: 0, lenience, onError: () => {} };
    await using server = serve(describeRequest, options);
    const { hostname, port } = server.addr as Deno.NetAddr;
    const failures = await mapLive(INPUTS, async ({ name, bytes }) => {
      const transcript = readBatch([bytes.slice()], { lenience, isEnd: true });
      const pieces = cut(bytes, pieceCount);
      const failure = await compareLive({ hostname, port }, pieces, transcript);
      return failure === undefined ? [] : [`${name}: ${failure}`];
    });
    assertEquals(failures.flat(), []);
  });
}

function cut(bytes: Uint8Array, count: number): Uint8Array[] {
  const size = Math.ceil(bytes.length / count);
  return Array.from(
    { length: count },
    (_, index) => bytes.subarray(index * size, (index + 1) * size),
  );
}

/** Answers with what the handler saw of the request. */
async function describeRequest(ctx: Context): Promise<void> {
  const headers = [...ctx.headers];
  const body = textOf(await ctx.body.bytes());
  ctx.json({ method: ctx.method, target: ctx.url, headers, body });
}

/** Sends the pieces and the end, and holds what comes back against the transcript. */
async function compareLive(
  address: RawAddress,
  pieces: readonly Uint8Array[],
  transcript: Transcript,
): Promise<string | undefined> {
  await using client = await RawClient.connect(address);
  const sending = sendAll(client, pieces);
  const complete = transcript.messages.filter((message) => message.isComplete);
  const responses: RawResponse[] = [];
  for (;;) {
    const { length } = responses;
    const isHead = length === transcript.messages.length
      ? length === 0 && textOf(pieces[0]!).startsWith("HEAD")
      : transcript.messages[length]?.method === "HEAD";
    const response = await client.response(isHead);
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
