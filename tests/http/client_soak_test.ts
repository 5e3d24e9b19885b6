import { assert, assertEquals } from "@std/assert";
import { soakClient } from "../sim/http_client_soak.ts";

const REQUEST_COUNT = 3_000;
const CONCURRENCY = 60;
/** Connections that the server has not yet seen the end of. */
const CLOSING_COUNT = 10;

Deno.test("Client survives a short soak with its faults", async () => {
  const options = { count: REQUEST_COUNT, concurrency: CONCURRENCY, seed: 1 };
  const { outcomes, maxConnectionCount } = await soakClient(options);
  const sum = Object.values(outcomes).reduce((total, count) => total + count, 0);
  assertEquals(sum, REQUEST_COUNT);
  assert(outcomes["answered"]! > REQUEST_COUNT * 0.97, JSON.stringify(outcomes));
  assert(Object.keys(outcomes).length > 5, JSON.stringify(outcomes));
  assert(maxConnectionCount <= CONCURRENCY / 2 + CLOSING_COUNT, `${maxConnectionCount}`);
});
