// `ClientPool` over `ClientConnection`: what the client has below cookies, redirects and retries.
import { dialHttp } from "@nbio/net/http";
import { ClientPool } from "../../../http/client_pool.ts";
import { serveRuns } from "./loop.mjs";
import { lengthOf, requestOf, type Run } from "./run.ts";

await serveRuns((run: Run) => {
  const { urls, concurrency } = run;
  const pool = new ClientPool({ maxConnectionsPerHost: concurrency });
  const targets = urls.map((url) => ({ key: new URL(url).origin, dial: () => dialHttp(url) }));
  const request = requestOf(run);
  return {
    async ask(worker: number): Promise<number> {
      const lent = await pool.acquire(targets[worker % targets.length]!);
      const response = await lent.connection.exchange(request);
      const bytes = await response.bytes();
      if (!lent.connection.isReusable) await response.ended;
      lent.release();
      return lengthOf(run, bytes);
    },
    close: () => pool.close(),
  };
});
