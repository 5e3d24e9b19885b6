// deno-lint-ignore-file explicit-module-boundary-types -- plain JavaScript, for Node and Bun too
// What every client does, in whatever runtime. A line of JSON says what a run is; the client gets
// warm and says so; the next line starts what is measured, and its end is told.
import { createInterface } from "node:readline";
import process from "node:process";

/**
 * @param open Makes a client for a run: `ask(worker)` asks once and gives the length of the body
 * that came; `close()` ends it.
 */
export async function serveRuns(open) {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  for (let line; !(line = await lines.next()).done;) {
    const run = JSON.parse(line.value);
    const client = await open(run);
    await askAll(client, run, run.warmUp);
    console.log("warm");
    await lines.next();
    await askAll(client, run, run.count);
    console.log("done");
    await client.close();
  }
}

async function askAll(client, { concurrency, expected }, count) {
  let left = count;
  const work = async (worker) => {
    while (left-- > 0) {
      const length = await client.ask(worker);
      if (length !== expected) throw new Error(`${length} bytes came, expected ${expected}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, (_, worker) => work(worker)));
}
