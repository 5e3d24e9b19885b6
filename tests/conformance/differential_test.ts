/**
 * The batch path of the server, the event core and a live server on the same
 * bytes: what one makes of them, the others have to make of them.
 */

import { assertEquals } from "@std/assert";
import { serve } from "../../http/serve.ts";

import { compareMutated, disagreement, LENIENCES } from "./differential.ts";
import { compareLive, describeRequest } from "./differential_live.ts";
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
