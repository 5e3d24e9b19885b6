import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { ConnectError } from "../../nbio/connect_error.ts";
import type { TlsClientOptions, TlsProvider } from "../../nbio/tls_provider.ts";
import { connectTls } from "../../tls/connect_tls.ts";
import { TlsUnsupportedError } from "../../tls/errors.ts";
import { listenTls } from "../../tls/listen_tls.ts";
import { ca, server } from "../_support/tls_pki.ts";

const TLS = { caCerts: [ca.certificatePem] };

Deno.test("connectTls() connects by name and by address, and knows whom to expect", async () => {
  await using listener = listenTls({ hostname: "127.0.0.1", port: 0, ...server });
  const { port } = listener.addr as Deno.NetAddr;
  for (
    const [options, serverName] of [
      [{ hostname: "localhost", port, tls: TLS }, "localhost"],
      [{ hostname: "127.0.0.1", port, tls: TLS }, undefined],
      [{ hostname: "127.0.0.1", port, tls: { ...TLS, hostname: "localhost" } }, "localhost"],
    ] as const
  ) {
    const [near, far] = await Promise.all([connectTls(options), listener.accept()]);
    assertEquals(far.tlsInfo.serverName, serverName);
    near.close();
    far.close();
  }
});

Deno.test({
  name: "connectTls() goes over Unix sockets",
  // Windows has none.
  ignore: Deno.build.os === "windows",
  async fn() {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/s`;
    {
      await using listener = listenTls({ path, ...server });
      const [near, far] = await Promise.all([
        connectTls({ path, tls: { ...TLS, hostname: "localhost" } }),
        listener.accept(),
      ]);
      assertEquals(near.tlsInfo.verifiedBy, "nbio");
      near.close();
      far.close();
      await assertRejects(() => connectTls({ path, tls: TLS }), TypeError);
    }
    await Deno.remove(folder, { recursive: true });
  },
});

Deno.test("connectTls() looks at options before it connects", async () => {
  const connect = () => Promise.reject(new Error("connected"));
  const place = { hostname: "127.0.0.1", port: 1, connect };
  await assertRejects(() => connectTls({ ...place, tls: { caCerts: ["x"] } }), TypeError);
  await assertRejects(
    () => connectTls({ ...place, tls: { ciphers: "x" } as object }),
    TlsUnsupportedError,
  );
  await assertRejects(() => connectTls({ ...place, tls: { handshakeTimeoutMs: -1 } }), RangeError);
  await assertRejects(() => connectTls({ ...place, tls: TLS }), ConnectError);
});

Deno.test("connectTls() hands the provider what it was told, brackets and dots taken off", async () => {
  const asked: TlsClientOptions[] = [];
  const reason = new Error("seen");
  const fake: TlsProvider = {
    name: "fake",
    capabilities: { client: true, server: false, anyTransport: true },
    client: (transport, options) => {
      asked.push(options);
      transport.close();
      return Promise.reject(reason);
    },
    server: () => Promise.reject(new TypeError("none")),
  };
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { signal } = new AbortController();
  for (const hostname of ["localhost.", "[::1]"]) {
    const error = await assertRejects(() =>
      connectTls({
        hostname: "127.0.0.1",
        port: listener.addr.port,
        provider: fake,
        signal,
        tls: { ...TLS, hostname },
      })
    );
    assertStrictEquals(error, reason);
    (await listener.accept()).close();
  }
  assertEquals(asked, [
    { ...TLS, hostname: "localhost", signal },
    { ...TLS, hostname: "::1", signal },
  ]);
});
