import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ConnectionClosedError, TimeoutError } from "../../nbio/errors.ts";
import { recvExactly } from "../../nbio/recv_exactly.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { acceptTls, acceptTlsOrPlain } from "../../tls/accept_tls.ts";
import { denoProvider } from "../../tls/deno_provider.ts";
import { TlsUnsupportedError } from "../../tls/errors.ts";
import { startTls } from "../../tls/start_tls.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { ca, server, tcpPair } from "../_support/tls_pki.ts";

const TRUST = { hostname: "localhost", caCerts: [ca.certificatePem] };

Deno.test("acceptTls() secures a connection after STARTTLS", async () => {
  const [near, far] = await tcpPair();
  await sendAll(near, bytesOf("STARTTLS\r\n"));
  await recvExactly(far, new Uint8Array(10));
  await sendAll(far, bytesOf("220 go\r\n"));
  await recvExactly(near, new Uint8Array(8));
  const [client, accepted] = await Promise.all([startTls(near, TRUST), acceptTls(far, server)]);
  assertEquals([client.tlsInfo.verifiedBy, accepted.tlsInfo.serverName], ["runtime", "localhost"]);
  const space = new Uint8Array(5);
  await sendAll(client, bytesOf("hello"));
  await recvExactly(accepted, space);
  assertEquals(textOf(space), "hello");
  client.close();
  accepted.close();
});

Deno.test("acceptTls() takes another provider, which has to have a server's side", async () => {
  const [near, far] = memoryPipe();
  const error = await assertRejects(
    () => acceptTls(far, { ...server, provider: denoProvider }),
    TlsUnsupportedError,
  );
  assertEquals([error.code, error.alternative], ["ERR_TLS_UNSUPPORTED_ROLE", "node"]);
  assertEquals(await near.read(new Uint8Array(1)).catch(() => null), null);
  near.close();
});

Deno.test("acceptTlsOrPlain() takes both on one port", async () => {
  const [near, far] = await tcpPair();
  const [client, found] = await Promise.all([
    startTls(near, TRUST),
    acceptTlsOrPlain(far, server),
  ]);
  assert(found.isSecure);
  assertEquals(found.transport.tlsInfo.version, "TLSv1.3");
  client.close();
  found.transport.close();

  const [plain, other] = await tcpPair();
  await sendAll(plain, bytesOf("GET / HTTP/1.1\r\n"));
  const { isSecure, transport } = await acceptTlsOrPlain(other, server);
  assert(!isSecure);
  const space = new Uint8Array(16);
  // In pieces as the reader wants them, and what comes later behind it.
  assertEquals(await transport.read(space.subarray(0, 3)), 3);
  await recvExactly(transport, space.subarray(3));
  assertEquals(textOf(space), "GET / HTTP/1.1\r\n");
  await sendAll(plain, bytesOf("more"));
  assertEquals(await transport.read(space), 4);
  await sendAll(transport, bytesOf("HTTP"));
  assertEquals(await plain.read(space), 4);
  assertStrictEquals(transport.remoteAddr.transport, "tcp");
  transport.close();
  plain.close();
});

Deno.test("acceptTlsOrPlain() waits for the first byte no longer than it is told", async () => {
  const clock = new ManualClock();
  const [near, far] = memoryPipe();
  const failed = assertRejects(
    () => acceptTlsOrPlain(far, { ...server, wheel: new DeadlineWheel(clock) }),
    TimeoutError,
  );
  await Promise.resolve();
  clock.advance(10_200);
  assertEquals((await failed).phase, "tls");
  near.close();
});

Deno.test("acceptTlsOrPlain() throws if the client leaves, on an abort, and on wrong options", async () => {
  const [near, far] = memoryPipe();
  await near.closeWrite();
  await assertRejects(() => acceptTlsOrPlain(far, server), ConnectionClosedError);
  near.close();

  const [one, two] = memoryPipe();
  const controller = new AbortController();
  const reason = new Error("enough");
  const aborted = assertRejects(() =>
    acceptTlsOrPlain(two, { ...server, signal: controller.signal })
  );
  controller.abort(reason);
  assertStrictEquals(await aborted, reason);
  one.close();

  const [three, four] = memoryPipe();
  await assertRejects(() => acceptTlsOrPlain(four, {}), TypeError);
  assertEquals(await three.read(new Uint8Array(1)).catch(() => null), null);
  three.close();
});
