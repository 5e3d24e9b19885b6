import { compose, compress, etag, serve } from "@nbio/net/http";
import { assert, assertEquals } from "@std/assert";
import { Browser } from "../_support/browser.ts";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { npmPeer, runPeer } from "../_support/peer.ts";

const curl = hasCommand("curl");
const python = hasCommand("python3");
const node = hasCommand("node");
const undici = npmPeer("undici");
const browser = ["chromium", "google-chrome"].find(hasCommand);

const ROWS = Array.from({ length: 3_000 }, (_, id) => ({ id, name: `näme ${id * 7}` }));
const JSON_TEXT = JSON.stringify(ROWS);

/** A server whose answers are all the same content: whole, large, or in pieces. */
class CompressedApp implements AsyncDisposable {
  readonly errors: unknown[] = [];
  readonly #server = serve(
    compose([compress(), etag()], (ctx) => {
      if (ctx.path === "/whole") return ctx.json(ROWS.slice(0, 300));
      if (ctx.path === "/large") return ctx.json(ROWS);
      ctx.set("content-type", "application/json");
      ctx.stream(pieces());
    }),
    { hostname: "127.0.0.1", port: 0, onError: (error) => void this.errors.push(error) },
  );

  url(path: string): string {
    return `http://127.0.0.1:${(this.#server.addr as Deno.NetAddr).port}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown({ graceMs: 0 });
  }
}

async function* pieces(): AsyncGenerator<string> {
  for (let at = 0; at < JSON_TEXT.length; at += 5_000) yield JSON_TEXT.slice(at, at + 5_000);
}

const EXPECTED: Readonly<Record<string, string>> = {
  "/whole": JSON.stringify(ROWS.slice(0, 300)),
  "/large": JSON_TEXT,
  "/stream": JSON_TEXT,
};

for (const coding of ["gzip", "deflate", "br", "zstd"]) {
  Deno.test({
    name: `curl --compressed reads ${coding}`,
    ignore: !interopEnabled || !curl,
    async fn() {
      await using app = new CompressedApp();
      for (const [path, expected] of Object.entries(EXPECTED)) {
        const { code, text, stderr } = await runPeer("curl", [
          ...["--disable", "--noproxy", "*", "--silent", "--show-error", "--compressed"],
          ...[
            "--header",
            `Accept-Encoding: ${coding}`,
            "--write-out",
            "\n%header{content-encoding}",
          ],
          app.url(path),
        ]);
        // A curl that was built without it.
        if (code === 61 && coding === "zstd") return;
        assertEquals(code, 0, stderr);
        assertEquals(text, `${expected}\n${coding}`);
      }
      assertEquals(app.errors, []);
    },
  });
}

const PYTHON = `
import gzip, json, sys, urllib.request, zlib
base = sys.argv[1]
out = {}
for path in ("/whole", "/large", "/stream"):
    for coding in ("gzip", "deflate"):
        request = urllib.request.Request(base + path, headers={"Accept-Encoding": coding})
        with urllib.request.urlopen(request) as response:
            body = response.read()
            assert response.headers["Content-Encoding"] == coding
            assert response.headers["Vary"] == "Accept-Encoding"
            tag = response.headers["ETag"]
            assert tag is None or tag.startswith("W/")
        text = gzip.decompress(body) if coding == "gzip" else zlib.decompress(body)
        out[path + coding] = len(json.loads(text))
print(json.dumps(out))
`;

Deno.test({
  name: "python reads gzip and deflate, whole and in pieces",
  ignore: !interopEnabled || !python,
  async fn() {
    await using app = new CompressedApp();
    const { code, text, stderr } = await runPeer("python3", ["-c", PYTHON, app.url("")]);
    assertEquals(code, 0, stderr);
    const counts = JSON.parse(text);
    for (const [key, count] of Object.entries(counts)) {
      assertEquals(count, key.startsWith("/whole") ? 300 : 3_000, key);
    }
    assertEquals(app.errors, []);
  },
});

/** Prints the length of what came of each path, and how it was coded. */
const FETCH = `
const [base, codings] = [process.argv[1], JSON.parse(process.argv[2])];
const fetcher = process.argv[3] ? (await import(process.argv[3] + "/index.js")).default.fetch : fetch;
const seen = [];
for (const path of ["/whole", "/large", "/stream"]) {
  for (const coding of codings) {
    const response = await fetcher(base + path, { headers: { "accept-encoding": coding } });
    const rows = await response.json();
    const held = response.headers.get("etag");
    const again = held && await fetcher(base + path, {
      headers: { "accept-encoding": coding, "if-none-match": held },
    });
    seen.push([path, response.headers.get("content-encoding"), rows.length, again?.status ?? 0]);
  }
}
console.log(JSON.stringify(seen));
`;

for (
  const [name, args, ignore, codings] of [
    ["node fetch", [], !node, ["gzip", "deflate", "br"]],
    ["undici", [undici ?? ""], !node || undici === undefined, ["gzip", "deflate", "br"]],
  ] as const
) {
  Deno.test({
    name: `${name} reads every coding it knows and gets 304 with its tag`,
    ignore: !interopEnabled || ignore,
    async fn() {
      await using app = new CompressedApp();
      const script = ["--input-type=module", "--eval", FETCH, "--", app.url("")];
      const { code, text, stderr } = await runPeer("node", [
        ...script,
        JSON.stringify(codings),
        ...args,
      ]);
      assertEquals(code, 0, stderr);
      const expected = Object.keys(EXPECTED).flatMap((path) =>
        codings.map((
          coding,
        ) => [path, coding, path === "/whole" ? 300 : 3_000, path === "/stream" ? 0 : 304])
      );
      assertEquals(JSON.parse(text), expected);
      assertEquals(app.errors, []);
    },
  });
}

Deno.test({
  name: "Chromium reads what it is answered with, in the coding it likes best",
  ignore: !interopEnabled || browser === undefined,
  async fn() {
    await using app = new CompressedApp();
    await using chromium = await Browser.start(browser!);
    const page = await chromium.open(app.url("/whole"));
    const seen = await page.evaluate<[string, number][]>(`(async () => {
      const seen = [];
      for (const path of ["/whole", "/large", "/stream"]) {
        const response = await fetch(path, { cache: "no-store" });
        seen.push([response.headers.get("content-encoding"), (await response.json()).length]);
      }
      return seen;
    })()`);
    assertEquals(seen.map(([, count]) => count), [300, 3_000, 3_000]);
    for (const [coding] of seen) assert(["zstd", "br"].includes(coding), coding);
    assertEquals(app.errors, []);
  },
});
