import { assertEquals, assertRejects } from "@std/assert";
import { ConnectionClosedError, LimitExceededError } from "../../nbio/errors.ts";
import { recvExactly } from "../../nbio/recv_exactly.ts";
import { sendAll } from "../../nbio/send_all.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { closeQuietly, type Transport } from "../../nbio/transport.ts";
import {
  chooseCertificate,
  type ClientGreeting,
  receiveClientHello,
  refuseClientHello,
} from "../../tls/client_greeting.ts";
import type { ClientHello } from "../../tls/client_hello.ts";
import { TlsError } from "../../tls/errors.ts";
import { resolveServerOptions, type TlsServerSettings } from "../../tls/tls_options.ts";
import { startTls } from "../../tls/start_tls.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { server, stranger } from "../_support/tls_pki.ts";

const DEFAULTS: TlsServerSettings = resolveServerOptions("test", server);
const TLS_1_1 = 0x0302;
const TLS_1_2 = 0x0303;
const TLS_1_3 = 0x0304;

/** What a client of ours says first. */
async function recordHello(): Promise<Uint8Array> {
  const [near, far] = memoryPipe();
  const controller = new AbortController();
  const options = { hostname: "localhost", signal: controller.signal, alpnProtocols: ["h2"] };
  const failed = assertRejects(() => startTls(near, options));
  const head = new Uint8Array(5);
  await recvExactly(far, head);
  const rest = new Uint8Array(head[3]! << 8 | head[4]!);
  await recvExactly(far, rest);
  controller.abort();
  await failed;
  far.close();
  return new Uint8Array([...head, ...rest]);
}

/** What is received after a refusal; the end of it comes from the other side. */
async function farewellOf(refusing: (transport: Transport) => Promise<unknown>): Promise<{
  readonly error: TlsError;
  readonly sent: Uint8Array;
}> {
  const [near, far] = memoryPipe();
  const refused = assertRejects(() => refusing(near), TlsError);
  const space = new Uint8Array(512);
  let length = 0;
  await far.closeWrite();
  for (;;) {
    const racing = Promise.race([refused.then(() => null), far.read(space.subarray(length))]);
    const count = await racing;
    if (count === null) break;
    length += count;
  }
  const error = await refused;
  closeQuietly(near);
  far.close();
  return { error, sent: space.subarray(0, length) };
}

const hello: ClientHello = {
  serverName: "localhost",
  alpnProtocols: [],
  oldestVersion: TLS_1_2,
  newestVersion: TLS_1_3,
};

function greetingOf(changes: Partial<ClientHello>): ClientGreeting {
  return { hello: { ...hello, ...changes }, bytes: new Uint8Array(0) };
}

Deno.test("receiveClientHello() keeps every byte it has read, however they come", async () => {
  const sent = await recordHello();
  for (const size of [1, 5, 6, 100, sent.length]) {
    const [near, far] = memoryPipe();
    const receiving = receiveClientHello(near);
    for (let at = 0; at < sent.length; at += size) {
      await sendAll(far, sent.subarray(at, at + size));
    }
    const { hello, bytes } = await receiving;
    assertEquals(bytes, sent);
    assertEquals([hello?.serverName, hello?.alpnProtocols], ["localhost", ["h2"]]);
    near.close();
    far.close();
  }
});

Deno.test("receiveClientHello() says that something is no TLS as soon as it can", async () => {
  for (const text of ["GET / HTTP/1.1\r\n", "\x00", "\x16\x03\x01\xff\xff12345"]) {
    const [near, far] = memoryPipe();
    await sendAll(far, bytesOf(text));
    assertEquals(await receiveClientHello(near), { hello: undefined, bytes: bytesOf(text) });
    near.close();
    far.close();
  }
});

Deno.test("receiveClientHello() throws if the client leaves before its greeting is complete", async () => {
  const sent = await recordHello();
  for (const length of [0, 1, 5, sent.length - 1]) {
    const [near, far] = memoryPipe();
    const failed = assertRejects(() => receiveClientHello(near), ConnectionClosedError);
    await sendAll(far, sent.subarray(0, length));
    await far.closeWrite();
    assertEquals((await failed).bytesReceived, length);
    near.close();
    far.close();
  }
});

Deno.test("receiveClientHello() ends a greeting that has no end, and empty reads that have none", async () => {
  const [near, far] = memoryPipe();
  // Records of 16 KiB of one message of 16 MiB.
  const record = new Uint8Array(5 + 16_384);
  record.set([22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff]);
  const flooding = (async () => {
    for (let count = 0; count < 8; count++) await sendAll(far, record);
  })().catch(() => {});
  const outcome = await receiveClientHello(near).then(({ hello }) => hello, (error) => error);
  if (outcome !== undefined) assertEquals(outcome instanceof LimitExceededError, true);
  near.close();
  far.close();
  await flooding;
  const empty = Object.assign(memoryPipe()[0], { read: () => Promise.resolve(0) });
  await assertRejects(() => receiveClientHello(empty), ConnectionClosedError);
});

Deno.test("refuseClientHello() lets those in with whom there is something in common", async () => {
  const [near] = memoryPipe();
  for (
    const [changes, settings] of [
      [{}, DEFAULTS],
      [{ oldestVersion: TLS_1_1 }, DEFAULTS],
      [{ alpnProtocols: ["h2"] }, DEFAULTS],
      [{}, { ...DEFAULTS, alpnProtocols: ["http/1.1"] }],
      [{ alpnProtocols: ["h2", "http/1.1"] }, { ...DEFAULTS, alpnProtocols: ["http/1.1"] }],
      [{ newestVersion: TLS_1_2 }, { ...DEFAULTS, maxVersion: "TLSv1.2" }],
    ] as const
  ) await refuseClientHello(near, greetingOf(changes), settings);
  near.close();
});

// RFC 8446 section 6: 70 protocol_version, 120 no_application_protocol.
for (
  const { name, changes, settings, alert } of [
    {
      name: "a client too old",
      changes: { newestVersion: TLS_1_1, oldestVersion: TLS_1_1 },
      settings: DEFAULTS,
      alert: 70,
    },
    {
      name: "a client below the oldest version that is wanted",
      changes: { newestVersion: TLS_1_2 },
      settings: { ...DEFAULTS, minVersion: "TLSv1.3" },
      alert: 70,
    },
    {
      name: "a client above the newest version that is wanted",
      changes: { oldestVersion: TLS_1_3 },
      settings: { ...DEFAULTS, maxVersion: "TLSv1.2" },
      alert: 70,
    },
    {
      name: "a client without a protocol in common",
      changes: { alpnProtocols: ["h2"] },
      settings: { ...DEFAULTS, alpnProtocols: ["http/1.1"] },
      alert: 120,
    },
  ] as const
) {
  Deno.test(`refuseClientHello() sends an alert to ${name}`, async () => {
    const { error, sent } = await farewellOf((transport) =>
      refuseClientHello(transport, greetingOf(changes), settings)
    );
    assertEquals([error.code, sent], [
      "ERR_TLS_HANDSHAKE",
      new Uint8Array([21, 3, 3, 0, 2, 2, alert]),
    ]);
  });
}

Deno.test("refuseClientHello() answers HTTP in the clear, and nothing else", async () => {
  for (
    const [text, answer] of [
      ["GET / HTTP/1.1\r\n", "HTTP/1.1 400 "],
      ["OPTIONS * HTTP/1.1\r\n", "HTTP/1.1 400 "],
      ["get / HTTP/1.1\r\n", ""],
      ["EHLO there\x00", "HTTP/1.1 400 "],
      ["\x00\x01\x02", ""],
      ["", ""],
    ] as const
  ) {
    const { error, sent } = await farewellOf((transport) =>
      refuseClientHello(transport, { hello: undefined, bytes: bytesOf(text) }, DEFAULTS)
    );
    assertEquals(error.code, "ERR_TLS_NOT_TLS");
    assertEquals(textOf(sent).slice(0, 13), answer);
  }
});

Deno.test("refuseClientHello() refuses all the same if the client is gone", async () => {
  const [near, far] = memoryPipe();
  far.reset();
  const greeting = { hello: undefined, bytes: bytesOf("GET / HTTP/1.1\r\n") };
  await assertRejects(() => refuseClientHello(near, greeting, DEFAULTS), TlsError);
});

Deno.test("chooseCertificate() asks for the name, checks what it gets, and refuses without", async () => {
  const [near, far] = memoryPipe();
  const asked: (string | undefined)[] = [];
  const settingsWith = (chosen: { cert: string; key: string } | undefined): TlsServerSettings => ({
    ...DEFAULTS,
    own: undefined,
    certificates: { select: (name) => (asked.push(name), Promise.resolve(chosen)) },
  });
  assertEquals((await chooseCertificate(near, hello, DEFAULTS)).key, server.key);
  assertEquals(asked, []);
  assertEquals((await chooseCertificate(near, hello, settingsWith(server))).key, server.key);
  await assertRejects(
    () => chooseCertificate(near, hello, settingsWith({ cert: server.cert, key: stranger.key })),
    RangeError,
  );
  assertEquals(asked, ["localhost", "localhost"]);
  near.close();
  far.close();
  // RFC 6066 section 3: unrecognized_name.
  const { error, sent } = await farewellOf((transport) =>
    chooseCertificate(transport, hello, settingsWith(undefined))
  );
  assertEquals([error.code, sent], [
    "ERR_TLS_HANDSHAKE",
    new Uint8Array([21, 3, 3, 0, 2, 2, 112]),
  ]);
});
