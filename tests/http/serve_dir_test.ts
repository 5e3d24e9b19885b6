import { assert, assertEquals, assertThrows } from "@std/assert";
import { Router } from "../../http/router.ts";
import { serveDir, type ServeDirOptions } from "../../http/serve_dir.ts";
import { fieldOf, RawServer, TestFolder } from "../_support/file_server.ts";

/** A folder with one of everything. */
async function filled(): Promise<TestFolder> {
  const folder = new TestFolder();
  await folder.write("root/a.txt", "a");
  await folder.write("root/sub/index.html", "<p>index");
  await folder.write("root/sub/page.html", "<p>page");
  await folder.write("root/plain/b c%.txt", "b");
  await folder.write("root/.hidden", "hidden");
  await folder.write("root/.git/config", "hidden");
  await folder.write("root/.well-known/x", "known");
  await folder.write("root/plain/.well-known/x", "hidden");
  await folder.write("outside.txt", "outside");
  await folder.write("root2/a.txt", "outside");
  return folder;
}

function serving(folder: TestFolder, options: ServeDirOptions = {}): RawServer {
  return new RawServer(serveDir(`${folder.path}/root`, options));
}

for (
  const [target, status, body] of [
    ["/a.txt", 200, "a"],
    ["/a.txt?v=1", 200, "a"],
    ["/sub/", 200, "<p>index"],
    ["/sub/index.html", 200, "<p>index"],
    ["/plain/b%20c%25.txt", 200, "b"],
    ["/.well-known/x", 200, "known"],
    ["/", 404],
    ["/plain/", 404],
    ["/b.txt", 404],
    ["/A.TXT", 404],
    ["/a.txt/", 404],
    ["/a.txt/b", 404],
    ["/sub/page", 404],
    ["/.hidden", 404],
    ["/.git/config", 404],
    ["/plain/.well-known/x", 404],
    ["//a.txt", 404],
    ["/../root2/a.txt", 400],
    ["/%2e%2e/outside.txt", 400],
    ["/..%2foutside.txt", 400],
    ["/a.txt%00", 400],
    ["/sub%5cindex.html", 400],
    ["/a.txt::$DATA", 404],
  ] as const
) {
  Deno.test(`serveDir() answers ${target} with ${status}`, async () => {
    await using folder = await filled();
    await using server = serving(folder);
    const response = await server.ask(`GET ${target}`);
    assertEquals(response.status, status);
    if (body !== undefined) assertEquals(response.body, body);
    assertEquals(server.errors, []);
  });
}

Deno.test("serveDir() leads a folder without a slash to the one with, and nowhere else", async () => {
  await using folder = await filled();
  await folder.write("root/x:y/index.html", "x");
  await using server = serving(folder);
  for (
    const [target, location] of [
      ["/sub", "./sub/"],
      ["/sub?a=b", "./sub/?a=b"],
      ["/x:y", "./x:y/"],
      ["/x%3Ay", "./x%3Ay/"],
    ]
  ) {
    const response = await server.ask(`GET ${target}`);
    assertEquals([response.status, fieldOf(response, "location")], [308, location]);
  }
  for (const target of ["//evil.example/..", "//evil.example", "/\\evil.example"]) {
    assertEquals(fieldOf(await server.ask(`GET ${target}`), "location"), undefined, target);
  }
});

Deno.test("serveDir() stands where its route, or its prefix, puts it", async () => {
  await using folder = await filled();
  const root = `${folder.path}/root`;
  const app = new Router();
  app.get("/static/*path", serveDir(root));
  app.get("/of/:user/*path", serveDir(root));
  app.get("/named/*path", serveDir(root, { prefix: "/named/sub" }));
  await using server = new RawServer(app.handler);
  for (
    const [target, status] of [
      ["/static/a.txt", 200],
      ["/static/sub/", 200],
      ["/static/.hidden", 404],
      ["/static/static/a.txt", 404],
      ["/of/ada/a.txt", 200],
      ["/of/a.txt", 404],
      ["/named/sub/a.txt", 200],
      ["/named/a.txt", 404],
    ] as const
  ) {
    assertEquals((await server.ask(`GET ${target}`)).status, status, target);
  }
  assertEquals((await server.ask("HEAD /static/a.txt")).status, 200);
  await using bare = new RawServer(serveDir(root, { prefix: "/files/" }));
  assertEquals((await bare.ask("GET /files/a.txt")).body, "a");
  assertEquals((await bare.ask("GET /a.txt")).status, 404);
  assertEquals(fieldOf(await bare.ask("GET /files/sub"), "location"), "./sub/");
});

Deno.test("serveDir() shows names with a dot where it is told to", async () => {
  await using folder = await filled();
  await using server = serving(folder, { dotfiles: "serve" });
  for (const target of ["/.hidden", "/.git/config", "/plain/.well-known/x"]) {
    assertEquals((await server.ask(`GET ${target}`)).body, "hidden");
  }
});

for (
  const [symlinks, inside, outside, hidden, above] of [
    ["inside", 200, 404, 404, 404],
    ["follow", 200, 200, 200, 200],
    ["refuse", 404, 404, 404, 404],
  ] as const
) {
  Deno.test(`serveDir() treats links as it is told: ${symlinks}`, async () => {
    await using folder = await filled();
    await folder.link("root/inside.txt", "a.txt");
    await folder.link("root/dir", "sub");
    await folder.link("root/outside.txt", "../outside.txt");
    await folder.link("root/absolute.txt", `${folder.path}/outside.txt`);
    await folder.link("root/shown.txt", ".hidden");
    await folder.link("root/up", "..");
    await folder.link("root/loop", "loop");
    await folder.link("root/dangling", "nothing");
    await using server = serving(folder, { symlinks });
    const status = async (target: string) => (await server.ask(`GET ${target}`)).status;
    assertEquals(await status("/inside.txt"), inside);
    assertEquals(await status("/dir/page.html"), inside);
    assertEquals(await status("/outside.txt"), outside);
    assertEquals(await status("/absolute.txt"), outside);
    assertEquals(await status("/shown.txt"), hidden);
    assertEquals(await status("/up/outside.txt"), above);
    assertEquals(await status("/up/root2/a.txt"), above);
    assertEquals(await status("/loop"), 404);
    assertEquals(await status("/dangling"), 404);
    assertEquals(await status("/a.txt"), 200);
    assertEquals(server.errors, []);
  });
}

Deno.test("serveDir() looks anew at what has come into the place of a file", async () => {
  await using folder = await filled();
  await using server = serving(folder);
  const path = `${folder.path}/root/a.txt`;
  assertEquals((await server.ask("GET /a.txt")).body, "a");
  await Deno.remove(path);
  await Deno.symlink("../outside.txt", path);
  assertEquals((await server.ask("GET /a.txt")).status, 404);
  await Deno.remove(path);
  assertEquals((await server.ask("GET /a.txt")).status, 404);
  await folder.write("root/a.txt", "b");
  assertEquals((await server.ask("GET /a.txt")).body, "b");
  await folder.write("new", "c");
  await Deno.rename(`${folder.path}/new`, path);
  assertEquals((await server.ask("GET /a.txt")).body, "c");
  await Deno.remove(path);
  await folder.write("root/a.txt/index.html", "folder");
  assertEquals((await server.ask("GET /a.txt")).status, 404);
});

Deno.test("serveDir() follows its root where that is a link that is changed", async () => {
  await using folder = new TestFolder();
  await folder.write("1/a.txt", "1");
  await folder.write("2/b.txt", "2");
  await folder.link("root", "1");
  await using server = serving(folder);
  assertEquals((await server.ask("GET /a.txt")).body, "1");
  await Deno.remove(`${folder.path}/root`);
  await folder.link("root", "2");
  assertEquals((await server.ask("GET /b.txt")).body, "2");
});

Deno.test("serveDir() answers 404 while its root is missing, and serves it when it comes", async () => {
  await using folder = new TestFolder();
  await using server = serving(folder);
  assertEquals((await server.ask("GET /a.txt")).status, 404);
  await folder.write("root/a.txt", "a");
  assertEquals((await server.ask("GET /a.txt")).status, 200);
});

Deno.test("serveDir() has clean URLs where it is told to", async () => {
  await using folder = await filled();
  await using server = serving(folder, { cleanUrls: true });
  for (
    const [target, status, location] of [
      ["/sub/page", 200, undefined],
      ["/sub/page.html", 308, "./page"],
      ["/sub/page.html?a=b", 308, "./page?a=b"],
      ["/sub/index.html", 308, "./"],
      ["/sub/", 200, undefined],
      ["/sub/page/", 404, undefined],
      ["/sub/none", 404, undefined],
      ["/a.txt", 200, undefined],
    ] as const
  ) {
    const response = await server.ask(`GET ${target}`);
    assertEquals([response.status, fieldOf(response, "location")], [status, location], target);
  }
});

Deno.test("serveDir() lists a folder where it is told to", async () => {
  await using folder = await filled();
  await folder.link("root/outside.txt", "../outside.txt");
  await folder.link("root/link.txt", "a.txt");
  await folder.link("root/folder", "sub");
  await folder.write("root/a\nb", "x");
  await new Deno.Command("mkfifo", { args: [`${folder.path}/root/fifo`] }).output();
  await using server = serving(folder, { listing: true });
  const page = await server.ask("GET /");
  assertEquals([page.status, fieldOf(page, "content-type")], [200, "text/html; charset=utf-8"]);
  assertEquals(fieldOf(page, "vary"), "Accept");
  assert(fieldOf(page, "content-security-policy")!.startsWith("default-src 'none'"));
  const names = [...page.body.matchAll(/href="\.\/([^"]*)"/g)].map((match) => match[1]);
  assertEquals(names, [".well-known/", "folder/", "plain/", "sub/", "a.txt", "link.txt"]);
  const json = await server.ask("GET /?sort=name&order=desc", ["Accept: application/json"]);
  const { items } = JSON.parse(json.body) as {
    items: { name: string; type: string; size?: number }[];
  };
  assertEquals(items.map(({ name, type }) => `${name} ${type}`).slice(-2), [
    "link.txt file",
    "a.txt file",
  ]);
  // An index is what a folder is answered with, in front of a listing.
  assertEquals((await server.ask("GET /sub/")).body, "<p>index");
  assertEquals((await server.ask("GET /plain")).status, 308);
  assertEquals(server.errors, []);
});

Deno.test("serveDir() lists no more than it may", async () => {
  await using folder = new TestFolder();
  for (let index = 0; index < 40; index++) await folder.write(`root/${index}`, "");
  for (const [maxItemCount, count] of [[39, 39], [40, 40], [41, 40], [0, 40]] as const) {
    await using server = serving(folder, { listing: true, maxItemCount });
    const { body } = await server.ask("GET /", ["Accept: application/json"]);
    const { items, isTruncated } = JSON.parse(body) as { items: unknown[]; isTruncated: boolean };
    assertEquals([items.length, isTruncated], [count, count < 40]);
  }
});

Deno.test("serveDir() answers with files beside others under the same rules", async () => {
  await using folder = await filled();
  await folder.link("root/a.txt.br", "../outside.txt");
  await folder.write("root/a.txt.gz", "gzip");
  await using server = serving(folder, { precompressed: true });
  const response = await server.ask("GET /a.txt", ["Accept-Encoding: br, gzip;q=0.5"]);
  assertEquals([response.body, fieldOf(response, "content-encoding")], ["gzip", "gzip"]);
});

Deno.test({
  // The superuser may read everything.
  name: "serveDir() answers 403 for what the system does not let it read",
  ignore: Deno.build.os === "windows" || Deno.uid() === 0,
  async fn() {
    await using folder = await filled();
    await Deno.chmod(`${folder.path}/root/a.txt`, 0);
    await using server = serving(folder);
    assertEquals((await server.ask("GET /a.txt")).status, 403);
  },
});

for (
  const options of [
    { dotfiles: "x" },
    { symlinks: "x" },
    { prefix: "static" },
    { prefix: "/a//b" },
    { maxItemCount: -1 },
    { etag: "x" },
  ]
) {
  Deno.test(`serveDir() refuses ${JSON.stringify(options)} at once`, () => {
    assertThrows(() => serveDir(".", options as ServeDirOptions), RangeError);
  });
}

Deno.test("serveDir() refuses a field that cannot be sent at once", () => {
  assertThrows(() => serveDir(".", { cacheControl: "a\r\nb: c" }), TypeError);
  assertThrows(() => serveDir(".", { types: { a: "text/x\n" } }), TypeError);
});

Deno.test("serveDir() serves thousands of paths with bounded memory of them", async () => {
  await using folder = new TestFolder();
  const root = `${folder.path}/root`;
  for (let index = 0; index < 1_100; index++) await folder.write(`root/${index}`, String(index));
  const app = new Router();
  app.get("/*path", serveDir(root));
  for (const index of [0, 1, 999, 1_000, 1_099, 0]) {
    assertEquals(await (await app.request(`/${index}`)).text(), String(index));
  }
});
