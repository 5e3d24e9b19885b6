import { assert, assertEquals } from "@std/assert";
import { HeaderList } from "../../http/header_list.ts";
import { serve } from "../../http/serve.ts";
import { upgrade, type UpgradeOptions } from "../../websocket/upgrade.ts";
import { RawClient } from "../_support/raw_client.ts";
import type { RawResponse } from "../_support/raw_response.ts";
import { echo, portOf } from "../_support/websocket_harness.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/** The lines of a good request, by what they are about. */
const GOOD = {
  start: "GET /chat HTTP/1.1",
  host: "Host: a.example",
  connection: "Connection: Upgrade",
  upgrade: "Upgrade: websocket",
  version: "Sec-WebSocket-Version: 13",
  key: `Sec-WebSocket-Key: ${KEY}`,
} as const;

/** Lines that replace those of a good request, or follow them. */
type Lines = Readonly<Partial<Record<keyof typeof GOOD | "more", string>>>;

/** A handshake, and what has to be answered. */
interface HandshakeCase {
  readonly name: string;
  readonly lines: Lines;
  readonly options?: UpgradeOptions;
  readonly status: number;
  /** What each named field must be; `undefined` for absent. */
  readonly fields?: Readonly<Record<string, string | undefined>>;
}

function wireOf({ more, ...lines }: Lines): string {
  const all = [...Object.values({ ...GOOD, ...lines }), ...more === undefined ? [] : [more]];
  return `${all.filter((line) => line !== "").join("\r\n")}\r\n\r\n`;
}

async function ask(lines: Lines, options: UpgradeOptions): Promise<RawResponse> {
  await using server = serve(async (ctx) => echo(await upgrade(ctx, options)), {
    hostname: "127.0.0.1",
    port: 0,
    onError: () => {},
  });
  await using client = await RawClient.connect({ hostname: "127.0.0.1", port: portOf(server) });
  await client.send(wireOf(lines));
  const response = await client.response(lines.start?.startsWith("HEAD "));
  assert(response !== undefined, "no answer");
  if (response.status !== 101) return response;
  // A whole echo, then a Close: then the connection is one of WebSocket indeed.
  const masked = "\x81\x82\0\0\0\0ok\x88\x80\0\0\0\0";
  await client.send(masked);
  assertEquals(await client.closed(), "eof");
  assertEquals([...client.leftover], [0x81, 2, 0x6f, 0x6b, 0x88, 0]);
  return response;
}

function accepted(
  name: string,
  lines: Lines,
  options?: UpgradeOptions,
  fields: HandshakeCase["fields"] = {},
): HandshakeCase {
  const all = {
    "sec-websocket-accept": ACCEPT,
    connection: "Upgrade",
    upgrade: "websocket",
    ...fields,
  };
  return { name, lines, status: 101, fields: all, ...options !== undefined && { options } };
}

function refused(
  name: string,
  status: number,
  lines: Lines,
  options?: UpgradeOptions,
): HandshakeCase {
  // RFC 6455 section 4.4 and RFC 9110 section 15.5.22.
  const fields = name.startsWith("version")
    ? { "sec-websocket-version": "13", upgrade: "websocket" }
    : status === 426
    ? { upgrade: "websocket" }
    : { "sec-websocket-accept": undefined };
  return { name, lines, status, fields, ...options !== undefined && { options } };
}

function offered(name: string, offer: string, answer: string | undefined): HandshakeCase {
  const lines = { more: `Sec-WebSocket-Extensions: ${offer}` };
  const options = { compression: { serverMaxWindowBits: 15, clientMaxWindowBits: 15 } };
  return accepted(`offer: ${name}`, lines, options, { "sec-websocket-extensions": answer });
}

function subprotocol(
  name: string,
  offer: string,
  subprotocols: UpgradeOptions["subprotocols"],
  answer: string | undefined,
): HandshakeCase {
  const lines = { more: `Sec-WebSocket-Protocol: ${offer}` };
  const options = subprotocols === undefined ? {} : { subprotocols };
  return accepted(`subprotocol: ${name}`, lines, options, { "sec-websocket-protocol": answer });
}

const DEFLATE = "permessage-deflate";
const ORIGIN = "Origin: http://b.example";

const CASES: readonly HandshakeCase[] = [
  accepted("smallest", {}, {}, { "sec-websocket-extensions": undefined }),
  accepted("as Firefox says it", { connection: "Connection: keep-alive, Upgrade" }),
  accepted("tokens in any case", {
    connection: "connection: UPGRADE",
    upgrade: "UPGRADE: WebSocket",
  }),
  accepted("Connection twice", { connection: "Connection: keep-alive\r\nConnection: upgrade" }),
  accepted("another protocol to choose from", { upgrade: "Upgrade: h2c, websocket" }),
  accepted("fields with blanks around them", { upgrade: "Upgrade: \t websocket \t" }),
  accepted("a query", { start: "GET /chat?room=1 HTTP/1.1" }),
  accepted("a body of no bytes", { more: "Content-Length: 0" }),

  refused("method POST", 405, { start: "POST /chat HTTP/1.1" }),
  refused("method HEAD", 405, { start: "HEAD /chat HTTP/1.1" }),
  refused("HTTP/1.0", 400, { start: "GET /chat HTTP/1.0" }),
  refused("no Host", 400, { host: "" }),
  refused("two Hosts", 400, { host: "Host: a.example\r\nHost: a.example" }),
  refused("empty Host", 400, { host: "Host:" }),
  refused("no Connection", 400, { connection: "" }),
  refused("Connection without the token", 400, { connection: "Connection: keep-alive" }),
  refused("Connection with a longer token", 400, { connection: "Connection: Upgraded" }),
  refused("no Upgrade", 426, { upgrade: "" }),
  refused("another Upgrade", 400, { upgrade: "Upgrade: h2c" }),
  refused("a longer Upgrade", 400, { upgrade: "Upgrade: websockets" }),
  refused("a body", 400, { more: "Content-Length: 3" }),
  ...["", "x", "dGhlIHNhbXBsZSBub25jZ", "dGhlIHNhbXBsZSBub25j", "dGhlIHNhbXBsZSBub25jZXNz"]
    .map((key) => refused(`key ${JSON.stringify(key)}`, 400, { key: `Sec-WebSocket-Key: ${key}` })),
  refused("key with another alphabet", 400, { key: "Sec-WebSocket-Key: dGhlIHN-bXBsZSBub25jZQ==" }),
  refused("no key", 400, { key: "" }),
  refused("two keys", 400, { more: GOOD.key }),
  refused("keys in one line", 400, { key: `${GOOD.key}, ${KEY}` }),
  refused("version missing", 426, { version: "" }),
  ...["0", "8", "12", "14", "99", "013", "13.0", "13, 8", "thirteen", ""].map((version) =>
    refused(`version ${JSON.stringify(version)}`, 426, {
      version: `Sec-WebSocket-Version: ${version}`,
    })
  ),
  refused("version twice", 426, { more: GOOD.version }),

  accepted("origin: the host itself", { more: "Origin: http://a.example" }),
  accepted("origin: in a list", { more: ORIGIN }, { origin: ["http://b.example"] }),
  accepted("origin: by a pattern", { more: ORIGIN }, { origin: /^http:\/\/[a-c]\.example$/ }),
  accepted("origin: by a function", { more: ORIGIN }, { origin: () => true }),
  accepted("origin: any", { more: ORIGIN }, { origin: "*" }),
  refused("origin: another host", 403, { more: ORIGIN }),
  refused("origin: another port", 403, { more: "Origin: http://a.example:81" }),
  refused("origin: null", 403, { more: "Origin: null" }),
  refused("origin: none of a list", 403, { more: ORIGIN }, { origin: ["http://c.example"] }),
  refused("origin: not by a pattern", 403, { more: ORIGIN }, { origin: /^http:\/\/c/ }),
  refused("origin: not by a function", 403, { more: ORIGIN }, { origin: () => false }),

  subprotocol("none here", "chat", undefined, undefined),
  subprotocol("none in common", "chat", ["soap"], undefined),
  subprotocol("by preference of the server", "a, b", ["b", "a"], "b"),
  subprotocol("over two lines", "a\r\nSec-WebSocket-Protocol: b", ["b"], "b"),
  subprotocol("in another case is another", "CHAT", ["chat"], undefined),
  subprotocol("by a function", "a, b", (names) => names.at(-1), "b"),
  refused("subprotocol: no token", 400, { more: "Sec-WebSocket-Protocol: a b" }),
  refused("subprotocol: twice", 400, { more: "Sec-WebSocket-Protocol: a, a" }),

  offered("plain", DEFLATE, DEFLATE),
  offered("of a browser", `${DEFLATE}; client_max_window_bits`, DEFLATE),
  offered("second of two", `${DEFLATE}; server_max_window_bits=7, ${DEFLATE}`, DEFLATE),
  offered(
    "window of the server",
    `${DEFLATE}; server_max_window_bits=9`,
    `${DEFLATE}; server_max_window_bits=9`,
  ),
  offered(
    "quoted",
    `${DEFLATE}; server_max_window_bits="9"`,
    `${DEFLATE}; server_max_window_bits=9`,
  ),
  offered(
    "no takeover on either side",
    `${DEFLATE}; server_no_context_takeover; client_no_context_takeover`,
    `${DEFLATE}; server_no_context_takeover; client_no_context_takeover`,
  ),
  ...[
    "x-unknown",
    `${DEFLATE}; unknown`,
    `${DEFLATE}; server_max_window_bits`,
    `${DEFLATE}; server_max_window_bits=16`,
    `${DEFLATE}; server_max_window_bits=08`,
    `${DEFLATE}; client_max_window_bits=7`,
    `${DEFLATE}; server_no_context_takeover=1`,
    `${DEFLATE}; server_no_context_takeover; server_no_context_takeover`,
    `${DEFLATE};`,
    "; =",
    '"',
  ].map((offer) => offered(`declined: ${offer}`, offer, undefined)),

  accepted("further fields", {}, { headers: [["Set-Cookie", "a=b"]] }, { "set-cookie": "a=b" }),
  {
    name: "further fields of the handshake itself",
    lines: {},
    options: { headers: { "Sec-WebSocket-Accept": "x" } },
    status: 500,
  },
];

for (const { name, lines, options = {}, status, fields = {} } of CASES) {
  Deno.test(`a handshake on the wire, ${name}: ${status}`, async () => {
    const response = await ask(lines, options);
    assertEquals(response.status, status);
    const headers = new HeaderList(response.fields);
    for (const [field, value] of Object.entries(fields)) {
      assertEquals(headers.getAll(field).join(" and "), value ?? "", field);
    }
  });
}

Deno.test("a handshake that comes byte by byte is one, and what follows it a frame", async () => {
  await using server = serve(async (ctx) => echo(await upgrade(ctx)), {
    hostname: "127.0.0.1",
    port: 0,
  });
  await using client = await RawClient.connect({ hostname: "127.0.0.1", port: portOf(server) });
  for (const byte of `${wireOf({})}\x81\x82\0\0\0\0ok\x88\x80\0\0\0\0`) await client.send(byte);
  assertEquals((await client.response())?.status, 101);
  assertEquals(await client.closed(), "eof");
  assertEquals([...client.leftover], [0x81, 2, 0x6f, 0x6b, 0x88, 0]);
});
