// One server of the comparison: `deno run -A server.ts KIND CERT KEY` prints its port. Those of ours
// know `/bulk` too; the bare ones answer whatever they read with the same bytes.
import type { Duplex } from "node:stream";
import { serve } from "@nbio/net/http";
import { listenTls } from "@nbio/net/tls";
import { transportDuplex } from "../../../tls/transport_duplex.ts";
import { BULK_BYTES, GREETING } from "./payloads.ts";

const HERE = { hostname: "127.0.0.1", port: 0 } as const;
const PIECE = new Uint8Array(65_536);
const HEAD =
  `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${GREETING.length}\r\n\r\n`;
const ANSWER = new TextEncoder().encode(HEAD + GREETING);

interface Own {
  readonly cert: string;
  readonly key: string;
}

async function* bulk(): AsyncGenerator<Uint8Array> {
  for (let length = 0; length < BULK_BYTES; length += PIECE.length) yield PIECE;
}

function serveOurs(provider: "deno" | "node", own: Own): number {
  const server = serve((ctx) => {
    if (ctx.path !== "/bulk") return ctx.text(GREETING);
    ctx.set("content-length", `${BULK_BYTES}`);
    ctx.stream(bulk());
  }, { listener: listenTls({ ...HERE, provider, ...own }), onError: () => {} });
  return (server.addr as Deno.NetAddr).port;
}

/** Who leaves is no news. */
async function answerAll(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(1_024);
  try {
    while (await connection.read(buffer) !== null) await connection.write(ANSWER);
    connection.close();
  } catch {
    // It is closed.
  }
}

async function acceptAll(listener: Deno.Listener, use: (connection: Deno.Conn) => unknown) {
  for await (const connection of listener) void use(connection);
}

function serveBare(own: Own): number {
  const listener = Deno.listenTls({ ...HERE, ...own });
  void acceptAll(listener, answerAll);
  return listener.addr.port;
}

/** `node:tls` over a stream made of a connection of the runtime, as the provider has it. */
async function serveDuplex(own: Own): Promise<number> {
  const { createServer } = await import("node:tls");
  const server = createServer(own, (socket: Duplex) => {
    socket.on("error", () => {});
    socket.on("data", () => socket.write(ANSWER));
  });
  server.on("tlsClientError", () => {});
  const listener = Deno.listen(HERE);
  void acceptAll(listener, async (connection) => {
    (connection as Deno.TcpConn).setNoDelay(true);
    server.emit("connection", await transportDuplex(connection));
  });
  return listener.addr.port;
}

function serveDeno(own: Own): number {
  const headers = { "content-type": "text/plain" };
  const server = Deno.serve(
    { ...HERE, ...own, onListen() {} },
    () => new Response(GREETING, { headers }),
  );
  return server.addr.port;
}

const KINDS: Readonly<Record<string, (own: Own) => number | Promise<number>>> = {
  "ours-deno": (own) => serveOurs("deno", own),
  "ours-node": (own) => serveOurs("node", own),
  "Deno.serve": serveDeno,
  "bare-listenTls": serveBare,
  "bare-node": serveDuplex,
};

const [kind, cert, key] = Deno.args;
const own = { cert: await Deno.readTextFile(cert!), key: await Deno.readTextFile(key!) };
console.log(await KINDS[kind!]!(own));
