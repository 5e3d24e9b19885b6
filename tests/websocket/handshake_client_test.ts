import { createHash } from "node:crypto";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { HeaderList } from "../../http/header_list.ts";
import { WebSocketProtocolError } from "../../websocket/errors.ts";
import {
  ClientHandshake,
  type HandshakeAgreement,
  type HandshakeClientOptions,
} from "../../websocket/handshake_client.ts";
import { decideHandshake } from "../../websocket/handshake_server.ts";

const sha1 = (bytes: Uint8Array): Uint8Array => createHash("sha1").update(bytes).digest();
const KEY = new TextEncoder().encode("the sample nonce");
const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

type Field = readonly [name: string, value: string];

const BASE: readonly Field[] = [
  ["Upgrade", "websocket"],
  ["Connection", "Upgrade"],
  ["Sec-WebSocket-Accept", ACCEPT],
];

function fieldsWith(...fields: readonly Field[]): Field[] {
  const replaced = new Set(fields.map(([name]) => name.toLowerCase()));
  return [...BASE.filter(([name]) => !replaced.has(name.toLowerCase())), ...fields];
}

function verify(
  fields: readonly Field[],
  options: HandshakeClientOptions = {},
  status = 101,
): HandshakeAgreement {
  const handshake = new ClientHandshake("example.com", KEY, options);
  return handshake.verify({ status, headers: new HeaderList(fields) }, sha1);
}

Deno.test("ClientHandshake makes the request of RFC 6455", () => {
  const { headers } = new ClientHandshake("example.com:8080", KEY);
  assertEquals([...headers], [
    ["Host", "example.com:8080"],
    ["Upgrade", "websocket"],
    ["Connection", "Upgrade"],
    ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
    ["Sec-WebSocket-Version", "13"],
  ]);
});

Deno.test("ClientHandshake offers subprotocols and compression, and adds fields", () => {
  const { headers } = new ClientHandshake("example.com", KEY, {
    subprotocols: ["chat", "Soap"],
    deflate: { serverMaxWindowBits: 10 },
    headers: [["Cookie", "a=1"], ["Origin", "https://example.com"]],
  });
  assertEquals([...headers].slice(5), [
    ["Sec-WebSocket-Protocol", "chat, Soap"],
    [
      "Sec-WebSocket-Extensions",
      "permessage-deflate; server_max_window_bits=10; client_max_window_bits",
    ],
    ["Cookie", "a=1"],
    ["Origin", "https://example.com"],
  ]);
});

Deno.test("ClientHandshake throws on options that cannot be used", () => {
  const make = (options: HandshakeClientOptions) => () =>
    new ClientHandshake("example.com", KEY, options);
  for (const length of [0, 15, 17]) {
    assertThrows(() => new ClientHandshake("example.com", new Uint8Array(length)), RangeError);
  }
  assertThrows(() => new ClientHandshake("a\r\nb", KEY), TypeError);
  for (const name of ["", "a b", "a,b", "\u00e9"]) {
    assertThrows(make({ subprotocols: [name] }), TypeError);
  }
  assertThrows(make({ subprotocols: ["a", "a"] }), TypeError);
  assertThrows(make({ deflate: { clientMaxWindowBits: 7 } }), RangeError);
  for (const name of ["Host", "sec-websocket-key", "Sec-WebSocket-Foo", "upgrade", "Connection"]) {
    assertThrows(make({ headers: { [name]: "a" } }), TypeError);
  }
  assertThrows(make({ headers: { "X-A": "a\r\nb" } }), TypeError);
});

const ACCEPTED: readonly { name: string; fields: Field[] }[] = [
  { name: "the answer of RFC 6455", fields: [...BASE] },
  { name: "Upgrade in capitals", fields: fieldsWith(["Upgrade", "WEBSOCKET"]) },
  { name: "Connection as a list", fields: fieldsWith(["Connection", "x, upgrade"]) },
  { name: "other fields", fields: fieldsWith(["Server", "x"]) },
];

for (const { name, fields } of ACCEPTED) {
  Deno.test(`ClientHandshake.verify() accepts ${name}`, () => {
    assertEquals(verify(fields), { subprotocol: "", extensions: "", deflate: undefined });
  });
}

const REFUSED: readonly { name: string; fields: Field[] }[] = [
  { name: "no field", fields: [] },
  { name: "no Upgrade", fields: BASE.slice(1) },
  { name: "another Upgrade", fields: fieldsWith(["Upgrade", "websocket, h2c"]) },
  { name: "two Upgrades", fields: [...BASE, ["Upgrade", "websocket"]] },
  { name: "no Connection", fields: BASE.filter(([name]) => name !== "Connection") },
  { name: "another Connection", fields: fieldsWith(["Connection", "close"]) },
  { name: "no Accept", fields: BASE.slice(0, 2) },
  { name: "an empty Accept", fields: fieldsWith(["Sec-WebSocket-Accept", ""]) },
  {
    name: "another Accept",
    fields: fieldsWith(["Sec-WebSocket-Accept", ACCEPT.replace("s", "S")]),
  },
  { name: "two Accepts", fields: [...BASE, ["Sec-WebSocket-Accept", ACCEPT]] },
  {
    name: "the key itself",
    fields: fieldsWith(["Sec-WebSocket-Accept", "dGhlIHNhbXBsZSBub25jZQ=="]),
  },
  { name: "a subprotocol nobody offered", fields: fieldsWith(["Sec-WebSocket-Protocol", "chat"]) },
];

for (const { name, fields } of REFUSED) {
  Deno.test(`ClientHandshake.verify() throws on ${name}`, () => {
    const error = assertThrows(() => verify(fields), WebSocketProtocolError);
    assertEquals(error.code, "ERR_WEBSOCKET_BAD_HANDSHAKE");
  });
}

Deno.test("ClientHandshake.verify() throws on any status but 101", () => {
  for (const status of [100, 102, 200, 301, 401, 404, 426, 500]) {
    const error = assertThrows(() => verify(BASE, {}, status), WebSocketProtocolError);
    assertEquals(error.code, "ERR_WEBSOCKET_BAD_HANDSHAKE");
  }
});

Deno.test("ClientHandshake.verify() wants exactly one of the offered subprotocols", () => {
  const options = { subprotocols: ["chat", "Soap"] };
  const choose = (...values: readonly string[]) => () =>
    verify([...BASE, ...values.map((value) => ["Sec-WebSocket-Protocol", value] as const)], options)
      .subprotocol;
  assertEquals([choose("chat")(), choose("Soap")()], ["chat", "Soap"]);
  for (const wrong of [[], [""], ["soap"], ["CHAT"], ["chat, Soap"], ["foo"], ["chat", "chat"]]) {
    const error = assertThrows(choose(...wrong), WebSocketProtocolError);
    assertEquals(error.code, "ERR_WEBSOCKET_BAD_HANDSHAKE");
  }
});

Deno.test("ClientHandshake.verify() verifies extensions", () => {
  const answer = (value: string): Field[] => [...BASE, ["Sec-WebSocket-Extensions", value]];
  const good = verify(answer("permessage-deflate;server_max_window_bits=9"), { deflate: {} });
  assertEquals(good.extensions, "permessage-deflate; server_max_window_bits=9");
  assertEquals(good.deflate?.serverMaxWindowBits, 9);
  assertEquals(verify(BASE, { deflate: {} }).deflate, undefined);
  for (
    const [value, options] of [
      ["permessage-deflate", {}],
      ["foo", { deflate: {} }],
      ["permessage-deflate, permessage-deflate", { deflate: {} }],
      ["permessage-deflate;", { deflate: {} }],
    ] satisfies [string, HandshakeClientOptions][]
  ) {
    const error = assertThrows(() => verify(answer(value), options), WebSocketProtocolError);
    assertEquals(error.code, "ERR_WEBSOCKET_BAD_EXTENSION");
  }
});

Deno.test("ClientHandshake and decideHandshake() agree, whatever is offered", () => {
  const windows = [undefined, 8, 9, 15];
  for (const clientMaxWindowBits of windows) {
    for (const serverMaxWindowBits of windows) {
      for (const isBare of [true, false]) {
        const deflate = {
          ...(clientMaxWindowBits === undefined ? {} : { clientMaxWindowBits }),
          ...(serverMaxWindowBits === undefined ? {} : { serverMaxWindowBits }),
          serverNoContextTakeover: isBare,
          clientNoContextTakeover: !isBare,
        };
        for (const wanted of [{}, { serverMaxWindowBits: 10, clientMaxWindowBits: 8 }]) {
          const key = crypto.getRandomValues(new Uint8Array(16));
          const client = new ClientHandshake("a.example", key, { deflate, subprotocols: ["x"] });
          const request = { method: "GET", minorVersion: 1, headers: client.headers };
          const answer = decideHandshake(request, sha1, { deflate: wanted, subprotocols: ["x"] });
          assert(answer.type === "accept");
          const agreed = client.verify({ status: 101, headers: answer.headers }, sha1);
          assertEquals(agreed.extensions, answer.extensions);
          const ours = agreed.deflate!;
          const theirs = answer.deflate!;
          assertEquals(ours.serverMaxWindowBits, theirs.serverMaxWindowBits);
          assertEquals(ours.serverNoContextTakeover, theirs.serverNoContextTakeover);
          assertEquals(ours.clientNoContextTakeover, theirs.clientNoContextTakeover);
          // A client may compress with less than it is allowed to.
          assert(ours.clientMaxWindowBits <= theirs.clientMaxWindowBits);
        }
      }
    }
  }
});
