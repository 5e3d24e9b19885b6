import { assert, assertEquals } from "@std/assert";
import {
  formatListing,
  type ListingItem,
  type ListingOrder,
  parseListingOrder,
  sortItems,
} from "../../http/directory_listing.ts";

const BY_NAME: ListingOrder = { by: "name", isDescending: false };

function file(name: string, size = 1, modifiedMs = 0): ListingItem {
  return { name, isFolder: false, size, modifiedMs };
}

function folder(name: string): ListingItem {
  return { name, isFolder: true, size: 4096, modifiedMs: 0 };
}

Deno.test("parseListingOrder() reads what it knows, and takes the name for the rest", () => {
  for (
    const [query, by, isDescending] of [
      ["", "name", false],
      ["sort=size", "size", false],
      ["sort=modified&order=desc", "modified", true],
      ["sort=__proto__&order=x", "name", false],
    ] as const
  ) {
    assertEquals(parseListingOrder(new URLSearchParams(query)), { by, isDescending });
  }
});

Deno.test("sortItems() puts folders first and numbers in their order", () => {
  const items = [file("b", 1, 5), file("a10", 3, 1), folder("z"), file("a9", 2, 9), folder("y")];
  const names = (order: ListingOrder) => sortItems(items, order).map(({ name }) => name).join();
  assertEquals(names(BY_NAME), "y,z,a9,a10,b");
  assertEquals(names({ by: "name", isDescending: true }), "z,y,b,a10,a9");
  assertEquals(names({ by: "size", isDescending: false }), "y,z,b,a9,a10");
  assertEquals(names({ by: "size", isDescending: true }), "y,z,a10,a9,b");
  assertEquals(names({ by: "modified", isDescending: true }), "y,z,a9,b,a10");
});

Deno.test("formatListing() lets no name become markup, a scheme or another host", () => {
  const names = ['"><script>alert(1)</script>', "javascript:alert(1)", "//evil.example", "a?b#c"]
    .concat(["%2e%2e", "&lt;", "' onmouseover='x"]);
  for (const isFolder of [false, true]) {
    const items = names.map((name) => ({ ...file(name), isFolder }));
    const html = formatListing({ names, items, isTruncated: false, order: BY_NAME });
    assert(!html.includes("<script>"), html);
    const links = [...html.matchAll(/href="([^"]*)"/g)].map((match) => match[1]!);
    for (const link of links) assert(/^(?:\.\/[^/:]*\/?|(?:\.\.\/)+|\?[\w=&;]+)$/.test(link), link);
    assert(links.includes(`./%252e%252e${isFolder ? "/" : ""}`));
    assert(links.includes(`./a%3Fb%23c${isFolder ? "/" : ""}`));
  }
});

Deno.test("formatListing() shows sizes, dates, order, the way up and what is left out", () => {
  const items = [folder("f"), file("a", 1023), file("b", 1536, Date.UTC(2020, 1, 3, 4, 5))]
    .concat([file("c", 5 * 2 ** 30), { ...file("d"), modifiedMs: undefined }]);
  const order: ListingOrder = { by: "size", isDescending: true };
  const html = formatListing({ names: ["x", "y"], items, isTruncated: true, order });
  for (
    const text of ["1023 B", "1.50 KiB", "5.00 GiB", "03 Feb 2020, 04:05", 'href="../"']
      .concat(['href="../../"', "<title>/x/y/</title>", 'aria-sort="descending"', "1 folder"])
      .concat(["4 files", "not shown", "?sort=size&amp;order=asc"])
  ) {
    assert(html.includes(text), text);
  }
  assert(!formatListing({ names: [], items, isTruncated: false, order }).includes('href="../"'));
});
