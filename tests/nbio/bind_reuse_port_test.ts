import { assert, assertEquals, assertRejects } from "@std/assert";
import { bindReusePort } from "../../nbio/bind_reuse_port.ts";
import { listen } from "../../nbio/listen.ts";
import { Child } from "../bench/_support/child.ts";
import { LineReader } from "../bench/_support/line_reader.ts";

/** The system balances connections over the sockets that share a port only there. */
const CANNOT_SHARE = Deno.build.os !== "linux";
const HERE = { hostname: "127.0.0.1" } as const;
const PROGRAM = new URL("./listen_reuse_port.ts", import.meta.url).pathname;
/** Enough that all of them come to one process once in 2^63. */
const CONNECTION_COUNT = 64;

/** How a process comes to share a port. */
interface Door {
  /** With or without `--unstable-net`. */
  readonly flags: readonly string[];
  readonly way: "listen" | "bind";
}

const FLAG: Door = { flags: ["--unstable-net"], way: "listen" };
const FLAG_AWAITED: Door = { flags: ["--unstable-net"], way: "bind" };
const NO_FLAG_AWAITED: Door = { flags: [], way: "bind" };
const NO_FLAG: Door = { flags: [], way: "listen" };

function describe({ flags, way }: Door): string {
  const call = way === "listen" ? "listen()" : "bindReusePort()";
  return `${call} with${flags.length > 0 ? "" : "out"} --unstable-net`;
}

function listenerBehind({ flags }: Door): string {
  return flags.length > 0 ? "Deno.Listener" : "node:net";
}

/** A process of `listen_reuse_port.ts`. */
class Sharer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #lines: LineReader;

  constructor(door: Door, name: string, port: number, permissions: readonly string[]) {
    const args = ["run", "--no-prompt", ...permissions, ...door.flags, PROGRAM];
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [...args, name, String(port), door.way],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#lines = new LineReader(this.#child.stdout);
  }

  /** Its port or the name of its error; after a port, what listens on it. */
  nextLine(): Promise<string | undefined> {
    return this.#lines.next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close();
    await this.#child.status;
    await this.#lines.cancel();
  }
}

function share(
  door: Door,
  { name = "A", port = 0, permissions = ["--allow-net"] as readonly string[] } = {},
): Sharer {
  return new Sharer(door, name, port, permissions);
}

/** The names that answer on a port. */
async function namesOn(port: number): Promise<Set<string>> {
  const names = new Set<string>();
  const buffer = new Uint8Array(8);
  for (let count = 0; count < CONNECTION_COUNT; count++) {
    using conn = await Deno.connect({ ...HERE, port });
    assertEquals(await conn.read(buffer), 1);
    names.add(String.fromCharCode(buffer[0]!));
  }
  return names;
}

for (
  const doors of [
    [FLAG, FLAG],
    [FLAG_AWAITED, FLAG_AWAITED],
    [NO_FLAG_AWAITED, NO_FLAG_AWAITED],
    [NO_FLAG_AWAITED, FLAG],
  ] as const
) {
  Deno.test(`two processes share a port: ${doors.map(describe).join(", ")}`, {
    ignore: CANNOT_SHARE,
  }, async () => {
    await using first = share(doors[0], { name: "A" });
    const port = Number(await first.nextLine());
    assertEquals(await first.nextLine(), listenerBehind(doors[0]));
    assertEquals(await namesOn(port), new Set("A"));
    await using second = share(doors[1], { name: "B", port });
    assertEquals(await second.nextLine(), String(port));
    assertEquals(await second.nextLine(), listenerBehind(doors[1]));
    assertEquals(await namesOn(port), new Set("AB"));
  });
}

for (const door of [FLAG, FLAG_AWAITED, NO_FLAG_AWAITED]) {
  Deno.test(`a port that is not shared is refused by ${describe(door)}`, {
    ignore: CANNOT_SHARE,
  }, async () => {
    using taken = Deno.listen({ ...HERE, port: 0 });
    await using sharer = share(door, { port: taken.addr.port });
    assertEquals(await sharer.nextLine(), "AddrInUse");
  });

  Deno.test(`without permission ${describe(door)} says so`, { ignore: CANNOT_SHARE }, async () => {
    for (const permissions of [[], ["--allow-net=127.0.0.2"]]) {
      await using sharer = share(door, { permissions });
      assertEquals(await sharer.nextLine(), "NotCapable");
    }
    await using sharer = share(door, { permissions: ["--allow-net=127.0.0.1"] });
    assert(Number(await sharer.nextLine()) > 0);
  });
}

Deno.test("listen() without --unstable-net says that it cannot share a port", async () => {
  // Given to the runtime, the option would end the process without a word to anybody.
  await using sharer = share(NO_FLAG);
  assertEquals(await sharer.nextLine(), "NotSupported");
});

Deno.test("bindReusePort() outlives more connections than there are descriptors", {
  ignore: CANNOT_SHARE,
}, async () => {
  const program = new URL("./listen_few_descriptors.ts", import.meta.url).pathname;
  const run = `ulimit -n 64; exec "$0" run --allow-net "$1" bind`;
  await using server = new Child("listen_few_descriptors.ts", {
    command: "sh",
    args: ["-c", run, Deno.execPath(), program],
  });
  const port = Number(await server.readLine());
  const countActive = async (): Promise<number> => {
    await server.writeLine("count");
    for (;;) {
      const line = await server.readLine();
      if (line !== "ERR_NET_LIMIT_EXCEEDED") return Number(line);
      excess = true;
    }
  };
  let excess = false;
  const storm: Deno.TcpConn[] = [];
  while (storm.length < 120) {
    storm.push(await Deno.connect({ ...HERE, port }));
    // Gives it a turn, for the queue of the system is short.
    if (storm.length % 4 === 0) assert(await countActive() <= 8);
  }
  for (const conn of storm) conn.close();
  while (await countActive() > 0 || !excess);
  using client = await Deno.connect({ ...HERE, port });
  await client.write(new Uint8Array([1, 2, 3]));
  assertEquals(await client.read(new Uint8Array(8)), 3);
});

Deno.test("bindReusePort() throws on a system that does not balance", {
  ignore: !CANNOT_SHARE,
}, async () => {
  await assertRejects(() => bindReusePort(HERE), Deno.errors.NotSupported);
});

Deno.test("bindReusePort() gives what listen() takes", { ignore: CANNOT_SHARE }, async () => {
  const first = await bindReusePort(HERE);
  const { port } = first.addr as Deno.NetAddr;
  const second = await bindReusePort({ ...HERE, port });
  await using listener = listen({ listeners: [first, second] });
  const served = new Set<Deno.Addr>();
  listener.serve((transport) => {
    served.add(transport.localAddr);
    transport.close();
  });
  for (let count = 0; count < 4; count++) {
    using conn = await Deno.connect({ ...HERE, port });
    assertEquals(await conn.read(new Uint8Array(1)), null);
  }
  assertEquals([listener.stats().acceptedCount, served.size], [4, 4]);
});

for (
  const options of [
    { port: -1 },
    { port: 65_536 },
    { port: 0.5 },
    { maxPendingConnections: 0 },
    { maxPendingConnections: 65_536 },
  ]
) {
  Deno.test(`bindReusePort() throws a RangeError on ${JSON.stringify(options)}`, async () => {
    await assertRejects(() => bindReusePort({ ...HERE, ...options }), RangeError);
  });
}

Deno.test("bindReusePort() gives up with the signal's reason, at whatever time", {
  ignore: CANNOT_SHARE,
}, async () => {
  const reason = { text: "not even an Error" };
  const before = bindReusePort({ ...HERE, signal: AbortSignal.abort(reason) });
  assert(await before.catch((error) => error) === reason);
  const controller = new AbortController();
  const free = Deno.listen({ ...HERE, port: 0 });
  free.close();
  const { port } = free.addr;
  const within = bindReusePort({ ...HERE, port, signal: controller.signal });
  controller.abort(reason);
  assert(await within.catch((error) => error) === reason);
  // Nothing is left of it, else this would be in use.
  Deno.listen({ ...HERE, port }).close();
});
