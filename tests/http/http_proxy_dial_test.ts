import { assert, assertEquals, assertRejects } from "@std/assert";
import { connectThroughHttpProxy } from "../../http/http_proxy_dial.ts";
import { ProxyError } from "../../http/proxy_error.ts";
import { DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { TimeoutError } from "../../nbio/errors.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { settle } from "../../nbio/testing_settle.ts";
import { runTranscript } from "../../nbio/testing_transcript.ts";
import type { TranscriptStep } from "../../nbio/testing_transcript_step.ts";
import { closeQuietly } from "../../nbio/transport.ts";
import { cancelEverywhere, WatchedTransport } from "../_support/cancelling.ts";
import { bytesOf } from "../_support/raw_bytes.ts";

const TARGET = { hostname: "example.test", port: 443 };
const AUTHORIZATION = "Basic YWRhOnMzY3JldA==";
const OPTIONS = { authorization: AUTHORIZATION, proxy: "http://p.test:3128" };
const ASKED: TranscriptStep = { type: "skip-until", bytes: "\r\n\r\n" };
const OK = "HTTP/1.1 200 Connection established\r\n\r\n";

const REQUESTS: readonly { hostname: string; authority: string }[] = [
  { hostname: "example.test", authority: "example.test:443" },
  { hostname: "::1", authority: "[::1]:443" },
  { hostname: "[::1]", authority: "[::1]:443" },
];

for (const { hostname, authority } of REQUESTS) {
  Deno.test(`connectThroughHttpProxy() asks for ${hostname}`, async () => {
    const [near, far] = memoryPipe();
    const script = runTranscript(far, [
      {
        type: "expect",
        bytes: `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n` +
          `Proxy-Authorization: ${AUTHORIZATION}\r\nX-Session: 7\r\n\r\n`,
      },
      { type: "send", bytes: "HTTP/1.1 102 Wait\r\n\r\n" },
      { type: "send", bytes: OK },
      { type: "expect", bytes: "ping" },
      { type: "send", bytes: "hello" },
    ]);
    const transport = new WatchedTransport(near);
    await connectThroughHttpProxy(transport, { hostname, port: 443 }, {
      ...OPTIONS,
      headers: { "X-Session": "7" },
    });
    assertEquals([transport.pendingCount, transport.closeCount], [0, 0]);
    // What comes later is the target's.
    await near.write(bytesOf("ping"));
    assertEquals(await near.read(new Uint8Array(16)), 5);
    await script;
    near.close();
  });
}

const ANSWERS: readonly { name: string; says: string; code: string; status?: number }[] = [
  ...[407, 401, 403, 400, 302].map((status) => ({
    name: `answers ${status}`,
    says: `HTTP/1.1 ${status} No\r\nContent-Length: 5\r\n\r\nhello`,
    code: status === 407 || status === 401 ? "ERR_PROXY_AUTHENTICATION" : "ERR_PROXY_REFUSED",
    status,
  })),
  ...[500, 502, 503, 504].map((status) => ({
    name: `answers ${status}`,
    says: `HTTP/1.1 ${status} No\r\nTransfer-Encoding: chunked\r\n\r\n`,
    code: "ERR_PROXY_TARGET_UNREACHABLE",
    status,
  })),
  { name: "sends garbage", says: "\x16\x03\x01garbage\r\n\r\n", code: "ERR_PROXY_BAD_RESPONSE" },
  { name: "speaks SOCKS", says: "\x05\xff\r\n", code: "ERR_PROXY_BAD_RESPONSE" },
  {
    name: "sends a broken head",
    says: "HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
    code: "ERR_PROXY_BAD_RESPONSE",
  },
  { name: "sends bytes behind its head", says: `${OK}x`, code: "ERR_PROXY_BAD_RESPONSE" },
  {
    name: "sends a body with its 200",
    says: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    code: "ERR_PROXY_BAD_RESPONSE",
  },
  {
    name: "announces for ever",
    says: "HTTP/1.1 100 Continue\r\n\r\n".repeat(9) + OK,
    code: "ERR_PROXY_BAD_RESPONSE",
  },
  {
    name: "changes the protocol",
    says: "HTTP/1.1 101 Other\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    code: "ERR_PROXY_BAD_RESPONSE",
  },
  {
    name: "never ends its head",
    says: `HTTP/1.1 200 OK\r\n${"x: y\r\n".repeat(20_000)}`,
    code: "ERR_PROXY_BAD_RESPONSE",
  },
  {
    name: "has no end of line",
    says: `HTTP/1.1 200 ${"k".repeat(100_000)}`,
    code: "ERR_PROXY_BAD_RESPONSE",
  },
];

for (const { name, says, code, status } of ANSWERS) {
  Deno.test(`connectThroughHttpProxy() rejects when the proxy ${name}`, async () => {
    const [near, far] = memoryPipe();
    const transport = new WatchedTransport(near);
    const script = runTranscript(far, [ASKED, { type: "send", bytes: bytesOf(says) }]);
    script.catch(() => {});
    const error = await assertRejects(
      () => connectThroughHttpProxy(transport, TARGET, OPTIONS),
      ProxyError,
    );
    assertEquals([error.code, error.status, error.proxy], [code, status, "http://p.test:3128"]);
    assert(!Deno.inspect(error).includes(AUTHORIZATION));
    assertEquals([transport.pendingCount, transport.closeCount > 0], [0, true]);
    closeQuietly(far);
    await script.catch(() => {});
  });
}

const LEAVING: readonly { name: string; steps: readonly TranscriptStep[] }[] = [
  { name: "leaves at once", steps: [{ type: "close" }] },
  { name: "leaves when asked", steps: [ASKED, { type: "close" }] },
  {
    name: "leaves within its head",
    steps: [ASKED, { type: "send", bytes: "HTTP/1.1 200" }, { type: "close" }],
  },
  { name: "resets", steps: [ASKED, { type: "reset" }] },
];

for (const { name, steps } of LEAVING) {
  Deno.test(`connectThroughHttpProxy() rejects when the proxy ${name}`, async () => {
    const [near, far] = memoryPipe();
    const transport = new WatchedTransport(near);
    const script = runTranscript(far, steps);
    const error = await assertRejects(
      () => connectThroughHttpProxy(transport, TARGET, OPTIONS),
      ProxyError,
    );
    assertEquals([error.code, transport.pendingCount], ["ERR_PROXY_CLOSED", 0]);
    await script;
    closeQuietly(far);
  });
}

Deno.test("connectThroughHttpProxy() has one deadline for all that a proxy announces", async () => {
  const clock = new ManualClock();
  const wheel = new DeadlineWheel(clock);
  const [near, far] = memoryPipe();
  const failed = assertRejects(
    () => connectThroughHttpProxy(near, TARGET, { timeoutMs: 1_000, wheel }),
    TimeoutError,
  );
  for (let round = 0; round < 3; round++) {
    await settle();
    await far.write(bytesOf("HTTP/1.1 102 Processing\r\n\r\n"));
    await settle();
    clock.advance(390);
  }
  const error = await failed;
  assertEquals([error.phase, error.timeoutMs, clock.pendingCount], ["proxy", 1_000, 0]);
  closeQuietly(far);
});

Deno.test("connectThroughHttpProxy() leaves nothing wherever it is cancelled", async () => {
  await cancelEverywhere(async ({ bounds, watch }) => {
    const [near, far] = memoryPipe();
    const script = runTranscript(far, [
      ASKED,
      { type: "send", bytes: "HTTP/1.1 102 Wait\r\n\r\n" },
      { type: "send", bytes: OK },
    ]);
    script.catch(() => {});
    const transport = watch(near);
    try {
      await connectThroughHttpProxy(transport, TARGET, bounds);
    } finally {
      closeQuietly(far);
      await script.catch(() => {});
    }
    transport.close();
  });
});

Deno.test("connectThroughHttpProxy() throws on what cannot be sent, and closes", async () => {
  for (const target of [{ hostname: "a b", port: 1 }, { hostname: "a\r\nb", port: 1 }]) {
    const [near, far] = memoryPipe();
    await assertRejects(() => connectThroughHttpProxy(near, target), TypeError);
    assertEquals(await far.read(new Uint8Array(1)), null);
    closeQuietly(far);
  }
});
