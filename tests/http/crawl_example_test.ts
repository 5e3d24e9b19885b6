import { assert, assertEquals } from "@std/assert";
import { Client } from "../../http/client.ts";
import { serve } from "../../http/serve.ts";
import { type CrawledPage, Crawler, isBroken, main } from "../../examples/crawl.ts";

/** Pages of a site, as HTML if they begin with `<`. */
type Site = Readonly<Record<string, string | number>>;

interface Visit {
  readonly pages: CrawledPage[];
  readonly paths: string[];
  readonly maxAtOnce: number;
}

async function crawl(site: Site, concurrency = 4, maxPages = 100): Promise<Visit> {
  let atOnce = 0;
  let maxAtOnce = 0;
  await using server = serve(async (ctx) => {
    maxAtOnce = Math.max(maxAtOnce, ++atOnce);
    // So that others come meanwhile.
    await new Promise((resolve) => setTimeout(resolve, 0));
    atOnce--;
    const page = site[ctx.path];
    if (typeof page === "number") ctx.status = page;
    else if (page === undefined) ctx.status = 404;
    else if (page.startsWith("/")) ctx.redirect(page);
    else if (page.startsWith("<")) ctx.html(page);
    else ctx.text(page);
  }, { hostname: "127.0.0.1", port: 0 });
  const start = new URL(`http://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`);
  await using client = new Client({ maxConnectionsPerHost: concurrency });
  const crawler = new Crawler(client, start, { concurrency, maxPages });
  const pages = await Array.fromAsync(crawler.pages());
  const paths = pages.map(({ url }) => url.slice(start.origin.length)).sort();
  return { pages, paths, maxAtOnce };
}

Deno.test("examples/crawl.ts visits every page once", async () => {
  const { pages, paths } = await crawl({
    "/":
      `<a href="/a">A</a><A class=x HREF='b'>B</A><a href="#here">here</a><a href="/a#there">A</a>`,
    "/a": `<a href="/">home</a><img src="x.png"><a href="?q=1&amp;r=2">next</a>`,
    "/b": `<link rel=icon href="/x.png"><a href="/gone">?</a>`,
    "/x.png": "png",
  });
  assertEquals(paths, ["/", "/a", "/a?q=1&r=2", "/b", "/gone", "/x.png"]);
  const broken = pages.filter(isBroken);
  assertEquals(broken.map(({ status, url }) => [status, new URL(url).pathname]), [[404, "/gone"]]);
  assertEquals(new URL(broken[0]!.from!).pathname, "/b");
});

Deno.test("examples/crawl.ts stays on its site, by redirects too", async () => {
  const { paths } = await crawl({
    "/": `<a href="https://example.com/">out</a><a href="//example.com/">out</a>
      <a href="mailto:a@example.com">out</a><a href="http://[">no</a><a href="/moved">in</a>`,
    "/moved": "/new",
    "/new": "x",
  });
  assertEquals(paths, ["/", "/moved", "/new"]);
});

Deno.test("examples/crawl.ts asks no more at a time than allowed", async () => {
  const links = Array.from({ length: 50 }, (_, index) => `<a href="/${index}">x</a>`).join("");
  for (const concurrency of [1, 3]) {
    const { pages, maxAtOnce } = await crawl({ "/": links }, concurrency);
    assertEquals(pages.length, 51);
    assert(maxAtOnce <= concurrency, `${maxAtOnce} at once`);
  }
});

Deno.test("examples/crawl.ts visits no more pages than allowed", async () => {
  const links = Array.from({ length: 50 }, (_, index) => `<a href="/${index}">x</a>`).join("");
  assertEquals((await crawl({ "/": links }, 4, 10)).pages.length, 10);
});

Deno.test("examples/crawl.ts takes a page that is too large for a failure", async () => {
  const { pages } = await crawl({ "/": `<!-- ${"x".repeat(4 * 1024 * 1024)} -->` });
  assertEquals([pages.length, isBroken(pages[0]!), pages[0]!.status], [1, true, 200]);
});

Deno.test("examples/crawl.ts takes linear time for whatever a page is", async () => {
  const html = "<a href='".repeat(100_000) + "<a ".repeat(300_000);
  assertEquals((await crawl({ "/": html })).pages.length <= 2, true);
});

Deno.test("examples/crawl.ts ends when nobody wants more", async () => {
  await using server = serve((ctx) => ctx.html(`<a href="${ctx.path}x">more</a>`), {
    hostname: "127.0.0.1",
    port: 0,
  });
  const start = new URL(`http://127.0.0.1:${(server.addr as Deno.NetAddr).port}/`);
  await using client = new Client();
  let count = 0;
  for await (const _ of new Crawler(client, start, { concurrency: 2, maxPages: 100 }).pages()) {
    if (++count === 5) break;
  }
  assertEquals(count, 5);
});

Deno.test("examples/crawl.ts says what is wrong with its arguments", async () => {
  const url = "http://127.0.0.1/";
  const bad = [[], ["x"], ["ftp://a/"], [url, url], ["--concurrency=0", url], [
    "--max-pages=x",
    url,
  ]];
  for (const args of bad) assertEquals(await main(args), 2);
});

Deno.test("examples/crawl.ts tells of a site that is not there", async () => {
  assertEquals(await main(["--quiet", "http://127.0.0.1:1/"]), 1);
});
