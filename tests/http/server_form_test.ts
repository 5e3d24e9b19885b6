import { assert, assertEquals, assertRejects } from "@std/assert";
import { gzipSync } from "node:zlib";
import type { Handler } from "@nbio/net/http";
import { LimitExceededError } from "../../nbio/errors.ts";
import { filePart, multipart, part } from "../_support/multipart_script.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";
import { RawClient } from "../_support/raw_client.ts";
import { gate, post, request, ServerHarness } from "../_support/server_harness.ts";
import { connect, fetch, serve } from "../_support/tls_switch.ts";

const TYPE = "Content-Type: multipart/form-data; boundary=x";
const FORM = multipart("x", [part("title", "A cat"), filePart("photo", "cat.jpg", "meow")]);

/** Answers with what it finds, part by part. */
const listParts: Handler = async (ctx) => {
  const seen: string[] = [];
  for await (const part of ctx.body.multipart()) {
    seen.push(`${part.name}/${part.filename ?? ""}/${await part.text()}`);
  }
  ctx.text(seen.join());
};

const countFields: Handler = async (ctx) => {
  ctx.text(`${[...await ctx.body.form()].length}`);
};

Deno.test("a form is read over a connection that goes on", async () => {
  await using harness = new ServerHarness(listParts);
  const client = await harness.open(post("/", FORM, [TYPE]).repeat(2));
  for (let index = 0; index < 2; index++) {
    const { status, body } = await client.response();
    assertEquals([status, body], [200, "title//A cat,photo/cat.jpg/meow"]);
  }
});

Deno.test("a form is read byte by byte, in chunks, with trailers behind it", async () => {
  const trailers: unknown[] = [];
  await using harness = new ServerHarness(async (ctx) => {
    for await (const _part of ctx.body.multipart());
    trailers.push(ctx.body.trailers?.get("x-sum"));
    ctx.text("done");
  });
  const chunks = [...`${FORM}epilogue`].map((byte) => `1\r\n${byte}\r\n`).join("");
  const head = request("POST /", ["Transfer-Encoding: chunked", TYPE]);
  const client = await harness.connect();
  for (const byte of `${head}${chunks}0\r\nX-Sum: 1\r\n\r\n`) await client.send(byte);
  assertEquals([(await client.response()).status, trailers], [200, ["1"]]);
});

Deno.test("a handler that leaves the loop answers at once, and the connection goes on", async () => {
  await using harness = new ServerHarness(async (ctx) => {
    for await (const part of ctx.body.multipart()) {
      ctx.text(part.name);
      break;
    }
  });
  const client = await harness.open(post("/", FORM, [TYPE]).repeat(2));
  assertEquals((await client.response()).body, "title");
  assertEquals((await client.response()).body, "title");
});

Deno.test("a body of known length that is too large is refused before it comes, without a 100", async () => {
  const readers: Record<string, Handler> = {
    form: async (ctx) => void await ctx.body.form({ maxBytes: 10 }),
    multipart: async (ctx) => {
      for await (const _part of ctx.body.multipart({ maxBytes: 10 }));
    },
    chunks: async (ctx) => {
      for await (const _chunk of ctx.body.chunks({ maxBytes: 10 }));
    },
    decoded: async (ctx) => void await ctx.body.bytes({ maxBytes: 10, decode: true }),
  };
  for (const [name, handler] of Object.entries(readers)) {
    await using harness = new ServerHarness(handler);
    const fields = ["Content-Length: 11", "Expect: 100-continue", TYPE];
    const { status } = await harness.request(request("POST /", fields));
    assertEquals(status, 413, name);
  }
});

Deno.test("a form is asked for by a 100, when it is read and not before", async () => {
  const { passed, open } = gate();
  await using harness = new ServerHarness(async (ctx) => {
    const parts = ctx.body.multipart();
    await passed;
    for await (const _part of parts);
    ctx.text("done");
  });
  const fields = [`Content-Length: ${FORM.length}`, "Expect: 100-continue", TYPE];
  const client = await harness.open(request("POST /", fields));
  assertEquals(await client.text(), "");
  open();
  assertEquals(await client.text(), "HTTP/1.1 100 Continue\r\n\r\n");
  assertEquals((await client.response()).status, 100);
  await client.send(FORM);
  assertEquals((await client.response()).body, "done");
});

Deno.test("a form of another type never triggers the 100", async () => {
  await using harness = new ServerHarness(listParts);
  const fields = ["Content-Length: 5", "Expect: 100-continue", "Content-Type: text/plain"];
  assertEquals((await harness.request(request("POST /", fields))).status, 415);
});

for (
  const [name, body, status] of [
    ["no boundary in the body", "hello", 400],
    ["a part without a name", "--x\r\n\r\n\r\n--x--", 400],
    ["an endless head", `--x\r\nA: ${"b".repeat(9_000)}`, 413],
    ["endless fields", `--x\r\n${"A: b\r\n".repeat(101)}`, 413],
    ["a preamble that goes on", "p".repeat(9_000), 413],
    ["too many parts", multipart("x", new Array(1_001).fill(part("a", ""))), 413],
  ] as const
) {
  Deno.test(`a form of ${name} is answered with ${status}`, async () => {
    for (const handler of [listParts, countFields]) {
      await using harness = new ServerHarness(handler);
      assertEquals((await harness.request(post("/", body, [TYPE]))).status, status);
      assertEquals(harness.reported, []);
    }
  });
}

for (
  const [name, body, status] of [
    ["a bad percent sign", "a=%zz", 400],
    ["no UTF-8", "a=%ff", 400],
    ["1,001 fields", "a&".repeat(1_001), 413],
    ["1,000 fields", "a&".repeat(1_000), 200],
  ] as const
) {
  Deno.test(`an urlencoded form of ${name} is answered with ${status}`, async () => {
    await using harness = new ServerHarness(countFields);
    const type = "Content-Type: application/x-www-form-urlencoded";
    assertEquals((await harness.request(post("/", body, [type]))).status, status);
  });
}

Deno.test("a form that stalls is answered with 408", async () => {
  for (const sent of ["", FORM.slice(0, 20), FORM.slice(0, 120)]) {
    await using harness = new ServerHarness(listParts);
    const fields = [`Content-Length: ${FORM.length}`, TYPE];
    const client = await harness.open(request("POST /", fields) + sent);
    await harness.advance(30_000);
    await harness.advancePast();
    assertEquals((await client.response()).status, 408);
  }
});

Deno.test("a form whose client leaves rejects, and nothing stays behind", async () => {
  for (const length of [0, 20, 60, 120]) {
    const failures: unknown[] = [];
    await using harness = new ServerHarness(async (ctx) => {
      try {
        for await (const part of ctx.body.multipart()) await part.bytes();
      } catch (error) {
        failures.push((error as { code?: string }).code);
        throw error;
      }
    });
    const fields = [`Content-Length: ${FORM.length}`, TYPE];
    const client = await harness.open(request("POST /", fields) + FORM.slice(0, length));
    await client.reset();
    assertEquals(failures.length, 1);
  }
});

Deno.test("a part kept for later rejects after its handler", async () => {
  let later: Promise<unknown> | undefined;
  await using harness = new ServerHarness(async (ctx) => {
    const { value } = await ctx.body.multipart().next();
    later = value.bytes();
    later!.catch(() => {});
    ctx.text("early");
  });
  const fields = [`Content-Length: ${FORM.length}`, TYPE];
  const client = await harness.open(request("POST /", fields) + FORM.slice(0, 60));
  assertEquals((await client.response()).body, "early");
  await client.send(FORM.slice(60));
  await assertRejects(() => later!);
});

Deno.test("what a handler holds of an upload does not grow with the upload", async () => {
  let largest = 0;
  let size = 0;
  await using harness = new ServerHarness(async (ctx) => {
    for await (const part of ctx.body.multipart()) {
      for await (const chunk of part) {
        largest = Math.max(largest, chunk.length);
        size += chunk.length;
      }
    }
    ctx.text("done");
  });
  const file = "\r\n--y".repeat(1_000_000);
  const body = multipart("x", [filePart("f", "f", file)]);
  assertEquals((await harness.request(post("/", body, [TYPE]))).body, "done");
  assertEquals(size, file.length);
  assert(largest <= 64 * 1024, `${largest}`);
});

Deno.test("an encoded body is decoded over a connection, and refused where that is off", async () => {
  const options = { decode: true };
  const handlers: Record<string, Handler> = {
    "/json": async (ctx) => ctx.json(await ctx.body.json(options)),
    "/off": async (ctx) => ctx.json(await ctx.body.json()),
    "/form": async (ctx) => ctx.json([...await ctx.body.form(options)]),
  };
  await using harness = new ServerHarness((ctx) => handlers[ctx.path]!(ctx));
  const send = async (path: string, text: string, fields: string[]) => {
    const body = textOf(Uint8Array.from(gzipSync(bytesOf(text))));
    return await harness.request(post(path, body, ["Content-Encoding: gzip", ...fields]));
  };
  assertEquals((await send("/json", "[1,2]", [])).body, "[1,2]");
  const type = "Content-Type: application/x-www-form-urlencoded";
  assertEquals((await send("/form", "a=1", [type])).body, '[["a","1"]]');
  const refused = await send("/off", "[1,2]", []);
  assertEquals(refused.status, 415);
  assert(refused.fields.some(([name]) => name.toLowerCase() === "accept-encoding"));
});

for (const decodeBodies of [true, false]) {
  Deno.test(`decodeBodies ${decodeBodies} is what readers do over a socket, unless they say`, async () => {
    const handlers: Record<string, Handler> = {
      "/default": async (ctx) => ctx.text(await ctx.body.text()),
      "/chunks": async (ctx) => ctx.text(String((await Array.fromAsync(ctx.body)).join(","))),
      "/on": async (ctx) => ctx.text(await ctx.body.text({ decode: true })),
      "/off": async (ctx) => ctx.text(String((await ctx.body.bytes({ decode: false })).length)),
    };
    await using server = serve((ctx) => handlers[ctx.path]!(ctx), {
      hostname: "127.0.0.1",
      port: 0,
      decodeBodies,
    });
    const { port } = server.addr as Deno.NetAddr;
    const body = Uint8Array.from(gzipSync("hello"));
    const send = async (path: string, bytes = body) => {
      const url = `http://127.0.0.1:${port}${path}`;
      const headers = { "content-encoding": "gzip" };
      const response = await fetch(url, { method: "POST", body: bytes, headers });
      return [response.status, await response.text()];
    };
    const [status, text] = await send("/default");
    assertEquals(status, decodeBodies ? 200 : 415);
    if (decodeBodies) assertEquals(text, "hello");
    const decoded = [...bytesOf("hello")].join(",");
    assertEquals(await send("/chunks"), [200, decodeBodies ? decoded : [...body].join(",")]);
    assertEquals(await send("/on"), [200, "hello"]);
    assertEquals(await send("/off"), [200, String(body.length)]);
    // A bomb is refused while it grows, a coding cut off as malformed.
    const bomb = Uint8Array.from(gzipSync(new Uint8Array(20 << 20)));
    assertEquals((await send("/on", bomb))[0], 413);
    assertEquals((await send("/on", body.subarray(0, -1)))[0], 400);
  });
}

Deno.test("fetch uploads a FormData over a socket", async () => {
  const files = [new Uint8Array(1 << 20).fill(13), new Uint8Array(0)];
  await using server = serve(async (ctx) => {
    if (ctx.path === "/form") {
      const form = await ctx.body.form();
      const [first, second] = form.getAll("file") as File[];
      const sizes = [first!.size, second!.size, first!.name];
      return ctx.json([form.get('a "b"\r\n\u00e4'), ...sizes]);
    }
    const seen: unknown[] = [];
    for await (const part of ctx.body.multipart()) {
      if (part.filename === undefined) seen.push(await part.text());
      else seen.push((await part.bytes()).length);
    }
    ctx.json(seen);
  }, { hostname: "127.0.0.1", port: 0 });
  const form = new FormData();
  form.append('a "b"\r\n\u00e4', "1\r\n2");
  form.append("file", new File([files[0]!], 'x "y" \u20ac.bin'));
  form.append("file", new File([files[1]!], "empty"));
  const { port } = server.addr as Deno.NetAddr;
  for (
    const [path, expected] of [
      ["/form", ["1\r\n2", 1 << 20, 0, 'x "y" \u20ac.bin']],
      ["/multipart", ["1\r\n2", 1 << 20, 0]],
    ] as const
  ) {
    const url = `http://127.0.0.1:${port}${path}`;
    const response = await fetch(url, { method: "POST", body: form });
    assertEquals(await response.json(), [...expected]);
  }
});

Deno.test("a form bomb of a million parts is refused early", async () => {
  let caught: unknown;
  let sentBytes = 0;
  let sentBefore = 0;
  await using server = serve(async (ctx) => {
    try {
      for await (const _part of ctx.body.multipart());
    } catch (error) {
      caught = error;
      sentBefore = sentBytes;
      throw error;
    }
  }, { hostname: "127.0.0.1", port: 0 });
  const { port } = server.addr as Deno.NetAddr;
  using connection = await connect({ hostname: "127.0.0.1", port });
  const piece = bytesOf(`--x\r\n${part("a", "")}\r\n`.repeat(1_000));
  const fields = [`Content-Length: ${piece.length * 1_000}`, TYPE];
  await connection.write(bytesOf(request("POST /", fields)));
  try {
    while (sentBytes < piece.length * 1_000) sentBytes += await connection.write(piece);
  } catch (error) {
    assert(
      error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe,
    );
  }
  // A few parts of it, and what lies in the buffers of the sockets.
  assert(sentBefore < piece.length * 300, `${sentBefore}`);
  assert(caught instanceof LimitExceededError);
  assertEquals(caught.limit, "maxParts");
});

Deno.test("over a socket, a form is asked for by a 100 only when a reader wants it", async () => {
  const { passed, open } = gate();
  await using server = serve(async (ctx) => {
    if (ctx.path === "/early") return ctx.text("no thanks");
    await passed;
    const form = ctx.path === "/form" ? await ctx.body.form() : undefined;
    let count = [...form ?? []].length;
    if (form === undefined) { for await (const _part of ctx.body.multipart()) count++; }
    ctx.text(`${count}`);
  }, { hostname: "127.0.0.1", port: 0 });
  const { port } = server.addr as Deno.NetAddr;
  const expecting = (path: string, more: string) =>
    request(`POST ${path}`, [`Content-Length: ${FORM.length}`, `Expect: ${more}`, TYPE]);

  await using early = await RawClient.connect({ hostname: "127.0.0.1", port });
  await early.send(expecting("/early", "100-continue"));
  assertEquals((await early.response())?.body, "no thanks");
  await using unknown = await RawClient.connect({ hostname: "127.0.0.1", port });
  await unknown.send(expecting("/form", "200-ok"));
  assertEquals((await unknown.response())?.status, 417);

  for (const path of ["/form", "/multipart"]) {
    await using client = await RawClient.connect({ hostname: "127.0.0.1", port });
    await client.send(expecting(path, "100-continue"));
    open();
    assertEquals((await client.response())?.status, 100);
    await client.send(FORM);
    assertEquals((await client.response())?.body, "2");
  }
});
