/**
 * The batch path of the server, the event core and a live server on the same
 * bytes: what one makes of them, the others have to make of them.
 */

import { assertEquals } from "@std/assert";
import { serve } from "../../http/serve.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { textOf } from "../_support/raw_bytes.ts";
import { compareMutated, disagreement, LENIENCES } from "./differential.ts";
import { compareLive, describeRequest } from "./differential_live.ts";
import { mutated } from "./mutation.ts";
import { readBatch } from "./transcript_batch.ts";
import { requestInputs, seedInputs, type VectorInput } from "./vector_inputs.ts";
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

/** In one piece, and in as many reads of the server as there are pieces. */
for (const pieceCount of [1, 7]) {
  Deno.test(`serve() makes of every input in ${pieceCount} what RequestReader makes of it`, async () => {
    assertEquals(await compareAllLive(INPUTS, pieceCount), []);
  });
}

Deno.test("serve() makes of 1,000 mutated inputs what RequestReader makes of them", async () => {
  const random = new SeededRandom(30);
  const seeds = seedInputs();
  const inputs = Array.from({ length: 1000 }, () => {
    const bytes = mutated(random, seeds);
    return { name: JSON.stringify(textOf(bytes)), bytes };
  });
  assertEquals(await compareAllLive(inputs, 3), []);
});

async function compareAllLive(
  inputs: readonly VectorInput[],
  pieceCount: number,
): Promise<string[]> {
  const lenience = { allowMissingHost: true };
  const options = { hostname: "127.0.0.1", port: 0, lenience, onError: () => {} };
  await using server = serve(describeRequest, options);
  const { hostname, port } = server.addr as Deno.NetAddr;
  const failures = await mapLive(inputs, async ({ name, bytes }) => {
    const transcript = readBatch([bytes.slice()], { lenience, isEnd: true });
    const failure = await compareLive({ hostname, port }, cut(bytes, pieceCount), transcript);
    return failure === undefined ? [] : [`${name}: ${failure}`];
  });
  return failures.flat();
}

function cut(bytes: Uint8Array, count: number): Uint8Array[] {
  const size = Math.ceil(bytes.length / count);
  return Array.from(
    { length: count },
    (_, index) => bytes.subarray(index * size, (index + 1) * size),
  );
}
