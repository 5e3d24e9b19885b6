import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { canReusePort } from "../../nbio/listen_bind.ts";
import { openPreforkSource } from "../../nbio/prefork_source.ts";
import { freePort } from "../_support/listening_program.ts";

const ignore = Deno.build.os !== "linux";
const HERE = { hostname: "127.0.0.1" } as const;

Deno.test("openPreforkSource() accepts, also what is asked for before the port is bound", {
  ignore,
}, async () => {
  const port = freePort();
  const sources = [openPreforkSource({ ...HERE, port }), openPreforkSource({ ...HERE, port })];
  assertEquals(sources[0]!.source.addr, { transport: "tcp", hostname: "127.0.0.1", port });
  const accepted = sources.map(({ source }) => source.accept().catch(() => undefined));
  await Promise.all(sources.map(({ bound }) => bound));
  using _client = await Deno.connect({ ...HERE, port });
  const transport = await Promise.race(accepted);
  assert(transport !== undefined);
  transport.close();
  for (const { source } of sources) source.close();
  await Promise.all(accepted);
  await assertRejects(() => sources[0]!.source.accept(), Deno.errors.BadResource);
});

Deno.test("openPreforkSource() closed before the port is bound leaves it free", {
  ignore,
}, async () => {
  const port = freePort();
  const { source, bound } = openPreforkSource({ ...HERE, port });
  const accepted = source.accept();
  source.unref?.();
  source.ref?.();
  source.close();
  await assertRejects(() => accepted, Deno.errors.BadResource);
  await bound;
  Deno.listen({ ...HERE, port }).close();
});

Deno.test("openPreforkSource() tells of a port that somebody has", { ignore }, async () => {
  using taken = Deno.listen({ ...HERE, port: 0 });
  const { port } = taken.addr;
  const open = () => openPreforkSource({ ...HERE, port });
  // With the flag at once, without it later.
  if (canReusePort()) return void assertThrows(open, Deno.errors.AddrInUse);
  const { source, bound } = open();
  await assertRejects(() => bound, Deno.errors.AddrInUse);
  await assertRejects(() => source.accept(), Deno.errors.BadResource);
  source.close();
});

Deno.test("openPreforkSource() throws a RangeError on a port that cannot be shared", () => {
  for (const port of [0, -1, 65_536, 0.5]) {
    assertThrows(() => openPreforkSource({ ...HERE, port }), RangeError);
  }
  assertThrows(() => openPreforkSource({ port: 1, maxPendingConnections: 0 }), RangeError);
});
