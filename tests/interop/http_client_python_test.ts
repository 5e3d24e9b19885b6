/** Our client against the server of Python: in HTTP/1.0, where the end is the end of the body. */

import { Client } from "@nbio/net/http";
import { assertEquals } from "@std/assert";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { whileListening } from "../_support/listening_program.ts";
import { startPeer } from "../_support/peer.ts";
import { sampleBytes, sha256 } from "./interop_app.ts";

const ignore = !interopEnabled || !hasCommand("python3");
const SERVER = new URL("./http_client_python_peer.py", import.meta.url).pathname;
const REQUEST_COUNT = 200;
const LINES = Array.from({ length: 1_000 }, (_, index) => `${index}\n`).join("");

for (const version of ["1.0", "1.1"]) {
  const pythonTest = (name: string, fn: (client: Client) => Promise<void>): void => {
    Deno.test({
      name: `Client asks python http.server in HTTP/${version}: ${name}`,
      ignore,
      async fn() {
        await whileListening(
          ({ port, folder }) => startPeer("python3", [SERVER, `${port}`, version, folder]),
          async ({ port }) => {
            await using client = new Client({ baseUrl: `http://127.0.0.1:${port}` });
            await fn(client);
            const { connections, idle } = client.stats();
            assertEquals(connections, idle);
          },
        );
      },
    });
  };

  pythonTest("bodies that only the end of the connection ends", async (client) => {
    const texts = await Promise.all(
      Array.from({ length: REQUEST_COUNT }, async () => {
        const response = await client.get("/endless");
        assertEquals(response.contentLength, undefined);
        return await response.text();
      }),
    );
    assertEquals(new Set(texts), new Set([LINES]));
    assertEquals(client.stats().connections, 0);
  });

  pythonTest("uploads of every size at once", async (client) => {
    await Promise.all(Array.from({ length: REQUEST_COUNT }, async (_, index) => {
      const body = sampleBytes(index * index * 5).map((byte) => byte ^ index);
      // In HTTP/1.0 nobody says 100, and the body leaves without.
      const expectContinue = index % 10 === 0;
      const response = await client.post("/", { body, expectContinue, continueTimeoutMs: 100 });
      const expected = { byteCount: body.length, sha256: await sha256(body) };
      assertEquals(await response.json(), expected);
    }));
  });
}
