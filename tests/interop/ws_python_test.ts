import { serve } from "@nbio/net/http";
import { upgrade, type WebSocketCompressionOptions } from "@nbio/net/websocket";
import { assert, assertEquals } from "@std/assert";
import { interopEnabled } from "../_support/interop.ts";
import { eventually, runPeer, startPeer } from "../_support/peer.ts";
import { reportPeer } from "../_support/report.ts";
import { exchangeAll } from "./ws_exchange.ts";

const PEER = new URL("./ws_python_peer.py", import.meta.url).pathname;
const python = interopEnabled ? await findPython() : undefined;
reportPeer(
  "python websockets",
  python === undefined
    ? { skipped: interopEnabled ? "not installed" : "NBIO_INTEROP is not set" }
    : "ran",
);
const ignore = python === undefined;

/** The system's own may have the package where the one on the path has not. */
async function findPython(): Promise<string | undefined> {
  for (const command of ["python3", "/usr/bin/python3"]) {
    try {
      const { code } = await runPeer(command, ["-c", "import websockets"]);
      if (code === 0) return command;
    } catch {
      // It is not there.
    }
  }
  return undefined;
}

/** What both ends want of compression; `null` for none on the other side. */
interface Wishes {
  readonly name: string;
  readonly ours: boolean | WebSocketCompressionOptions;
  readonly client: Readonly<Record<string, unknown>> | null;
  readonly server: Readonly<Record<string, unknown>> | null;
}

/** What both names of their sides say in Python. */
function windows(bits: number): Wishes {
  const theirs = { server_max_window_bits: bits, client_max_window_bits: bits };
  return {
    name: `with windows of ${bits} bits`,
    ours: { serverMaxWindowBits: bits, clientMaxWindowBits: bits },
    client: theirs,
    server: theirs,
  };
}

const NO_TAKEOVER = { server_no_context_takeover: true, client_no_context_takeover: true };
const WISHES: readonly Wishes[] = [
  { name: "without compression", ours: false, client: null, server: null },
  { name: "with compression", ours: true, client: { client_max_window_bits: true }, server: {} },
  ...[9, 12, 15].map(windows),
  {
    name: "without takeover",
    ours: { serverNoContextTakeover: true, clientNoContextTakeover: true },
    client: { ...NO_TAKEOVER, client_max_window_bits: true },
    server: NO_TAKEOVER,
  },
];

for (const { name, ours, client, server: theirs } of WISHES) {
  Deno.test({
    name: `python websockets as a client, ${name}`,
    ignore,
    async fn() {
      const extensions: string[] = [];
      await using server = serve(async (ctx) => {
        await using connection = await upgrade(ctx, { compression: ours });
        extensions.push(connection.extensions);
        for await (const { data } of connection) await connection.send(data);
      }, { hostname: "127.0.0.1", port: 0 });
      const url = `ws://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`;
      const args = [PEER, "client", url, JSON.stringify(client)];
      const { code, text, stderr } = await runPeer(python!, args);
      assertEquals(code, 0, stderr);
      assertEquals(JSON.parse(text), { rightCount: 17, code: 4000 });
      assertEquals(extensions.map((value) => value !== ""), [ours !== false]);
      assert(await eventually(() => server.stats().connectionCount === 0));
    },
  });

  Deno.test({
    name: `python websockets as a server, ${name}`,
    ignore,
    async fn() {
      await using peer = startPeer(python!, [PEER, "server", JSON.stringify(theirs)]);
      const [, port] = await peer.ready(/^Listening on (\d+)$/);
      assertEquals(await exchangeAll(`ws://127.0.0.1:${port}/`, ours), ours !== false);
    },
  });
}
