import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { listen, type ListenOptions } from "../../nbio/listen.ts";
import { sendAll } from "../../nbio/send_all.ts";
import type { Transport } from "../../nbio/transport.ts";
import type { TransportListener } from "../../nbio/transport_listener.ts";
import { LineReader } from "../bench/_support/line_reader.ts";
import { ScriptedSource } from "../_support/scripted_source.ts";

const HERE = { hostname: "127.0.0.1" } as const;
const NO_UNIX_SOCKETS = Deno.build.os === "windows";

function fail(error: unknown): void {
  throw error;
}

function listenHere(options: ListenOptions = {}): TransportListener {
  return listen({ ...HERE, onAcceptError: fail, onError: fail, ...options });
}

function connectTo({ addr }: { readonly addr: Deno.Addr }): Promise<Deno.Conn> {
  if (addr.transport === "unix") return Deno.connect({ transport: "unix", path: addr.path });
  const { hostname, port } = addr as Deno.NetAddr;
  return Deno.connect({ hostname, port });
}

async function echo(transport: Transport): Promise<void> {
  const buffer = new Uint8Array(64);
  for (let byteCount; (byteCount = await transport.read(buffer)) !== null;) {
    await sendAll(transport, buffer.subarray(0, byteCount));
  }
  transport.close();
}

/** Sends some bytes and waits for them to come back. */
async function roundTrip(to: { readonly addr: Deno.Addr }): Promise<void> {
  using client = await connectTo(to);
  await sendAll(client, new Uint8Array([1, 2, 3]));
  assertEquals(await client.read(new Uint8Array(8)), 3);
}

/** Runs with a directory that is gone afterwards. */
async function withDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await run(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("listen() serves TCP connections and counts them", async () => {
  await using listener = listenHere();
  listener.serve(echo);
  for (let round = 1; round <= 3; round++) {
    await roundTrip(listener);
    assertEquals(listener.stats().acceptedCount, round);
  }
});

Deno.test("listen() binds a free port by default, on every interface", async () => {
  await using listener = listen();
  const { hostname, port } = listener.addr as Deno.NetAddr;
  assertEquals(hostname, "0.0.0.0");
  assert(port > 0);
});

Deno.test("listen() binds IPv6", async () => {
  await using listener = listenHere({ hostname: "::1" });
  listener.serve(echo);
  assertEquals((listener.addr as Deno.NetAddr).hostname, "::1");
  await roundTrip(listener);
});

Deno.test("listen() takes a listener that is open already", async () => {
  const inner = Deno.listen({ ...HERE, port: 0 });
  await using listener = listen({ listener: inner, onAcceptError: fail, onError: fail });
  listener.serve(echo);
  assert(listener.addr === inner.addr);
  await roundTrip(listener);
});

Deno.test("listen() serves several listeners, of whatever kind, as one", {
  ignore: NO_UNIX_SOCKETS,
}, () =>
  withDirectory(async (directory) => {
    const path = `${directory}/socket`;
    const listeners = [
      Deno.listen({ ...HERE, port: 0 }),
      Deno.listen({ transport: "unix", path }),
    ];
    await using listener = listen({ listeners, onAcceptError: fail, onError: fail });
    listener.serve(echo);
    assertEquals(listener.addrs, listeners.map(({ addr }) => addr));
    for (const addr of listener.addrs) await roundTrip({ addr });
    assertEquals(listener.stats().acceptedCount, 2);
  }));

Deno.test("listen() binds several addresses in their order", {
  ignore: NO_UNIX_SOCKETS,
}, () =>
  withDirectory(async (directory) => {
    const path = `${directory}/socket`;
    const addresses = [HERE, { path }, { hostname: "::1" }];
    await using listener = listen({ addresses, onAcceptError: fail, onError: fail });
    listener.serve(echo);
    const { addrs } = listener;
    assertEquals(addrs.map((addr) => addr.transport), ["tcp", "unix", "tcp"]);
    assertEquals((addrs[2] as Deno.NetAddr).hostname, "::1");
    for (const addr of addrs) await roundTrip({ addr });
    assertEquals(listener.stats().acceptedCount, 3);
  }));

Deno.test("listen() bounds several addresses by one limit", async () => {
  await using listener = listen({ addresses: [HERE, HERE], maxConnections: 1 });
  listener.serve(echo);
  const [first, second] = listener.addrs.map((addr) => ({ addr }));
  const held = await connectTo(first!);
  await sendAll(held, new Uint8Array([1]));
  assertEquals(await held.read(new Uint8Array(8)), 1);
  using waiting = await connectTo(second!);
  await sendAll(waiting, new Uint8Array([1, 2]));
  const { acceptedCount, activeCount } = listener.stats();
  assertEquals([acceptedCount, activeCount], [1, 1]);
  held.close();
  assertEquals(await waiting.read(new Uint8Array(8)), 2);
});

Deno.test("listen() binds all addresses or none", async () => {
  await using taken = listenHere();
  const { port } = taken.addr as Deno.NetAddr;
  const first = Deno.listen({ ...HERE, port: 0 });
  const free = first.addr.port;
  first.close();
  assertThrows(
    () => listen({ addresses: [{ ...HERE, port: free }, { ...HERE, port }] }),
    Deno.errors.AddrInUse,
  );
  // Else this would be in use, too.
  Deno.listen({ ...HERE, port: free }).close();
});

Deno.test("listen() throws the runtime's error when a port is taken", async () => {
  await using listener = listenHere();
  const { port } = listener.addr as Deno.NetAddr;
  assertThrows(() => listenHere({ port }), Deno.errors.AddrInUse);
});

Deno.test("listen() throws the runtime's error for an address of somebody else", () => {
  assertThrows(() => listenHere({ hostname: "192.0.2.1" }), Deno.errors.AddrNotAvailable);
});

for (
  const { name, options } of [
    { name: "a negative limit", options: { maxConnections: -1 } },
    { name: "a limit that is no number", options: { maxConnections: NaN } },
    { name: "a port over the last one", options: { port: 65_536 } },
    { name: "a fraction of a port", options: { port: 80.5 } },
    { name: "a queue of none", options: { maxPendingConnections: 0 } },
  ]
) {
  Deno.test(`listen() throws a RangeError on ${name}`, () => {
    assertThrows(() => listenHere(options), RangeError);
  });
}

Deno.test("listen() throws a RangeError on empty lists", () => {
  assertThrows(() => listen({ listeners: [] }), RangeError);
  assertThrows(() => listen({ addresses: [] }), RangeError);
});

Deno.test("listen() throws a TypeError on options that exclude each other", () => {
  const source = new ScriptedSource();
  const cases: readonly ListenOptions[] = [
    { path: "/nowhere", port: 0 },
    { path: "/nowhere", hostname: "127.0.0.1" },
    { path: "/nowhere", reusePort: true },
    { path: "/nowhere", maxPendingConnections: 5 },
    { addresses: [{ path: "/nowhere", port: 0 }] },
    { listener: source, port: 0 },
    { listener: source, listeners: [source] },
    { listeners: [source], addresses: [HERE] },
    { addresses: [HERE], hostname: "127.0.0.1" },
  ];
  for (const options of cases) assertThrows(() => listen(options), TypeError);
  assertEquals(source.closeCount, 0);
});

Deno.test("listen() leaves what was handed in alone when it throws", () => {
  const source = new ScriptedSource();
  assertThrows(() => listen({ listener: source, maxConnections: -1 }), RangeError);
  assertEquals(source.closeCount, 0);
});

Deno.test("listen() checks the last address before it binds the first", async () => {
  await using taken = listenHere();
  const addresses = [{ ...HERE, port: (taken.addr as Deno.NetAddr).port }, { port: -1 }];
  assertThrows(() => listen({ addresses }), RangeError);
});

Deno.test("listen() throws the reason of a signal that is aborted already", () => {
  const reason = new RangeError("no");
  const thrown = assertThrows(() => listenHere({ signal: AbortSignal.abort(reason) }), RangeError);
  assert(thrown === reason);
});

Deno.test("listen() lets connections queue up before they are served", async () => {
  await using listener = listenHere();
  const tripped = roundTrip(listener);
  using client = await connectTo(listener);
  listener.serve(echo);
  await tripped;
  client.close();
});

Deno.test("listen() with a path serves a Unix socket and removes it in the end", {
  ignore: NO_UNIX_SOCKETS,
}, () =>
  withDirectory(async (directory) => {
    const path = `${directory}/socket`;
    const listener = listen({ path, onError: fail, onAcceptError: fail });
    listener.serve(echo);
    assertEquals(listener.addr, { transport: "unix", path });
    await roundTrip(listener);
    await listener[Symbol.asyncDispose]();
    await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
    await listen({ path })[Symbol.asyncDispose]();
  }));

Deno.test("listen() with a path leaves a file that is already there", {
  ignore: NO_UNIX_SOCKETS,
}, () =>
  withDirectory(async (directory) => {
    const path = `${directory}/file`;
    await Deno.writeTextFile(path, "mine");
    assertThrows(() => listen({ path }), Deno.errors.AddrInUse);
    assertEquals(await Deno.readTextFile(path), "mine");
  }));

Deno.test("listen() with a path that is listened on throws, and that one goes on", {
  ignore: NO_UNIX_SOCKETS,
}, () =>
  withDirectory(async (directory) => {
    const path = `${directory}/socket`;
    await using listener = listen({ path, onError: fail, onAcceptError: fail });
    listener.serve(echo);
    assertThrows(() => listen({ path }), Deno.errors.AddrInUse);
    await roundTrip(listener);
  }));

Deno.test("listen() with a path throws over a socket that a dead process left, too", {
  ignore: NO_UNIX_SOCKETS,
}, () =>
  withDirectory(async (directory) => {
    const path = `${directory}/socket`;
    const code = `Deno.listen({ transport: "unix", path: Deno.args[0] });
      Deno.kill(Deno.pid, "SIGKILL");`;
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-config", code, path],
    }).output();
    assertEquals([success, (await Deno.lstat(path)).isSocket], [false, true]);
    assertThrows(() => listen({ path }), Deno.errors.AddrInUse);
    assertEquals((await Deno.lstat(path)).isSocket, true);
    await Deno.remove(path);
    await listen({ path })[Symbol.asyncDispose]();
  }));

Deno.test("listen() removes the Unix socket if the next address cannot be bound", {
  ignore: NO_UNIX_SOCKETS,
}, () =>
  withDirectory(async (directory) => {
    const path = `${directory}/socket`;
    assertThrows(() => listen({ addresses: [{ path }, { path }] }), Deno.errors.AddrInUse);
    await assertRejects(() => Deno.lstat(path), Deno.errors.NotFound);
  }));

Deno.test("serve() outlives running out of file descriptors", {
  ignore: Deno.build.os === "windows",
}, async () => {
  const program = new URL("./listen_few_descriptors.ts", import.meta.url).pathname;
  const child = new Deno.Command("sh", {
    args: ["-c", `ulimit -n 64; exec "$0" run --allow-net "$1"`, Deno.execPath(), program],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = new LineReader(child.stdout);
  const port = Number(await lines.next());
  const connect = (): Promise<Deno.TcpConn> => Deno.connect({ hostname: "127.0.0.1", port });
  const storm = await Promise.all(Array.from({ length: 100 }, connect));
  assertEquals(await lines.next(), "EMFILE");
  for (const connection of storm) connection.close();
  const client = await connect();
  await client.write(new Uint8Array([1, 2, 3]));
  assertEquals(await client.read(new Uint8Array(8)), 3);
  client.close();
  await child.stdin.close();
  while (await lines.next() !== undefined);
  assertEquals((await child.status).success, true);
});

Deno.test("unref() lets the process end while listening", async () => {
  const url = new URL("../../nbio/listen.ts", import.meta.url);
  const code = `import { listen } from "${url}";
    const listener = listen({ addresses: [{ hostname: "127.0.0.1" }, { hostname: "127.0.0.1" }] });
    listener.serve(() => {});
    listener.unref();
    listener.ref();
    listener.unref();`;
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", code],
  }).output();
  assertEquals(success, true);
});
