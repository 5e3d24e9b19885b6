import { createHash } from "node:crypto";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { HeaderList } from "../../http/header_list.ts";
import {
  decideHandshake,
  type HandshakeAccepted,
  type HandshakeDecision,
  type HandshakeRefused,
  type HandshakeServerOptions,
} from "../../websocket/handshake_server.ts";

const sha1 = (bytes: Uint8Array): Uint8Array => createHash("sha1").update(bytes).digest();

type Field = readonly [name: string, value: string];

const BASE: readonly Field[] = [
  ["Host", "server.example.com"],
  ["Upgrade", "websocket"],
  ["Connection", "Upgrade"],
  ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
  ["Sec-WebSocket-Version", "13"],
];

/** The request of RFC 6455, with fields in place of its own, or besides. */
function fieldsWith(...fields: readonly Field[]): Field[] {
  const replaced = new Set(fields.map(([name]) => name.toLowerCase()));
  return [...BASE.filter(([name]) => !replaced.has(name.toLowerCase())), ...fields];
}

function fieldsWithout(name: string): Field[] {
  return BASE.filter(([other]) => other !== name);
}

function decide(
  fields: readonly Field[],
  options: HandshakeServerOptions = {},
  line: { method?: string; minorVersion?: number; isSecure?: boolean } = {},
): HandshakeDecision {
  const request = { method: "GET", minorVersion: 1, ...line, headers: new HeaderList(fields) };
  return decideHandshake(request, sha1, options);
}

function accepted(decision: HandshakeDecision): HandshakeAccepted {
  assert(decision.type === "accept", JSON.stringify(decision));
  return decision;
}

function refused(decision: HandshakeDecision): HandshakeRefused {
  assert(decision.type === "refuse");
  return decision;
}

Deno.test("decideHandshake() answers the example of RFC 6455", () => {
  const decision = accepted(decide(BASE));
  assertEquals([...decision.headers], [
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="],
  ]);
  const { subprotocol, extensions, deflate } = decision;
  assertEquals([subprotocol, extensions, deflate], ["", "", undefined]);
});

const ACCEPTED: readonly { name: string; fields: Field[] }[] = [
  { name: "Connection of Firefox", fields: fieldsWith(["Connection", "keep-alive, Upgrade"]) },
  { name: "Connection in lower case", fields: fieldsWith(["connection", "x,upgrade ,y"]) },
  {
    name: "Connection over two lines",
    fields: fieldsWith(["Connection", "keep-alive"], ["Connection", "UPGRADE"]),
  },
  { name: "Upgrade in capitals", fields: fieldsWith(["Upgrade", "WebSocket"]) },
  { name: "Upgrade with an alternative", fields: fieldsWith(["Upgrade", "h2c, WEBSOCKET"]) },
  {
    name: "a key with bits to spare",
    fields: fieldsWith(["Sec-WebSocket-Key", "A".repeat(21) + "B=="]),
  },
  { name: "a body of no bytes", fields: fieldsWith(["Content-Length", "0"]) },
  {
    name: "an extension nobody knows",
    fields: fieldsWith(["Sec-WebSocket-Extensions", "foo; bar"]),
  },
  { name: "malformed extensions", fields: fieldsWith(["Sec-WebSocket-Extensions", ';=;,"x']) },
];

for (const { name, fields } of ACCEPTED) {
  Deno.test(`decideHandshake() accepts ${name}`, () => {
    const { headers } = accepted(decide(fields, { deflate: {} }));
    assertEquals(headers.has("sec-websocket-extensions"), false);
  });
}

const KEY = "Sec-WebSocket-Key";
const VERSION = "Sec-WebSocket-Version";
const REFUSED: readonly { name: string; fields: Field[]; status: number }[] = [
  { name: "no Host", fields: fieldsWithout("Host"), status: 400 },
  { name: "an empty Host", fields: fieldsWith(["Host", ""]), status: 400 },
  { name: "two Hosts", fields: fieldsWith(["Host", "a"], ["Host", "a"]), status: 400 },
  { name: "no Upgrade", fields: fieldsWithout("Upgrade"), status: 426 },
  { name: "another Upgrade", fields: fieldsWith(["Upgrade", "h2c"]), status: 400 },
  {
    name: "an Upgrade with a version",
    fields: fieldsWith(["Upgrade", "websocket/13"]),
    status: 400,
  },
  {
    name: "an Upgrade that begins alike",
    fields: fieldsWith(["Upgrade", "websockets"]),
    status: 400,
  },
  { name: "no Connection", fields: fieldsWithout("Connection"), status: 400 },
  { name: "another Connection", fields: fieldsWith(["Connection", "keep-alive"]), status: 400 },
  {
    name: "a Connection that begins alike",
    fields: fieldsWith(["Connection", "Upgrades"]),
    status: 400,
  },
  {
    name: "a Connection with a blank that is none",
    fields: fieldsWith(["Connection", "\u00a0Upgrade"]),
    status: 400,
  },
  { name: "no key", fields: fieldsWithout(KEY), status: 400 },
  { name: "an empty key", fields: fieldsWith([KEY, ""]), status: 400 },
  { name: "a key of 15 bytes", fields: fieldsWith([KEY, btoa("x".repeat(15))]), status: 400 },
  { name: "a key of 17 bytes", fields: fieldsWith([KEY, btoa("x".repeat(17))]), status: 400 },
  { name: "a key without padding", fields: fieldsWith([KEY, "A".repeat(22)]), status: 400 },
  {
    name: "a key in base64url",
    fields: fieldsWith([KEY, "-_" + "A".repeat(20) + "=="]),
    status: 400,
  },
  { name: "two keys", fields: fieldsWith([KEY, BASE[3]![1]], [KEY, BASE[3]![1]]), status: 400 },
  { name: "two keys in one line", fields: fieldsWith([KEY, `${BASE[3]![1]}, a`]), status: 400 },
  { name: "no version", fields: fieldsWithout(VERSION), status: 426 },
  { name: "version 8", fields: fieldsWith([VERSION, "8"]), status: 426 },
  { name: "version 99", fields: fieldsWith([VERSION, "99"]), status: 426 },
  { name: "version 013", fields: fieldsWith([VERSION, "013"]), status: 426 },
  { name: "two versions", fields: fieldsWith([VERSION, "13"], [VERSION, "8"]), status: 426 },
  { name: "the version twice", fields: fieldsWith([VERSION, "13"], [VERSION, "13"]), status: 426 },
  { name: "a body", fields: fieldsWith(["Content-Length", "5"]), status: 400 },
  { name: "a chunked body", fields: fieldsWith(["Transfer-Encoding", "chunked"]), status: 400 },
  {
    name: "a subprotocol twice",
    fields: fieldsWith(["Sec-WebSocket-Protocol", "a, b, a"]),
    status: 400,
  },
  {
    name: "a subprotocol that is no token",
    fields: fieldsWith(["Sec-WebSocket-Protocol", "a b"]),
    status: 400,
  },
  { name: "another origin", fields: fieldsWith(["Origin", "https://evil.example"]), status: 403 },
];

for (const { name, fields, status } of REFUSED) {
  Deno.test(`decideHandshake() refuses ${name} with ${status}`, () => {
    const decision = refused(decide(fields));
    assertEquals(decision.status, status);
    const headers = new HeaderList(decision.headers);
    assertEquals(headers.get("upgrade"), status === 426 ? "websocket" : undefined);
    const version = status === 426 && !name.includes("Upgrade") ? "13" : undefined;
    assertEquals(headers.get("sec-websocket-version"), version);
  });
}

Deno.test("decideHandshake() refuses other methods with 405", () => {
  for (const method of ["POST", "HEAD", "get", "CONNECT"]) {
    const decision = refused(decide(BASE, {}, { method }));
    assertEquals([decision.status, ...decision.headers], [405, ["Allow", "GET"]]);
  }
});

Deno.test("decideHandshake() names the method first, and the version before the key", () => {
  const bare: Field[] = [["Host", "a"]];
  assertEquals(refused(decide(bare, {}, { method: "POST" })).status, 405);
  assertEquals(refused(decide(bare)).headers.length, 2);
  assertEquals(refused(decide(fieldsWith([VERSION, "7"], [KEY, "short"]))).status, 426);
});

Deno.test("decideHandshake() refuses HTTP/1.0", () => {
  assertEquals(refused(decide(BASE, {}, { minorVersion: 0 })).status, 400);
});

const CHAT = fieldsWith(["Sec-WebSocket-Protocol", "chat, Superchat"], [
  "Sec-WebSocket-Protocol",
  "soap",
]);

Deno.test("decideHandshake() chooses the subprotocol the server prefers", () => {
  const choose = (subprotocols: readonly string[], fields = CHAT): (string | undefined)[] => {
    const { subprotocol, headers } = accepted(decide(fields, { subprotocols }));
    return [subprotocol, headers.get("sec-websocket-protocol")];
  };
  assertEquals(choose(["soap", "chat"]), ["soap", "soap"]);
  assertEquals(choose(["foo", "Superchat"]), ["Superchat", "Superchat"]);
  assertEquals(choose(["superchat"]), ["", undefined]);
  assertEquals(choose([]), ["", undefined]);
  assertEquals(choose(["chat"], [...BASE]), ["", undefined]);
});

Deno.test("decideHandshake() asks a function for the subprotocol", () => {
  const asked: (readonly string[])[] = [];
  const subprotocols = (offered: readonly string[]): string | undefined => {
    asked.push(offered);
    return offered[1];
  };
  assertEquals(accepted(decide(CHAT, { subprotocols })).subprotocol, "Superchat");
  assertEquals(accepted(decide(BASE, { subprotocols })).subprotocol, "");
  assertEquals(asked, [["chat", "Superchat", "soap"]]);
  const none = accepted(decide(CHAT, { subprotocols: () => undefined }));
  assertEquals([none.subprotocol, none.headers.has("sec-websocket-protocol")], ["", false]);
  assertThrows(() => decide(CHAT, { subprotocols: () => "superchat" }), TypeError);
});

Deno.test("decideHandshake() agrees on compression only if it is to", () => {
  const fields = fieldsWith([
    "Sec-WebSocket-Extensions",
    "permessage-deflate; foo, permessage-deflate; client_max_window_bits",
  ]);
  assertEquals(accepted(decide(fields)).deflate, undefined);
  assertEquals(accepted(decide(fields)).headers.has("sec-websocket-extensions"), false);
  const { deflate, extensions, headers } = accepted(
    decide(fields, { deflate: { serverMaxWindowBits: 15, clientMaxWindowBits: 10 } }),
  );
  assertEquals(extensions, "permessage-deflate; client_max_window_bits=10");
  assertEquals(headers.get("sec-websocket-extensions"), extensions);
  assertEquals([deflate?.serverMaxWindowBits, deflate?.clientMaxWindowBits], [15, 10]);
});

Deno.test("decideHandshake() adds further fields, in order", () => {
  const headers: Field[] = [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"], ["Server", "x"]];
  assertEquals([...accepted(decide(BASE, { headers })).headers].slice(3), headers);
});

for (
  const name of [
    "Sec-WebSocket-Accept",
    "sec-websocket-protocol",
    "Sec-WebSocket-Extensions",
    "SEC-WEBSOCKET-FOO",
    "Connection",
    "Upgrade",
    "Content-Length",
    "Transfer-Encoding",
  ]
) {
  Deno.test(`decideHandshake() throws on ${name} among further fields`, () => {
    assertThrows(() => decide(BASE, { headers: { [name]: "1" } }), TypeError);
  });
}

Deno.test("decideHandshake() throws on options out of range whatever the request is like", () => {
  for (const fields of [BASE, []]) {
    assertThrows(() => decide(fields, { subprotocols: ["a b"] }), TypeError);
    assertThrows(() => decide(fields, { subprotocols: [""] }), TypeError);
    assertThrows(() => decide(fields, { subprotocols: ["a", "a"] }), TypeError);
    assertThrows(() => decide(fields, { origin: "example.com" }), RangeError);
  }
  assertThrows(() => decide(BASE, { deflate: { serverMaxWindowBits: 16 } }), RangeError);
  assertThrows(() => decide(BASE, { headers: { "a b": "1" } }), TypeError);
});
