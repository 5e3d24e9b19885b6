import { assertEquals, assertThrows } from "@std/assert";
import { HttpError } from "../../http/errors.ts";
import { compose } from "../../http/middleware.ts";
import {
  AUTHENTICATED_USER,
  basicAuth,
  type BasicAuthOptions,
} from "../../http/middleware_basic_auth.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { fieldOf, type RawResponse } from "../_support/raw_response.ts";
import { request, ServerHarness } from "../_support/server_harness.ts";
import { fetch, serve } from "../_support/tls_switch.ts";

const USERS = { ada: "s3cret", "gr\u00fcn": "p\u00e4ss:w\u00f6rd" };
const MAX_TURNS = 5_000;
const CHALLENGE = 'Basic realm="Restricted", charset="UTF-8"';

async function answerOf(
  fields: readonly string[],
  options: BasicAuthOptions = { users: USERS },
): Promise<RawResponse> {
  const handler = compose([basicAuth(options)], (ctx) => {
    ctx.text(`hello ${ctx.state.require(AUTHENTICATED_USER)}`);
  });
  await using harness = new ServerHarness(handler);
  const client = await harness.open(request("GET /", fields));
  // Digests are made on another thread: turns of this one do not wait for them.
  for (let turns = 0; turns < MAX_TURNS; turns++) {
    const response = await client.maybeResponse();
    if (response !== undefined) return response;
  }
  return await client.response();
}

function credentials(user: string, password: string, scheme = "Basic"): string {
  const pair = new TextEncoder().encode(`${user}:${password}`);
  return `Authorization: ${scheme} ${pair.toBase64()}`;
}

for (const [user, password] of Object.entries(USERS)) {
  Deno.test(`basicAuth() lets ${user} in`, async () => {
    const response = await answerOf([credentials(user, password)]);
    assertEquals(response.status, 200);
    assertEquals(bytesOf(response.body), new TextEncoder().encode(`hello ${user}`));
  });
}

Deno.test("basicAuth() leaves an empty password to verify", async () => {
  const verify = (_user: string, password: string) => password === "";
  assertEquals((await answerOf([credentials("ada", "")], { verify })).status, 200);
  assertEquals((await answerOf([credentials("ada", "a")], { verify })).status, 401);
});

Deno.test("basicAuth() does not care for the case of the scheme", async () => {
  assertEquals((await answerOf([credentials("ada", "s3cret", "bAsIc")])).status, 200);
});

Deno.test("basicAuth() takes base64 without padding", async () => {
  const field = credentials("ada", "s3cret");
  const bare = field.replace(/=+$/, "");
  assertEquals((await answerOf([bare])).status, 200);
});

const REFUSED: readonly [name: string, fields: readonly string[]][] = [
  ["nothing", []],
  ["an empty field", ["Authorization:"]],
  ["a scheme alone", ["Authorization: Basic"]],
  ["another scheme", ["Authorization: Bearer YWRhOnMzY3JldA=="]],
  ["a wrong password", [credentials("ada", "s3cre")]],
  ["a longer password", [credentials("ada", "s3cret ")]],
  ["a wrong user", [credentials("bob", "s3cret")]],
  ["the password of another user", [credentials("ada", "p\u00e4ss:w\u00f6rd")]],
  ["no colon", [`Authorization: Basic ${btoa("ada")}`]],
  ["no base64", ["Authorization: Basic !!!!"]],
  ["broken base64", ["Authorization: Basic YWRhOnMzY3JldA="]],
  ["what is no UTF-8", [`Authorization: Basic ${btoa("ada:s3cret\xff")}`]],
  ["a byte order mark", [`Authorization: Basic ${btoa("\xef\xbb\xbfada:s3cret")}`]],
  ["a control character", [credentials("ada", "s3cret\0")]],
  ["something behind", [`${credentials("ada", "s3cret")} x`]],
  ["two fields", [credentials("ada", "s3cret"), credentials("ada", "s3cret")]],
  ["a name of Object's", [credentials("constructor", "")]],
];

for (const [name, fields] of REFUSED) {
  Deno.test(`basicAuth() refuses ${name}`, async () => {
    const response = await answerOf(fields);
    assertEquals(response.status, 401);
    assertEquals(fieldOf(response, "www-authenticate"), CHALLENGE);
  });
}

Deno.test("basicAuth() lets nobody in where there is no user", async () => {
  assertEquals((await answerOf([credentials("", "")], { users: {} })).status, 401);
});

Deno.test("basicAuth() quotes the realm", async () => {
  const response = await answerOf([], { users: {}, realm: 'a "b" \\c' });
  assertEquals(
    fieldOf(response, "www-authenticate"),
    'Basic realm="a \\"b\\" \\\\c", charset="UTF-8"',
  );
});

Deno.test("basicAuth() asks a function", async () => {
  const options: BasicAuthOptions = {
    verify: (user, password, ctx) => Promise.resolve(user === "a" && password === ctx.path),
  };
  assertEquals((await answerOf([credentials("a", "/")], options)).status, 200);
  assertEquals((await answerOf([credentials("a", "b")], options)).status, 401);
});

Deno.test("basicAuth() takes nothing but true for leave", async () => {
  const options = { verify: () => "yes" } as unknown as BasicAuthOptions;
  assertEquals((await answerOf([credentials("a", "b")], options)).status, 401);
});

Deno.test("basicAuth() lets nobody in where the function fails", async () => {
  const verify = () => Promise.reject(new HttpError(503, "Directory is away"));
  assertEquals((await answerOf([credentials("a", "b")], { verify })).status, 503);
});

for (
  const [name, options] of [
    ["a colon in a name", { users: { "a:b": "c" } }],
    ["a control character in a name", { users: { "a\n": "c" } }],
    ["a control character in a password", { users: { a: "\x7f" } }],
    ["an empty password", { users: { a: "b", c: "" } }],
    ["a password that is missing", { users: { a: undefined as unknown as string } }],
    ["a line end in the realm", { users: {}, realm: "a\r\nb" }],
    ["a realm that is not ASCII", { users: {}, realm: "\u00e4" }],
    [
      "too many users",
      {
        users: Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`a${index}`, "b"])),
      },
    ],
  ] as [string, BasicAuthOptions][]
) {
  Deno.test(`basicAuth() throws on ${name}`, () => {
    assertThrows(() => basicAuth(options), RangeError);
  });
}

for (const options of [{}, { users: {}, verify: () => true }]) {
  Deno.test(`basicAuth() throws on ${Object.keys(options).length} lists`, () => {
    assertThrows(() => basicAuth(options), TypeError);
  });
}

Deno.test("basicAuth() lets a real client in", async () => {
  const handler = compose([basicAuth({ users: USERS })], (ctx) => ctx.text("inside"));
  await using server = serve(handler, { hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`;
  const headers = { authorization: `Basic ${btoa("ada:s3cret")}` };
  assertEquals(await (await fetch(url, { headers })).text(), "inside");
  const refused = await fetch(url);
  await refused.body?.cancel();
  assertEquals(refused.headers.get("www-authenticate"), CHALLENGE);
});
