import {
  compose,
  compress,
  type Context,
  serve,
  SseBroadcaster,
  type SseStream,
  sseStream,
} from "@nbio/net/http";
import { assert, assertEquals } from "@std/assert";
import { Browser } from "../_support/browser.ts";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { eventually, npmPeer, runPeer } from "../_support/peer.ts";

const curl = hasCommand("curl");
const python = hasCommand("python3");
const node = hasCommand("node");
const undici = npmPeer("undici");
const browser = ["chromium", "google-chrome"].find(hasCommand);

/** Three events and the end, and a broadcast that goes on. */
class EventApp implements AsyncDisposable {
  readonly news: SseBroadcaster = new SseBroadcaster({ historyCount: 100, retryMs: 50 });
  readonly toWrite: TransformStream<string, string> = new TransformStream();
  readonly errors: unknown[] = [];
  /** What clients named when they came. */
  readonly lastEventIds: (string | undefined)[] = [];
  readonly #streams: SseStream[] = [];
  readonly #server = serve(
    compose([compress()], (ctx) => {
      if (ctx.path === "/") return ctx.html("<!doctype html><title>events</title>");
      if (ctx.path === "/news") {
        const stream = this.news.subscribe(ctx);
        this.lastEventIds.push(stream.lastEventId);
        this.#streams.push(stream);
        return;
      }
      if (ctx.path === "/written") return this.#write(ctx);
      const stream = sseStream(ctx);
      stream.send({ id: "1", data: "one\ntwo" });
      stream.send({ event: "named", id: "é2", data: "drei ü 😀" });
      stream.send({ comment: "nobody sees this", data: "" });
      stream.close();
    }),
    { hostname: "127.0.0.1", port: 0, onError: (error) => void this.errors.push(error) },
  );

  /** What a handler does that writes events itself, each when it is told to. */
  async #write(ctx: Context): Promise<void> {
    ctx.set("content-type", "text/event-stream");
    const writer = ctx.writer();
    for await (const data of this.toWrite.readable) await writer.write(`data: ${data}\n\n`);
    await writer.close();
  }

  /** Ends what clients read; they may come back. */
  endStreams(): void {
    for (const stream of this.#streams.splice(0)) stream.close();
  }

  url(path: string): string {
    return `http://127.0.0.1:${(this.#server.addr as Deno.NetAddr).port}${path}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.news.close();
    await this.#server.shutdown({ graceMs: 0 });
  }
}

const WIRE = "id: 1\ndata: one\ndata: two\n\n" +
  "event: named\nid: é2\ndata: drei ü 😀\n\n" +
  ": nobody sees this\ndata: \n\n";

for (const args of [[], ["--compressed"], ["--compressed", "--header", "Accept-Encoding: gzip"]]) {
  Deno.test({
    name: `curl --no-buffer ${args.join(" ")} prints events`,
    ignore: !interopEnabled || !curl,
    async fn() {
      await using app = new EventApp();
      const common = ["--disable", "--noproxy", "*", "--silent", "--show-error", "--no-buffer"];
      const { code, text, stderr } = await runPeer("curl", [...common, ...args, app.url("/three")]);
      assertEquals(code, 0, stderr);
      assertEquals(text, WIRE);
      assertEquals(app.errors, []);
    },
  });
}

for (const path of ["/news", "/written"]) {
  Deno.test({
    name: `curl --compressed prints an event of ${path} before there is another`,
    ignore: !interopEnabled || !curl,
    async fn() {
      await using app = new EventApp();
      const child = new Deno.Command("curl", {
        args: ["--disable", "--noproxy", "*", "-sSN", "--compressed", app.url(path)],
        stdout: "piped",
      }).spawn();
      const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      const readUntil = async (part: string): Promise<void> => {
        while (!text.includes(part)) {
          const { done, value } = await reader.read();
          assert(!done, text);
          text += value;
        }
      };
      const writer = app.toWrite.writable.getWriter();
      try {
        if (path === "/news") assert(await eventually(() => app.news.clientCount === 1));
        for (const data of ["first", "second", "third"]) {
          if (path === "/news") app.news.publish({ data });
          else await writer.write(data);
          await readUntil(`data: ${data}\n\n`);
        }
      } finally {
        await writer.close();
        child.kill("SIGKILL");
        await child.status;
        await reader.cancel();
      }
    },
  });
}

const PYTHON = `
import json, sys, urllib.request
seen = []
with urllib.request.urlopen(sys.argv[1]) as response:
    assert response.headers["Content-Type"] == "text/event-stream"
    for line in response:
        seen.append(line.decode("utf-8"))
print(json.dumps("".join(seen)))
`;

Deno.test({
  name: "python reads events line by line",
  ignore: !interopEnabled || !python,
  async fn() {
    await using app = new EventApp();
    const { code, text, stderr } = await runPeer("python3", ["-c", PYTHON, app.url("/three")]);
    assertEquals(code, 0, stderr);
    assertEquals(JSON.parse(text), WIRE);
  },
});

const FETCH = `
const fetcher = process.argv[2] ? (await import(process.argv[2] + "/index.js")).default.fetch : fetch;
const response = await fetcher(process.argv[1]);
let text = "";
for await (const piece of response.body.pipeThrough(new TextDecoderStream())) text += piece;
console.log(JSON.stringify([response.headers.get("content-encoding"), text]));
`;

for (const [name, folder] of [["node fetch", ""], ["undici", undici]] as const) {
  Deno.test({
    name: `${name} reads compressed events as a stream`,
    ignore: !interopEnabled || !node || folder === undefined,
    async fn() {
      await using app = new EventApp();
      const args = ["--input-type=module", "--eval", FETCH, "--", app.url("/three"), folder!];
      const { code, text, stderr } = await runPeer("node", args);
      assertEquals(code, 0, stderr);
      const [coding, events] = JSON.parse(text);
      assert(["br", "gzip"].includes(coding), coding);
      assertEquals(events, WIRE);
    },
  });
}

Deno.test({
  name: "undici's EventSource gets every event once and in order",
  ignore: !interopEnabled || !node || undici === undefined,
  async fn() {
    await using app = new EventApp();
    const script = `
      const { EventSource } = (await import(process.argv[2] + "/index.js")).default;
      const source = new EventSource(process.argv[1]);
      const seen = [];
      source.onmessage = ({ data, lastEventId }) => {
        seen.push([data, lastEventId]);
        if (data !== "last") return;
        source.close();
        console.log(JSON.stringify(seen));
      };`;
    const args = ["--input-type=module", "--eval", script, "--", app.url("/news"), undici!];
    const running = runPeer("node", args);
    assert(await eventually(() => app.news.clientCount === 1, 20_000));
    app.news.publish({ id: "1", data: "one" });
    app.news.publish({ id: "2", data: "two" });
    app.news.publish({ id: "3", data: "last" });
    const { code, text, stderr } = await running;
    assertEquals(code, 0, stderr);
    assertEquals(JSON.parse(text), [["one", "1"], ["two", "2"], ["last", "3"]]);
  },
});

Deno.test({
  name: "Chromium's EventSource reads lines, names and ids",
  ignore: !interopEnabled || browser === undefined,
  async fn() {
    await using app = new EventApp();
    await using chromium = await Browser.start(browser!);
    const page = await chromium.open(app.url("/"));
    const seen = await page.evaluate(`new Promise((resolve) => {
      const source = new EventSource("/three");
      const seen = [];
      const note = ({ type, data, lastEventId }) => {
        seen.push([type, data, lastEventId]);
        if (data !== "") return;
        source.close();
        resolve(seen);
      };
      source.onmessage = note;
      source.addEventListener("named", note);
    })`);
    assertEquals(seen, [
      ["message", "one\ntwo", "1"],
      ["named", "drei ü 😀", "é2"],
      ["message", "", "é2"],
    ]);
    assertEquals(app.errors, []);
  },
});

Deno.test({
  name: "Chromium's EventSource comes back with its Last-Event-ID and misses nothing",
  ignore: !interopEnabled || browser === undefined,
  async fn() {
    await using app = new EventApp();
    await using chromium = await Browser.start(browser!);
    const page = await chromium.open(app.url("/"));
    await page.evaluate(`{
      globalThis.seen = [];
      globalThis.source = new EventSource("/news");
      source.onmessage = ({ data }) => seen.push(data);
    }`);
    assert(await eventually(() => app.news.clientCount === 1, 20_000));
    for (let id = 1; id <= 3; id++) app.news.publish({ id: `é${id}`, data: `${id}` });
    await page.until(`seen.length === 3`);
    // Ends the stream, not the broadcaster; what comes meanwhile is kept.
    app.endStreams();
    for (let id = 4; id <= 6; id++) app.news.publish({ id: `é${id}`, data: `${id}` });
    await page.until(`seen.length === 6`);
    assertEquals(await page.evaluate(`seen`), ["1", "2", "3", "4", "5", "6"]);
    assertEquals(app.lastEventIds, [undefined, "é3"]);
    await page.evaluate(`source.close()`);
    assertEquals(app.errors, []);
  },
});
