/** `client.fetch` in the hands of libraries that take a fetch. */

import { createRequire } from "node:module";
import { Client, serve } from "@nbio/net/http";
import { assertEquals } from "@std/assert";
import { eventually, npmPeer } from "../_support/peer.ts";

/** What has come of the questions that every library is asked, each in its own words. */
interface Asked {
  /** The answer to a GET with a query. */
  readonly got: unknown;
  /** The answer to a POST of JSON. */
  readonly posted: unknown;
  /** What a server says that is busy twice, as text. */
  readonly busy: string;
  /** Status that the error for a 404 has. */
  readonly status: unknown;
  /** Name of the error for an answer that takes too long, or of that one's cause. */
  readonly late: string;
  /** Characters of an answer that comes compressed. */
  readonly pageLength: number;
}

// What the libraries export is not known to the compiler here.
// deno-lint-ignore no-explicit-any
type Untyped = any;

const SHORT_MS = 50;
const PAGE = "<p>page</p>".repeat(10_000);

const LIBRARIES: Readonly<
  Record<string, (library: Untyped, client: Client, url: string) => Promise<Asked>>
> = {
  async ky({ default: ky }, client, prefixUrl) {
    const api = ky.create({ fetch: client.fetch, prefixUrl, retry: { limit: 2, delay: () => 1 } });
    return {
      got: await api.get("echo", { searchParams: { a: "b" } }).json(),
      posted: await api.post("echo", { json: { c: [1] } }).json(),
      busy: await api.get("busy").text(),
      status: await api.get("missing").catch((error: Untyped) => error.response.status),
      late: await api.get("late", { timeout: SHORT_MS }).catch((error: Untyped) => error.name),
      pageLength: (await api.get("page").text()).length,
    };
  },

  async ofetch({ createFetch }, client, baseURL) {
    const globals = { fetch: client.fetch, Headers, AbortController };
    const api = createFetch(globals).create({ baseURL, retry: 2, retryDelay: 1 });
    return {
      got: await api("/echo", { query: { a: "b" } }),
      posted: await api("/echo", { method: "POST", body: { c: [1] } }),
      busy: await api("/busy", { responseType: "text" }),
      status: await api("/missing").catch((error: Untyped) => error.status),
      late: await api("/late", { timeout: SHORT_MS, retry: 0 })
        .catch((error: Untyped) => error.cause.name),
      pageLength: (await api("/page", { responseType: "text" })).length,
    };
  },
};

for (const [name, ask] of Object.entries(LIBRARIES)) {
  const folder = npmPeer(name);
  Deno.test({
    name: `${name} asks with client.fetch`,
    ignore: folder === undefined,
    async fn() {
      let busyCount = 0;
      await using server = serve(async (ctx) => {
        if (ctx.path === "/echo") {
          const { method, search } = ctx;
          ctx.json({ method, search, body: await ctx.body.text() });
        } else if (ctx.path === "/busy") {
          if (++busyCount < 3) ctx.status = 503;
          ctx.text(`asked ${busyCount} times`);
        } else if (ctx.path === "/late") {
          await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve));
        } else if (ctx.path === "/page") {
          ctx.set("content-encoding", "gzip");
          ctx.stream(new Blob([PAGE]).stream().pipeThrough(new CompressionStream("gzip")));
        }
      }, { hostname: "127.0.0.1", port: 0, abortOnHalfClose: true });
      const url = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}`;
      await using client = new Client();
      const library = createRequire(`${folder}/package.json`)(name);
      assertEquals(await ask(library, client, url), {
        got: { method: "GET", search: "?a=b", body: "" },
        posted: { method: "POST", search: "", body: '{"c":[1]}' },
        busy: "asked 3 times",
        status: 404,
        late: "TimeoutError",
        pageLength: PAGE.length,
      });
      // Libraries leave bodies of errors unread, which must not hold on to their connections for long.
      assertEquals(
        await eventually(() => client.stats().connections === client.stats().idle),
        true,
      );
    },
  });
}
