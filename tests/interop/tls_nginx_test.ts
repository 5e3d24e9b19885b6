import { Client, serve, type ServeOptions } from "@nbio/net/http";
import { copy, dial, listen, type Transport } from "@nbio/net/nbio";
import { denoProvider, listenTls, nodeProvider } from "@nbio/net/tls";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { startPeer } from "../_support/peer.ts";
import { sampleBytes } from "./interop_app.ts";
import { type TlsFiles, tlsTest } from "./tls_files.ts";

const ignore = !interopEnabled || !hasCommand("nginx");
const HERE = { hostname: "127.0.0.1", port: 0 } as const;

function nginxTest(name: string, fn: (files: TlsFiles) => Promise<void>): void {
  tlsTest(`nginx ${name}`, ignore, fn);
}

/** Runs nginx with one server. It listens on a Unix socket: it cannot tell a free port. */
async function withNginx(
  { folder }: TlsFiles,
  server: string,
  use: (socket: string) => Promise<void>,
): Promise<void> {
  const run = await Deno.makeTempDir({ dir: folder });
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${run}/${name};`).join("\n");
  const path = `${run}/nginx.conf`;
  await Deno.writeTextFile(
    path,
    `
daemon off;
master_process off;
pid ${run}/nginx.pid;
error_log /dev/stdout notice;
events { worker_connections 256; }
http {
  access_log off;
  ${temporary}
  client_max_body_size 8m;
  server {
${server.replaceAll("SOCKET", `unix:${run}/nginx.sock`)}
  }
}`,
  );
  await using nginx = startPeer("nginx", ["-p", run, "-c", path, "-e", "/dev/stdout"], 60_000);
  // Said after its sockets are open.
  await nginx.ready(/using the ".*" event method/);
  await use(`${run}/nginx.sock`);
}

/** Lets clients that speak TCP only get to a Unix socket. */
function bridge(path: string) {
  const listener = listen(HERE);
  void listener.serve(async (near) => {
    const far = await dial({ path });
    const pump = async (from: Transport, to: Transport) => {
      await copy(from, to).catch(() => {});
      await to.closeWrite().catch(() => {});
    };
    await Promise.all([pump(near, far), pump(far, near)]);
    near.close();
    far.close();
  });
  return listener;
}

nginxTest("in front of us speaks TLS to us, verifies us and shows who it is", async (files) => {
  const { own } = await files.server("app.test");
  const { certPath, keyPath } = await files.client("front.test");
  const clientCaCerts = [files.ca.certificatePem];
  const tls: ServeOptions["tls"] = { ...own, clientCertificates: "optional", clientCaCerts };
  await using app = serve(async (ctx) => {
    if (ctx.method === "POST") return ctx.bytes(await ctx.body.bytes());
    const { serverName, verifiedBy } = ctx.tlsInfo!;
    ctx.json([serverName, verifiedBy]);
  }, { ...HERE, tls });
  const { port } = app.addr as Deno.NetAddr;
  const common = `
      proxy_pass https://127.0.0.1:${port};
      proxy_http_version 1.1;
      proxy_ssl_server_name on;
      proxy_ssl_protocols TLSv1.2 TLSv1.3;
      proxy_ssl_verify on;
      proxy_ssl_trusted_certificate ${files.caPath};`;
  const configuration = `
    listen SOCKET;
    location / { ${common} proxy_ssl_name app.test; }
    location /known { ${common}
      proxy_ssl_name app.test;
      # Else it would go on with a session of "/", in which it has shown no certificate.
      proxy_ssl_session_reuse off;
      proxy_ssl_certificate ${certPath};
      proxy_ssl_certificate_key ${keyPath};
    }
    location /other { ${common} proxy_ssl_name other.test; }`;
  await withNginx(files, configuration, async (path) => {
    await using client = new Client({ path, retry: false });
    const get = async (at: string) => (await client.get(`http://front${at}`)).text();
    assertEquals(await get("/"), '["app.test","nobody"]');
    assertEquals(await get("/known"), '["app.test","nbio"]');
    const refused = await client.get("http://front/other");
    assertEquals(refused.status, 502);
    assertEquals(typeof await refused.text(), "string");
    const body = sampleBytes(3_000_000);
    assertEquals(await (await client.post("http://front/", { body })).bytes(), body);
    for (let count = 0; count < 50; count++) assertEquals(await get("/"), '["app.test","nobody"]');
  });
});

nginxTest("as a server is verified, and told who we are", async (files) => {
  const { certPath, keyPath } = await files.server("localhost");
  const alice = await files.client("alice.test");
  const mallory = await files.client("mallory.test", false);
  const configuration = `
    listen SOCKET ssl;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate ${certPath};
    ssl_certificate_key ${keyPath};
    ssl_client_certificate ${files.caPath};
    ssl_verify_client optional;
    location / { return 200 "$ssl_protocol $ssl_server_name $ssl_client_verify"; }`;
  await withNginx(files, configuration, async (path) => {
    await using tcp = bridge(path);
    const { port } = tcp.addr as Deno.NetAddr;
    const caCerts = [files.ca.certificatePem];
    const get = async (options: ConstructorParameters<typeof Client>[0], host = "localhost") => {
      await using client = new Client({ retry: false, ...options });
      const response = await client.get(`https://${host}:${port}/`);
      return [response.status, await response.text()] as const;
    };
    const anonymous = [200, "TLSv1.3 localhost NONE"] as const;
    for (const tlsProvider of [denoProvider, nodeProvider]) {
      assertEquals(await get({ tls: { caCerts }, tlsProvider }), anonymous);
      await assertRejects(() => get({ tlsProvider }));
      await assertRejects(() => get({ tls: { caCerts }, tlsProvider }, "127.0.0.1"));
    }
    assertEquals(await get({ tls: { caCerts }, path }), anonymous);
    const { cert, key } = alice.own;
    const known = [200, "TLSv1.3 localhost SUCCESS"] as const;
    assertEquals(await get({ tls: { caCerts, cert, key } }), known);
    // nginx answers by itself: the handshake is through by then.
    assertEquals((await get({ tls: { caCerts, ...mallory.own } }))[0], 400);
    const old = await get({ tls: { caCerts, maxVersion: "TLSv1.2" } });
    assertEquals(old[1], "TLSv1.2 localhost NONE");
  });
});

nginxTest("finds its way past the listener that needs no module", async (files) => {
  const { own: { cert, key } } = await files.server("app.test");
  await using app = serve((ctx) => ctx.text("hello"), {
    listener: listenTls({ ...HERE, provider: "deno", cert, key }),
  });
  const { port } = app.addr as Deno.NetAddr;
  const configuration = `
    listen SOCKET;
    location / {
      proxy_pass https://127.0.0.1:${port};
      proxy_ssl_verify on;
      proxy_ssl_name app.test;
      proxy_ssl_trusted_certificate ${files.caPath};
    }`;
  await withNginx(files, configuration, async (path) => {
    await using client = new Client({ path });
    assert((await (await client.get("http://front/")).text()) === "hello");
  });
});
