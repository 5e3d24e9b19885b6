// A loop on `Deno.connect` that writes what is prebuilt and reads a known length: the floor.
import { serveRuns } from "./loop.mjs";
import type { Run } from "./run.ts";

await serveRuns(async ({ urls, concurrency, expected }: Run) => {
  const { hostname, port, host, pathname } = new URL(urls[0]!);
  const request = new TextEncoder().encode(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const room = new Uint8Array(65_536);
  const connections = await Promise.all(
    Array.from({ length: concurrency }, () => Deno.connect({ hostname, port: Number(port) })),
  );
  for (const connection of connections) connection.setNoDelay(true);
  // The first response of a connection may have fields that later ones do not have.
  for (const connection of connections) {
    await connection.write(request);
    await connection.read(room);
  }
  return {
    async ask(worker: number): Promise<number> {
      await connections[worker]!.write(request);
      await connections[worker]!.read(room);
      return expected;
    },
    close(): void {
      for (const connection of connections) connection.close();
    },
  };
});
