import { assert, assertEquals } from "@std/assert";
import { serveDir } from "@nbio/net/http";
import { SeededRandom } from "@nbio/net/nbio/testing";
import { Browser } from "../_support/browser.ts";
import { OLD_MS, RawServer, TestFolder } from "../_support/file_server.ts";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { runPeer } from "../_support/peer.ts";
import { noSparseFiles, writeSparseFile } from "../_support/sparse_file.ts";

const SIZE = 3_000_000;
const browser = ["chromium", "google-chrome"].find(hasCommand);

/** A folder on a server, and what was answered. */
class StaticSite implements AsyncDisposable {
  readonly folder: TestFolder = new TestFolder();
  readonly content: Uint8Array<ArrayBuffer> = new SeededRandom(5).bytes(SIZE);
  /** Status, path and range of each request, in order. */
  readonly seen: { status: number; path: string; range: string | undefined }[] = [];
  #server: RawServer | undefined;

  async start(): Promise<this> {
    await this.folder.write("root/a.bin", this.content);
    await this.folder.write("root/sub/b c.txt", "hello");
    await this.folder.write("root/page.html", "<!doctype html><title>plain</title><p>plain");
    const files = serveDir(`${this.folder.path}/root`, { listing: true, precompressed: true });
    this.#server = new RawServer(async (ctx) => {
      await files(ctx);
      const range = ctx.headers.get("range");
      this.seen.push({ status: ctx.status, path: ctx.path, range });
    });
    return this;
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.#server!.address.port}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    await this.folder[Symbol.asyncDispose]();
  }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

Deno.test({
  name: "curl takes a file whole, in parts, resumed, and not again if it has it",
  ignore: !interopEnabled || !hasCommand("curl"),
  async fn() {
    await using site = await new StaticSite().start();
    const url = site.url("/a.bin");
    const whole = await runPeer("curl", ["-sS", url]);
    assert(isSame(whole.stdout, site.content));
    const part = await runPeer("curl", ["-sS", "-r", "1000-1999,-500", url]);
    assert(part.text.includes(`content-range: bytes 1000-1999/${SIZE}`));
    const target = `${site.folder.path}/out.bin`;
    await Deno.writeFile(target, site.content.subarray(0, 1_000_000));
    const resumed = await runPeer("curl", ["-sS", "-C", "-", "-o", target, url]);
    assertEquals(resumed.code, 0, resumed.stderr);
    assert(isSame(await Deno.readFile(target), site.content));
    assertEquals(site.seen.at(-1), { status: 206, path: "/a.bin", range: "bytes=1000000-" });
    const date = new Date(OLD_MS).toUTCString();
    const code = ["-sS", "-o", "/dev/null", "-w", "%{http_code}"];
    assertEquals((await runPeer("curl", [...code, "-z", date, url])).text, "304");
    const etags = `${site.folder.path}/etag`;
    await runPeer("curl", [...code, "--etag-save", etags, url]);
    assertEquals((await runPeer("curl", [...code, "--etag-compare", etags, url])).text, "304");
    for (const [path, status] of [["/../out.bin", "400"], ["/%2e%2e/out.bin", "400"]] as const) {
      const asked = await runPeer("curl", [...code, "--path-as-is", site.url(path)]);
      assertEquals(asked.text, status);
    }
  },
});

Deno.test({
  name: `curl resumes a download of 10 GB behind its first 9.999 GB${
    noSparseFiles === undefined ? "" : ` (ignored: ${noSparseFiles})`
  }`,
  ignore: !interopEnabled || !hasCommand("curl") || noSparseFiles !== undefined,
  async fn() {
    await using site = await new StaticSite().start();
    const [size, there] = [10_000_000_000, 9_999_000_000];
    await writeSparseFile(`${site.folder.path}/root/large.bin`, size, [
      [there, "NEXT"],
      [size - 4, "LAST"],
    ]);
    const target = `${site.folder.path}/large.part`;
    await writeSparseFile(target, there);
    const url = site.url("/large.bin");
    const { code, stderr } = await runPeer("curl", ["-sS", "-C", "-", "-o", target, url]);
    assertEquals(code, 0, stderr);
    assertEquals(site.seen, [{ status: 206, path: "/large.bin", range: `bytes=${there}-` }]);
    assertEquals((await Deno.stat(target)).size, size);
    using file = await Deno.open(target);
    for (const [place, mark] of [[there, "NEXT"], [size - 4, "LAST"]] as const) {
      const found = new Uint8Array(4);
      await file.seek(place, Deno.SeekMode.Start);
      await file.read(found);
      assertEquals(new TextDecoder().decode(found), mark);
    }
  },
});

Deno.test({
  name: "curl undoes the coding of a file that lies compressed beside another",
  ignore: !interopEnabled || !hasCommand("curl") || !hasCommand("gzip"),
  async fn() {
    await using site = await new StaticSite().start();
    await runPeer("gzip", ["-k", `${site.folder.path}/root/page.html`]);
    const headers = await runPeer("curl", [
      "-sSI",
      "-H",
      "accept-encoding: gzip",
      site.url("/page.html"),
    ]);
    assert(headers.text.includes("content-encoding: gzip"), headers.text);
    const { text } = await runPeer("curl", ["-sS", "--compressed", site.url("/page.html")]);
    assert(text.includes("<p>plain"));
  },
});

Deno.test({
  name: "wget resumes a download, and mirrors a listing",
  ignore: !interopEnabled || !hasCommand("wget"),
  async fn() {
    await using site = await new StaticSite().start();
    const { path } = site.folder;
    await Deno.mkdir(`${path}/got`);
    await Deno.writeFile(`${path}/got/a.bin`, site.content.subarray(0, 1_234_567));
    const resumed = await runPeer("wget", ["-q", "-c", "-P", `${path}/got`, site.url("/a.bin")]);
    assertEquals(resumed.code, 0, resumed.stderr);
    assert(isSame(await Deno.readFile(`${path}/got/a.bin`), site.content));
    assertEquals(site.seen.at(-1)!.status, 206);
    const mirrored = await runPeer("wget", [
      ...["-q", "-r", "-np", "-nH", "-l", "3", "-P", `${path}/mirror`],
      site.url("/"),
    ]);
    assertEquals(mirrored.code, 0, mirrored.stderr);
    assertEquals(await Deno.readTextFile(`${path}/mirror/sub/b c.txt`), "hello");
  },
});

const PYTHON = `
import sys, urllib.request, urllib.error
url = sys.argv[1]
def ask(**headers):
    request = urllib.request.Request(url, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(request) as response:
            return response.status, response.headers, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()
status, headers, body = ask()
assert (status, len(body)) == (200, ${SIZE}), status
etag, modified = headers["ETag"], headers["Last-Modified"]
status, headers, part = ask(Range="bytes=10-19", If_Range=etag)
assert (status, part) == (206, body[10:20]), status
assert headers["Content-Range"] == "bytes 10-19/${SIZE}"
assert ask(Range="bytes=10-19", If_Range='"x"')[0] == 200
assert ask(Range="bytes=${SIZE}-")[0] == 416
assert ask(If_None_Match=etag)[0] == 304
assert ask(If_Modified_Since=modified)[0] == 304
assert ask(If_Match='"x"')[0] == 412
import email
status, headers, parts = ask(Range="bytes=0-9,100-109")
message = email.message_from_bytes(b"Content-Type: " + headers["Content-Type"].encode() + b"\\r\\n\\r\\n" + parts)
found = [part["Content-Range"] for part in message.get_payload()]
assert found == ["bytes 0-9/${SIZE}", "bytes 100-109/${SIZE}"], found
print("well")
`;

Deno.test({
  name: "python asks for ranges, parts and with conditions",
  ignore: !interopEnabled || !hasCommand("python3"),
  async fn() {
    await using site = await new StaticSite().start();
    const { text, stderr } = await runPeer("python3", ["-c", PYTHON, site.url("/a.bin")]);
    assertEquals(text.trim(), "well", stderr);
  },
});

/** Three minutes of a tone of 16 bits: a format that every browser seeks in by ranges. */
function sound(): Uint8Array {
  const rate = 44_100;
  const bytes = new Uint8Array(44 + rate * 2 * 180);
  const view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("RIFF....WAVEfmt "));
  view.setUint32(4, bytes.length - 8, true);
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  bytes.set(new TextEncoder().encode("data"), 36);
  view.setUint32(40, bytes.length - 44, true);
  for (let at = 44; at < bytes.length; at += 2) view.setInt16(at, (at % 200) * 50 - 5000, true);
  return bytes;
}

Deno.test({
  name: "Chromium seeks in a video by ranges",
  ignore: !interopEnabled || browser === undefined,
  async fn() {
    await using site = await new StaticSite().start();
    await site.folder.write("root/sound.wav", sound());
    const markup =
      `<!doctype html><title>v</title><video src="sound.wav" preload="metadata"></video>`;
    await site.folder.write("root/video.html", markup);
    await using chromium = await Browser.start(browser!);
    const page = await chromium.open(site.url("/video.html"));
    await page.until(`document.querySelector("video").readyState >= 1`);
    const duration = await page.evaluate<number>(`document.querySelector("video").duration`);
    assertEquals(Math.round(duration), 180);
    await page.evaluate(`document.querySelector("video").currentTime = 170`);
    await page.until(`!document.querySelector("video").seeking`);
    assertEquals(await page.evaluate(`document.querySelector("video").currentTime`), 170);
    const ranges = site.seen.filter(({ path }) => path === "/sound.wav");
    // Of what its cache has, it asks whether that is still the same.
    assert(ranges.every(({ status }) => status === 206 || status === 304), JSON.stringify(ranges));
    const starts = ranges.map(({ range }) => Number(/^bytes=(\d+)-/.exec(range!)![1]));
    assert(starts.some((start) => start > 14_000_000), starts.join());
  },
});

Deno.test({
  name: "Chromium takes a 304 for what it has, and walks through a listing",
  ignore: !interopEnabled || browser === undefined,
  async fn() {
    await using site = await new StaticSite().start();
    await using chromium = await Browser.start(browser!);
    const page = await chromium.open(site.url("/page.html"));
    await page.go(site.url("/page.html"));
    const statuses = site.seen.filter(({ path }) => path === "/page.html").map(({ status }) =>
      status
    );
    assertEquals(statuses, [200, 304]);
    await page.go(site.url("/"));
    assertEquals(await page.evaluate("document.querySelectorAll('tbody tr').length"), 3);
    await page.follow('a[href="?sort=size&order=asc"]');
    assertEquals(
      await page.evaluate("document.querySelector('th[aria-sort]').textContent.trim()"),
      "Size \u2191",
    );
    await page.follow('a[href="./sub/"]');
    assertEquals(await page.evaluate("document.title"), "/sub/");
    await page.follow('a[href="./b%20c.txt"]');
    assertEquals(await page.evaluate("document.body.textContent"), "hello");
    assertEquals(page.errors.filter((error) => !error.includes("favicon")), []);
  },
});
