import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  proxyFromEnvironment,
  type ProxyOptions,
  ProxyRules,
  ProxyServer,
} from "../../http/client_proxy.ts";

const SERVERS: readonly { text: string; shown: string; login?: readonly [string, string] }[] = [
  { text: "proxy.test", shown: "http://proxy.test:80" },
  { text: "proxy.test:3128", shown: "http://proxy.test:3128" },
  { text: "127.0.0.1:3128", shown: "http://127.0.0.1:3128" },
  { text: "http://PROXY.test/some/path?q", shown: "http://proxy.test:80" },
  { text: "HTTPS://proxy.test", shown: "https://proxy.test:443" },
  { text: "socks5://SOCKS.test", shown: "socks5://socks.test:1080" },
  { text: "socks5h://127.0.0.1:9", shown: "socks5h://127.0.0.1:9" },
  { text: "http://[2001:db8::1]:81", shown: "http://[2001:db8::1]:81" },
  { text: "socks5h://[::1]", shown: "socks5h://[::1]:1080" },
  { text: "ada:s3cret@proxy.test:1", shown: "http://proxy.test:1", login: ["ada", "s3cret"] },
  { text: "http://ada@proxy.test:1", shown: "http://proxy.test:1", login: ["ada", ""] },
  {
    text: "http://a%40b:%3A%2F%C3%A9@proxy.test:1",
    shown: "http://proxy.test:1",
    login: ["a@b", ":/é"],
  },
  { text: "socks5://a%3Ab:c@s.test", shown: "socks5://s.test:1080", login: ["a:b", "c"] },
];

for (const { text, shown, login } of SERVERS) {
  Deno.test(`ProxyServer reads ${text}`, () => {
    const server = new ProxyServer(text);
    assertEquals(String(server), shown);
    assertEquals(server.credentials, login && { username: login[0], password: login[1] });
    if (login === undefined) return assertEquals(server.authorization, undefined);
    const bytes = Uint8Array.from(atob(server.authorization!.slice(6)), (c) => c.charCodeAt(0));
    assertEquals(new TextDecoder().decode(bytes), login.join(":"));
    for (const seen of [Deno.inspect(server), JSON.stringify(server), `${server}`]) {
      assert(!seen.includes(login[0]) || login[0] === "a:b", seen);
      assert(login[1] === "" || login[1] === "c" || !seen.includes(login[1]), seen);
    }
  });
}

const SECRET = "s3cret";
const BAD: readonly string[] = [
  "",
  "http://",
  "socks5:///path",
  `ftp://u:${SECRET}@proxy.test`,
  `socks4://u:${SECRET}@proxy.test`,
  `constructor://u:${SECRET}@proxy.test`,
  `http://u:${SECRET}@proxy.test:0`,
  `http://u:${SECRET}@proxy.test:65536`,
  `http://u:${SECRET}@ab cd`,
  `http://u:${SECRET}%zz@proxy.test`,
  `http://u:${SECRET}%ff@proxy.test`,
  `http://u:${SECRET}%0d%0aX:y@proxy.test`,
  `http://u:${SECRET}%00@proxy.test`,
  `http://u%3Av:${SECRET}@proxy.test`,
  `socks5://:${SECRET}@proxy.test`,
  `socks5://${"u".repeat(256)}:${SECRET}@proxy.test`,
  `socks5h://u:${SECRET.repeat(50)}@proxy.test`,
];

for (const text of BAD) {
  Deno.test(`ProxyServer throws on ${text.slice(0, 60)}, and does not tell the password`, () => {
    const error = assertThrows(() => new ProxyServer(text), TypeError);
    assert(!Deno.inspect(error).split("\n")[0]!.includes(SECRET), error.message);
  });
}

const CHOICES: readonly { proxy: ProxyOptions | string; url: string; chosen?: string }[] = [
  { proxy: {}, url: "http://a.test" },
  { proxy: "p.test", url: "http://a.test", chosen: "http://p.test:80" },
  { proxy: "p.test", url: "wss://a.test", chosen: "http://p.test:80" },
  { proxy: { http: "p.test" }, url: "http://a.test", chosen: "http://p.test:80" },
  { proxy: { http: "p.test" }, url: "ws://a.test", chosen: "http://p.test:80" },
  { proxy: { http: "p.test" }, url: "https://a.test" },
  { proxy: { https: "p.test" }, url: "wss://a.test", chosen: "http://p.test:80" },
  { proxy: { https: "p.test" }, url: "http://a.test" },
  { proxy: { all: "p.test", http: "q.test" }, url: "http://a.test", chosen: "http://q.test:80" },
  { proxy: { all: "p.test", http: "q.test" }, url: "https://a.test", chosen: "http://p.test:80" },
  { proxy: { all: "p.test", noProxy: "a.test" }, url: "https://a.test" },
  { proxy: { all: "p.test", noProxy: "a.test:443" }, url: "https://a.test" },
  { proxy: { all: "p.test", noProxy: "a.test:80" }, url: "ws://a.test" },
  {
    proxy: { all: "p.test", noProxy: ["a.test:443"] },
    url: "https://a.test:444",
    chosen: "http://p.test:80",
  },
  { proxy: { all: "p.test", noProxy: "::1" }, url: "http://[::1]:8080" },
];

for (const { proxy, url, chosen } of CHOICES) {
  Deno.test(`ProxyRules.proxyFor() of ${JSON.stringify(proxy)} for ${url}`, () => {
    const server = new ProxyRules(proxy).proxyFor(new URL(url));
    assertEquals(server && String(server), chosen);
  });
}

Deno.test("ProxyRules throws on what it writes itself, and on what cannot be written", () => {
  for (const name of ["Host", "proxy-Authorization", "Content-Length", "Transfer-Encoding"]) {
    assertThrows(() => new ProxyRules({ all: "p.test", headers: [[name, "1"]] }), TypeError);
  }
  assertThrows(() => new ProxyRules({ headers: { "x-a": "b\r\nc: d" } }), TypeError);
});

const ENVIRONMENTS: readonly { set: Readonly<Record<string, string>>; read: ProxyOptions }[] = [
  { set: {}, read: {} },
  { set: { HTTP_PROXY: "http://evil.test" }, read: {} },
  { set: { http_proxy: "p.test" }, read: { http: "p.test" } },
  { set: { https_proxy: "p.test", HTTPS_PROXY: "q.test" }, read: { https: "p.test" } },
  { set: { HTTPS_PROXY: " q.test " }, read: { https: "q.test" } },
  { set: { https_proxy: "", HTTPS_PROXY: "q.test" }, read: { https: "q.test" } },
  { set: { ALL_PROXY: "socks5h://p.test" }, read: { all: "socks5h://p.test" } },
  { set: { all_proxy: "p.test", NO_PROXY: "a, b" }, read: { all: "p.test", noProxy: "a, b" } },
  { set: { no_proxy: "a", NO_PROXY: "b" }, read: { noProxy: "a" } },
];

for (const { set, read } of ENVIRONMENTS) {
  Deno.test(`proxyFromEnvironment() reads ${JSON.stringify(set)}`, () => {
    assertEquals(proxyFromEnvironment((name) => set[name]), read);
  });
}

Deno.test("proxyFromEnvironment() throws on a proxy that cannot be used, and what it is read by", () => {
  const environment: Record<string, string> = { https_proxy: "socks4://u:s3cret@p.test" };
  const error = assertThrows(() => proxyFromEnvironment((name) => environment[name]), TypeError);
  assert(!error.message.includes("s3cret"));
  const denied = new Error("not allowed");
  const thrown = assertThrows(() =>
    proxyFromEnvironment(() => {
      throw denied;
    })
  );
  assert(thrown === denied);
});
