// The whole `Client`, as anybody would use it.
import { Client } from "@nbio/net/http";
import { serveRuns } from "./loop.mjs";
import { lengthOf, type Run } from "./run.ts";

await serveRuns((run: Run) => {
  const { urls, concurrency, uploadBytes } = run;
  const client = new Client({ maxConnectionsPerHost: concurrency });
  const options = uploadBytes === 0 ? undefined : { body: new Uint8Array(uploadBytes).fill(0x62) };
  return {
    async ask(worker: number): Promise<number> {
      const url = urls[worker % urls.length]!;
      const response = await (options === undefined ? client.get(url) : client.post(url, options));
      return lengthOf(run, await response.bytes());
    },
    close: () => client.close(),
  };
});
