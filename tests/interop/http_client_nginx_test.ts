/** Our client against the ways in which nginx ends connections. */

import { Client, type ClientOptions } from "@nbio/net/http";
import { ConnectionClosedError } from "@nbio/net/nbio";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { errorOf } from "../_support/client_harness.ts";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { type ListeningProgram, whileListening } from "../_support/listening_program.ts";
import { eventually } from "../_support/peer.ts";
import { nginxPreamble, startNginx } from "./http_client_file_servers.ts";
import { sampleBytes } from "./interop_app.ts";

const ignore = !interopEnabled || !hasCommand("nginx");
const CONNECTION_COUNT = 16;
const MAX_RELOADS = 4;

/** One place for each habit; the hint of a time is its second argument. */
const PLACES = `
    keepalive_timeout 30s;
    client_max_body_size 0;
    location /hello { return 200 "hello from $pid\\n"; }
    location /few { keepalive_requests 3; return 200 few; }
    location /brief { keepalive_timeout 5ms; return 200 brief; }
    location /hinted { keepalive_timeout 30s 6s; return 200 hinted; }
    location /hinted-brief { keepalive_timeout 30s 4s; return 200 hinted; }
    location /never { keepalive_timeout 0; return 200 never; }
    location /silent { return 444; }
    location /refuse { return 403 refused; }
    location /moved { return 308 /hello; }
    location /limited { client_max_body_size 1k; proxy_pass http://127.0.0.1:1; }
    location /gone { proxy_pass http://127.0.0.1:1; }`;

function nginxTest(
  name: string,
  fn: (client: Client, program: ListeningProgram) => Promise<void>,
  options: ClientOptions = {},
): void {
  Deno.test({
    name: `Client asks nginx: ${name}`,
    ignore,
    async fn() {
      const start = ({ folder, port }: ListeningProgram) =>
        startNginx(
          folder,
          `${nginxPreamble(folder)}
  server {
    listen 127.0.0.1:${port} backlog=1024;
    ${PLACES}
  }
}`,
        );
      await whileListening(start, async (program) => {
        try {
          await using client = new Client({
            baseUrl: `http://127.0.0.1:${program.port}`,
            maxConnectionsPerHost: CONNECTION_COUNT,
            ...options,
          });
          await fn(client, program);
          const { connections, idle, queued, dialing } = client.stats();
          assertEquals([connections - idle, queued, dialing], [0, 0, 0]);
        } finally {
          await stop(program);
        }
      });
    },
  });
}

/** Its workers have to be told: of a master that is killed they know nothing. */
async function stop({ folder }: ListeningProgram): Promise<void> {
  const path = `${folder}/nginx.pid`;
  Deno.kill(Number(await Deno.readTextFile(path)), "SIGTERM");
  assert(await eventually(() => !Array.from(Deno.readDirSync(folder)).some(isPidFile)));
}

function isPidFile({ name }: Deno.DirEntry): boolean {
  return name === "nginx.pid";
}

/** Asks many times at once; gives how many were answered by connections that had been used. */
async function askAtOnce(client: Client, path: string, count: number): Promise<number> {
  const reused = await Promise.all(Array.from({ length: count }, async () => {
    const response = await client.get(path);
    assertEquals([response.status, response.attempts], [200, 1]);
    await response.text();
    return response.reused;
  }));
  return reused.filter((isReused) => isReused).length;
}

nginxTest("three requests for each connection", async (client) => {
  const reused: boolean[] = [];
  for (let count = 0; count < 9; count++) {
    const response = await client.get("/few");
    assertEquals(await response.text(), "few");
    reused.push(response.reused);
  }
  const three = [false, true, true];
  assertEquals(reused, [three, three, three].flat());
  // The last connections may have answered fewer.
  const reusedCount = await askAtOnce(client, "/few", 300);
  assert(reusedCount <= 200 && reusedCount > 200 - 2 * CONNECTION_COUNT, `${reusedCount} reused`);
});

nginxTest("connections that it closes after 5 ms without saying so", async (client) => {
  const workers = Array.from({ length: CONNECTION_COUNT }, async (_, worker) => {
    for (let index = 0; index < 30; index++) {
      // Every third asks elsewhere, and leaves its connection to die.
      const response = await client.get((worker + index) % 3 === 0 ? "/brief" : "/hello");
      assertEquals([response.status, response.attempts], [200, 1]);
      await response.text();
    }
  });
  await Promise.all(workers);
});

nginxTest("its hints, and the end of a connection after one answer", async (client) => {
  for (const [path, isKept] of [["/hinted-brief", 0], ["/never", 0], ["/hinted", 1]] as const) {
    await (await client.get(path)).text();
    assertEquals(client.stats().idle, isKept, path);
    await askAtOnce(client, path, 200);
    if (isKept === 0) assertEquals(client.stats().connections, 0, path);
  }
});

nginxTest("the end in place of an answer", async (client) => {
  const error = await errorOf(client.get("/silent", { retry: false }));
  assertInstanceOf(error, ConnectionClosedError);
  const retried = await errorOf(client.get("/silent", { retry: { baseDelayMs: 1 } }));
  assertInstanceOf(retried, ConnectionClosedError);
  const { attempts } = (retried as ConnectionClosedError & {
    readonly request: { readonly attempts: number };
  }).request;
  assertEquals(attempts, 3);
  await askAtOnce(client, "/hello", 50);
});

nginxTest("answers before the body of the request has left", async (client) => {
  const body = sampleBytes(8_000_000);
  for (const [path, status] of [["/refuse", 403], ["/limited", 413]] as const) {
    const answers = await Promise.all(Array.from({ length: 20 }, async () => {
      const response = await client.put(path, { body, retry: false });
      await response.text();
      return response.status;
    }));
    assertEquals(answers, Array.from({ length: 20 }, () => status));
  }
  const moved = await client.put("/moved", { body: body.slice(0, 100_000) });
  assertEquals([moved.redirects.length, moved.status], [1, 200]);
  await moved.text();
});

nginxTest("502, repeated as often as it is told to be", async (client) => {
  const retry = { statuses: [502], baseDelayMs: 1, maxRetries: 3 };
  const response = await client.get("/gone", { retry });
  assertEquals([response.status, response.attempts], [502, 4]);
  await response.discard();
});

nginxTest("a new configuration under load loses no request", async (client, { folder }) => {
  const master = Number(await Deno.readTextFile(`${folder}/nginx.pid`));
  const workers = new Set<string>();
  let reloadCount = 0;
  const hasAll = (): boolean => workers.size > MAX_RELOADS;
  await Promise.all(Array.from({ length: CONNECTION_COUNT }, async () => {
    for (let count = 0; count < 20_000 && !hasAll(); count++) {
      const response = await client.get("/hello");
      assertEquals(response.status, 200);
      workers.add(await response.text());
      if (workers.size <= reloadCount || reloadCount === MAX_RELOADS) continue;
      reloadCount++;
      Deno.kill(master, "SIGHUP");
    }
  }));
  assert(hasAll(), `${workers.size} workers`);
});
