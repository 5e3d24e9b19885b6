import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { exchange } from "../../http/client_exchange.ts";
import type { ClientConnectionOptions, ExchangeOptions } from "../../http/client_options.ts";
import type { ExchangeRequest } from "../../http/client_sender.ts";
import { HttpProtocolError } from "../../http/errors.ts";
import { ConnectionClosedError, LimitExceededError, NetError } from "../../nbio/errors.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { everySplit } from "../../nbio/testing_split.ts";
import { errorOf, GET } from "../_support/client_harness.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { ScriptedTransport } from "../_support/scripted_transport.ts";

const HEAD: ExchangeRequest = { ...GET, method: "HEAD" };
const CONNECT: ExchangeRequest = { method: "CONNECT", target: "a:1", headers: { host: "a:1" } };
const UPGRADE: ExchangeRequest = {
  target: "/",
  headers: { host: "a", connection: "upgrade", upgrade: "x" },
};

type Options = ExchangeOptions & ClientConnectionOptions;

/** All that a client can tell about an answer. */
interface Told {
  status?: number;
  reason?: string;
  informational: number[];
  body?: string;
  trailers?: string[];
  handed?: string;
  error?: string;
}

/** One exchange with a server that says so much, in these pieces, and ends. */
async function tell(
  reads: readonly Uint8Array[],
  request: ExchangeRequest,
  options: Options = {},
): Promise<Told> {
  const transport = new ScriptedTransport({ reads });
  const told: Told = { informational: [] };
  const onInformational = ({ status }: { status: number }): void => {
    told.informational.push(status);
  };
  try {
    const response = await exchange(transport, request, { onInformational, ...options });
    told.status = response.status;
    told.reason = response.reason;
    if (response.handover !== undefined) {
      assertStrictEquals(response.handover.transport, transport);
      assertEquals(transport.closedCount, 0);
      return { ...told, handed: textOf(response.handover.bytes) };
    }
    told.body = textOf(await response.bytes());
    if (response.trailers !== undefined) told.trailers = [...response.trailers].flat();
    await response.ended;
  } catch (error) {
    assertInstanceOf(error, NetError);
    told.error = error.code;
  }
  assertEquals(transport.closedCount, 1);
  return told;
}

/** The same under every split; a handed-over connection has the rest still unread. */
async function tellUnderEverySplit(
  wire: string,
  request: ExchangeRequest,
  options: Options = {},
): Promise<Told> {
  const bytes = bytesOf(wire);
  const whole = await tell([bytes], request, options);
  for (const chunks of everySplit(bytes)) {
    const told = await tell(chunks, request, options);
    if (whole.handed !== undefined) {
      assert(whole.handed.startsWith(told.handed!));
      assertEquals({ ...told, handed: whole.handed }, whole);
    } else assertEquals(told, whole);
  }
  return whole;
}

const VALID: readonly {
  name: string;
  wire: string;
  request?: ExchangeRequest;
  told: Partial<Told>;
}[] = [
  {
    name: "a body of known length",
    wire: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    told: { status: 200, reason: "OK", body: "hello" },
  },
  {
    name: "no reason phrase and no body",
    wire: "HTTP/1.1 204 \r\n\r\n",
    told: { status: 204, reason: "", body: "" },
  },
  {
    name: "a chunked body with trailers",
    wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
      "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nX-A: 1\r\n\r\n",
    told: { status: 200, reason: "OK", body: "hello", trailers: ["X-A", "1"] },
  },
  {
    name: "a body that ends with the connection",
    wire: "HTTP/1.0 200 OK\r\n\r\nhello",
    told: { status: 200, reason: "OK", body: "hello" },
  },
  {
    name: "informational responses in front",
    wire: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 P\r\n\r\n" +
      "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n",
    told: { status: 404, reason: "No", informational: [103, 102], body: "" },
  },
  {
    name: "a length but no body for HEAD",
    wire: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    request: HEAD,
    told: { status: 200, reason: "OK", body: "" },
  },
  {
    name: "a length but no body with 304",
    wire: "HTTP/1.1 304 N\r\nContent-Length: 5\r\n\r\n",
    told: { status: 304, reason: "N", body: "" },
  },
  {
    name: "bytes that nobody asked for",
    wire: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\n\r\n",
    told: { status: 200, reason: "OK", body: "a" },
  },
  {
    name: "another protocol",
    wire: "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nrest",
    request: UPGRADE,
    told: { status: 101, reason: "S", informational: [100], handed: "rest" },
  },
  {
    name: "an upgrade that is not taken up",
    wire: "HTTP/1.1 400 B\r\nContent-Length: 2\r\n\r\nno",
    request: UPGRADE,
    told: { status: 400, reason: "B", body: "no" },
  },
  {
    name: "a tunnel",
    wire: "HTTP/1.1 200 T\r\nContent-Length: 9\r\n\r\nrest",
    request: CONNECT,
    told: { status: 200, reason: "T", handed: "rest" },
  },
  {
    name: "a tunnel that is refused",
    wire: "HTTP/1.1 407 P\r\nContent-Length: 2\r\n\r\nno",
    request: CONNECT,
    told: { status: 407, reason: "P", body: "no" },
  },
];

for (const { name, wire, request = GET, told } of VALID) {
  Deno.test(`exchange() reads ${name} however it is split`, async () => {
    assertEquals(await tellUnderEverySplit(wire, request), { informational: [], ...told });
  });
}

const INVALID: readonly {
  name: string;
  wire: string;
  code: string;
  request?: ExchangeRequest;
  options?: Options;
  told?: Partial<Told>;
}[] = [
  { name: "nothing", wire: "", code: "ERR_NET_CONNECTION_CLOSED" },
  { name: "garbage", wire: "no headers at all\n", code: "ERR_HTTP_BAD_VERSION" },
  { name: "half a head", wire: "HTTP/1.1 200 OK\r\nA: b\r\n", code: "ERR_HTTP_TRUNCATED_MESSAGE" },
  {
    name: "nothing behind an informational response",
    wire: "HTTP/1.1 102 P\r\n\r\n",
    code: "ERR_HTTP_TRUNCATED_MESSAGE",
    told: { informational: [102] },
  },
  {
    name: "a body that is too short",
    wire: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
    code: "ERR_HTTP_TRUNCATED_MESSAGE",
    told: { status: 200, reason: "OK" },
  },
  {
    name: "a chunked body without its end",
    wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n",
    code: "ERR_HTTP_TRUNCATED_MESSAGE",
    told: { status: 200, reason: "OK" },
  },
  {
    name: "a chunk without a size",
    wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n",
    code: "ERR_HTTP_BAD_CHUNK_SIZE",
    told: { status: 200, reason: "OK" },
  },
  {
    name: "both framings",
    wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
    code: "ERR_HTTP_LENGTH_AND_TRANSFER_CODING",
  },
  {
    name: "two lengths",
    wire: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    code: "ERR_HTTP_BAD_CONTENT_LENGTH",
  },
  {
    name: "a 101 that nobody asked for",
    wire: "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    code: "ERR_HTTP_UNEXPECTED_RESPONSE",
  },
  { name: "HTTP/2", wire: "HTTP/2 200 OK\r\n\r\n", code: "ERR_HTTP_BAD_VERSION" },
  {
    name: "too many header bytes",
    wire: `HTTP/1.1 200 OK\r\nA: ${"b".repeat(60)}\r\n\r\n`,
    code: "ERR_NET_LIMIT_EXCEEDED",
    options: { maxHeaderBytes: 50 },
  },
  {
    name: "too many informational responses",
    wire: "HTTP/1.1 102 P\r\n\r\n".repeat(3),
    code: "ERR_NET_LIMIT_EXCEEDED",
    options: { maxInformationalResponses: 2 },
    told: { informational: [102, 102] },
  },
];

for (const { name, wire, code, request = GET, options = {}, told } of INVALID) {
  Deno.test(`exchange() throws on ${name} however it is split`, async () => {
    assertEquals(await tellUnderEverySplit(wire, request, options), {
      informational: [],
      ...told,
      error: code,
    });
  });
}

Deno.test("exchange() throws on every strict prefix of a response", async () => {
  for (const { wire, request = GET, told: { handed } } of VALID) {
    // Its end is that of the connection, or nothing of it is read any more.
    if (wire.startsWith("HTTP/1.0") || handed !== undefined || wire.includes("aHTTP")) continue;
    for (let length = 0; length < wire.length; length++) {
      const { error } = await tell([bytesOf(wire.slice(0, length))], request);
      const code = length === 0 ? "ERR_NET_CONNECTION_CLOSED" : "ERR_HTTP_TRUNCATED_MESSAGE";
      assertEquals(error, code, wire.slice(0, length));
    }
  }
});

Deno.test("exchange() says where a connection broke, and why", async () => {
  const reset = new Deno.errors.ConnectionReset("reset");
  const head = bytesOf("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
  const cut = await errorOf(exchange(new ScriptedTransport({ reads: [reset] }), GET));
  assertInstanceOf(cut, ConnectionClosedError);
  assertEquals([cut.bytesReceived, cut.cause], [0, reset]);

  const transport = new ScriptedTransport({ reads: [head, reset] });
  const response = await exchange(transport, GET);
  const error = await errorOf(response.bytes());
  assertInstanceOf(error, ConnectionClosedError);
  assertEquals([error.bytesReceived, error.cause], [head.length, reset]);
  assertStrictEquals(await errorOf(response.read()), error);
  assertEquals(transport.closedCount, 1);
});

Deno.test("exchange() reads an answer though the request could not be written", async () => {
  const broken = new Deno.errors.BrokenPipe("broken");
  const reads = [bytesOf("HTTP/1.1 400 B\r\nContent-Length: 2\r\n\r\nno")];
  const answered = await exchange(new ScriptedTransport({ reads, writes: [broken] }), GET);
  assertEquals(answered.status, 400);
  assertEquals(textOf(await answered.bytes()), "no");

  for (const reads of [[], [new Deno.errors.ConnectionReset("later")]]) {
    const transport = new ScriptedTransport({ reads, writes: [broken] });
    const error = await errorOf(exchange(transport, GET));
    assertInstanceOf(error, ConnectionClosedError);
    assertInstanceOf(error.cause, ConnectionClosedError);
    assertStrictEquals(error.cause.cause, broken);
  }
});

Deno.test("exchange() is not held up by a transport that breaks its promises", async () => {
  for (const count of [65_537, -1, 0.5, NaN]) {
    const reading = new ScriptedTransport({ reads: [count] });
    assertInstanceOf(await errorOf(exchange(reading, GET)), ConnectionClosedError, `${count}`);
    assertEquals(reading.closedCount, 1);
    const writing = new ScriptedTransport({ writes: [count] });
    assertInstanceOf(await errorOf(exchange(writing, GET)), NetError, `${count}`);
    assertEquals(writing.closedCount, 1);
  }
  const empty = new ScriptedTransport({ reads: Array<number>(100).fill(0) });
  assertInstanceOf(await errorOf(exchange(empty, GET)), ConnectionClosedError);
  const deaf = new ScriptedTransport({ writes: [0, 0] });
  assertInstanceOf(await errorOf(exchange(deaf, GET)), ConnectionClosedError);
});

Deno.test("exchange() closes the transport whatever is wrong with its arguments", async () => {
  const wrong: readonly [ExchangeRequest, Options, typeof TypeError][] = [
    [{ ...GET, method: "B AD" }, {}, TypeError],
    [{ ...GET, target: "/ /" }, {}, TypeError],
    [{ target: "/", headers: {} }, {}, TypeError],
    [GET, { maxHeaderBytes: -1 }, RangeError],
    [GET, { bodyTimeoutMs: -1 }, RangeError],
    [GET, { writeTimeoutMs: NaN }, RangeError],
  ];
  for (const [request, options, type] of wrong) {
    const transport = new ScriptedTransport();
    assertInstanceOf(await errorOf(exchange(transport, request, options)), type);
    assertEquals([transport.closedCount, transport.written.length], [1, 0]);
  }
});

Deno.test("exchange() closes the connection when the response is over, and not before", async () => {
  const wire = bytesOf("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  const [client, server] = memoryPipe();
  const answered = exchange(client, GET);
  await server.read(new Uint8Array(100));
  await server.write(wire);
  const response = await answered;
  assertEquals(response.isComplete, false);
  assertEquals(await server.write(bytesOf("more")), 4);
  assertEquals(textOf(await response.bytes()), "ok");
  await response.ended;
  assertEquals(await server.read(new Uint8Array(1)), null);
  assertInstanceOf(await errorOf(client.read(new Uint8Array(1))), Deno.errors.BadResource);
});

Deno.test("exchange() leaves limits to the options, and says which one passed", async () => {
  const reads = [bytesOf("HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n")];
  const error = await errorOf(
    exchange(new ScriptedTransport({ reads }), GET, { maxHeaderCount: 1 }),
  );
  assertInstanceOf(error, LimitExceededError);
  assertEquals([error.limit, error.max], ["maxHeaderCount", 1]);
});

Deno.test("exchange() relaxes a rule where it is told to", async () => {
  const wire = bytesOf("HTTP/1.1 200 OK\nContent-Length: 2\n\nok");
  const strict = await errorOf(exchange(new ScriptedTransport({ reads: [wire] }), GET));
  assertInstanceOf(strict, HttpProtocolError);
  const lenient = await exchange(new ScriptedTransport({ reads: [wire] }), GET, {
    lenience: { allowBareLf: true },
  });
  assertEquals(textOf(await lenient.bytes()), "ok");
});
