import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { type BodySource, IncomingBody } from "../../http/body_incoming.ts";
import { HttpError, HttpStateError } from "../../http/errors.ts";
import { HeaderList } from "../../http/header_list.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { textOf } from "../_support/raw_bytes.ts";
import { ScriptedBody } from "../_support/scripted_body.ts";

function bodyOf(source: BodySource, maxBytes = 1_000): IncomingBody {
  return new IncomingBody(source, maxBytes);
}

const READERS: Record<string, (body: IncomingBody) => Promise<string>> = {
  bytes: async (body) => textOf(await body.bytes()),
  text: async (body) => await body.text(),
  stream: async (body) => textOf(await new Response(body.stream).bytes()),
  iteration: async (body) => {
    const chunks = [];
    for await (const chunk of body) chunks.push(chunk);
    return chunks.map(textOf).join("");
  },
};

for (const [name, read] of Object.entries(READERS)) {
  Deno.test(`IncomingBody gives the whole body by ${name}`, async () => {
    for (const pieces of [[], ["a"], ["", "a", "", "bc"], ["x".repeat(300), "y".repeat(700)]]) {
      const body = pieces.join("");
      for (const options of [{}, { length: body.length }, { length: body.length, isPast: true }]) {
        assertEquals(await read(bodyOf(new ScriptedBody(pieces, options))), body);
      }
    }
  });

  Deno.test(`IncomingBody can be read once by ${name}`, async () => {
    const body = bodyOf(new ScriptedBody(["a"]));
    assertEquals(body.used, false);
    await read(body);
    assertEquals(body.used, true);
    const error = await assertRejects(() => read(body), HttpStateError);
    assertEquals(error.code, "ERR_HTTP_BODY_USED");
  });

  Deno.test(`IncomingBody passes a failure on by ${name}`, async () => {
    const source = new ScriptedBody(["a"]);
    source.failure = new Error("broken");
    assertStrictEquals(await assertRejects(() => read(bodyOf(source))), source.failure);
  });
}

Deno.test("IncomingBody.bytes() grows without losing a byte, and claims no more than has come", async () => {
  const piece = "0123456789abcdef".repeat(4_096);
  const pieces = new Array(20).fill(piece);
  const body = pieces.join("");
  for (const options of [{}, { length: body.length }, { length: body.length, isPast: true }]) {
    const bytes = await bodyOf(new ScriptedBody(pieces, options), Infinity).bytes();
    assertEquals([bytes.length, textOf(bytes) === body], [body.length, true]);
    assertEquals(bytes.buffer.byteLength, bytes.length);
  }
});

Deno.test("IncomingBody.bytes() gives memory of its own", async () => {
  const source = new ScriptedBody(["hello"], { length: 5 });
  await source.awaitBody();
  const held = source.takeBody()!;
  const again = new ScriptedBody(["hello"], { length: 5 });
  await again.awaitBody();
  const bytes = await bodyOf(again).bytes();
  assert(bytes.buffer !== held.buffer);
  assertEquals(textOf(bytes), "hello");
});

for (const [limit, max] of [["the server's bound", 10], ["maxBytes", 10]] as const) {
  Deno.test(`IncomingBody refuses more than ${limit}, at once where the length is known`, async () => {
    const options = limit === "maxBytes" ? { maxBytes: max } : {};
    const make = (source: ScriptedBody) => bodyOf(source, limit === "maxBytes" ? 1 : max);
    for (const method of ["bytes", "text", "json"] as const) {
      const known = new ScriptedBody(["x".repeat(11)], { length: 11 });
      const early = await assertRejects(() => make(known)[method](options), LimitExceededError);
      assertEquals([early.limit, early.max, early.statusHint], ["maxBodyBytes", 10, 413]);
      assertEquals(known.waitCount, 0);
      const chunked = new ScriptedBody(["12345", "67890", "1", "never"]);
      await assertRejects(() => make(chunked)[method](options), LimitExceededError);
      assertEquals(chunked.waitCount, 3);
      const exact = new ScriptedBody(["1234567890"], { length: 10 });
      assertEquals(String(await make(exact)[method](options)).length > 0, true);
    }
  });
}

Deno.test("IncomingBody takes 0 and Infinity for no bound, and refuses what is none", async () => {
  for (const maxBytes of [0, Infinity]) {
    const body = bodyOf(new ScriptedBody(["x".repeat(5_000)]), 1);
    assertEquals((await body.bytes({ maxBytes })).length, 5_000);
  }
  for (const maxBytes of [-1, NaN, 0.5]) {
    await assertRejects(() => bodyOf(new ScriptedBody(["a"])).bytes({ maxBytes }), RangeError);
  }
});

for (
  const [wire, value] of [
    ["1", 1],
    ['"\xc3\xbc"', "\u00fc"],
    ["\xef\xbb\xbfnull", null],
    [" [1, 2]\n", [1, 2]],
  ] as [string, unknown][]
) {
  Deno.test(`IncomingBody.json() parses ${JSON.stringify(wire)}`, async () => {
    for (const length of [undefined, wire.length]) {
      const options = length === undefined ? {} : { length };
      assertEquals(await bodyOf(new ScriptedBody([wire], options)).json(), value);
    }
  });
}

Deno.test("IncomingBody.json() throws an HttpError 400 on what is no JSON, with its cause", async () => {
  for (const wire of ["", "{", "'a'", '"\xff"', '"\xed\xa0\x80"', "\xff\xfe1\0"]) {
    const error = await assertRejects(() => bodyOf(new ScriptedBody([wire])).json(), HttpError);
    assertEquals(error.status, 400);
    assert(error.cause instanceof Error);
  }
});

Deno.test("IncomingBody.json() is usable after a failure elsewhere", async () => {
  await assertRejects(() => bodyOf(new ScriptedBody(['"\xc3'])).json(), HttpError);
  assertEquals(await bodyOf(new ScriptedBody(['"\xc3\xbc"'])).json(), "\u00fc");
});

for (
  const [type, wire, text] of [
    [undefined, "\xc3\xbc\xff", "\u00fc\ufffd"],
    ["text/plain", "\xc3\xbc", "\u00fc"],
    ["text/plain;charset=latin1", "\xfc", "\u00fc"],
    ['text/plain ; Charset = "ISO-8859-1" ; a=b', "\xfc", "\u00fc"],
    ["text/plain; charset=shift_jis", "\x82\xa0", "\u3042"],
    ["text/plain; xcharset=latin1", "\xc3\xbc", "\u00fc"],
  ] as const
) {
  Deno.test(`IncomingBody.text() decodes ${type}`, async () => {
    const source = new ScriptedBody([wire], type === undefined ? {} : { type });
    assertEquals(await bodyOf(source).text(), text);
  });
}

Deno.test("IncomingBody.text() throws an HttpError 415 on an unknown charset", async () => {
  const source = new ScriptedBody(["a"], { type: "text/plain; charset=x-none" });
  const error = await assertRejects(() => bodyOf(source).text(), HttpError);
  assertEquals([error.status, source.waitCount], [415, 0]);
});

Deno.test("IncomingBody.stream reads nothing ahead, and one piece per pull", async () => {
  const source = new ScriptedBody(["a", "b", "c"]);
  const reader = bodyOf(source).stream.getReader();
  assertEquals(source.waitCount, 0);
  assertEquals(textOf((await reader.read()).value!), "a");
  assertEquals(source.waitCount, 1);
  assertEquals(textOf((await reader.read()).value!), "b");
  await reader.cancel();
  assertEquals(source.waitCount, 2);
});

Deno.test("IncomingBody.stream and iteration begin when they are asked for", () => {
  for (
    const begin of [
      (body: IncomingBody) => body.stream,
      (body: IncomingBody) => body[Symbol.asyncIterator](),
    ]
  ) {
    const body = bodyOf(new ScriptedBody(["a"]));
    begin(body);
    assertEquals(assertThrows(() => begin(body), HttpStateError).code, "ERR_HTTP_BODY_USED");
  }
});

Deno.test("IncomingBody tells length and trailers of its source", () => {
  const trailers = new HeaderList([["x-a", "b"]]);
  const body = bodyOf(new ScriptedBody([], { length: 7, trailers }));
  assertEquals([body.length, body.trailers], [7, trailers]);
  assertEquals(bodyOf(new ScriptedBody([])).length, undefined);
});

Deno.test("IncomingBody.chunks() gives no more than maxBytes, and says so at once where it can", async () => {
  const known = bodyOf(new ScriptedBody(["x".repeat(11)], { length: 11 }));
  const early = assertThrows(() => known.chunks({ maxBytes: 10 }), LimitExceededError);
  assertEquals([early.limit, early.max, early.statusHint], ["maxBodyBytes", 10, 413]);
  const chunked = bodyOf(new ScriptedBody(["12345", "67890", "1"]), 1);
  const seen: string[] = [];
  await assertRejects(async () => {
    for await (const chunk of chunked.chunks({ maxBytes: 10 })) seen.push(textOf(chunk));
  }, LimitExceededError);
  assertEquals(seen, ["12345", "67890"]);
  assertThrows(() => bodyOf(new ScriptedBody(["a"])).chunks({ maxBytes: -1 }), RangeError);
});

Deno.test("IncomingBody.form() reads an urlencoded form", async () => {
  const type = "application/x-www-form-urlencoded";
  for (const options of [{ type }, { type, length: 18 }]) {
    const form = await bodyOf(new ScriptedBody(["a=1&b=%C3%BC", "&a=2+3"], options)).form();
    assertEquals([...form], [["a", "1"], ["b", "\u00fc"], ["a", "2 3"]]);
  }
});

for (const method of ["form", "multipart"] as const) {
  const read = async (body: IncomingBody): Promise<void> => {
    if (method === "form") await body.form();
    else for await (const _part of body.multipart());
  };

  Deno.test(`IncomingBody.${method}() throws an HttpError 415 on another type`, async () => {
    for (const type of [undefined, "", "text/plain", "multipart/mixed; boundary=x", "multipart"]) {
      const source = new ScriptedBody(["a"], type === undefined ? {} : { type });
      const error = await assertRejects(() => read(bodyOf(source)), HttpError);
      assertEquals([error.status, source.waitCount], [415, 0]);
      assert(error.headers.some(([name]) => name === "accept"));
    }
  });

  Deno.test(`IncomingBody.${method}() throws an HttpError 400 without a good boundary`, async () => {
    for (
      const boundary of ["", '; boundary=""', '; boundary="a "', "; boundary=" + "a".repeat(71)]
    ) {
      const source = new ScriptedBody(["a"], { type: `multipart/form-data${boundary}` });
      const error = await assertRejects(() => read(bodyOf(source)), HttpError);
      assertEquals([error.status, source.waitCount], [400, 0]);
    }
  });

  Deno.test(`IncomingBody.${method}() can be read once`, async () => {
    const body = bodyOf(new ScriptedBody(["--x--"], { type: "multipart/form-data; boundary=x" }));
    await read(body);
    const error = await assertRejects(() => read(body), HttpStateError);
    assertEquals(error.code, "ERR_HTTP_BODY_USED");
  });
}

for (const method of ["text", "json", "form"] as const) {
  Deno.test(`IncomingBody.${method}() refuses an encoded body, if it is not to be decoded`, async () => {
    const type = "application/x-www-form-urlencoded";
    const source = new ScriptedBody(["1"], { coding: "gzip", type });
    const error = await assertRejects(() => bodyOf(source)[method](), HttpError);
    assertEquals([error.status, source.waitCount], [415, 0]);
    const plain = new ScriptedBody(["1"], { coding: "identity", type });
    await bodyOf(plain)[method]();
  });
}

Deno.test("IncomingBody gives the bytes of an encoded body as they came", async () => {
  for (const read of [READERS.bytes!, READERS.stream!, READERS.iteration!]) {
    assertEquals(await read(bodyOf(new ScriptedBody(["abc"], { coding: "gzip" }))), "abc");
  }
});
