import { assert, assertEquals, assertRejects } from "@std/assert";
import { delay } from "@std/async/delay";
import { connect } from "../../nbio/dial_connect.ts";
import { BlackHole, noBlackHole } from "../_support/black_hole.ts";
import { CountedSignal } from "../_support/counted_signal.ts";

const { signal: QUIET } = new AbortController();

function addressOf(listener: { readonly port: number }, hostname = "127.0.0.1"): Deno.NetAddr {
  return { transport: "tcp", hostname, port: listener.port };
}

/** Lets `run` see, and change, each connection that the runtime makes meanwhile. */
async function interceptConnections(
  onConnection: (connection: Deno.TcpConn) => void,
  run: () => Promise<void>,
): Promise<void> {
  const { connect: connectByRuntime } = Deno;
  Object.assign(Deno, {
    async connect(options: Deno.ConnectOptions): Promise<Deno.TcpConn> {
      const connection = await connectByRuntime(options);
      onConnection(connection);
      return connection;
    },
  });
  try {
    await run();
  } finally {
    Object.assign(Deno, { connect: connectByRuntime });
  }
}

Deno.test("connect() gives the connection of the runtime, with Nagle's algorithm off", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const made: Deno.TcpConn[] = [];
  const calls: unknown[] = [];
  const watch = (connection: Deno.TcpConn): void => {
    made.push(connection);
    const setNoDelay = connection.setNoDelay.bind(connection);
    connection.setNoDelay = (on): void => {
      calls.push(on);
      setNoDelay(on);
    };
  };
  await interceptConnections(watch, async () => {
    const connection = await connect(addressOf(listener.addr), { signal: QUIET });
    assert(connection === made[0]);
    connection.close();
  });
  assertEquals(calls, [true]);
});

Deno.test("connect() gives a connection that is dead before its options are set", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const kill = (connection: Deno.TcpConn): void => {
    connection.setNoDelay = () => {
      throw new Deno.errors.NotConnected("Gone");
    };
  };
  await interceptConnections(kill, async () => {
    (await connect(addressOf(listener.addr), { signal: QUIET })).close();
  });
});

// The type of Deno.connect does not know this option: whether it works is for a test to say.
Deno.test({
  name: "connect() ends with the reason of its signal while it waits for the peer",
  ignore: noBlackHole,
  async fn() {
    using hole = await BlackHole.open();
    const controller = new AbortController();
    const connecting = connect(addressOf(hole), { signal: controller.signal });
    const reason = new Error("enough");
    controller.abort(reason);
    assert(await connecting.catch((error) => error) === reason);
  },
});

Deno.test("connect() does not begin with a signal that is aborted", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const reason = new Error("enough");
  const connecting = connect(addressOf(listener.addr), { signal: AbortSignal.abort(reason) });
  assert(await connecting.catch((error) => error) === reason);
});

Deno.test("connect() closes a connection that it gets after the abort", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const controller = new AbortController();
  await interceptConnections(() => controller.abort("enough"), async () => {
    const connecting = connect(addressOf(listener.addr), { signal: controller.signal });
    assertEquals(await connecting.catch((error) => error), "enough");
  });
  using peer = await listener.accept();
  assertEquals(await peer.read(new Uint8Array(1)), null);
});

// The runtime loses connections that were made just before the abort, unless it is kept from it.
// With so many at once some wait to be told about when the abort comes.
for (const turnCount of [0, 1, 2]) {
  Deno.test(`connect() loses none of 64 connections aborted after ${turnCount} turns`, async () => {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await Promise.all(Array.from({ length: 64 }, async () => {
      const counted = new CountedSignal();
      const connecting = connect(addressOf(listener.addr), { signal: counted.signal })
        // Either is right; what comes too late must be closed, as the sanitizer sees.
        .then((connection) => connection.close(), (error) => assertEquals(error, "enough"));
      for (let turn = 0; turn < turnCount; turn++) await delay(0);
      counted.abort("enough");
      await connecting;
      assertEquals(counted.listenerCount, 0);
    }));
  });
}

Deno.test("connect() passes the errors of the runtime on", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = addressOf(listener.addr);
  listener.close();
  await assertRejects(() => connect(address, { signal: QUIET }), Deno.errors.ConnectionRefused);
  const path = "/nonexistent/socket";
  await assertRejects(
    () => connect({ transport: "unix", path }, { signal: QUIET }),
    Deno.errors.NotFound,
  );
});
