import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import type { ClientConnection } from "../../http/client_connection.ts";
import type { ExchangeResponse } from "../../http/exchange_response.ts";
import { HttpStateError } from "../../http/errors.ts";
import { ConnectionClosedError, LimitExceededError } from "../../nbio/errors.ts";
import { settle } from "../../nbio/testing_settle.ts";
import { ClientHarness, errorOf } from "../_support/client_harness.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/** The same body, with and without its length in the head. */
function wiresOf(body: string): string[] {
  return [
    `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    `${CHUNKED}${[...body].map((char) => `1\r\n${char}\r\n`).join("")}0\r\n\r\n`,
  ];
}

function endOf(connection: ClientConnection): [isReusable: boolean, reason: string | undefined] {
  return [connection.isReusable, connection.endReason];
}

Deno.test("ExchangeResponse shows the head as it came", async () => {
  using harness = new ClientHarness();
  const response = await harness.answered(
    "HTTP/1.0 299 So So\r\nSet-Cookie: a\r\nset-cookie: b\r\nContent-Length: 3\r\n\r\n",
  );
  const { status, reason, minorVersion, headers, bodyLength, handover, trailers } = response;
  assertEquals([status, reason, minorVersion, bodyLength], [299, "So So", 0, 3]);
  assertEquals([...headers].slice(0, 2), [["Set-Cookie", "a"], ["set-cookie", "b"]]);
  assertEquals([handover, trailers], [undefined, undefined]);
});

Deno.test("ExchangeResponse.read() gives pieces that stay as they are, then the end for ever", async () => {
  using harness = new ClientHarness();
  const response = await harness.answered(`${CHUNKED}2\r\nab\r\n`);
  const first = (await response.read())!;
  assertEquals(response.trailers, undefined);
  const second = response.read();
  await harness.send("2\r\ncd\r\n0\r\nX-T: 1\r\n\r\n");
  assertEquals([textOf(first), textOf((await second)!)], ["ab", "cd"]);
  assertEquals([await response.read(), await response.read()], [undefined, undefined]);
  assertEquals([...response.trailers!], [["X-T", "1"]]);
  assertEquals(response.isComplete, true);
});

Deno.test("ExchangeResponse.read() refuses a second reader", async () => {
  using harness = new ClientHarness();
  const response = await harness.answered(CHUNKED);
  const first = response.read();
  assertInstanceOf(await errorOf(response.read()), HttpStateError);
  await harness.send("1\r\na\r\n");
  assertEquals(textOf((await first)!), "a");
});

Deno.test("ExchangeResponse.take() gives what has come, and waits for nothing", async () => {
  using harness = new ClientHarness();
  const response = await harness.answered("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
  assertEquals(textOf(response.take()!), "ab");
  assertEquals([response.take(), response.isComplete], [undefined, false]);
  const reading = response.read();
  assertThrows(() => response.take(), HttpStateError);
  await harness.send("cd");
  assertEquals(textOf((await reading)!), "cd");
  assertEquals([response.take(), response.isComplete], [undefined, true]);

  const empty = await harness.answered("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  assertEquals(empty.take(), undefined);
  const whole = await harness.answered("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
  assertEquals([textOf(whole.take()!), whole.isComplete], ["x", true]);
  assertEquals(harness.connection.isReusable, true);
});

Deno.test("ExchangeResponse.bytes() collects the rest", async () => {
  for (const body of ["", "x", "hello"]) {
    for (const wire of wiresOf(body)) {
      using harness = new ClientHarness();
      const response = await harness.answered(wire);
      assertEquals(textOf(await response.bytes()), body);
      assertEquals(textOf(await response.bytes()), "");
      assertEquals(endOf(harness.connection), [true, undefined]);
    }
  }
});

Deno.test("ExchangeResponse.bytes() holds as much as it is told, and no byte more", async () => {
  for (const wire of wiresOf("hello")) {
    for (const [maxBytes, isAllowed] of [[4, false], [5, true], [6, true], [0, true]] as const) {
      using harness = new ClientHarness();
      const response = await harness.answered(wire);
      const bytes = response.bytes({ maxBytes });
      if (isAllowed) {
        assertEquals(textOf(await bytes), "hello");
        continue;
      }
      const error = await errorOf(bytes);
      assertInstanceOf(error, LimitExceededError);
      assertEquals([error.limit, error.max], ["maxBytes", 4]);
      assertEquals(endOf(harness.connection), [false, "body-unread"]);
    }
  }
});

Deno.test("ExchangeResponse.bytes() gives a long body whole, however it comes", async () => {
  const body = Array.from({ length: 2_500_000 }, (_, at) => String.fromCharCode(at % 251)).join("");
  for (const readBytes of [0, 4_000]) {
    using harness = new ClientHarness({ highWaterMarkBytes: 200_000 });
    const response = harness.begin();
    await harness.received();
    const sent = harness.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    let start = "";
    while (start.length < readBytes) start += textOf((await (await response).read())!);
    const rest = await (await response).bytes();
    await sent;
    assertEquals(start + textOf(rest) === body, true);
    assertEquals([rest.length, rest.buffer.byteLength > body.length], [
      body.length - start.length,
      false,
    ]);
    assertEquals(endOf(harness.connection), [true, undefined]);
  }
});

Deno.test("ExchangeResponse.bytes() sets no memory aside for what was only announced", async () => {
  using harness = new ClientHarness();
  const response = await harness.answered(
    "HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\nabc",
  );
  const before = Deno.memoryUsage().external;
  const body = errorOf(response.bytes());
  await settle();
  assertEquals(Deno.memoryUsage().external - before < 8_000_000, true);
  response.close();
  assertInstanceOf(await body, ConnectionClosedError);
});

Deno.test("ExchangeResponse.bytes() refuses a length of a petabyte at once", async () => {
  using harness = new ClientHarness();
  const response = await harness.answered(
    "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000\r\n\r\n",
  );
  assertInstanceOf(await errorOf(response.bytes()), LimitExceededError);
});

Deno.test("ExchangeResponse.discard() frees the connection, or closes it", async () => {
  for (const wire of wiresOf("hello")) {
    for (const [maxBytes, isFree] of [[4, false], [5, true], [0, true]] as const) {
      using harness = new ClientHarness();
      await (await harness.answered(wire)).discard({ maxBytes });
      assertEquals(endOf(harness.connection), [isFree, isFree ? undefined : "body-unread"]);
    }
  }
});

for (const method of ["bytes", "discard"] as const) {
  Deno.test(`ExchangeResponse.${method}() throws on a bound that is none`, async () => {
    using harness = new ClientHarness();
    const response = await harness.answered(wiresOf("x")[0]!);
    for (const maxBytes of [-1, NaN, 1.5]) {
      await assertRejects(() => response[method]({ maxBytes }), RangeError);
    }
    assertEquals(textOf(await response.bytes()), "x");
  });
}

Deno.test("ExchangeResponse is read piece by piece, and closed by a loop that ends early", async () => {
  for (const isWhole of [true, false]) {
    using harness = new ClientHarness();
    const response = await harness.answered(wiresOf("hello")[1]!);
    let text = "";
    for await (const chunk of response) {
      text += textOf(chunk);
      if (!isWhole) break;
    }
    assertEquals(text, isWhole ? "hello" : "h");
    assertEquals(endOf(harness.connection), isWhole ? [true, undefined] : [false, "body-unread"]);
  }
});

Deno.test("ExchangeResponse.stream reads nothing ahead, and closes when it is cancelled", async () => {
  using harness = new ClientHarness();
  const response = await harness.answered(wiresOf("hello")[1]!);
  const { stream } = response;
  await settle();
  assertEquals(textOf((await response.read())!), "h");
  const reader = stream.getReader();
  assertEquals(textOf((await reader.read()).value!), "e");
  await reader.cancel();
  assertEquals(endOf(harness.connection), [false, "body-unread"]);
  assertEquals(await harness.isClosed(), true);
});

Deno.test("ExchangeResponse.stream gives the whole body to what takes streams", async () => {
  using harness = new ClientHarness();
  const { stream } = await harness.answered(wiresOf("hello")[1]!);
  assertEquals(await new Response(stream).text(), "hello");
  assertEquals(endOf(harness.connection), [true, undefined]);
});

Deno.test("ExchangeResponse.close() ends a read that waits", async () => {
  using harness = new ClientHarness();
  const response = await harness.answered(CHUNKED);
  const failed = errorOf(response.read());
  await settle();
  response.close();
  response.close();
  await response.ended;
  const error = await failed;
  assertInstanceOf(error, ConnectionClosedError);
  assertStrictEquals(await errorOf(response.read()), error);
  assertEquals([harness.transport.pendingCount, harness.transport.closeCount], [0, 1]);
  assertEquals(harness.wheel.armedCount, 0);
});

Deno.test("ExchangeResponse is closed by await using, unless it was read", async () => {
  for (const isRead of [true, false]) {
    using harness = new ClientHarness();
    let kept: ExchangeResponse;
    {
      await using response = await harness.answered(wiresOf("hello")[0]!);
      if (isRead) await response.bytes();
      kept = response;
    }
    await kept.ended;
    assertEquals(harness.connection.isReusable, isRead);
  }
});

Deno.test("ExchangeResponse is complete with the last byte of a known length", async () => {
  using harness = new ClientHarness();
  const response = await harness.answered(wiresOf("hello")[0]!);
  assertEquals(textOf((await response.read())!), "hello");
  assertEquals([response.isComplete, harness.connection.isReusable], [true, true]);
});

Deno.test("ExchangeResponse is complete at once where it has no body", async () => {
  using harness = new ClientHarness();
  const response = await harness.answered("HTTP/1.1 204 N\r\n\r\n");
  assertEquals([response.isComplete, response.bodyLength], [true, 0]);
  assertEquals([await response.read(), (await response.bytes()).length], [undefined, 0]);
  assertEquals(endOf(harness.connection), [true, undefined]);
});

Deno.test("ExchangeResponse behind a handover has no body, and closes nothing", async () => {
  using harness = new ClientHarness();
  const response = await harness.answered(
    "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nhello",
    { target: "/", headers: { host: "a", connection: "upgrade", upgrade: "x" } },
  );
  response.close();
  await response.ended;
  assertEquals([await response.read(), response.bodyLength], [undefined, 0]);
  assertEquals(response.handover!.bytes, bytesOf("hello"));
  assertEquals(harness.transport.closeCount, 0);
});
