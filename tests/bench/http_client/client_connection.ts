// `ClientConnection` alone, one for each worker: what the whole client cannot go below.
import { ClientConnection, dialHttp } from "@nbio/net/http";
import { serveRuns } from "./loop.mjs";
import { lengthOf, requestOf, type Run } from "./run.ts";

async function connect(url: string): Promise<ClientConnection> {
  return new ClientConnection((await dialHttp(url)).transport);
}

await serveRuns(async (run: Run) => {
  const { urls, concurrency } = run;
  const connections = await Promise.all(
    Array.from({ length: concurrency }, (_, worker) => connect(urls[worker % urls.length]!)),
  );
  const request = requestOf(run);
  return {
    async ask(worker: number): Promise<number> {
      const response = await connections[worker]!.exchange(request);
      return lengthOf(run, await response.bytes());
    },
    close(): void {
      for (const connection of connections) connection.close();
    },
  };
});
