import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { NetError } from "../../nbio/errors.ts";
import { dial, type WebSocketDialOptions } from "../../websocket/dial.ts";
import { textOf } from "../_support/raw_bytes.ts";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const START = "HTTP/1.1 101 Switching Protocols";
const UPGRADE = "Upgrade: websocket";
const CONNECTION = "Connection: Upgrade";
const ACCEPT = "Sec-WebSocket-Accept: ACCEPT";
const GOOD = [START, UPGRADE, CONNECTION, ACCEPT];
const DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate";
const CLOSE = "\x88\x02\x03\xe8";

/** What a server says to a client that has asked for something. */
interface AnswerCase {
  readonly name: string;
  /** Its lines; `ACCEPT` in them becomes what belongs to the key. */
  readonly lines: readonly string[];
  readonly options?: WebSocketDialOptions;
  /** How the client fails; without it the connection opens. */
  readonly code?: string;
}

/** Answers one client; gives what it has asked. */
async function serveOnce(listener: Deno.TcpListener, lines: readonly string[]): Promise<string> {
  using conn = await listener.accept();
  listener.close();
  let head = "";
  const buffer = new Uint8Array(4096);
  while (!head.endsWith("\r\n\r\n")) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error("The client left");
    head += textOf(buffer.subarray(0, count));
  }
  const key = /\r\nsec-websocket-key: (\S+)\r\n/i.exec(head)![1]!;
  const accept = createHash("sha1").update(key + GUID).digest("base64");
  const answer = `${[...lines, "", ""].join("\r\n").replace("ACCEPT", accept)}${CLOSE}`;
  await conn.write(Uint8Array.from(answer, (character) => character.charCodeAt(0)));
  // Whether it answers the Close or leaves, there is an end.
  while (await conn.read(buffer).catch(() => null) !== null) {
    await conn.closeWrite().catch(() => {});
  }
  return head;
}

/** Dials a server that gives that answer. */
async function meet(
  lines: readonly string[],
  options: WebSocketDialOptions,
): Promise<{ readonly head: string; readonly error: unknown; readonly isClean: boolean }> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = serveOnce(listener, lines);
  try {
    const ws = await dial(`ws://127.0.0.1:${listener.addr.port}/a?b`, options);
    assertEquals(await ws.readMessage(), undefined);
    const { clean } = await ws.closed;
    return { head: await serving, error: undefined, isClean: clean };
  } catch (error) {
    return { head: await serving, error, isClean: false };
  }
}

function bad(name: string, lines: readonly string[], options?: WebSocketDialOptions): AnswerCase {
  const code = "ERR_WEBSOCKET_BAD_HANDSHAKE";
  return { name, lines, code, ...options !== undefined && { options } };
}

function badExtension(name: string, value: string, compression = true): AnswerCase {
  const lines = [...GOOD, `Sec-WebSocket-Extensions: ${value}`];
  return { name, lines, options: { compression }, code: "ERR_WEBSOCKET_BAD_EXTENSION" };
}

const CHAT = { subprotocols: ["chat", "Superchat"] };

const CASES: readonly AnswerCase[] = [
  { name: "the smallest", lines: GOOD },
  {
    name: "tokens in any case, and lists",
    lines: [START, "upgrade: WebSocket", "connection: keep-alive, UPGRADE", ACCEPT],
  },
  {
    name: "a subprotocol that was offered",
    lines: [...GOOD, "Sec-WebSocket-Protocol: Superchat"],
    options: CHAT,
  },
  {
    name: "compression that was offered",
    lines: [...GOOD, DEFLATE],
    options: { compression: true },
  },
  { name: "no compression although it was offered", lines: GOOD, options: { compression: true } },
  bad("200", ["HTTP/1.1 200 OK", UPGRADE, CONNECTION, ACCEPT]),
  bad("403", ["HTTP/1.1 403 Forbidden", "Content-Length: 0"]),
  bad("a redirect that was not asked for", [
    "HTTP/1.1 302 Found",
    "Location: /",
    "Content-Length: 0",
  ]),
  bad("no Upgrade", [START, CONNECTION, ACCEPT]),
  bad("another Upgrade", [START, "Upgrade: h2c", CONNECTION, ACCEPT]),
  bad("no Connection", [START, UPGRADE, ACCEPT]),
  bad("a Connection without the token", [START, UPGRADE, "Connection: keep-alive", ACCEPT]),
  bad("no Accept", [START, UPGRADE, CONNECTION]),
  bad("the key as Accept", [
    ...[START, UPGRADE, CONNECTION],
    "Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ==",
  ]),
  bad("Accept twice", [...GOOD, ACCEPT]),
  bad("a subprotocol nobody offered", [...GOOD, "Sec-WebSocket-Protocol: chat"]),
  bad("a subprotocol in another case", [...GOOD, "Sec-WebSocket-Protocol: superchat"], CHAT),
  bad("two subprotocols", [...GOOD, "Sec-WebSocket-Protocol: chat, Superchat"], CHAT),
  badExtension("compression nobody offered", "permessage-deflate", false),
  badExtension("an unknown extension", "x-unknown"),
  badExtension("compression twice", "permessage-deflate, permessage-deflate"),
  ...[
    "unknown",
    "server_max_window_bits",
    "server_max_window_bits=16",
    "client_max_window_bits",
    "client_max_window_bits=7",
    "server_no_context_takeover=1",
    "server_no_context_takeover; server_no_context_takeover",
  ].map((parameter) => badExtension(`parameter ${parameter}`, `permessage-deflate; ${parameter}`)),
];

for (const { name, lines, options = {}, code } of CASES) {
  Deno.test(`dial() is answered with ${name}: ${code ?? "open"}`, async () => {
    const { error, isClean } = await meet(lines, options);
    if (code === undefined) assertEquals([error, isClean], [undefined, true]);
    else assertEquals(error instanceof NetError && error.code, code);
  });
}

Deno.test("dial() asks as RFC 6455 says, each time with another key", async () => {
  const keys = new Set<string>();
  for (let round = 0; round < 3; round++) {
    const { head } = await meet(GOOD, { ...CHAT, headers: { "X-Token": "7" }, compression: true });
    assert(head.startsWith("GET /a?b HTTP/1.1\r\n"));
    for (
      const line of [
        /^Host: 127\.0\.0\.1:\d+$/im,
        /^Upgrade: websocket$/im,
        /^Connection: Upgrade$/im,
        /^Sec-WebSocket-Version: 13$/im,
        /^Sec-WebSocket-Protocol: chat, Superchat$/im,
        /^Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits$/im,
        /^X-Token: 7$/im,
      ]
    ) assertEquals(head.replaceAll("\r", "").match(new RegExp(line, "gim"))?.length, 1, `${line}`);
    const key = /^sec-websocket-key: (\S+)$/im.exec(head.replaceAll("\r", ""))![1]!;
    assertEquals(atob(key).length, 16);
    keys.add(key);
  }
  assertEquals(keys.size, 3);
});

Deno.test("dial() does not let the caller say what the handshake says", async () => {
  for (const name of ["Sec-WebSocket-Key", "Upgrade", "Connection", "Host"]) {
    const options = { headers: { [name]: "x" } };
    await assertRejects(() => dial("ws://127.0.0.1:1/", options), TypeError);
  }
});
