import { assertEquals } from "@std/assert";
import { HeaderList } from "../../http/header_list.ts";
import {
  endToEndFields,
  endToEndTrailers,
  fieldTokens,
  isHopByHop,
} from "../../http/hop_by_hop.ts";

Deno.test("isHopByHop() knows the fields of a connection in any case", () => {
  const hop = [
    "Connection",
    "KEEP-ALIVE",
    "te",
    "Trailer",
    "Transfer-Encoding",
    "upgrade",
    "Proxy",
    "Proxy-Connection",
    "proxy-authorization",
    "Proxy-Authenticate",
    "HTTP2-Settings",
  ];
  for (const name of hop) assertEquals([name, isHopByHop(name)], [name, true]);
  for (const name of ["Proxy-Status", "proxyx", "Content-Length", "Via", "tea", "Host"]) {
    assertEquals([name, isHopByHop(name)], [name, false]);
  }
});

Deno.test("endToEndFields() drops what Connection lists, over all its lines, and keeps order", () => {
  const headers = new HeaderList([
    ["A", "1"],
    ["Connection", " , x-one;q=1 ,".trim()],
    ["X-One", "1"],
    ["B", "2"],
    ["connection", "X-TWO"],
    ["x-two", "1"],
    ["x-two", "2"],
    ["a", "3"],
    ["Keep-Alive", "timeout=5"],
  ]);
  assertEquals([...endToEndFields(headers)], [["A", "1"], ["B", "2"], ["a", "3"]]);
  assertEquals(headers.size, 9);
});

Deno.test("endToEndTrailers() drops what may not stand in a trailer section", () => {
  const trailers = new HeaderList([["X-Sum", "1"], ["Content-Length", "5"], ["TE", "x"]]);
  assertEquals([...endToEndTrailers(trailers)], [["X-Sum", "1"]]);
  assertEquals(endToEndTrailers(undefined).size, 0);
});

Deno.test("fieldTokens() splits a list over all lines, without parameters and empty items", () => {
  const headers = new HeaderList([["TE", "Trailers;q=0.5, ,deflate"], ["te", "gzip"]]);
  assertEquals(fieldTokens(headers, "te"), ["trailers", "deflate", "gzip"]);
  assertEquals(fieldTokens(headers, "upgrade"), []);
});
