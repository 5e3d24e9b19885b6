import { assertEquals, assertThrows } from "@std/assert";
import { LimitExceededError } from "../../nbio/errors.ts";
import { ClientHelloReader, type ClientHelloResult } from "../../tls/client_hello.ts";

const MAX_BYTES = 65_536;

function vector(lengthSize: number, content: readonly number[]): number[] {
  const length = Array.from(
    { length: lengthSize },
    (_, i) => content.length >> 8 * (lengthSize - 1 - i) & 0xff,
  );
  return [...length, ...content];
}

const ascii = (text: string): number[] => Array.from(text, (char) => char.charCodeAt(0));
const extension = (
  type: number,
  data: readonly number[],
): number[] => [0, type, ...vector(2, data)];
const serverName = (name: string): number[] =>
  extension(0, vector(2, [0, ...vector(2, ascii(name))]));
const alpn = (...names: string[]): number[] =>
  extension(16, vector(2, names.flatMap((name) => vector(1, ascii(name)))));
const versions = (...list: number[]): number[] =>
  extension(43, vector(1, list.flatMap((version) => [version >> 8, version & 0xff])));

/** A ClientHello, without its record. */
function message(...extensions: readonly number[][]): number[] {
  const body = [
    ...[3, 3],
    ...new Array<number>(32).fill(7),
    ...vector(1, [1, 2]),
    ...vector(2, [0x13, 1]),
    ...vector(1, [0]),
    ...vector(2, extensions.flat()),
  ];
  return [1, ...vector(3, body)];
}

/** Puts a message into records of at most so many bytes. */
function records(content: readonly number[], size = 16_384): Uint8Array {
  const out: number[] = [];
  for (let at = 0; at < content.length; at += size) {
    out.push(22, 3, 1, ...vector(2, content.slice(at, at + size)));
  }
  return new Uint8Array(out);
}

function read(...chunks: readonly Uint8Array[]): ClientHelloResult | undefined {
  const reader = new ClientHelloReader(MAX_BYTES);
  for (const chunk of chunks) {
    const result = reader.receive(chunk);
    if (result !== undefined) return result;
  }
  return undefined;
}

const FULL = message(
  serverName("WWW.Example.com"),
  alpn("h2", "http/1.1"),
  versions(0x0a0a, 0x0304, 0x0303),
);
const EXPECTED: ClientHelloResult = {
  type: "hello",
  hello: {
    serverName: "www.example.com",
    alpnProtocols: ["h2", "http/1.1"],
    newestVersion: 0x0304,
    oldestVersion: 0x0303,
  },
};

Deno.test("ClientHelloReader reads name, protocols and version", () => {
  assertEquals(read(records(FULL)), EXPECTED);
});

Deno.test("ClientHelloReader reads the same at every split, and in records of every size", () => {
  const wire = records(FULL);
  for (let at = 0; at <= wire.length; at++) {
    assertEquals(read(wire.subarray(0, at), wire.subarray(at)), EXPECTED);
  }
  for (let size = 1; size < FULL.length; size++) assertEquals(read(records(FULL, size)), EXPECTED);
  assertEquals(read(...Array.from(wire, (byte) => new Uint8Array([byte]))), EXPECTED);
});

Deno.test("ClientHelloReader needs more after every strict prefix, and keeps every byte", () => {
  const wire = records(FULL);
  const reader = new ClientHelloReader(MAX_BYTES);
  for (let at = 0; at < wire.length - 1; at++) {
    assertEquals(reader.receive(wire.subarray(at, at + 1)), undefined);
  }
  const trailing = new Uint8Array([wire.at(-1)!, 9, 9]);
  assertEquals(reader.receive(trailing), EXPECTED);
  assertEquals(reader.bytes, new Uint8Array([...wire, 9, 9]));
});

const HELLOS: readonly { name: string; wire: Uint8Array; hello: object }[] = [
  {
    name: "no extensions",
    wire: records(message()),
    hello: { serverName: undefined, alpnProtocols: [], newestVersion: 0x0303, oldestVersion: 0 },
  },
  {
    name: "an empty name",
    wire: records(message(serverName(""))),
    hello: { serverName: undefined, alpnProtocols: [], newestVersion: 0x0303, oldestVersion: 0 },
  },
  {
    name: "a name that overruns its extension",
    wire: records(message(extension(0, [0, 9, 0, 0, 200, 65]))),
    hello: { serverName: undefined, alpnProtocols: [], newestVersion: 0x0303, oldestVersion: 0 },
  },
  {
    name: "versions of nobody's",
    wire: records(message(versions(0x0a0a, 0x7f1c))),
    hello: { serverName: undefined, alpnProtocols: [], newestVersion: 0x0303, oldestVersion: 0 },
  },
  {
    name: "an old version only",
    wire: records(message(versions(0x0302))),
    hello: {
      serverName: undefined,
      alpnProtocols: [],
      newestVersion: 0x0302,
      oldestVersion: 0x0302,
    },
  },
];

for (const { name, wire, hello } of HELLOS) {
  Deno.test(`ClientHelloReader reads a hello with ${name}`, () => {
    assertEquals(read(wire), { type: "hello", hello } as ClientHelloResult);
  });
}

const NOT_TLS: readonly { name: string; wire: readonly number[] }[] = [
  { name: "a request of HTTP", wire: ascii("G") },
  { name: "SSL 2", wire: [0x80, 0x2e, 1] },
  { name: "another major version", wire: [22, 2] },
  { name: "an empty record", wire: [22, 3, 1, 0, 0] },
  { name: "a record that is too long", wire: [22, 3, 1, 0x40, 1] },
  { name: "another message", wire: [22, 3, 1, 0, 1, 2] },
  { name: "another record behind the first", wire: [22, 3, 1, 0, 1, 1, 23] },
];

for (const { name, wire } of NOT_TLS) {
  Deno.test(`ClientHelloReader sees that ${name} is no ClientHello`, () => {
    assertEquals(read(new Uint8Array(wire)), { type: "not-tls" });
  });
}

Deno.test("ClientHelloReader takes a hello of up to its bound, and none that goes on", () => {
  const wire = records(FULL);
  assertEquals(new ClientHelloReader(wire.length).receive(wire), EXPECTED);
  const short = new ClientHelloReader(wire.length - 1);
  assertEquals(short.receive(wire.subarray(0, -2)), undefined);
  assertEquals(
    assertThrows(() => short.receive(wire.subarray(-2, -1)), LimitExceededError).limit,
    "maxClientHelloBytes",
  );
});

Deno.test("ClientHelloReader gives nothing but results for bytes by chance", () => {
  let seed = 1;
  const next = (): number => (seed = seed * 1_103_515_245 + 12_345 & 0x7fffffff) >> 8 & 0xff;
  for (let round = 0; round < 2_000; round++) {
    const wire = records(FULL);
    for (let i = 0; i < 3; i++) wire[5 + (next() << 8 | next()) % (wire.length - 5)] = next();
    read(wire);
  }
});
