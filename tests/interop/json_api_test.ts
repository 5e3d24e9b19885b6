import { type HttpServer, serve } from "@nbio/net/http";
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { Browser, type BrowserPage } from "../_support/browser.ts";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { JsonApiApp } from "../_support/json_api_app.ts";
import {
  eventually,
  npmPeer,
  type PeerOptions,
  type PeerResult,
  runPeer,
} from "../_support/peer.ts";
import { sampleBytes, sha256 } from "./interop_app.ts";

const MEBIBYTE = 1 << 20;
const CREDENTIALS = '{"name":"ada","password":"lovelace"}';

type AppOptions = ConstructorParameters<typeof JsonApiApp>[0];

interface Row {
  readonly id: number;
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
  readonly url: string;
}

// curl

/** curl with a cookie jar in a folder of its own. */
class Curl {
  readonly jar: string;
  readonly #origin: string;

  constructor(folder: string, origin: string) {
    this.jar = `${folder}/jar`;
    this.#origin = origin;
  }

  async run(args: readonly string[], path: string, options?: PeerOptions): Promise<PeerResult> {
    // --disable: no ~/.curlrc, --noproxy: no proxy of the machine.
    const common = ["--disable", "--noproxy", "*", "--silent", "--show-error", "--globoff"];
    const cookies = ["--cookie", this.jar, "--cookie-jar", this.jar];
    const all = [...common, ...cookies, ...args, this.#origin + path];
    const result = await runPeer("curl", all, options);
    assertEquals(result.code, 0, result.stderr);
    return result;
  }

  async text(args: readonly string[], path: string, options?: PeerOptions): Promise<string> {
    return (await this.run(args, path, options)).text;
  }

  async login(): Promise<void> {
    assertEquals(await this.text(["--json", CREDENTIALS], "/api/login"), '{"user":"ada"}');
  }

  async list(): Promise<Row[]> {
    return JSON.parse(await this.text([], "/api/files")).files;
  }
}

function curlTest(
  name: string,
  fn: (curl: Curl, app: JsonApiApp, folder: string) => Promise<void>,
  options?: AppOptions,
): void {
  Deno.test({
    name: `curl ${name}`,
    ignore: !interopEnabled || !hasCommand("curl"),
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        await using app = new JsonApiApp(options);
        await fn(new Curl(folder, app.origin), app, folder);
        assertEquals(app.errors, []);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

curlTest("keeps the cookie of the session from login to logout", async (curl) => {
  assertEquals(JSON.parse(await curl.text([], "/api/me")).status, 401);
  await curl.login();
  const cookie = (await Deno.readTextFile(curl.jar)).split("\n").at(-2)!.split("\t");
  const [host, , path, secure, , name, value] = cookie;
  assertEquals([host, path, secure], ["#HttpOnly_127.0.0.1", "/", "TRUE"]);
  assertEquals(name, "__Host-session");
  assertEquals(await curl.text([], "/api/me"), '{"user":"ada"}');
  // Signing in once more changes the id.
  await curl.login();
  assert(!(await Deno.readTextFile(curl.jar)).includes(value!));
  await curl.text(["--request", "POST"], "/api/logout");
  assert(!(await Deno.readTextFile(curl.jar)).includes("__Host-session"));
  assertEquals(JSON.parse(await curl.text([], "/api/me")).status, 401);
});

curlTest("sends a form with files and reads them back", async (curl, app, folder) => {
  const bytes = sampleBytes(3 * MEBIBYTE);
  await Deno.writeFile(`${folder}/large.bin`, bytes);
  await Deno.writeTextFile(`${folder}/small.txt`, "small");
  await curl.login();
  await curl.text([
    ...["--form", "title=ignored", "--form", `files=@${folder}/large.bin`],
    ...["--form", `files=@${folder}/small.txt;filename="a \\"b\\" ü.txt"`],
  ], "/api/files");
  const [small, large] = await curl.list();
  assertEquals([small!.name, large!.name], ["a _b_ ü.txt", "large.bin"]);
  assertEquals([large!.size, large!.sha256], [bytes.length, await sha256(bytes)]);
  const { stdout } = await curl.run([], large!.url);
  assertEquals(await sha256(stdout.slice()), await sha256(bytes));

  const named = ["--remote-name", "--remote-header-name", "--output-dir", folder];
  await curl.run([...named, "--write-out", "%{filename_effective}"], small!.url);
  await curl.text(["--request", "DELETE"], `/api/files/${large!.id}`);
  assertEquals((await curl.list()).map(({ id }) => id), [small!.id]);
  assertEquals(app.files.length, 1);
});

curlTest("uploads in chunks, in one piece, and by HTTP/1.0", async (curl) => {
  const bytes = sampleBytes(MEBIBYTE);
  await curl.login();
  const digest = await sha256(bytes);
  for (const args of [["--upload-file", "-"], ["--http1.0", "--data-binary", "@-"]]) {
    const put = ["--request", "PUT", ...args];
    const row: Row = JSON.parse(await curl.text(put, "/api/files/a", { stdin: bytes }));
    assertEquals([row.size, row.sha256], [bytes.length, digest]);
  }
});

curlTest("is asked for a body that is wanted, and for no other", async (curl, app) => {
  const bytes = sampleBytes(MEBIBYTE);
  const put = [
    ...["--request", "PUT", "--header", "Expect: 100-continue", "--expect100-timeout", "15"],
    ...["--data-binary", "@-", "--write-out", "\n%{http_code} %{size_upload}", "--verbose"],
  ];
  const refused = await curl.run(put, "/api/files/a", { stdin: bytes });
  assert(refused.text.endsWith("\n401 0"), refused.text);
  await curl.login();
  const accepted = await curl.run(put, "/api/files/a", { stdin: bytes });
  assert(accepted.stderr.includes("< HTTP/1.1 100 Continue"), accepted.stderr);
  assert(accepted.text.endsWith(`\n201 ${MEBIBYTE}`), accepted.text);
  const larger = await curl.run(put, "/api/files/a", { stdin: sampleBytes(MEBIBYTE + 1) });
  assert(larger.text.endsWith("\n413 0"), larger.text);
  assertEquals(app.files.length, 1);
}, { maxFileBytes: MEBIBYTE });

curlTest("sees a digest behind a download, if it asks for trailers", async (curl) => {
  await curl.login();
  await curl.text(["--upload-file", "-"], "/api/files/a", { stdin: "four" });
  const raw = ["--raw", "--include", "--header", "TE: trailers"];
  const digest = Uint8Array.fromHex(await sha256(new TextEncoder().encode("four"))).toBase64();
  const text = await curl.text(raw, "/api/files/1/content");
  assert(
    text.endsWith(`\r\n\r\n4\r\nfour\r\n0\r\ncontent-digest: sha-256=:${digest}:\r\n\r\n`),
    text,
  );
  assert(
    (await curl.text(["--include"], "/api/files/1/content")).includes("content-length: 4\r\n"),
  );
  // Nor does HTTP/1.0 know trailers: the end of the connection is the end of the file.
  const old = await curl.text([...raw, "--http1.0"], "/api/files/1/content");
  assert(/connection: close\r\n/i.test(old) && old.endsWith("\r\n\r\nfour"), old);
});

curlTest("gets early hints, and the page behind them", async (curl) => {
  const text = await curl.text(["--include"], "/");
  assert(text.startsWith("HTTP/1.1 103 Early Hints\r\nlink: </page.css>; rel=preload"), text);
  assert(text.includes("\r\n\r\nHTTP/1.1 200 OK\r\n"), text);
  const old = await curl.text(["--include", "--http1.0"], "/");
  assert(old.startsWith("HTTP/1.1 200 OK\r\n"), old);
});

curlTest("posts a form and follows where it leads", async (curl) => {
  const args = ["--data", "theme=dark", "--location", "--write-out", "\n%{num_redirects}"];
  const text = await curl.text(args, "/theme");
  assert(text.includes('data-theme="dark"') && text.endsWith("\n1"), text);
});

curlTest("reads errors in the form it asks for", async (curl) => {
  const types = [
    ["application/json", "application/problem+json"],
    ["text/html", "text/html; charset=utf-8"],
    ["text/plain", "text/plain; charset=utf-8"],
  ];
  for (const path of ["/api/me", "/nothing", "/api/files/%zz"]) {
    for (const [accept, type] of types) {
      const args = ["--header", `Accept: ${accept}`, "--write-out", "\n%{content_type}"];
      const text = await curl.text(args, path);
      assert(text.endsWith(`\n${type}`), text);
    }
  }
});

// Programs that run a script of ours

const NODE_CLIENT = new URL("./json_api_node_client.mjs", import.meta.url).pathname;
const UNDICI_CLIENT = new URL("./json_api_undici_client.mjs", import.meta.url).pathname;
const PYTHON_CLIENT = new URL("./json_api_python_client.py", import.meta.url).pathname;
const hasNode = interopEnabled && hasCommand("node");
const undici = npmPeer("undici");

const SCRIPTS: readonly {
  readonly name: string;
  readonly ignore: boolean;
  readonly command: string;
  readonly args: readonly string[];
}[] = [
  { name: "node http", ignore: !hasNode, command: "node", args: [NODE_CLIENT] },
  {
    name: "undici",
    ignore: !hasNode || undici === undefined,
    command: "node",
    args: [UNDICI_CLIENT, undici ?? ""],
  },
  {
    name: "python",
    ignore: !interopEnabled || !hasCommand("python3"),
    command: "python3",
    args: [PYTHON_CLIENT],
  },
];

for (const { name, ignore, command, args } of SCRIPTS) {
  Deno.test({
    name: `${name} signs in, uploads and downloads`,
    ignore,
    async fn() {
      await using app = new JsonApiApp({ maxFileBytes: 2 * MEBIBYTE });
      // Not every one of them looks for an answer before it has sent everything.
      app.listen({ maxDrainBytes: 8 * MEBIBYTE });
      const { code, text, stderr } = await runPeer(command, [...args, `${app.port}`]);
      assertEquals(code, 0, stderr);
      const { skipped = [], ...seen } = JSON.parse(text);
      const expected: Record<string, unknown> = {
        before: 401,
        login: 200,
        form: 201,
        isSame: true,
        names: ["large.bin", "größe.txt"],
        early: 103,
        trailer: true,
        trailerUpload: 201,
        wrongTrailerUpload: 400,
        tooLarge: 413,
        logout: 204,
        after: 401,
      };
      // What the library of the peer cannot do; its script says so.
      for (const key of skipped) delete expected[key];
      assertEquals(seen, expected);
      assertEquals(app.errors, []);
      assertEquals(app.files.length, expected.trailerUpload === undefined ? 2 : 3);
    },
  });
}

// Chromium

const chromium = ["chromium", "google-chrome"].find(hasCommand);

function browserTest(
  name: string,
  fn: (page: BrowserPage, app: JsonApiApp, folder: string) => Promise<void>,
  options?: AppOptions,
): void {
  Deno.test({
    name: `Chromium ${name}`,
    ignore: !interopEnabled || chromium === undefined,
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        await using app = new JsonApiApp(options);
        await using browser = await Browser.start(chromium!);
        const page = await browser.open(app.origin);
        await fn(page, app, folder);
        assertEquals(page.errors, []);
        assertEquals(app.errors, []);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

async function login(page: BrowserPage, password: string = "lovelace"): Promise<void> {
  await page.type("#login-form [name=name]", "ada");
  await page.type("#login-form [name=password]", password);
  await page.click("#login-form button");
}

function textOf(page: BrowserPage, selector: string): Promise<string[]> {
  const list = `document.querySelectorAll(${JSON.stringify(selector)})`;
  return page.evaluate(`Array.from(${list}, (element) => element.textContent)`);
}

browserTest("signs in, uploads with progress, and signs out", async (page, app, folder) => {
  const bytes = sampleBytes(24 * MEBIBYTE);
  await Deno.writeFile(`${folder}/large.bin`, bytes);
  await Deno.writeTextFile(`${folder}/größe "1".txt`, "small");
  await login(page);
  await page.until("!document.getElementById('files').hidden");
  assertEquals(await textOf(page, "#user"), ["ada"]);
  const [session] = await page.cookies();
  assertEquals([session!.name, session!.httpOnly], ["__Host-session", true]);
  assertEquals(await page.evaluate("document.cookie"), "");

  await page.evaluate(`{
    globalThis.progress = [];
    new MutationObserver((records) => {
      for (const { target } of records) if (target.max === 1) progress.push(target.value);
    }).observe(document.getElementById("uploads"), { attributes: true, subtree: true });
  }`);
  // For about a second: there has to be a progress to be seen.
  await page.throttleUploads(24 * MEBIBYTE);
  await page.choose("#picker", [`${folder}/large.bin`, `${folder}/größe "1".txt`]);
  await page.until("document.querySelectorAll('#list li').length === 2");
  await page.until("document.querySelectorAll('#uploads li').length === 0");
  const progress = await page.evaluate<number[]>("progress");
  assert(progress.length >= 3, `${progress}`);
  assert(progress.includes(1) && progress.some((value) => value > 0 && value < 1), `${progress}`);
  assertEquals((await textOf(page, "#list .digest")).includes(await sha256(bytes)), true);
  assertEquals((await textOf(page, "#list .name")).sort(), ["größe _1_.txt", "large.bin"]);

  // Who comes back is still signed in.
  await page.go(app.origin);
  await page.until("document.querySelectorAll('#list li').length === 2");
  const downloaded = await page.evaluate<string>(`(async () => {
    const link = [...document.querySelectorAll("#list a")].find((a) => a.text === "large.bin");
    const bytes = await (await fetch(link.href)).arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  })()`);
  assertEquals(downloaded, await sha256(bytes));

  await page.click("#list li:last-child .delete");
  await page.until("document.querySelectorAll('#list li').length === 1");
  assertEquals(app.files.length, 1);
  await page.click("#logout");
  await page.until("!document.getElementById('login').hidden");
  assertEquals(await page.cookies(), []);
  assertEquals(app.listen().stats().protocolErrorCount, 0);
});

browserTest("is told that a password is wrong, and gets another id at each login", async (page) => {
  await login(page, "x");
  await page.until("!document.getElementById('alert').hidden");
  assertEquals(await textOf(page, "#alert"), ["Name or password is wrong"]);
  assertEquals(await page.cookies(), []);

  const ids = new Set<string>();
  for (let count = 1; count <= 2; count++) {
    await page.evaluate(`fetch("/api/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '${CREDENTIALS}',
    })`);
    ids.add((await page.cookies())[0]!.value);
    assertEquals(ids.size, count);
  }
});

browserTest("posts a form for another theme and keeps it", async (page, app) => {
  const paint = "getComputedStyle(document.body).backgroundColor";
  await page.follow("[value=light]");
  const light = await page.evaluate(paint);
  await page.follow("[value=dark]");
  assertNotEquals(await page.evaluate(paint), light);
  await page.go(app.origin);
  assertEquals(await page.evaluate("document.documentElement.dataset.theme"), "dark");
});

browserTest("shows why an upload was refused", async (page, app, folder) => {
  await Deno.writeFile(`${folder}/large.bin`, sampleBytes(30_000));
  await login(page);
  await page.choose("#picker", [`${folder}/large.bin`]);
  await page.until("document.querySelector('#uploads .cancel')?.textContent === 'Dismiss'");
  const [state] = await textOf(page, "#uploads .state");
  assert(state!.includes("10000 bytes"), state);
  assertEquals(app.files, []);
}, { maxFileBytes: 10_000 });

browserTest("cancels an upload, of which nothing stays", async (page, app, folder) => {
  await Deno.writeFile(`${folder}/large.bin`, sampleBytes(24 * MEBIBYTE));
  await login(page);
  await page.until("!document.getElementById('files').hidden");
  await page.throttleUploads(200_000);
  await page.choose("#picker", [`${folder}/large.bin`]);
  await page.until("document.querySelector('#uploads progress')?.value > 0");
  assert(await eventually(() => app.files.length === 1));
  await page.click("#uploads .cancel");
  await page.until("document.querySelector('#uploads .cancel').textContent === 'Dismiss'");
  assertEquals(await textOf(page, "#uploads .state"), ["Cancelled"]);
  assert(await eventually(() => app.files.length === 0));
});

/** A page of another origin, to be run code in. */
class OtherOrigin implements AsyncDisposable {
  readonly #server: HttpServer = serve((ctx) => ctx.html("<!doctype html><title>other</title>"), {
    hostname: "127.0.0.1",
    port: 0,
  });

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.addr as Deno.NetAddr).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown({ graceMs: 0 });
  }
}

Deno.test({
  name: "Chromium lets pages of the origins that are listed use the API, and no others",
  ignore: !interopEnabled || chromium === undefined,
  async fn() {
    await using friend = new OtherOrigin();
    await using stranger = new OtherOrigin();
    await using app = new JsonApiApp({ origins: [friend.origin] });
    await using browser = await Browser.start(chromium!);
    const own = await browser.open(app.origin);
    await login(own);
    await own.until("!document.getElementById('files').hidden");
    const call = (method: string, path: string, more = "") =>
      `fetch("${app.origin}${path}", { method: "${method}", credentials: "include", ${more} })`;

    const page = await browser.open(friend.origin);
    const upload = call("PUT", "/api/files/a", 'body: "x"');
    const file = await page.evaluate<Row>(`${upload}.then((response) => response.json())`);
    assertEquals([file.name, file.size], ["a", 1]);
    // Not without leave: a preflight asks for it.
    const remove = call("DELETE", `/api/files/${file.id}`);
    assertEquals(await page.evaluate(`${remove}.then((response) => response.status)`), 204);
    assertEquals(app.log.filter(({ method }) => method === "OPTIONS").length, 2);
    const requestId = `${
      call("GET", "/api/me")
    }.then(({ headers }) => headers.get("x-request-id"))`;
    assert((await page.evaluate<string>(requestId)).length > 0);

    const other = await browser.open(stranger.origin);
    await assertRejects(() => other.evaluate(call("GET", "/api/me")));
    await assertRejects(() => other.evaluate(call("DELETE", "/api/files/1")));
    // Needs no leave to be sent, only to be read: that it is refused is for the server to do.
    await assertRejects(() => other.evaluate(call("POST", "/api/logout", 'mode: "no-cors"')));
    const last = app.log.at(-1)!;
    assertEquals([last.method, last.target, last.status], ["POST", "/api/logout", 403]);
    assertEquals(await own.evaluate(`${call("GET", "/api/me")}.then(({ status }) => status)`), 200);
    assertEquals(app.errors, []);
  },
});
