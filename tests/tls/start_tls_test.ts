import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { recvExactly } from "../../nbio/recv_exactly.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import type { TlsProvider } from "../../nbio/tls_provider.ts";
import type { Transport } from "../../nbio/transport.ts";
import { acceptTls } from "../../tls/accept_tls.ts";
import { denoProvider } from "../../tls/deno_provider.ts";
import { TlsError, TlsUnsupportedError } from "../../tls/errors.ts";
import { nodeProvider } from "../../tls/node_provider.ts";
import { startTls } from "../../tls/start_tls.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { ca, client, server, tcpPair } from "../_support/tls_pki.ts";

const TRUST = { hostname: "localhost", caCerts: [ca.certificatePem] };

/** A dialogue in the clear, which ends where the handshake begins. */
async function askForTls(near: Transport, far: Transport): Promise<void> {
  const [request, answer] = [new Uint8Array(10), new Uint8Array(14)];
  await Promise.all([sendAll(near, bytesOf("STARTTLS\r\n")), recvExactly(far, request)]);
  await Promise.all([sendAll(far, bytesOf("220 Go ahead\r\n")), recvExactly(near, answer)]);
  assertEquals([textOf(request), textOf(answer)], ["STARTTLS\r\n", "220 Go ahead\r\n"]);
}

for (const provider of [denoProvider, nodeProvider]) {
  Deno.test(`startTls() secures a TCP connection after STARTTLS by "${provider.name}"`, async () => {
    const [near, far] = await tcpPair();
    await askForTls(near, far);
    const [one, other] = await Promise.all([
      startTls(near, { ...TRUST, provider }),
      acceptTls(far, server),
    ]);
    assertEquals(other.tlsInfo.serverName, "localhost");
    const space = new Uint8Array(5);
    await Promise.all([sendAll(one, bytesOf("hello")), recvExactly(other, space)]);
    assertEquals(textOf(space), "hello");
    one.close();
    other.close();
  });
}

Deno.test("startTls() takes what can do what is asked for: own certificates, and any transport", async () => {
  const serverOptions = {
    ...server,
    clientCertificates: "required",
    clientCaCerts: [ca.certificatePem],
  } as const;
  for (const [near, far] of [await tcpPair(), memoryPipe()]) {
    const [one, other] = await Promise.all([
      startTls(near!, { ...TRUST, ...client }),
      acceptTls(far!, serverOptions),
    ]);
    assertEquals([one.tlsInfo.verifiedBy, other.tlsInfo.verifiedBy], ["nbio", "nbio"]);
    one.close();
    other.close();
  }
});

Deno.test("startTls() refuses what the given provider cannot do, names who can, and closes", async () => {
  for (
    const [transports, options, option] of [
      [await tcpPair(), client, "cert"],
      [memoryPipe(), {}, undefined],
    ] as const
  ) {
    const [near, far] = transports;
    const error = await assertRejects(
      () => startTls(near, { ...TRUST, ...options, provider: denoProvider }),
      TlsUnsupportedError,
    );
    assertEquals([error.provider, error.alternative, error.option], ["deno", "node", option]);
    assertEquals(await far.read(new Uint8Array(1)), null);
    far.close();
  }
});

Deno.test("startTls() takes no bytes for a handshake that came in the clear", async () => {
  for (const provider of [denoProvider, nodeProvider]) {
    const [near, far] = await tcpPair();
    await sendAll(far, bytesOf("220 Go ahead\r\n"));
    const failed = assertRejects(() => startTls(near, { ...TRUST, provider }), TlsError);
    assertEquals((await failed).phase, "handshake");
    far.close();
  }
});

Deno.test("startTls() hands a provider of the caller's everything but itself", async () => {
  const [near, far] = memoryPipe();
  const reason = new Error("seen");
  const asked: unknown[] = [];
  const provider: TlsProvider = {
    name: "fake",
    capabilities: { client: true, server: false, anyTransport: true },
    client: (transport, options) => {
      asked.push(transport, options);
      return Promise.reject(reason);
    },
    server: () => Promise.reject(reason),
  };
  assertStrictEquals(await assertRejects(() => startTls(near, { ...TRUST, provider })), reason);
  assertEquals(asked, [near, TRUST]);
  near.close();
  far.close();
});
