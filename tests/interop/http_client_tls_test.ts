/** Our client over TLS against `Deno.serve`: directly, and through the tunnel of a proxy. */

import { Client } from "@nbio/net/http";
import { createDevelopmentCertificate } from "@nbio/net/tls";
import { dial } from "@nbio/net/websocket";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { errorOf } from "../_support/client_harness.ts";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { whileListening } from "../_support/listening_program.ts";
import { startPeer } from "../_support/peer.ts";
import { sampleBytes, sha256 } from "./interop_app.ts";

const REQUEST_COUNT = 300;
const CONNECTION_COUNT = 8;
const NAMES = ["localhost", "127.0.0.1"];

/** A server, and who has signed for it. */
interface SecureServer {
  readonly port: number;
  /** Certificate of the development CA. */
  readonly ca: string;
}

/** Runs the work while `Deno.serve` echoes what it is sent, and messages of WebSockets. */
async function whileServing(work: (server: SecureServer) => Promise<void>): Promise<void> {
  const { leaf, ca } = await createDevelopmentCertificate(NAMES);
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    cert: leaf.certificatePem,
    key: leaf.privateKeyPem,
    onListen() {},
  }, (request) => {
    if (request.headers.get("upgrade") !== "websocket") return new Response(request.body);
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }) => socket.send(data);
    return response;
  });
  try {
    await work({ port: server.addr.port, ca: ca.certificatePem });
  } finally {
    await server.shutdown();
  }
}

async function echoMany(client: Client): Promise<void> {
  await Promise.all(Array.from({ length: REQUEST_COUNT }, async (_, index) => {
    const body = sampleBytes(index * index).map((byte) => byte ^ index);
    const response = await client.put("/", { body });
    assertEquals([response.status, response.url.startsWith("https:")], [200, true]);
    assertEquals(await sha256(await response.bytes()), await sha256(body));
  }));
  const { connections, idle } = client.stats();
  assertEquals(connections, idle);
  assert(connections <= CONNECTION_COUNT, `${connections} connections`);
}

async function echoMessages(url: string, ca: string, proxy?: string): Promise<void> {
  await using ws = await dial(url, { tls: { caCerts: [ca] }, ...proxy !== undefined && { proxy } });
  for (let index = 0; index < 50; index++) {
    const message = sampleBytes(index * 1_000);
    await ws.send(message);
    assertEquals((await ws.readMessage())?.data, message);
  }
}

Deno.test("Client asks Deno.serve over TLS, by name and by address", async () => {
  await whileServing(async ({ port, ca }) => {
    for (const name of NAMES) {
      await using client = new Client({
        baseUrl: `https://${name}:${port}`,
        maxConnectionsPerHost: CONNECTION_COUNT,
        tls: { caCerts: [ca] },
      });
      await echoMany(client);
    }
    await echoMessages(`wss://localhost:${port}/`, ca);
  });
});

Deno.test("Client refuses Deno.serve over TLS that a stranger has signed for", async () => {
  await whileServing(async ({ port }) => {
    const { ca } = await createDevelopmentCertificate(NAMES);
    for (const tls of [{ caCerts: [ca.certificatePem] }, {}]) {
      await using client = new Client({ tls, retry: false });
      const error = await errorOf(client.get(`https://localhost:${port}/`));
      assertInstanceOf(error, Error);
      assertEquals(client.stats().connections, 0);
    }
  });
});

Deno.test({
  name: "Client asks Deno.serve over TLS through the tunnels of tinyproxy",
  ignore: !interopEnabled || !hasCommand("tinyproxy"),
  async fn() {
    const start = async ({ folder, port }: { readonly folder: string; readonly port: number }) => {
      const path = `${folder}/tinyproxy.conf`;
      const lines = [`Port ${port}`, "Listen 127.0.0.1", "MaxClients 100", "LogLevel Critical"];
      await Deno.writeTextFile(path, `${lines.join("\n")}\n`);
      return startPeer("tinyproxy", ["-d", "-c", path], 60_000);
    };
    await whileListening(start, async (tinyproxy) => {
      await whileServing(async ({ port, ca }) => {
        const proxy = `http://127.0.0.1:${tinyproxy.port}`;
        await using client = new Client({
          baseUrl: `https://localhost:${port}`,
          maxConnectionsPerHost: CONNECTION_COUNT,
          tls: { caCerts: [ca] },
          proxy,
        });
        await echoMany(client);
        await echoMessages(`wss://localhost:${port}/`, ca, proxy);
      });
    });
  },
});
