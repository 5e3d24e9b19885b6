import { assert, assertEquals } from "@std/assert";
import { type Context, type HttpServer, serve } from "@nbio/net/http";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { npmPeer, runPeer } from "../_support/peer.ts";
import { sampleBytes, sha256 } from "./interop_app.ts";

const undici = npmPeer("undici");

interface SeenPart {
  readonly name: string;
  readonly filename: string | undefined;
  readonly content: string;
}

/** Text of fields, digests of files. */
async function readStream(ctx: Context): Promise<SeenPart[]> {
  const seen: SeenPart[] = [];
  for await (const part of ctx.body.multipart({ decode: true })) {
    const { name, filename } = part;
    const isFile = filename !== undefined;
    const content = isFile ? await sha256(await part.bytes()) : await part.text();
    seen.push({ name, filename, content });
  }
  return seen;
}

async function readForm(ctx: Context): Promise<SeenPart[]> {
  const seen: SeenPart[] = [];
  for (const [name, value] of await ctx.body.form()) {
    if (typeof value === "string") seen.push({ name, filename: undefined, content: value });
    else seen.push({ name, filename: value.name, content: await sha256(await value.bytes()) });
  }
  return seen;
}

function serveForms(): { server: HttpServer; port: number; url: (path: string) => string } {
  const server = serve(async (ctx) => {
    ctx.json(await (ctx.path === "/form" ? readForm(ctx) : readStream(ctx)));
  }, { hostname: "127.0.0.1", port: 0 });
  const { port } = server.addr as Deno.NetAddr;
  return { server, port, url: (path) => `http://127.0.0.1:${port}${path}` };
}

/** What a client has to get as its answer. */
async function answer(filename: string, title: string, length = 100_000): Promise<SeenPart[]> {
  return [
    { name: "title", content: title } as SeenPart,
    { name: "file", filename, content: await sha256(sampleBytes(length)) },
  ];
}

for (const path of ["/stream", "/form"]) {
  Deno.test({
    name: `curl -F uploads a file to ${path}`,
    ignore: !interopEnabled || !hasCommand("curl"),
    async fn() {
      const { server, url } = serveForms();
      await using _server = server;
      const folder = await Deno.makeTempDir();
      try {
        const file = `${folder}/c\u00e4t "1".bin`;
        // Large enough for curl to expect a 100.
        await Deno.writeFile(file, sampleBytes(2 << 20));
        const common = ["--disable", "--noproxy", "*", "--silent", "--show-error", "--fail"];
        for (const more of [[], ["--header", "Transfer-Encoding: chunked"], ["--form-escape"]]) {
          const { code, text, stderr } = await runPeer("curl", [
            ...[...common, ...more, "--verbose", "--expect100-timeout", "15"],
            ...["--form", "title=A c\u00e4t", "--form", `file=@"${file.replaceAll('"', '\\"')}"`],
            url(path),
          ]);
          assertEquals(code, 0, stderr);
          assert(stderr.includes("< HTTP/1.1 100 Continue"), stderr);
          assertEquals(
            JSON.parse(text),
            await answer('c\u00e4t "1".bin', "A c\u00e4t", 2 << 20),
          );
        }
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });

  Deno.test({
    name: `undici uploads a FormData to ${path}`,
    ignore: !interopEnabled || !hasCommand("node") || undici === undefined,
    async fn() {
      const { server, port } = serveForms();
      await using _server = server;
      const client = new URL("./multipart_client.mjs", import.meta.url).pathname;
      const { code, text, stderr } = await runPeer("node", [client, undici!, `${port}`, path]);
      assertEquals(code, 0, stderr);
      assert(text.startsWith("200 "), text);
      assertEquals(JSON.parse(text.slice(4)), await answer('c\u00e4t "1".bin', "A c\u00e4t"));
    },
  });
}

for (const scenario of ["plain", "chunked", "mime"]) {
  Deno.test({
    name: `python uploads a form: ${scenario}`,
    ignore: !interopEnabled || !hasCommand("python3"),
    async fn() {
      const { server, port } = serveForms();
      await using _server = server;
      const client = new URL("./multipart_client.py", import.meta.url).pathname;
      const { code, text, stderr } = await runPeer("python3", [client, `${port}`, scenario]);
      assertEquals(code, 0, stderr);
      assert(text.startsWith("200 "), text);
      const seen = JSON.parse(text.slice(4));
      if (scenario !== "mime") {
        assertEquals(seen, await answer('c\u00e4t "1".bin', "A c\u00e4t"));
        return;
      }
      const filename = "c\u00e4t with a name.txt";
      const content = await sha256(new TextEncoder().encode("meow"));
      assertEquals(seen, [
        { name: "title", content: "A cat" },
        { name: "file", filename, content },
      ]);
    },
  });
}

Deno.test({
  name: "curl --data-urlencode sends a form",
  ignore: !interopEnabled || !hasCommand("curl"),
  async fn() {
    const { server, url } = serveForms();
    await using _server = server;
    const { code, text, stderr } = await runPeer("curl", [
      ...["--disable", "--noproxy", "*", "--silent", "--show-error", "--fail"],
      ...["--data-urlencode", "title=A c\u00e4t & 100 %", "--data", "raw=\u20ac", url("/form")],
    ]);
    assertEquals(code, 0, stderr);
    assertEquals(JSON.parse(text), [
      { name: "title", content: "A c\u00e4t & 100 %" },
      { name: "raw", content: "\u20ac" },
    ]);
  },
});
