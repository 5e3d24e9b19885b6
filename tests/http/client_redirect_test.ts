import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  isRedirectStatus,
  nextRedirect,
  type RedirectedRequest,
  type RedirectOptions,
  type RedirectStep,
} from "../../http/client_redirect.ts";
import { HttpRedirectError } from "../../http/client_redirect_error.ts";
import { type HeaderInit, HeaderList } from "../../http/header_list.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";

const HTTPS = "https://a.example/dir/page?q=1#top";

function request(
  url: string = HTTPS,
  parts: Partial<Omit<RedirectedRequest, "url" | "headers">> = {},
  headers: HeaderInit = {},
): RedirectedRequest {
  return {
    method: "GET",
    hasBody: false,
    isReplayable: true,
    redirectCount: 0,
    ...parts,
    url: new URL(url),
    headers: new HeaderList(headers),
  };
}

function follow(
  asked: RedirectedRequest,
  location: string,
  status = 302,
  options: RedirectOptions = {},
): RedirectStep {
  const step = nextRedirect(asked, { status, location }, options);
  assert(step !== undefined);
  return step;
}

function refused(call: () => unknown): string {
  return assertThrows(call, HttpRedirectError).code;
}

const METHODS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  GET: { 301: "GET", 302: "GET", 303: "GET", 307: "GET", 308: "GET" },
  HEAD: { 301: "HEAD", 302: "HEAD", 303: "HEAD", 307: "HEAD", 308: "HEAD" },
  POST: { 301: "GET", 302: "GET", 303: "GET", 307: "POST", 308: "POST" },
  PUT: { 301: "PUT", 302: "PUT", 303: "GET", 307: "PUT", 308: "PUT" },
  PATCH: { 301: "PATCH", 302: "PATCH", 303: "GET", 307: "PATCH", 308: "PATCH" },
  DELETE: { 301: "DELETE", 302: "DELETE", 303: "GET", 307: "DELETE", 308: "DELETE" },
  OPTIONS: { 301: "OPTIONS", 302: "OPTIONS", 303: "GET", 307: "OPTIONS", 308: "OPTIONS" },
  // Methods are case-sensitive: this is not POST.
  post: { 301: "post", 302: "post", 303: "GET", 307: "post", 308: "post" },
};

for (const [method, byStatus] of Object.entries(METHODS)) {
  Deno.test(`nextRedirect() changes ${method} as its status says, and the body with it`, () => {
    for (const [status, expected] of Object.entries(byStatus)) {
      const asked = request(HTTPS, { method, hasBody: true }, {
        "Content-Type": "text/plain",
        "content-LENGTH": "3",
        "Content-Encoding": "gzip",
        "Content-Digest": "x",
        "Digest": "x",
        "Expect": "100-continue",
        "Trailer": "x",
        "Transfer-Encoding": "chunked",
        "X-Id": "7",
      });
      const step = follow(asked, "/next", Number(status));
      const dropBody = status === "303" || expected !== method;
      assertEquals([step.method, step.dropBody], [expected, dropBody]);
      assertEquals([...step.headers.names()].length, dropBody ? 1 : 9);
      assertEquals(asked.headers.size, 9);
    }
  });
}

Deno.test("nextRedirect() gives nothing for responses that lead nowhere", () => {
  for (const status of [200, 201, 300, 304, 305, 306, 399, 400, 100]) {
    assertEquals(isRedirectStatus(status), false);
    assertEquals(nextRedirect(request(), { status, location: "/next" }), undefined);
  }
  assertEquals(nextRedirect(request(), { status: 302, location: undefined }), undefined);
});

const TARGETS: readonly (readonly [name: string, location: string, href: string])[] = [
  ["an absolute URL", "https://b.example/x#y", "https://b.example/x#y"],
  ["another host", "//b.example/x", "https://b.example/x#top"],
  ["an absolute path", "/x?y", "https://a.example/x?y#top"],
  ["a relative path", "x", "https://a.example/dir/x#top"],
  ["a path upwards", "../../x", "https://a.example/x#top"],
  ["a query", "?z", "https://a.example/dir/page?z#top"],
  ["a fragment", "#bottom", "https://a.example/dir/page?q=1#bottom"],
  ["an empty fragment", "/x#", "https://a.example/x#"],
  ["nothing", "", "https://a.example/dir/page?q=1#top"],
  ["blanks around", " /x ", "https://a.example/x#top"],
  ["bytes of UTF-8", "/gr\xc3\xbcezi", "https://a.example/gr%C3%BCezi#top"],
  ["a host in UTF-8", "https://\xc3\xbc.example/", "https://xn--tda.example/#top"],
  ["bytes of Latin-1", "/gr\xfcezi", "https://a.example/gr%FCezi#top"],
  ["a backslash", "\\\\b.example\\x", "https://b.example/x#top"],
  ["two URLs", "https://a.example/, x:y", "https://a.example/,%20x:y#top"],
  ["the default port", "https://a.example:443/x", "https://a.example/x#top"],
];

for (const [name, location, href] of TARGETS) {
  Deno.test(`nextRedirect() resolves a Location with ${name}`, () => {
    const asked = request();
    assertEquals(follow(asked, location).url.href, href);
    assertEquals(asked.url.href, HTTPS);
  });
}

Deno.test("nextRedirect() inherits a fragment down a chain", () => {
  let asked = request("https://a.example/#here");
  for (const location of ["/1", "https://b.example/2", "3"]) {
    asked = { ...asked, ...follow(asked, location) };
  }
  assertEquals(asked.url.href, "https://b.example/3#here");
});

const BAD: readonly (readonly [name: string, location: string, code: string])[] = [
  ["no host", "https://", "ERR_HTTP_REDIRECT_BAD_LOCATION"],
  ["a bad port", "https://b.example:99999/", "ERR_HTTP_REDIRECT_BAD_LOCATION"],
  ["a bad address", "https://[::1/", "ERR_HTTP_REDIRECT_BAD_LOCATION"],
  [
    "a host with a blank",
    "https://b.example, https://a.example/",
    "ERR_HTTP_REDIRECT_BAD_LOCATION",
  ],
  ["a file", "file:///etc/passwd", "ERR_HTTP_REDIRECT_BAD_SCHEME"],
  ["a script", "javascript:alert(1)", "ERR_HTTP_REDIRECT_BAD_SCHEME"],
  ["data", "data:text/plain,x", "ERR_HTTP_REDIRECT_BAD_SCHEME"],
  ["a WebSocket", "wss://a.example/", "ERR_HTTP_REDIRECT_BAD_SCHEME"],
  ["FTP", "ftp://a.example/", "ERR_HTTP_REDIRECT_BAD_SCHEME"],
  ["http after https", "http://a.example/", "ERR_HTTP_REDIRECT_INSECURE"],
];

for (const [name, location, code] of BAD) {
  Deno.test(`nextRedirect() refuses a Location with ${name}`, () => {
    assertEquals(refused(() => follow(request(), location)), code);
  });
}

Deno.test("nextRedirect() goes from https to http only if that is allowed, never unnoticed", () => {
  const asked = request(HTTPS, {}, { Authorization: "x" });
  const step = follow(asked, "http://a.example/", 302, { allowInsecureRedirect: true });
  assertEquals([step.url.protocol, step.isCrossOrigin, step.headers.size], ["http:", true, 0]);
  const code = "ERR_HTTP_REDIRECT_INSECURE";
  assertEquals(refused(() => follow(asked, "http://a.example/", 301, {})), code);
  assertEquals(follow(request("http://a.example/"), "https://a.example/").url.protocol, "https:");
});

const SECRETS: HeaderInit = [
  ["Authorization", "Bearer 1"],
  ["COOKIE", "a=1"],
  ["cookie", "b=2"],
  ["Proxy-Authorization", "Basic 2"],
  ["Host", "a.example"],
  ["x-api-key", "3"],
  ["X-Token", "4"],
  ["Accept", "*/*"],
];

const ORIGINS: readonly (readonly [name: string, location: string, isOther: boolean])[] = [
  ["the same path", "", false],
  ["the default port named", "https://A.example:443/", false],
  ["another host", "https://b.example/", true],
  ["a host above", "https://example/", true],
  ["a host below", "https://x.a.example/", true],
  ["another port", "https://a.example:444/", true],
  ["the same host with a dot", "https://a.example./", true],
  ["another scheme", "http://a.example:443/", true],
];

for (const [name, location, isOther] of ORIGINS) {
  Deno.test(`nextRedirect() ${isOther ? "drops" : "keeps"} secrets at ${name}`, () => {
    const options = { allowInsecureRedirect: true };
    for (const status of [301, 302, 303, 307, 308]) {
      const step = follow(request(HTTPS, {}, SECRETS), location, status, options);
      assertEquals(step.isCrossOrigin, isOther);
      const names = [...step.headers.names()];
      assertEquals(names, isOther ? ["X-Token", "Accept"] : SECRETS_NAMES);
    }
  });
}
const SECRETS_NAMES = Array.from(SECRETS as Iterable<[string, string]>, ([name]) => name);

Deno.test("nextRedirect() drops what the caller calls sensitive", () => {
  const options = { sensitiveHeaders: ["x-TOKEN"] };
  const step = follow(request(HTTPS, {}, SECRETS), "//b.example/", 307, options);
  assertEquals([...step.headers.names()], ["x-api-key", "Accept"]);
});

Deno.test("nextRedirect() brings nothing back on the way home", () => {
  let asked = request(HTTPS, {}, SECRETS);
  for (const location of ["https://b.example/", "https://a.example/", "/again"]) {
    asked = { ...asked, ...follow(asked, location) };
  }
  assertEquals(asked.url.origin, "https://a.example");
  assertEquals([...asked.headers.names()], ["X-Token", "Accept"]);
});

Deno.test("nextRedirect() takes credentials in URLs from the caller alone", () => {
  const asked = request("https://me:pw@a.example/");
  assertEquals(follow(asked, "/x").url.href, "https://me:pw@a.example/x");
  assertEquals(follow(asked, "https://a.example/x").url.href, "https://me:pw@a.example/x");
  assertEquals(follow(asked, "https://you:no@a.example/x").url.href, "https://me:pw@a.example/x");
  const away = follow(asked, "https://me:pw@b.example/x");
  assertEquals(away.url.href, "https://b.example/x");
  const home = follow({ ...asked, ...away }, "https://a.example/y");
  assertEquals(home.url.href, "https://a.example/y");
});

Deno.test("nextRedirect() follows as many as allowed", () => {
  const at = (redirectCount: number): RedirectedRequest => request(HTTPS, { redirectCount });
  const code = "ERR_HTTP_REDIRECT_TOO_MANY";
  follow(at(19), "/x");
  assertEquals(refused(() => follow(at(20), "/x")), code);
  follow(at(1), "/x", 302, { maxRedirects: 2 });
  assertEquals(refused(() => follow(at(2), "/x", 302, { maxRedirects: 2 })), code);
  assertEquals(refused(() => follow(at(0), "/x", 302, { maxRedirects: 0 })), code);
  follow(at(999), "/x", 302, { maxRedirects: 1_000 });
  for (const maxRedirects of [-1, 1.5, NaN, 1_001, Infinity]) {
    assertThrows(() => follow(request(), "/x", 302, { maxRedirects }), RangeError);
  }
});

Deno.test("nextRedirect() ends a loop", () => {
  let asked = request("http://a.example/");
  let count = 0;
  const error = assertThrows(() => {
    for (;; count++) asked = { ...asked, ...follow(asked, "/"), redirectCount: count + 1 };
  }, HttpRedirectError);
  assertEquals([count, error.redirectCount, error.status], [20, 20, 302]);
});

Deno.test("nextRedirect() leaves redirects to the caller, or refuses them", () => {
  const redirect = { status: 301, location: "javascript:1" };
  assertEquals(nextRedirect(request(), redirect, { redirect: "manual" }), undefined);
  const isError = { redirect: "error" } as const;
  const code = "ERR_HTTP_REDIRECT_REFUSED";
  assertEquals(refused(() => nextRedirect(request(), redirect, isError)), code);
  const bare = { status: 301, location: undefined };
  assertEquals(refused(() => nextRedirect(request(), bare, isError)), code);
  assertEquals(nextRedirect(request(), { status: 304, location: "/" }, isError), undefined);
});

Deno.test("nextRedirect() throws where a body is wanted twice and is there once", () => {
  const once = { hasBody: true, isReplayable: false };
  const code = "ERR_HTTP_REDIRECT_BODY";
  const post = request(HTTPS, { ...once, method: "POST" });
  for (const status of [307, 308]) assertEquals(refused(() => follow(post, "/", status)), code);
  for (const status of [301, 302, 303]) assertEquals(follow(post, "/", status).dropBody, true);
  const put = request(HTTPS, { ...once, method: "PUT" });
  assertEquals(refused(() => follow(put, "/", 302)), code);
  follow(request(HTTPS, { ...once, hasBody: false, method: "PUT" }), "/", 308);
});

Deno.test("nextRedirect() tells no secrets in its errors", () => {
  const asked = request("https://me:pw@a.example/secret?secret=1", { redirectCount: 20 });
  for (const location of ["http://u:secret@b.example/secret", "https://secret:x/", "/secret"]) {
    const error = assertThrows(() => follow(asked, location), HttpRedirectError);
    assert(!/secret|me:|pw/.test(`${error.message} ${JSON.stringify(error)}`), error.message);
  }
});

Deno.test("nextRedirect() gives a step or a documented error, whatever comes", () => {
  const random = new SeededRandom(8);
  const parts = [
    "http",
    "s:",
    "//",
    "a.example",
    ":80",
    "@",
    "/",
    "\\",
    "..",
    "?",
    "#",
    "%",
    "[",
    "\xff",
  ];
  for (let round = 0; round < 5_000; round++) {
    let location = "";
    for (let count = random.int(8); count > 0; count--) {
      location += random.int(4) === 0
        ? String.fromCharCode(random.int(256))
        : parts[random.int(parts.length)];
    }
    const asked = request(HTTPS, {}, SECRETS);
    try {
      const step = follow(asked, location, 307);
      assertEquals(step.headers.has("authorization"), step.url.origin === asked.url.origin);
      assertEquals(step.url.protocol, "https:");
    } catch (error) {
      assert(error instanceof HttpRedirectError, String(error));
    }
  }
});

Deno.test("nextRedirect() takes a Location that comes twice, and refuses two that differ", () => {
  const twice = nextRedirect(request(), { status: 302, location: ["/next", "/next"] });
  assertEquals(twice?.url.pathname, "/next");
  assertEquals(nextRedirect(request(), { status: 302, location: [] }), undefined);
  const error = assertThrows(
    () => nextRedirect(request(), { status: 302, location: ["/next", "/other"] }),
    HttpRedirectError,
  );
  assertEquals(error.code, "ERR_HTTP_REDIRECT_BAD_LOCATION");
});
