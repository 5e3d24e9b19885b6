import { assert, assertEquals, assertRejects } from "@std/assert";
import { Client } from "../../http/client.ts";
import { requestFailure } from "../../http/client_errors.ts";
import { exchange } from "../../http/client_exchange.ts";
import { ClientResponse, type ResponseOwner } from "../../http/client_response.ts";
import { type RequestOptions, resolveCallSettings } from "../../http/client_settings.ts";
import { HttpProtocolError, HttpStateError } from "../../http/errors.ts";
import { ConnectionClosedError, LimitExceededError, TimeoutError } from "../../nbio/errors.ts";
import { type Deadline, DeadlineWheel } from "../../nbio/deadline_wheel.ts";
import { ManualClock } from "../../nbio/testing_clock.ts";
import { memoryPipe } from "../../nbio/testing_memory_pipe.ts";
import { errorOf } from "../_support/client_harness.ts";
import { isCollected } from "../_support/collect_garbage.ts";
import { CountedSignal } from "../_support/counted_signal.ts";
import { eventually } from "../_support/peer.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { ScriptedClient } from "../_support/scripted_client.ts";
import { originAt, serve, trust } from "../_support/tls_switch.ts";

const URL_A = "http://a.example/";
const LATE_MS = 101;
const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/** An answer with a body of known length. */
function answer(body: string, ...fields: string[]): string {
  const lines = ["HTTP/1.1 200 OK", `Content-Length: ${body.length}`, ...fields, "", body];
  return lines.join("\r\n");
}

/** What a response with a body comes to. */
async function given<T>(
  text: string,
  read: (response: ClientResponse) => Promise<T>,
  options: RequestOptions = {},
): Promise<T> {
  await using scripted = new ScriptedClient({ retry: false });
  return await read(await scripted.answered(text, "GET", URL_A, options));
}

async function compressed(text: string, format: CompressionFormat): Promise<string> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream(format));
  return textOf(await new Response(stream).bytes());
}

Deno.test("ClientResponse.text() takes the charset of the Content-Type", async () => {
  const rows: [body: string, type: string | undefined, text: string][] = [
    ["gr\xc3\xbcezi", undefined, "grüezi"],
    ["gr\xc3\xbcezi", "text/plain; charset=UTF-8", "grüezi"],
    ["gr\xfcezi", "text/plain; charset=iso-8859-1", "grüezi"],
    ["gr\xc3\xbcezi", "text/plain; charset=nobody-knows", "grüezi"],
    ["\xef\xbb\xbfa\xff", "text/plain", "a\ufffd"],
    ["", "text/plain", ""],
  ];
  for (const [body, type, text] of rows) {
    const fields = type === undefined ? [] : [`Content-Type: ${type}`];
    assertEquals(await given(answer(body, ...fields), (it) => it.text()), text);
  }
});

Deno.test("ClientResponse.json() reads JSON, and throws on anything else", async () => {
  assertEquals(await given(answer('{"a":"\xc3\xbc"}'), (it) => it.json()), { a: "ü" });
  await assertRejects(() => given(answer("<html>"), (it) => it.json()), SyntaxError);
  await assertRejects(() => given(answer(""), (it) => it.json()), SyntaxError);
});

Deno.test("ClientResponse.form() reads both kinds of forms", async () => {
  const urlencoded = answer("a=b+c&d=%C3%BC", "Content-Type: application/x-www-form-urlencoded");
  assertEquals([...await given(urlencoded, (it) => it.form())], [["a", "b c"], ["d", "ü"]]);
  const body =
    '--x\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\nhello\r\n--x--';
  const multipart = answer(body, 'Content-Type: multipart/form-data; boundary="x"');
  const file = (await given(multipart, (it) => it.form())).get("f") as File;
  assertEquals([file.name, await file.text()], ["a.txt", "hello"]);
});

Deno.test("ClientResponse.form() refuses what is none, broken or too large", async () => {
  const form = (response: ClientResponse): Promise<FormData> => response.form({ maxFields: 1 });
  await assertRejects(() => given(answer("a=b", "Content-Type: text/plain"), form), TypeError);
  await assertRejects(() => given(answer("a=b"), form), TypeError);
  const type = "Content-Type: application/x-www-form-urlencoded";
  await assertRejects(() => given(answer("a=%zz", type), form), HttpProtocolError);
  await assertRejects(() => given(answer("a=b&c=d", type), form), LimitExceededError);
  const cut = answer("--x\r\n", "Content-Type: multipart/form-data; boundary=x");
  await assertRejects(() => given(cut, form), HttpProtocolError);
});

Deno.test("ClientResponse gives its body piece by piece", async () => {
  const chunked = `${CHUNKED}2\r\nab\r\n1\r\nc\r\n0\r\n\r\n`;
  const looped = await given(chunked, async (response) => {
    let text = "";
    for await (const chunk of response) text += textOf(chunk);
    return text;
  });
  assertEquals(looped, "abc");
  assertEquals(await given(chunked, (it) => new Response(it.stream).text()), "abc");
  const read = await given(chunked, async (response) => {
    const pieces: (string | undefined)[] = [];
    for (let index = 0; index < 4; index++) {
      const piece = await response.read();
      pieces.push(piece && textOf(piece));
    }
    return pieces;
  });
  assertEquals(read, ["ab", "c", undefined, undefined]);
});

Deno.test("ClientResponse is read once", async () => {
  await given(answer("abc"), async (response) => {
    assertEquals(response.bodyUsed, false);
    assertEquals(await response.text(), "abc");
    assertEquals(response.bodyUsed, true);
    const error = await assertRejects(() => response.text(), HttpStateError);
    assertEquals(error.code, "ERR_HTTP_BODY_USED");
    assertEquals(await response.read(), undefined);
  });
  await given(answer("abc").slice(0, -3), async (response) => {
    const reading = response.read();
    await assertRejects(() => response.read(), HttpStateError);
    await assertRejects(() => response.bytes(), HttpStateError);
    await assertRejects(() => response.discard(), HttpStateError);
    response.close();
    await assertRejects(() => reading, ConnectionClosedError);
  });
});

Deno.test("ClientResponse gives its connection back at the end of the body, however it is read", async (t) => {
  const ways: Record<string, (response: ClientResponse) => Promise<unknown>> = {
    "bytes()": (it) => it.bytes(),
    "text()": (it) => it.text(),
    "discard()": (it) => it.discard(),
    "read()": async (it) => {
      while (await it.read() !== undefined);
    },
    "a loop": async (it) => {
      for await (const _ of it);
    },
    "stream": async (it) => {
      for await (const _ of it.stream);
    },
  };
  for (const [name, read] of Object.entries(ways)) {
    await t.step(name, async () => {
      await using scripted = new ScriptedClient();
      const bodies = ["x".repeat(100_000), await compressed("abc", "gzip"), ""];
      for (const body of bodies) {
        const coding = body.length < 100 && body !== "" ? ["Content-Encoding: gzip"] : [];
        const { response } = await scripted.begin();
        await scripted.server.received();
        const sent = scripted.server.send(answer(body, ...coding));
        await read(await response);
        await sent;
        assertEquals(scripted.client.stats().idle, 1);
      }
      assertEquals(scripted.servers.length, 1);
    });
  }
});

Deno.test("ClientResponse closes its connection when reading stops before the end", async (t) => {
  const ways: Record<string, (response: ClientResponse) => Promise<unknown>> = {
    "close()": async (it) => await it.close(),
    "close() behind a read": async (it) => {
      await it.read();
      it.close();
    },
    "await using": async (it) => {
      await using _ = it;
    },
    "a loop that is left": async (it) => {
      for await (const _ of it) break;
    },
    "a stream that is cancelled": async (it) => {
      const reader = it.stream.getReader();
      await reader.read();
      await reader.cancel();
    },
    "discard() of too much": (it) => it.discard({ maxBytes: 10 }),
    "a bound": (it) => assertRejects(() => it.bytes({ maxBytes: 10 }), LimitExceededError),
  };
  for (const [name, read] of Object.entries(ways)) {
    await t.step(name, async () => {
      for (const coding of ["", "Content-Encoding: gzip\r\n"]) {
        await using scripted = new ScriptedClient();
        const body = coding === "" ? "x".repeat(30) : await compressed("x".repeat(30), "gzip");
        const head = `HTTP/1.1 200 OK\r\n${coding}Content-Length: 100\r\n\r\n`;
        const response = await scripted.answered(head + body);
        await read(response);
        await scripted.advance(LATE_MS);
        assertEquals(await scripted.leftovers(), { deadlines: 0, pending: 0, open: 0 });
        assertEquals(scripted.client.stats().connections, 0);
      }
    });
  }
});

Deno.test("ClientResponse undoes content codings, and gives them raw when told", async () => {
  for (const format of ["gzip", "deflate"] as const) {
    const body = await compressed("hello ".repeat(1_000), format);
    const text = answer(body, `Content-Encoding: ${format}`);
    assertEquals(await given(text, (it) => it.text()), "hello ".repeat(1_000));
    const raw = await given(text, (it) => it.bytes(), { decompress: false });
    assertEquals(textOf(raw), body);
  }
  const broken = answer("no gzip at all", "Content-Encoding: gzip");
  const error = await assertRejects(() => given(broken, (it) => it.text()), HttpProtocolError);
  assertEquals(error.code, "ERR_HTTP_BAD_CONTENT_CODING");
});

Deno.test("ClientResponse bounds what it collects and what it gives, decoded", async () => {
  const plain = answer("x".repeat(100));
  const chunked = `${CHUNKED}64\r\n${"x".repeat(100)}\r\n0\r\n\r\n`;
  const coded = answer(await compressed("x".repeat(100), "gzip"), "Content-Encoding: gzip");
  for (const text of [plain, chunked, coded]) {
    for (const maxBodyBytes of [100, 101]) {
      assertEquals((await given(text, (it) => it.bytes(), { maxBodyBytes })).length, 100);
      const all = { maxBodyBytes: 0, maxResponseBytes: maxBodyBytes };
      assertEquals((await given(text, (it) => it.bytes(), all)).length, 100);
    }
    const collected = await assertRejects(
      () => given(text, (it) => it.text(), { maxBodyBytes: 99 }),
      LimitExceededError,
    );
    assertEquals([collected.limit, collected.max], ["maxBodyBytes", 99]);
    const streamed = await assertRejects(
      () => given(text, (it) => new Response(it.stream).text(), { maxResponseBytes: 99 }),
      LimitExceededError,
    );
    assertEquals([streamed.limit, streamed.max], ["maxResponseBytes", 99]);
    // What is not collected is not bounded by it.
    const bytes = await given(text, (it) => new Response(it.stream).bytes(), { maxBodyBytes: 9 });
    assertEquals(bytes.length, 100);
  }
  await assertRejects(() => given(plain, (it) => it.bytes({ maxBytes: -1 })), RangeError);
});

Deno.test("ClientResponse tells of progress", async () => {
  const told: [number, number | undefined][] = [];
  const onDownloadProgress: RequestOptions["onDownloadProgress"] = ({ bytes, totalBytes }) => {
    told.push([bytes, totalBytes]);
  };
  await given(answer("abc"), (it) => it.bytes(), { onDownloadProgress });
  await given(`${CHUNKED}2\r\nab\r\n1\r\nc\r\n0\r\n\r\n`, (it) => it.text(), {
    onDownloadProgress,
  });
  assertEquals(told, [[3, 3], [2, undefined], [3, undefined]]);
  const failing = (): void => {
    throw new Error("enough");
  };
  const reading = given(answer("abc"), (it) => it.text(), { onDownloadProgress: failing });
  assertEquals((await assertRejects(() => reading, Error)).message, "enough");
});

Deno.test("ClientResponse fails when the body does, and says where", async (t) => {
  const failing = async (
    name: string,
    text: string,
    wants: new (...args: never[]) => Error,
    act: (scripted: ScriptedClient) => Promise<void>,
  ): Promise<void> => {
    await t.step(name, async () => {
      await using scripted = new ScriptedClient();
      const response = await scripted.answered(text);
      const reading = response.text();
      reading.catch(() => {});
      await act(scripted);
      const error = await errorOf(reading);
      assert(error instanceof wants, String(error));
      assertEquals(requestFailure(error)?.phase, "body");
      assertEquals(await scripted.leftovers(), { deadlines: 0, pending: 0, open: 0 });
      assertEquals(scripted.client.stats().connections, 0);
      await assertRejects(() => response.read());
    });
  };
  await failing(
    "too little",
    answer("abc").slice(0, -1),
    HttpProtocolError,
    (it) => it.server.end(),
  );
  await failing("a broken chunk", `${CHUNKED}zz\r\n`, HttpProtocolError, (it) => it.advance(1));
  await failing("silence", answer("abc").slice(0, -1), TimeoutError, async (it) => {
    await it.advance(1);
    await it.advance(30_000 + LATE_MS);
  });
});

Deno.test("ClientResponse closes a connection whose body cannot be decoded, though all had come", async () => {
  await using scripted = new ScriptedClient();
  const text = answer("no gzip", "Content-Encoding: gzip");
  for (const read of ["text", "read"] as const) {
    const response = await scripted.answered(text);
    await assertRejects(() => response[read](), HttpProtocolError);
    assertEquals(scripted.client.stats().connections, 0);
  }
});

Deno.test("ClientResponse drops a connection on which more comes than was announced", async () => {
  await using scripted = new ScriptedClient();
  const response = await scripted.answered(`${answer("abc")}HTTP/1.1 200 OK\r\n\r\n`);
  assertEquals(await response.text(), "abc");
  assertEquals(scripted.client.stats().connections, 0);
});

Deno.test("ClientResponse closes what nobody reads for 30 s, and not what is read slowly", async () => {
  await using scripted = new ScriptedClient();
  const dropped = await scripted.answered(answer("abc").slice(0, -1));
  await scripted.advance(1);
  await scripted.advance(29_900);
  assertEquals(scripted.client.stats().connections, 1);
  await scripted.advance(200 + LATE_MS);
  assertEquals(scripted.client.stats().connections, 0);
  await assertRejects(() => dropped.text(), ConnectionClosedError);

  const slow = await scripted.answered(`${CHUNKED}2\r\nab\r\n`);
  await slow.read();
  await scripted.advance(1);
  await scripted.advance(20_000);
  await scripted.server.send("1\r\nc\r\n0\r\n\r\n");
  await slow.read();
  await scripted.advance(1);
  await scripted.advance(20_000);
  assertEquals(await slow.read(), undefined);
  assertEquals(scripted.client.stats().idle, 1);

  const late = await scripted.answered(CHUNKED, "GET", URL_A, { bodyTimeoutMs: 60_000 });
  const reading = late.read();
  await scripted.advance(1);
  await scripted.advance(40_000);
  await scripted.server.send("1\r\nc\r\n0\r\n\r\n");
  assertEquals((await reading)?.length, 1);
  late.close();
});

Deno.test("ClientResponse takes its deadline back when it is over", async () => {
  const wheel = new DeadlineWheel(new ManualClock());
  const unread = new Set<Deadline>();
  const [near, far] = memoryPipe();
  let endCount = 0;
  const owner: ResponseOwner = {
    href: URL_A,
    attempts: 1,
    redirects: [],
    settings: resolveCallSettings({}),
    wheel,
    isReused: false,
    remoteAddr: near.remoteAddr,
    isWatched: true,
    isSent: true,
    onProgress: undefined,
    unread,
    timings: () => {
      throw new Error("It was asked");
    },
    onEnd: () => endCount++,
    onFailure: () => {},
    note: (error) => error,
  };
  await far.write(bytesOf(`${CHUNKED}2\r\nok\r\n`));
  const response = new ClientResponse(
    await exchange(near, { target: "/", headers: { host: "a" } }, { wheel }),
    owner,
  );
  assertEquals([unread.size, wheel.armedCount], [1, 1]);
  const text = response.text();
  await far.write(bytesOf("0\r\n\r\n"));
  assertEquals(await text, "ok");
  assertEquals([unread.size, wheel.armedCount, endCount > 0], [0, 0, true]);
  far.close();
});

Deno.test("ClientResponse gives its connection up when it is cancelled while nobody reads", async () => {
  await using scripted = new ScriptedClient();
  const counted = new CountedSignal();
  const response = await scripted.answered(answer("abc").slice(0, -1), "GET", URL_A, {
    signal: counted.signal,
  });
  counted.abort("no more");
  assertEquals((await scripted.leftovers()).open, 0);
  assertEquals([scripted.client.stats().connections, counted.listenerCount], [0, 0]);
  assertEquals(await errorOf(response.text()), "no more");
});

Deno.test("ClientResponse leaves no listener on a signal behind its end", async () => {
  await using scripted = new ScriptedClient();
  const counted = new CountedSignal();
  const options = { signal: counted.signal, totalTimeoutMs: 10_000 };
  const response = await scripted.answered(answer("abc"), "GET", URL_A, options);
  assertEquals(await response.text(), "abc");
  counted.abort("too late");
  assertEquals([counted.listenerCount, scripted.client.stats().idle], [0, 1]);
});

/** A response that is forgotten at once. */
async function forgotten(client: Client, url: string): Promise<WeakRef<object>> {
  return new WeakRef(await client.get(url));
}

Deno.test("ClientResponse is closed when it was forgotten, where no deadline does that", async () => {
  await using server = serve((ctx) => ctx.bytes(new Uint8Array(10_000_000)), {
    hostname: "127.0.0.1",
    port: 0,
  });
  const url = originAt((server.addr as Deno.NetAddr).port);
  await using client = new Client({ ...trust, unreadTimeoutMs: 0 });
  assertEquals(await isCollected(await forgotten(client, url)), true);
  assert(await eventually(() => client.stats().connections === 0));
});

Deno.test("ClientResponse takes what a server has said about its connection", async () => {
  await using scripted = new ScriptedClient();
  const short = await scripted.answered(answer("abc", "Keep-Alive: timeout=4"));
  await short.text();
  assertEquals(scripted.client.stats().connections, 0);
  const long = await scripted.answered(answer("abc", "Keep-Alive: timeout=10"));
  await long.text();
  assertEquals(scripted.client.stats().idle, 1);
  await scripted.advance(1);
  await scripted.advance(6_000 + LATE_MS);
  assertEquals(scripted.client.stats().idle, 0);
});

Deno.test("ClientResponse has no body where there is none", async () => {
  const rows: [method: string, text: string][] = [
    ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Encoding: gzip\r\n\r\n"],
    ["GET", "HTTP/1.1 204 No Content\r\n\r\n"],
    ["GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"],
  ];
  await using scripted = new ScriptedClient();
  for (const [method, text] of rows) {
    const response = await scripted.answered(text, method);
    assertEquals(scripted.client.stats().idle, 1);
    assertEquals([(await response.bytes()).length, response.bodyUsed], [0, true]);
  }
  assertEquals(bytesOf("").length, 0);
  assertEquals(scripted.servers.length, 1);
});

Deno.test("ClientResponse takes a short body that came with its head, and frees its connection", async () => {
  await using scripted = new ScriptedClient();
  const { client } = scripted;
  const ways: readonly ((response: ClientResponse) => Promise<unknown>)[] = [
    (response) => response.text(),
    (response) => response.json().then(String),
    (response) => response.bytes().then((bytes) => textOf(bytes)),
    (response) => response.bytes({ maxBytes: 3 }).then((bytes) => textOf(bytes)),
    (response) => new Response(response.stream).text(),
    async (response) => {
      const chunks = [await response.read(), await response.read(), await response.read()];
      return chunks.map((chunk) => chunk === undefined ? "" : textOf(chunk)).join("");
    },
  ];
  for (const read of ways) {
    const response = await scripted.answered(answer("123"));
    assertEquals([client.stats().idle, response.bodyUsed], [1, false]);
    assert(response.timings.totalMs !== undefined);
    assertEquals(await read(response), "123");
    assertEquals(response.bodyUsed, true);
    await assertRejects(() => response.text(), HttpStateError);
  }
  assertEquals(scripted.servers.length, 1);
  const bounded = await scripted.answered(answer("123"));
  const error = await assertRejects(() => bounded.bytes({ maxBytes: 2 }), LimitExceededError);
  assertEquals(error.limit, "maxBodyBytes");
});

Deno.test("ClientResponse gives what came with the head first, however the rest comes", async () => {
  for (const length of [1, 2, 16_383, 16_384, 16_385]) {
    await using scripted = new ScriptedClient();
    const body = "x".repeat(length - 1) + "y";
    const whole = answer(body);
    const head = whole.length - body.length;
    for (const cut of [head, head + 1, whole.length - 1, whole.length]) {
      const response = await scripted.answered(whole.slice(0, cut));
      const text = response.text();
      if (cut < whole.length) await scripted.server.send(whole.slice(cut));
      assertEquals(await text, body);
    }
    assertEquals([scripted.client.stats().idle, scripted.servers.length], [1, 1]);
  }
});

Deno.test("ClientResponse takes nothing unasked of what is bounded, counted or encoded", async () => {
  const cases: readonly (readonly [options: RequestOptions, fields: string[]])[] = [
    [{ maxResponseBytes: 2 }, []],
    [{ onDownloadProgress: () => {} }, []],
    [{}, ["Content-Encoding: gzip"]],
  ];
  for (const [options, fields] of cases) {
    await using scripted = new ScriptedClient();
    const response = await scripted.answered(answer("abc", ...fields), "GET", URL_A, options);
    assertEquals(scripted.client.stats().idle, 0);
    response.close();
    assertEquals(scripted.client.stats().connections, 0);
  }
});
