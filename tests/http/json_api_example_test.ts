import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { JsonApiApp, JsonApiClient } from "../_support/json_api_app.ts";
import { eventually } from "../_support/peer.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { RawClient } from "../_support/raw_client.ts";
import { fieldOf, type RawResponse } from "../_support/raw_response.ts";

interface FileView {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly sha256: string;
  readonly url: string;
}

type NamedBytes = readonly [name: string, bytes: Uint8Array<ArrayBuffer>];

const PATTERN = new Uint8Array(100_000).map((_, index) => index * 7);

function appTest(
  name: string,
  fn: (app: JsonApiApp, ada: JsonApiClient) => Promise<void>,
  options?: ConstructorParameters<typeof JsonApiApp>[0],
): void {
  Deno.test(`examples/json_api.ts ${name}`, async () => {
    await using app = new JsonApiApp(options);
    await fn(app, new JsonApiClient(app.router));
    assertEquals(app.errors, []);
  });
}

function formOf(...files: readonly NamedBytes[]): FormData {
  const form = new FormData();
  for (const [name, bytes] of files) form.append("files", new File([bytes], name));
  return form;
}

async function upload(
  client: JsonApiClient,
  ...files: readonly NamedBytes[]
): Promise<FileView[]> {
  const response = await client.request("POST", "/api/files", { body: formOf(...files) });
  assertEquals(response.status, 201);
  return (await response.json()).files;
}

async function list(client: JsonApiClient, query: string = ""): Promise<string[]> {
  const response = await client.request("GET", `/api/files${query}`);
  assertEquals(response.status, 200);
  return (await response.json()).files.map(({ name }: FileView) => name);
}

async function statusOf(answer: Promise<Response>): Promise<number> {
  const response = await answer;
  await response.body?.cancel();
  return response.status;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

appTest("shows its page in the theme of a cookie", async (_, client) => {
  const page = await client.request("GET", "/");
  assertEquals(page.status, 200);
  assertEquals(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert((await page.text()).includes('data-theme="auto"'));
  for (const path of ["/page.css", "/page.js"]) {
    assertEquals(await statusOf(client.request("GET", path)), 200);
  }

  const body = new URLSearchParams({ theme: "dark" });
  const changed = await client.request("POST", "/theme", { body });
  assertEquals([changed.status, changed.headers.get("location")], [303, "/"]);
  assert((await (await client.request("GET", "/")).text()).includes('data-theme="dark"'));

  const wrong = new URLSearchParams({ theme: '"><script>' });
  assertEquals(await statusOf(client.request("POST", "/theme", { body: wrong })), 422);
  client.cookies.set("theme", '"><script>');
  assert((await (await client.request("GET", "/")).text()).includes('data-theme="auto"'));
});

appTest("lets nobody in without a session", async (_, client) => {
  const refused = await client.request("GET", "/api/me");
  await refused.body?.cancel();
  assertEquals(refused.status, 401);
  assert(refused.headers.has("www-authenticate"));
  assertEquals(await client.login("ada", "turing"), 403);
  assertEquals(await client.login("nobody", ""), 403);
  assertEquals(await client.login("constructor", String(Object)), 403);
  assertEquals(client.cookies.size, 0);
  for (const path of ["/api/files", "/api/files/1", "/api/files/1/content"]) {
    assertEquals(await statusOf(client.request("GET", path)), 401);
  }
  assertEquals(await statusOf(client.request("POST", "/api/files", { body: formOf() })), 401);
});

appTest("tells what is wrong with credentials", async (_, client) => {
  const response = await client.json("POST", "/api/login", { name: 1 });
  assertEquals(response.status, 422);
  assertEquals(response.headers.get("content-type"), "application/problem+json");
  const { errors } = await response.json();
  assertEquals(errors.map(({ pointer }: { pointer: string }) => pointer), ["/name", "/password"]);
  assertEquals(await statusOf(client.json("POST", "/api/login", null)), 422);
  assertEquals(await statusOf(client.request("POST", "/api/login", { body: "{}" })), 415);
});

appTest("gives a session another id at login and ends it at logout", async (app, client) => {
  assertEquals(await client.login("ada", "lovelace"), 200);
  const before = client.cookies.get("__Host-session")!;
  assertEquals(await (await client.request("GET", "/api/me")).json(), { user: "ada" });
  assertEquals(await client.login("alan", "turing"), 200);
  assertNotEquals(client.cookies.get("__Host-session"), before);
  assertEquals(await (await client.request("GET", "/api/me")).json(), { user: "alan" });

  const thief = new JsonApiClient(app.router);
  thief.cookies.set("__Host-session", before);
  assertEquals(await statusOf(thief.request("GET", "/api/me")), 401);
  thief.cookies.set("__Host-session", client.cookies.get("__Host-session")!);
  assertEquals(await statusOf(client.request("POST", "/api/logout")), 204);
  assertEquals(client.cookies.size, 0);
  assertEquals(await statusOf(thief.request("GET", "/api/me")), 401);
});

appTest("limits guesses at passwords", async (_, client) => {
  for (let count = 0; count < 20; count++) assertEquals(await client.login("ada", "x"), 403);
  const refused = await client.json("POST", "/api/login", { name: "ada", password: "lovelace" });
  await refused.body?.cancel();
  assertEquals(refused.status, 429);
  assert(Number(refused.headers.get("retry-after")) >= 1);
});

appTest("keeps uploads for their owner", async (app, ada) => {
  await ada.login("ada", "lovelace");
  const [file, small] = await upload(ada, ["pattern.bin", PATTERN], ["a.txt", bytesOf("aaa")]);
  const digest = (await sha256(PATTERN)).toHex();
  assertEquals([file!.name, file!.size, file!.sha256], ["pattern.bin", 100_000, digest]);
  assertEquals(await list(ada), ["a.txt", "pattern.bin"]);
  assertEquals(await list(ada, "?order=size&limit=1"), ["pattern.bin"]);
  assertEquals(await list(ada, "?order=name"), ["a.txt", "pattern.bin"]);
  assertEquals(await statusOf(ada.request("GET", "/api/files?order=up&limit=0")), 400);

  const content = await ada.request("GET", file!.url);
  assertEquals(content.headers.get("content-security-policy"), "sandbox");
  assertEquals(content.headers.get("content-length"), "100000");
  assertEquals(await content.bytes(), PATTERN);
  const head = await ada.request("HEAD", file!.url);
  assertEquals([head.status, head.headers.get("content-length")], [200, "100000"]);
  assertEquals(await (await ada.request("GET", `/api/files/${small!.id}`)).json(), small);

  const alan = new JsonApiClient(app.router);
  await alan.login("alan", "turing");
  assertEquals(await list(alan), []);
  for (const [method, path] of [["GET", ""], ["GET", "/content"], ["DELETE", ""]]) {
    assertEquals(await statusOf(alan.request(method!, `/api/files/${file!.id}${path}`)), 404);
  }

  assertEquals(await statusOf(ada.request("DELETE", `/api/files/${file!.id}`)), 204);
  assertEquals(await statusOf(ada.request("DELETE", `/api/files/${file!.id}`)), 404);
  assertEquals(await list(ada), ["a.txt"]);
  assertEquals(app.files.length, 1);
});

appTest("takes a file as it is, and names nothing on its disk after it", async (app, ada) => {
  await ada.login("ada", "lovelace");
  const names: readonly [path: string, name: string, header: string][] = [
    ["photo.jpg", "photo.jpg", "photo.jpg"],
    ["%E2%82%AC%20(1).txt", "€ (1).txt", "%E2%82%AC%20%281%29.txt"],
    ["etc%2fpasswd", "etc%2Fpasswd", "etc%252Fpasswd"],
    ["etc%5Cpasswd", "passwd", "passwd"],
    // A dot in front would hide the file where it is saved.
    [".profile", "profile", "profile"],
  ];
  for (const [path, name, header] of names) {
    const response = await ada.request("PUT", `/api/files/${path}`, { body: PATTERN });
    assertEquals(response.status, 201, path);
    const view: FileView = await response.json();
    assertEquals(response.headers.get("location"), `/api/files/${view.id}`);
    assertEquals(view.name, name);
    const content = await ada.request("GET", view.url);
    const disposition = content.headers.get("content-disposition")!;
    assertEquals(disposition, `attachment; filename*=UTF-8''${header}`);
    await content.body?.cancel();
  }
  const traversal = ada.request("PUT", "/api/files/..%2f..%2fpasswd", { body: PATTERN });
  assertEquals(await statusOf(traversal), 400);
  const [file] = await upload(ada, ["../../etc/passwd", PATTERN]);
  assertEquals(file!.name, "passwd");
  assertEquals(app.files.filter((name) => !/^\d+\.upload$/.test(name)), []);
});

appTest("refuses what is too much and keeps nothing of it", async (app, ada) => {
  await ada.login("ada", "lovelace");
  const small = new Uint8Array(1_000);
  const post = (...sizes: number[]) =>
    statusOf(ada.request("POST", "/api/files", {
      body: formOf(...sizes.map((size) => [`${size}`, PATTERN.slice(0, size)] as const)),
    }));
  assertEquals(await post(2_001), 413);
  // One too large, and what came before it goes with it.
  assertEquals(await post(1_000, 2_001), 413);
  assertEquals(await post(1, 1, 1, 1), 413);
  assertEquals(await post(2_000, 2_000, 2_000), 413);
  assertEquals(await statusOf(ada.request("PUT", "/api/files/a", { body: PATTERN })), 413);
  const stream = new Blob([PATTERN]).stream();
  assertEquals(await statusOf(ada.request("PUT", "/api/files/a", { body: stream })), 413);
  assertEquals(app.files, []);
  const form = new FormData();
  form.set("title", "no file");
  assertEquals(await statusOf(ada.request("POST", "/api/files", { body: form })), 422);
  assertEquals(await statusOf(ada.request("POST", "/api/files", { body: "x" })), 415);

  const half = PATTERN.slice(0, 2_000);
  const halves = await upload(ada, ["a", half], ["b", half]);
  assertEquals(await statusOf(ada.request("PUT", "/api/files/c", { body: half })), 413);
  for (const { id } of halves) {
    assertEquals(await statusOf(ada.request("DELETE", `/api/files/${id}`)), 204);
  }

  // What was refused has used up nothing.
  await upload(ada, ["a", small], ["b", small], ["c", small]);
  assertEquals(await statusOf(ada.request("PUT", "/api/files/d", { body: small })), 413);
  const { files: [file] } = await (await ada.request("GET", "/api/files")).json();
  assertEquals(await statusOf(ada.request("DELETE", `/api/files/${file.id}`)), 204);
  assertEquals(await statusOf(ada.request("PUT", "/api/files/d", { body: small })), 201);
}, { maxFileBytes: 2_000, maxOwnerBytes: 5_000, maxOwnerFiles: 3 });

appTest("holds an upload against its digest", async (app, ada) => {
  await ada.login("ada", "lovelace");
  const put = (digest: string) =>
    statusOf(ada.request("PUT", "/api/files/a", {
      body: PATTERN,
      headers: { "content-digest": digest },
    }));
  const right = (await sha256(PATTERN)).toBase64();
  assertEquals(await put(`sha-256=:${right}:`), 201);
  assertEquals(await put(`unixsum=30637, sha-256=:${right}:`), 201);
  assertEquals(await put(`sha-256=:${right.toLowerCase()}:`), 400);
  assertEquals(app.files.length, 2);
});

appTest("refuses what pages of others send, but for the origins it is told", async (app, ada) => {
  await ada.login("ada", "lovelace");
  const evil = { origin: "https://evil.example" };
  assertEquals(await statusOf(ada.request("POST", "/api/logout", { headers: evil })), 403);
  assertEquals(await statusOf(ada.request("POST", "/theme", { headers: evil })), 403);
  const read = await ada.request("GET", "/api/me", { headers: evil });
  await read.body?.cancel();
  assertEquals(read.headers.get("access-control-allow-origin"), null);

  const friend = { origin: "https://friend.example" };
  const allowed = await ada.request("GET", "/api/me", { headers: friend });
  assertEquals(await allowed.json(), { user: "ada" });
  assertEquals(allowed.headers.get("access-control-allow-origin"), friend.origin);
  assertEquals(allowed.headers.get("access-control-allow-credentials"), "true");
  const preflight = await app.router.request("/api/files/1", {
    method: "OPTIONS",
    headers: { ...friend, "access-control-request-method": "DELETE" },
  });
  assertEquals(preflight.status, 204);
  assert(preflight.headers.get("access-control-allow-methods")!.includes("DELETE"));
  assertEquals(await statusOf(ada.request("POST", "/api/logout", { headers: friend })), 204);
}, { origins: ["https://friend.example"] });

appTest("answers what it has no route for", async (_, client) => {
  assertEquals(await statusOf(client.request("GET", "/nothing")), 404);
  const wrong = await client.request("DELETE", "/api/me");
  await wrong.body?.cancel();
  assertEquals([wrong.status, wrong.headers.get("allow")], [405, "GET, HEAD, OPTIONS"]);
  assert(wrong.headers.has("x-request-id"));
  const options = await client.request("OPTIONS", "/api/me");
  assertEquals([options.status, options.headers.get("allow")], [204, "GET, HEAD, OPTIONS"]);
  // Which methods there are is for those to know who may use them.
  assertEquals(await statusOf(client.request("OPTIONS", "/api/files")), 401);
});

appTest("logs one line of JSON for each request", async (app, client) => {
  const response = await client.request("GET", "/api/me?a=%0A");
  await response.body?.cancel();
  const { method, target, status, requestId } = app.log[0]!;
  assertEquals([method, target, status], ["GET", "/api/me?a=%0A", 401]);
  assertEquals(requestId, response.headers.get("x-request-id"));
});

/** The head of a request of somebody who has signed in. */
function head(start: string, client: JsonApiClient, ...fields: string[]): string {
  const cookie = `cookie: __Host-session=${client.cookies.get("__Host-session")}`;
  return [`${start} HTTP/1.1`, "host: localhost", cookie, ...fields, "", ""].join("\r\n");
}

async function finalResponse(client: RawClient): Promise<RawResponse> {
  for (;;) {
    const response = await client.response();
    assert(response !== undefined);
    if (response.status >= 200) return response;
  }
}

appTest("sends 103 ahead of the page", async (app) => {
  await using client = await RawClient.connect({ hostname: "127.0.0.1", port: app.port });
  await client.send("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
  const early = await client.response();
  assertEquals(early?.status, 103);
  assert(fieldOf(early!, "link")!.includes("</page.css>; rel=preload; as=style"));
  assertEquals((await client.response())?.status, 200);
});

appTest("takes and gives digests as trailers", async (app, ada) => {
  await ada.login("ada", "lovelace");
  await using client = await RawClient.connect({ hostname: "127.0.0.1", port: app.port });
  const right = (await sha256(bytesOf("hello") as Uint8Array<ArrayBuffer>)).toBase64();
  for (const [digest, status] of [[right, 201], [right.toUpperCase(), 400]]) {
    await client.send(
      head("PUT /api/files/a", ada, "transfer-encoding: chunked") +
        `5\r\nhello\r\n0\r\ncontent-digest: sha-256=:${digest}:\r\n\r\n`,
    );
    assertEquals((await finalResponse(client)).status, status);
  }
  await client.send(head("GET /api/files/1/content", ada, "te: trailers"));
  const response = await finalResponse(client);
  assertEquals([response.body, response.framing], ["hello", "chunked"]);
  assertEquals(response.trailers, [["content-digest", `sha-256=:${right}:`]]);
});

appTest("asks for no body that it will not take", async (app, ada) => {
  const put = async (length: number) => {
    await using client = await RawClient.connect({ hostname: "127.0.0.1", port: app.port });
    const fields = ["expect: 100-continue", `content-length: ${length}`];
    await client.send(head("PUT /api/files/a", ada, ...fields));
    return (await client.response())?.status;
  };
  assertEquals(await put(5), 401);
  await ada.login("ada", "lovelace");
  assertEquals(await put(1_001), 413);
  assertEquals(await put(1_000), 100);
  assert(await eventually(() => app.files.length === 0));
}, { maxFileBytes: 1_000 });

for (const how of ["ends", "resets"] as const) {
  appTest(`keeps nothing of an upload whose sender ${how} the connection`, async (app, ada) => {
    await ada.login("ada", "lovelace");
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: app.port });
    const text = head("PUT /api/files/a", ada, "content-length: 100000") + "x".repeat(50_000);
    await conn.write(bytesOf(text));
    assert(await eventually(() => app.files.length === 1));
    if (how === "ends") await conn.closeWrite();
    else conn.close();
    assert(await eventually(() => app.files.length === 0));
    if (how === "ends") conn.close();
    assertEquals(await list(ada), []);
  });
}

appTest("keeps nothing of forms that are cut anywhere", async (app, ada) => {
  await ada.login("ada", "lovelace");
  const part = (name: string) =>
    `--x\r\ncontent-disposition: form-data; name="f"; filename="${name}"\r\n\r\n` +
    `${name.repeat(2_000)}\r\n`;
  const form = `${part("a")}${part("b")}${part("c")}--x--\r\n`;
  const start = head(
    "POST /api/files",
    ada,
    "content-type: multipart/form-data; boundary=x",
    `content-length: ${form.length}`,
  );
  const random = new SeededRandom(7);
  await Promise.all(Array.from({ length: 50 }, async () => {
    await using client = await RawClient.connect({ hostname: "127.0.0.1", port: app.port });
    const isEnded = random.int(2) === 1;
    await client.send(start + form.slice(0, random.int(form.length)));
    if (isEnded) {
      await client.sendEnd();
      await client.closed();
    }
  }));
  assert(await eventually(() => app.listen().stats().connectionCount === 0));
  assertEquals(app.files, []);
  const { files, usedBytes } = await (await ada.request("GET", "/api/files")).json();
  assertEquals([files, usedBytes], [[], 0]);
});

/** The example in a process with no more permissions than its documentation asks for. */
class Example implements AsyncDisposable {
  readonly folder: string = Deno.makeTempDirSync();
  readonly #child: Deno.ChildProcess;
  readonly #output: ReadableStreamDefaultReader<string>;

  constructor() {
    const path = new URL("../../examples/json_api.ts", import.meta.url).pathname;
    this.#child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-prompt", "--allow-net=127.0.0.1:0"],
        ...[`--allow-read=${this.folder}`, `--allow-write=${this.folder}`],
        ...[path, "--port=0", `--folder=${this.folder}`],
      ],
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "piped",
    }).spawn();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The port, when it listens. */
  async port(): Promise<number> {
    const { value = "" } = await this.#output.read();
    const match = /^Listening on http:\/\/127\.0\.0\.1:(\d+)\/\n/.exec(value);
    assert(match, value);
    return Number(match[1]);
  }

  interrupt(): void {
    this.#child.kill("SIGINT");
  }

  async exitCode(): Promise<number> {
    while (!(await this.#output.read()).done);
    return (await this.#child.status).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.exitCode();
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Whether nobody listens on a port any more. */
async function isRefused(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return false;
  } catch {
    return true;
  }
}

Deno.test("examples/json_api.ts serves fetch() with the permissions it asks for", async () => {
  await using example = new Example();
  const origin = `http://127.0.0.1:${await example.port()}`;
  using client = Deno.createHttpClient({});
  const page = await fetch(origin, { client });
  assert((await page.text()).startsWith("<!DOCTYPE html>"));
  const login = await fetch(`${origin}/api/login`, {
    client,
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"name":"ada","password":"lovelace"}',
  });
  assertEquals(await login.json(), { user: "ada" });
  const headers = { cookie: login.headers.getSetCookie()[0]!.split(";")[0]! };
  const body = formOf(["pattern.bin", PATTERN], ["empty", new Uint8Array(0)]);
  const uploaded = await fetch(`${origin}/api/files`, { client, method: "POST", headers, body });
  const { files: [pattern, empty] } = await uploaded.json();
  for (const [{ url }, bytes] of [[pattern, PATTERN], [empty, new Uint8Array(0)]]) {
    assertEquals(await (await fetch(origin + url, { client, headers })).bytes(), bytes);
  }
  const removed = await fetch(`${origin}/api/files/1`, { client, method: "DELETE", headers });
  assertEquals(removed.status, 204);
  assertEquals([...Deno.readDirSync(example.folder)].length, 1);
});

Deno.test("examples/json_api.ts lets an upload finish after Ctrl-C", async () => {
  await using example = new Example();
  const port = await example.port();
  await using client = await RawClient.connect({ hostname: "127.0.0.1", port });
  const body = '{"name":"ada","password":"lovelace"}';
  await client.send(
    "POST /api/login HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n" +
      `content-length: ${body.length}\r\n\r\n${body}`,
  );
  const cookie = fieldOf(await finalResponse(client), "set-cookie")!.split(";")[0]!;
  await client.send(
    `PUT /api/files/a HTTP/1.1\r\nhost: localhost\r\ncookie: ${cookie}\r\n` +
      "content-length: 10\r\n\r\nhello",
  );
  assert(await eventually(() => [...Deno.readDirSync(example.folder)].length === 1));
  example.interrupt();
  const deadlineMs = performance.now() + 5_000;
  while (!await isRefused(port)) assert(performance.now() < deadlineMs);
  await client.send("world");
  const response = await finalResponse(client);
  assertEquals([response.status, fieldOf(response, "connection")], [201, "close"]);
  assertEquals(await client.closed(), "eof");
  assertEquals(await example.exitCode(), 0);
  assertEquals(await Deno.readTextFile(`${example.folder}/1.upload`), "helloworld");
});
