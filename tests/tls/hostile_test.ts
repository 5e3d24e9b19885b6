/** What peers may do to either provider over sockets, without end or in the middle of things. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { serve } from "../../http/serve.ts";
import { recvExactly } from "../../nbio/recv_exactly.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { closeQuietly } from "../../nbio/transport.ts";
import { listenTls, type ListenTlsOptions, type TlsListener } from "../../tls/listen_tls.ts";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { eventually, startPeer } from "../_support/peer.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { ca, server } from "../_support/tls_pki.ts";

const HERE = { hostname: "127.0.0.1", port: 0 } as const;
const TRUST = { hostname: "localhost", caCerts: [ca.certificatePem] };

function open(options: Partial<ListenTlsOptions>): TlsListener {
  return listenTls({ ...HERE, ...server, ...options });
}

function portOf({ addr }: { readonly addr: Deno.Addr }): number {
  return (addr as Deno.NetAddr).port;
}

async function connectPlain(port: number): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: HERE.hostname, port });
  connection.setNoDelay(true);
  return connection;
}

/** A client of the runtime, its handshake complete. */
async function connect(port: number): Promise<Deno.TlsConn> {
  const secured = await Deno.startTls(await connectPlain(port), TRUST);
  await secured.handshake();
  return secured;
}

/** Whether others are served. */
async function serveOnce(listener: TlsListener): Promise<void> {
  const [near, far] = await Promise.all([connect(portOf(listener)), listener.accept()]);
  const space = new Uint8Array(5);
  await Promise.all([sendAll(near, bytesOf("hello")), recvExactly(far, space)]);
  assertEquals(space, bytesOf("hello"));
  near.close();
  far.close();
}

/** A cut after so many bytes of a client. */
interface Cut {
  readonly afterBytes: number;
  passedBytes: number;
}

/** Passes one connection on until it is to be cut, or ends. */
async function relay(listener: Deno.TcpListener, port: number, cut: Cut): Promise<void> {
  const [client, far] = [await listener.accept(), await connectPlain(port)];
  const pass = async (from: Deno.Conn, to: Deno.Conn, isCounted: boolean) => {
    const space = new Uint8Array(16_384);
    for (let count; (count = await from.read(space)) !== null;) {
      const taken = isCounted ? Math.min(count, cut.afterBytes - cut.passedBytes) : count;
      await sendAll(to, space.subarray(0, taken));
      if (!isCounted) continue;
      cut.passedBytes += taken;
      if (cut.passedBytes === cut.afterBytes) break;
    }
  };
  const both = [pass(client, far, true), pass(far, client, false)];
  await Promise.race(both).catch(() => {});
  for (const connection of [client, far]) closeQuietly(connection);
  await Promise.allSettled(both);
}

/**
 * Shakes hands and sends a byte, if it is not cut before.
 *
 * @returns How many bytes of the client had passed when that one was there.
 */
async function exchange(listener: TlsListener, afterBytes: number): Promise<number> {
  const cut = { afterBytes, passedBytes: 0 };
  const before = listener.stats();
  using relaying = Deno.listen(HERE);
  const passing = relay(relaying, portOf(listener), cut);
  const near = await Deno.startTls(await connectPlain(relaying.addr.port), TRUST);
  const saying = near.handshake().then(() => near.write(new Uint8Array(1))).catch(() => {});
  const isOver = () => {
    const { securedCount, failedCount } = listener.stats();
    return securedCount + failedCount > before.securedCount + before.failedCount;
  };
  assert(await eventually(isOver));
  if (listener.stats().securedCount > before.securedCount) {
    const far = await listener.accept();
    const reading = far.read(new Uint8Array(8));
    if (afterBytes === Infinity) assertEquals(await reading, 1);
    else await assertRejects(() => reading, Error);
    closeQuietly(far);
  }
  const { passedBytes } = cut;
  await saying;
  closeQuietly(near);
  await passing;
  return passedBytes;
}

/** What a client of the runtime says first. */
async function recordHello(): Promise<Uint8Array> {
  using listener = Deno.listen(HERE);
  const [plain, far] = await Promise.all([connectPlain(listener.addr.port), listener.accept()]);
  const secured = await Deno.startTls(plain, TRUST);
  const failed = assertRejects(() => secured.handshake());
  const space = new Uint8Array(4_096);
  const count = await far.read(space);
  far.close();
  await failed;
  secured.close();
  return space.slice(0, count ?? 0);
}

/** A greeting that goes on for so many bytes, in records as large as they may be. */
function endlessHello(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const RECORD = 16_384;
  const record = [22, 3, 1, RECORD >> 8, RECORD & 255];
  for (let at = 0; at + record.length < length; at += RECORD + record.length) bytes.set(record, at);
  // RFC 8446 section 4: a client hello of 16 MiB.
  bytes.set([1, 255, 255, 255, 3, 3], record.length);
  return bytes;
}

for (const provider of ["node", "deno"] as const) {
  Deno.test(`"${provider}" serves others while a thousand handshakes stall in the middle`, async () => {
    await using listener = open({ provider, maxHandshakes: 2_000 });
    const hello = await recordHello();
    const stalled = await Promise.all(Array.from({ length: 1_000 }, async (_, index) => {
      const connection = await connectPlain(portOf(listener));
      // Nothing, a part, and all that the server needs to wait for the last word.
      await sendAll(connection, hello.subarray(0, [0, 100, hello.length][index % 3]));
      return connection;
    }));
    const waiting = () => listener.stats().silentCount + listener.stats().handshakeCount;
    assert(await eventually(() => waiting() === 1_000));
    for (let count = 0; count < 5; count++) await serveOnce(listener);
    for (const connection of stalled) connection.close();
    assert(await eventually(() => waiting() === 0));
    assertEquals(listener.stats().failedCount, 1_000);
  });

  Deno.test(`"${provider}" takes a cut after every byte of a greeting for a failure`, async () => {
    const errors: unknown[] = [];
    await using listener = open({ provider, onHandshakeError: (error) => errors.push(error) });
    const hello = await recordHello();
    for (let length = 0; length <= hello.length; length++) {
      const connection = await connectPlain(portOf(listener));
      await sendAll(connection, hello.subarray(0, length));
      connection.close();
    }
    assert(await eventually(() => errors.length === hello.length + 1));
    for (const error of errors) assert(isGone(error), String(error));
    await serveOnce(listener);
  });

  Deno.test(`"${provider}" takes a cut after every byte that follows for no end`, async () => {
    await using listener = open({ provider });
    const hello = await recordHello();
    const total = await exchange(listener, Infinity);
    assert(hello.length < total);
    for (let length = hello.length + 1; length < total; length++) await exchange(listener, length);
    await serveOnce(listener);
  });

  Deno.test(`"${provider}" takes a greeting in pieces of a byte`, async () => {
    await using listener = open({ provider });
    using relaying = Deno.listen(HERE);
    const passing = (async () => {
      const [client, far] = [await relaying.accept(), await connectPlain(portOf(listener))];
      const back = far.readable.pipeTo(client.writable).catch(() => {});
      const space = new Uint8Array(1);
      while (await client.read(space).catch(() => null) !== null) await far.write(space);
      closeQuietly(far);
      await back;
      closeQuietly(client);
    })();
    const [near, far] = await Promise.all([connect(relaying.addr.port), listener.accept()]);
    await near.write(new Uint8Array(3));
    assertEquals(await far.read(new Uint8Array(8)), 3);
    near.close();
    await passing;
    closeQuietly(far);
  });

  Deno.test(`"${provider}" does not listen for ever to a greeting without an end`, async () => {
    await using listener = open({ provider });
    for (const size of [65_535, 65_536, 70_000, 400_000]) {
      const { failedCount } = listener.stats();
      const connection = await connectPlain(portOf(listener));
      await sendAll(connection, endlessHello(size)).catch(() => {});
      // What is below the bound has to be let go by the client.
      if (size < 70_000) await connection.closeWrite().catch(() => {});
      assert(await eventually(() => listener.stats().failedCount > failedCount));
      connection.close();
    }
    await serveOnce(listener);
  });

  Deno.test(`"${provider}" takes broken and oversized records for an error of the peer`, async () => {
    const records = [
      new Uint8Array(100).fill(0xff),
      // RFC 8446 section 5.2: at most 2^14 + 256.
      new Uint8Array([23, 3, 3, 0xff, 0xff, ...new Uint8Array(100)]),
      new Uint8Array([23, 3, 3, 0, 32, ...new Uint8Array(32)]),
      new Uint8Array([23, 3, 3, 0, 0]),
      new Uint8Array([22, 3, 3, 0, 4, 0, 0, 0, 0]),
    ];
    await using listener = open({ provider });
    for (const record of records) {
      // The client says goodbye by a record that nobody has encrypted.
      const inserted = Promise.withResolvers<Uint8Array>();
      using relaying = Deno.listen(HERE);
      const passing = passAndInsert(relaying, portOf(listener), inserted.promise);
      const [near, far] = await Promise.all([connect(relaying.addr.port), listener.accept()]);
      await near.write(new Uint8Array(3));
      assertEquals(await far.read(new Uint8Array(8)), 3);
      inserted.resolve(record);
      const error = await assertRejects(() => far.read(new Uint8Array(8)), Error);
      assert(!(error instanceof TypeError), String(error));
      closeQuietly(far);
      near.close();
      await passing;
    }
    await serveOnce(listener);
  });

  Deno.test(`a client that sends garbage to a server by "${provider}" reads its 400`, async () => {
    await using http = serve((ctx) => ctx.text("hello"), { listener: open({ provider }) });
    for (const size of [0, 1_000, 100_000]) {
      const near = await connect(portOf(http));
      const garbage = bytesOf(`nonsense\r\n\r\n${"x".repeat(size)}`);
      const sending = sendAll(near, garbage).catch(() => {});
      const chunks: number[] = [];
      const space = new Uint8Array(4_096);
      for (let count; (count = await near.read(space)) !== null;) {
        chunks.push(...space.subarray(0, count));
      }
      await sending;
      assertEquals(new TextDecoder().decode(new Uint8Array(chunks.slice(0, 12))), "HTTP/1.1 400");
      near.close();
    }
  });

  Deno.test({
    name: `"${provider}" renegotiates with nobody`,
    ignore: !interopEnabled || !hasCommand("openssl"),
    async fn() {
      await using listener = open({ provider });
      for (let count = 0; count < 3; count++) {
        // "R" on a line of its own asks for it.
        const script = `(sleep 0.2; echo R; sleep 0.2) | openssl s_client -tls1_2 ` +
          `-connect 127.0.0.1:${portOf(listener)} 2>/dev/null >/dev/null`;
        const peer = startPeer("sh", ["-c", script]);
        const far = await listener.accept();
        const end = await far.read(new Uint8Array(8)).catch((error) => error);
        assert(end === null || isOfPeer(end), String(end));
        far.close();
        await peer[Symbol.asyncDispose]();
      }
      await serveOnce(listener);
    },
  });
}

/** Whether an error says that the peer has left or been wrong. */
function isGone(error: unknown): boolean {
  return ["ERR_NET_CONNECTION_CLOSED", "ERR_TLS_HANDSHAKE", "ERR_TLS_NOT_TLS"].includes(
    (error as { readonly code?: string }).code ?? "",
  );
}

function isOfPeer(error: unknown): boolean {
  return isGone(error) || error instanceof Deno.errors.InvalidData ||
    error instanceof Deno.errors.UnexpectedEof || error instanceof Deno.errors.ConnectionReset;
}

/** Passes a connection on, until there is something else to say to the server. */
async function passAndInsert(
  listener: Deno.TcpListener,
  port: number,
  inserted: Promise<Uint8Array>,
): Promise<void> {
  const [client, far] = [await listener.accept(), await connectPlain(port)];
  const back = far.readable.pipeTo(client.writable).catch(() => {});
  const space = new Uint8Array(16_384);
  const inserting = inserted.then((record) => sendAll(far, record)).catch(() => {});
  for (let count; (count = await client.read(space).catch(() => null)) !== null;) {
    await sendAll(far, space.subarray(0, count)).catch(() => {});
  }
  await inserting;
  closeQuietly(far);
  await back;
  closeQuietly(client);
}
