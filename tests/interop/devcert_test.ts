import {
  type CertifiedKey,
  createDevelopmentCa,
  createDevelopmentCertificate,
  type DevelopmentKeyType,
} from "@nbio/net/tls";
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { eventually, runPeer } from "../_support/peer.ts";

const KEY_TYPES = ["P-256", "P-384", "RSA", "Ed25519"] as const;
const NAMES = ["localhost", "*.app.test", "127.0.0.1", "::1"];
const HELLO = "Hello from a development certificate";

/** A server with a leaf, and its files in a folder of their own. */
class DevelopmentServer implements AsyncDisposable {
  readonly folder: string;
  readonly ca: CertifiedKey;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor(folder: string, ca: CertifiedKey, leaf: CertifiedKey) {
    this.folder = folder;
    this.ca = ca;
    this.#server = Deno.serve({
      hostname: "127.0.0.1",
      port: 0,
      cert: leaf.certificatePem,
      key: leaf.privateKeyPem,
      onListen() {},
    }, () => new Response(`<p>${HELLO}</p>`, { headers: { "content-type": "text/html" } }));
  }

  static async start(
    keyType: DevelopmentKeyType,
    permittedNames?: readonly string[],
  ): Promise<DevelopmentServer> {
    const constraints = permittedNames === undefined ? {} : { permittedNames };
    const { leaf, ca } = await createDevelopmentCertificate(NAMES, { keyType, ...constraints });
    const folder = await Deno.makeTempDir();
    await Deno.writeTextFile(`${folder}/ca.pem`, ca.certificatePem);
    await Deno.writeTextFile(`${folder}/leaf.pem`, leaf.certificatePem);
    const other = await createDevelopmentCa({ keyType });
    await Deno.writeTextFile(`${folder}/other.pem`, other.certificatePem);
    return new DevelopmentServer(folder, ca, leaf);
  }

  get port(): number {
    return this.#server.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    // Helper processes of a browser may still write while it ends.
    const isGone = await eventually(() => {
      try {
        Deno.removeSync(this.folder, { recursive: true });
        return true;
      } catch {
        return false;
      }
    });
    assert(isGone);
  }
}

for (const keyType of KEY_TYPES) {
  for (const permittedNames of [undefined, ["localhost", "app.test", "127.0.0.0/8", "::1"]]) {
    const what = `${keyType}${permittedNames === undefined ? "" : " under a restricted CA"}`;

    Deno.test(`Deno connects to a leaf of ${what}`, async () => {
      await using server = await DevelopmentServer.start(keyType, permittedNames);
      const { port } = server;
      const caCerts = [server.ca.certificatePem];
      using client = Deno.createHttpClient({ caCerts });
      const response = await fetch(`https://localhost:${port}/`, { client });
      assert((await response.text()).includes(HELLO));
      using connection = await Deno.connectTls({ hostname: "127.0.0.1", port, caCerts });
      await connection.handshake();
      const { certificatePem } = await createDevelopmentCa({ keyType });
      using stranger = await Deno.connectTls({
        hostname: "127.0.0.1",
        port,
        caCerts: [certificatePem],
      });
      await assertRejects(() => stranger.handshake(), Deno.errors.InvalidData);
    });

    Deno.test({
      name: `openssl verifies a leaf of ${what}`,
      ignore: !interopEnabled || !hasCommand("openssl"),
      async fn() {
        await using server = await DevelopmentServer.start(keyType, permittedNames);
        const verify = async (ca: string, ...args: string[]): Promise<number> => {
          const strict = ["verify", "-x509_strict", "-check_ss_sig", "-purpose", "sslserver"];
          const files = ["-CAfile", `${server.folder}/${ca}`, `${server.folder}/leaf.pem`];
          return (await runPeer("openssl", [...strict, ...args, ...files])).code;
        };
        assertEquals(await verify("ca.pem", "-verify_hostname", "localhost"), 0);
        assertEquals(await verify("ca.pem", "-verify_hostname", "www.app.test"), 0);
        assertEquals(await verify("ca.pem", "-verify_ip", "::1"), 0);
        assertNotEquals(await verify("ca.pem", "-verify_hostname", "example.com"), 0);
        assertNotEquals(await verify("other.pem"), 0);
      },
    });

    Deno.test({
      name: `curl accepts a leaf of ${what}`,
      ignore: !interopEnabled || !hasCommand("curl"),
      async fn() {
        await using server = await DevelopmentServer.start(keyType, permittedNames);
        const { port } = server;
        const get = (ca: string, host: string) =>
          runPeer("curl", [
            ...["--silent", "--noproxy", "*", "--cacert", `${server.folder}/${ca}`],
            ...["--resolve", `www.app.test:${port}:127.0.0.1`, "--ipv4"],
            `https://${host}:${port}/`,
          ]);
        for (const host of ["localhost", "127.0.0.1", "www.app.test"]) {
          const { code, text } = await get("ca.pem", host);
          assertEquals(code, 0);
          assert(text.includes(HELLO));
        }
        // CURLE_PEER_FAILED_VERIFICATION
        assertEquals((await get("other.pem", "localhost")).code, 60);
      },
    });
  }
}

const browser = ["chromium", "google-chrome"].find(hasCommand);

/** What Chromium shows of a URL; its home has the CA among those to trust, or another one. */
async function dumpDom(server: DevelopmentServer, ca: string, url: string): Promise<string> {
  const home = `${server.folder}/home-${crypto.randomUUID()}`;
  const database = `${home}/.pki/nssdb`;
  await Deno.mkdir(database, { recursive: true });
  for (
    const args of [
      ["-d", `sql:${database}`, "-N", "--empty-password"],
      ["-d", `sql:${database}`, "-A", "-t", "C,,", "-n", "ca", "-i", `${server.folder}/${ca}`],
    ]
  ) {
    const { code, stderr } = await runPeer("certutil", args);
    assertEquals(code, 0, stderr);
  }
  const { code, text, stderr } = await runPeer(browser!, [
    ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    ...["--disable-dev-shm-usage", `--user-data-dir=${home}/profile`, "--no-proxy-server"],
    ...["--host-resolver-rules=MAP www.app.test 127.0.0.1", "--dump-dom", url],
  ], { timeoutMs: 60_000, env: { HOME: home } });
  assertEquals(code, 0, stderr);
  return text;
}

for (const keyType of ["P-256", "RSA"] as const) {
  Deno.test({
    name: `Chromium accepts a leaf of ${keyType} once it trusts the CA, and only then`,
    ignore: !interopEnabled || browser === undefined || !hasCommand("certutil"),
    async fn() {
      const permitted = ["localhost", "app.test", "127.0.0.1", "::1"];
      await using server = await DevelopmentServer.start(keyType, permitted);
      const { port } = server;
      for (const host of ["localhost", "127.0.0.1", "www.app.test"]) {
        const dom = await dumpDom(server, "ca.pem", `https://${host}:${port}/`);
        assert(dom.includes(HELLO), dom);
      }
      const dom = await dumpDom(server, "other.pem", `https://localhost:${port}/`);
      assert(!dom.includes(HELLO), dom);
    },
  });
}
