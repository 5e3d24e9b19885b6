import { type HttpServer, serve } from "@nbio/net/http";
import { upgrade, type UpgradeOptions } from "@nbio/net/websocket";
import { assert, assertEquals } from "@std/assert";
import { Browser } from "../_support/browser.ts";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { eventually } from "../_support/peer.ts";

const browser = ["chromium", "google-chrome"].find(hasCommand);
const ignore = !interopEnabled || browser === undefined;

/** What a page says about its connection. */
interface Seen {
  readonly rightCount: number;
  readonly extensions: string;
  readonly protocol: string;
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
}

/** Runs in the page: messages of all lengths, as text and as bytes, to an echo server. */
const EXCHANGE = `async (url) => {
  const ws = new WebSocket(url, ["b", "a"]);
  ws.binaryType = "arraybuffer";
  const closed = new Promise((resolve) => ws.onclose = resolve);
  const opened = new Promise((resolve) => ws.onopen = () => resolve(true));
  let rightCount = 0;
  if (await Promise.race([opened, closed]) === true) {
    for (const size of [0, 1, 125, 126, 1000, 65535, 65536, 300000]) {
      const bytes = Uint8Array.from({ length: size }, (_, index) => index * 31);
      for (const message of ["é".repeat(size), bytes]) {
        const answer = new Promise((resolve) => ws.onmessage = ({ data }) => resolve(data));
        ws.send(message);
        const data = await answer;
        rightCount += typeof message === "string"
          ? data === message
          : new Uint8Array(data).every((byte, at) => byte === message[at]) &&
            data.byteLength === size;
      }
    }
    ws.close(4000, "done");
  }
  const { code, reason, wasClean } = await closed;
  const { extensions, protocol } = ws;
  return { rightCount, extensions, protocol, code, reason, wasClean };
}`;

/** Serves a page and, at `/ws`, messages that come back. */
function serveBoth(options: UpgradeOptions): HttpServer {
  return serve(async (ctx) => {
    if (ctx.path !== "/ws") return ctx.html("<!DOCTYPE html><title>Echo</title>");
    await using ws = await upgrade(ctx, { ...options, subprotocols: ["a", "b"] });
    for await (const { data } of ws) await ws.send(data);
  }, { hostname: "127.0.0.1", port: 0, onError: () => {} });
}

function originOf(server: HttpServer): string {
  return `127.0.0.1:${(server.addr as Deno.NetAddr).port}`;
}

/** Opens a page of one server that connects to another, or the same. */
async function visit(page: HttpServer, server: HttpServer): Promise<Seen> {
  await using chromium = await Browser.start(browser!);
  const tab = await chromium.open(`http://${originOf(page)}/`);
  const seen = await tab.evaluate<Seen>(`(${EXCHANGE})("ws://${originOf(server)}/ws")`);
  return seen;
}

const COMPRESSIONS: readonly (readonly [name: string, options: UpgradeOptions])[] = [
  ["without compression", {}],
  ["with compression", { compression: true }],
  ["with windows of 9 bits", {
    compression: { serverMaxWindowBits: 9, clientMaxWindowBits: 9 },
  }],
  ["without takeover", {
    compression: { serverNoContextTakeover: true, clientNoContextTakeover: true },
  }],
];

for (const [name, options] of COMPRESSIONS) {
  Deno.test({
    name: `Chromium talks to upgrade(), ${name}`,
    ignore,
    async fn() {
      await using server = serveBoth(options);
      const { extensions, ...seen } = await visit(server, server);
      assertEquals(seen, {
        ...{ rightCount: 16, protocol: "a", code: 4000, reason: "", wasClean: true },
      });
      assertEquals(extensions.startsWith("permessage-deflate"), options.compression !== undefined);
      assert(await eventually(() => server.stats().connectionCount === 0));
      assertEquals(server.stats().protocolErrorCount, 0);
    },
  });
}

Deno.test({
  name: "Chromium is refused where the page is of another origin, and let in where that is listed",
  ignore,
  async fn() {
    await using page = serveBoth({});
    await using strict = serveBoth({});
    const { code, rightCount } = await visit(page, strict);
    assertEquals({ code, rightCount }, { code: 1006, rightCount: 0 });
    await using open = serveBoth({ origin: [`http://${originOf(page)}`] });
    assertEquals((await visit(page, open)).rightCount, 16);
  },
});
