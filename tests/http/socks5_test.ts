import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { HttpStateError } from "../../http/errors.ts";
import { ProxyError, type ProxyErrorCode } from "../../http/proxy_error.ts";
import { Socks5Client, type Socks5Credentials, type Socks5Target } from "../../http/socks5.ts";
import { everySplit } from "../../nbio/testing_split.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";

const TARGET: Socks5Target = { hostname: "192.0.2.1", port: 0x1234 };
const LOGIN: Socks5Credentials = { username: "ada", password: "s3cret" };
const NO_METHOD = [5, 0];
const OK = [5, 0, 0, 1, 198, 51, 100, 1, 0x1f, 0x90];

/** Feeds what a proxy says; gives what was sent by the end, and what has happened. */
function run(
  chunks: Iterable<Uint8Array>,
  credentials?: Socks5Credentials,
  target: Socks5Target = TARGET,
): { client: Socks5Client; sent: number[]; event: unknown } {
  const client = new Socks5Client(target, { credentials, proxy: "socks5://p.test:1080" });
  const sent = [...client.takeOutput()];
  let event: unknown;
  for (const chunk of chunks) {
    client.receive(chunk);
    event = client.nextEvent() ?? event;
    sent.push(...client.takeOutput());
  }
  return { client, sent, event };
}

const TARGETS: readonly { target: Socks5Target; wire: readonly number[] }[] = [
  { target: TARGET, wire: [1, 192, 0, 2, 1, 0x12, 0x34] },
  { target: { hostname: "a.test", port: 1 }, wire: [3, 6, ...ascii("a.test"), 0, 1] },
  {
    target: { hostname: "[::1]", port: 65_535 },
    wire: [4, ...new Array(15).fill(0), 1, 0xff, 0xff],
  },
  {
    target: { hostname: "2001:db8::", port: 80 },
    wire: [4, 0x20, 1, 0xd, 0xb8, ...new Array(12).fill(0), 0, 80],
  },
  {
    target: { hostname: "a".repeat(255), port: 80 },
    wire: [3, 255, ...new Array(255).fill(0x61), 0, 80],
  },
];

for (const { target, wire } of TARGETS) {
  Deno.test(`Socks5Client asks for ${target.hostname.slice(0, 20)}:${target.port}`, () => {
    const { sent } = run([Uint8Array.from(NO_METHOD)], undefined, target);
    assertEquals(sent, [5, 1, 0, 5, 1, 0, ...wire]);
  });
}

const CONVERSATIONS: readonly {
  name: string;
  from: readonly number[];
  sent: readonly number[];
  bound: readonly [string, number];
  credentials?: Socks5Credentials;
}[] = [
  {
    name: "nobody's name",
    from: [...NO_METHOD, ...OK],
    sent: [5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 1, 0x12, 0x34],
    bound: ["198.51.100.1", 8080],
  },
  {
    name: "credentials that are not asked for",
    from: [...NO_METHOD, ...OK],
    credentials: LOGIN,
    sent: [5, 2, 0, 2, 5, 1, 0, 1, 192, 0, 2, 1, 0x12, 0x34],
    bound: ["198.51.100.1", 8080],
  },
  {
    name: "credentials",
    from: [5, 2, 1, 0, ...OK],
    credentials: LOGIN,
    sent: [
      ...[5, 2, 0, 2],
      ...[1, 3, ...ascii("ada"), 6, ...ascii("s3cret")],
      ...[5, 1, 0, 1, 192, 0, 2, 1, 0x12, 0x34],
    ],
    bound: ["198.51.100.1", 8080],
  },
  {
    name: "an empty password, and an IPv6 address bound",
    from: [5, 2, 1, 0, 5, 0, 0, 4, ...new Array(15).fill(0), 1, 0, 80],
    credentials: { username: "é", password: "" },
    sent: [5, 2, 0, 2, 1, 2, 0xc3, 0xa9, 0, 5, 1, 0, 1, 192, 0, 2, 1, 0x12, 0x34],
    bound: ["::1", 80],
  },
  {
    name: "a name bound",
    from: [...NO_METHOD, 5, 0, 0, 3, 3, ...ascii("a.b"), 0, 80],
    sent: [5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 1, 0x12, 0x34],
    bound: ["a.b", 80],
  },
  {
    name: "an empty name bound",
    from: [...NO_METHOD, 5, 0, 0, 3, 0, 0, 80],
    sent: [5, 1, 0, 5, 1, 0, 1, 192, 0, 2, 1, 0x12, 0x34],
    bound: ["", 80],
  },
];

for (const { name, from, sent, bound, credentials } of CONVERSATIONS) {
  Deno.test(`Socks5Client connects with ${name}, however it is split`, () => {
    for (const chunks of everySplit(Uint8Array.from(from))) {
      const result = run(chunks, credentials);
      assertEquals(result.sent, [...sent]);
      assertEquals(result.event, { type: "connected", hostname: bound[0], port: bound[1] });
      assertEquals([result.client.state, result.client.wantedBytes], ["connected", 0]);
      assertEquals(result.client.nextEvent(), undefined);
      result.client.receiveEnd();
      assertEquals(result.client.nextEvent(), undefined);
    }
  });

  Deno.test(`Socks5Client needs more before the end of ${name}, and fails if there is none`, () => {
    for (let length = 0; length < from.length; length++) {
      const { client, event } = run([Uint8Array.from(from.slice(0, length))], credentials);
      assertEquals(event, undefined);
      assert(client.wantedBytes > 0);
      client.receiveEnd();
      assertEquals(assertThrows(() => client.nextEvent(), ProxyError).code, "ERR_PROXY_CLOSED");
    }
  });

  Deno.test(`Socks5Client wants no byte behind the end of ${name}`, () => {
    const client = new Socks5Client(TARGET, { credentials });
    let offset = 0;
    while (client.wantedBytes > 0) {
      const end = offset + client.wantedBytes;
      assert(end <= from.length);
      client.receive(Uint8Array.from(from.slice(offset, end)));
      offset = end;
    }
    assertEquals(offset, from.length);
    client.receive(new Uint8Array(0));
    const error = assertThrows(() => client.receive(new Uint8Array([1])), HttpStateError);
    assertEquals([error.code, error.state], ["ERR_HTTP_ILLEGAL_EVENT", "connected"]);
    assertEquals(client.leftover().length, 0);
    assertEquals(client.nextEvent()?.type, "connected");
  });

  Deno.test(`Socks5Client keeps what comes in one piece with the end of ${name}`, () => {
    const chunk = Uint8Array.from([...from, 1, 2, 3]);
    const client = new Socks5Client(TARGET, { credentials });
    client.receive(chunk);
    chunk.fill(0);
    assertEquals([...client.leftover()], [1, 2, 3]);
    assertThrows(() => client.receive(chunk), HttpStateError);
    assertEquals([...client.leftover()], [1, 2, 3]);
  });
}

const FAILURES: readonly {
  name: string;
  from: readonly number[];
  code: ProxyErrorCode;
  reply?: number;
  credentials?: Socks5Credentials;
}[] = [
  { name: "another version", from: [4], code: "ERR_PROXY_BAD_RESPONSE" },
  { name: "an HTTP server", from: ascii("HTTP/1.1 400"), code: "ERR_PROXY_BAD_RESPONSE" },
  { name: "no method", from: [5, 0xff], code: "ERR_PROXY_AUTHENTICATION" },
  {
    name: "no method for credentials",
    from: [5, 0xff],
    code: "ERR_PROXY_AUTHENTICATION",
    credentials: LOGIN,
  },
  { name: "a method not offered", from: [5, 2], code: "ERR_PROXY_BAD_RESPONSE" },
  { name: "GSSAPI", from: [5, 1], code: "ERR_PROXY_BAD_RESPONSE", credentials: LOGIN },
  {
    name: "refused credentials",
    from: [5, 2, 1, 1],
    code: "ERR_PROXY_AUTHENTICATION",
    credentials: LOGIN,
  },
  {
    name: "another version of the password",
    from: [5, 2, 5, 0],
    code: "ERR_PROXY_BAD_RESPONSE",
    credentials: LOGIN,
  },
  { name: "another version of the reply", from: [5, 0, 4, 0], code: "ERR_PROXY_BAD_RESPONSE" },
  { name: "a reserved byte", from: [5, 0, 5, 0, 1, 1, 0], code: "ERR_PROXY_BAD_RESPONSE" },
  { name: "an unknown type", from: [5, 0, 5, 0, 0, 2, 0], code: "ERR_PROXY_BAD_RESPONSE" },
  { name: "failure", from: [5, 0, 5, 1], code: "ERR_PROXY_REFUSED", reply: 1 },
  { name: "its rules", from: [5, 0, 5, 2], code: "ERR_PROXY_REFUSED", reply: 2 },
  { name: "no network", from: [5, 0, 5, 3], code: "ERR_PROXY_TARGET_UNREACHABLE", reply: 3 },
  { name: "no host", from: [5, 0, 5, 4], code: "ERR_PROXY_TARGET_UNREACHABLE", reply: 4 },
  { name: "a refusal", from: [5, 0, 5, 5], code: "ERR_PROXY_TARGET_UNREACHABLE", reply: 5 },
  { name: "distance", from: [5, 0, 5, 6], code: "ERR_PROXY_TARGET_UNREACHABLE", reply: 6 },
  { name: "no command", from: [5, 0, 5, 7], code: "ERR_PROXY_REFUSED", reply: 7 },
  { name: "no addresses", from: [5, 0, 5, 8], code: "ERR_PROXY_REFUSED", reply: 8 },
  { name: "reply 9", from: [5, 0, 5, 9], code: "ERR_PROXY_BAD_RESPONSE", reply: 9 },
];

for (const { name, from, code, reply, credentials } of FAILURES) {
  Deno.test(`Socks5Client fails for good on ${name}, however it is split`, () => {
    for (const chunks of everySplit(Uint8Array.from(from))) {
      const client = new Socks5Client(TARGET, { credentials, proxy: "socks5://p.test:1080" });
      for (const chunk of chunks) client.receive(chunk);
      const error = assertThrows(() => client.nextEvent(), ProxyError);
      assertEquals([error.code, error.reply, error.proxy], [code, reply, "socks5://p.test:1080"]);
      assertEquals([client.state, client.wantedBytes], ["failed", 0]);
      assert(!error.message.includes("s3cret") && !error.message.includes("ada"));
      client.receive(Uint8Array.from(OK));
      client.receiveEnd();
      assertStrictEquals(assertThrows(() => client.nextEvent()), error);
    }
  });
}

Deno.test("Socks5Client gives documented errors for whatever comes", () => {
  const random = new SeededRandom(5);
  for (let round = 0; round < 2_000; round++) {
    const bytes = Uint8Array.from({ length: random.int(40) }, () => random.int(9));
    if (round % 2 === 0) bytes.set([5, 0].slice(0, bytes.length));
    const client = new Socks5Client(TARGET, { credentials: LOGIN });
    client.receive(bytes);
    client.receiveEnd();
    try {
      assertEquals(client.nextEvent()?.type, "connected");
    } catch (error) {
      assert(error instanceof ProxyError, `${error}`);
    }
  }
});

const WRONG: readonly { name: string; make: () => unknown; type: typeof TypeError }[] = [
  { name: "port 0", make: () => new Socks5Client({ hostname: "a", port: 0 }), type: RangeError },
  {
    name: "port 65536",
    make: () => new Socks5Client({ hostname: "a", port: 65_536 }),
    type: RangeError,
  },
  { name: "no host", make: () => new Socks5Client({ hostname: "", port: 80 }), type: TypeError },
  {
    name: "a host of 256 bytes",
    make: () => new Socks5Client({ hostname: "a".repeat(256), port: 80 }),
    type: TypeError,
  },
  {
    name: "a host with a blank",
    make: () => new Socks5Client({ hostname: "a b", port: 80 }),
    type: TypeError,
  },
  {
    name: "a user name of 256 bytes",
    make: () =>
      new Socks5Client(TARGET, { credentials: { username: "é".repeat(128), password: "" } }),
    type: TypeError,
  },
  {
    name: "an empty user name",
    make: () => new Socks5Client(TARGET, { credentials: { username: "", password: "x" } }),
    type: TypeError,
  },
  {
    name: "a password of 256 bytes",
    make: () =>
      new Socks5Client(TARGET, { credentials: { username: "a", password: "x".repeat(256) } }),
    type: TypeError,
  },
];

for (const { name, make, type } of WRONG) {
  Deno.test(`Socks5Client throws on ${name}`, () => {
    assertThrows(make, type);
  });
}

function ascii(text: string): number[] {
  return [...new TextEncoder().encode(text)];
}
