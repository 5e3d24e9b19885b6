import { assertEquals, assertThrows } from "@std/assert";
import { NoProxyRules } from "../../http/no_proxy.ts";

/** Hosts at port 443 but where one is given. */
const ROWS: readonly { list: string; yes?: readonly string[]; no?: readonly string[] }[] = [
  { list: "", no: ["example.com", "127.0.0.1", "localhost"] },
  { list: " , ,\t", no: ["example.com", ""] },
  { list: "*", yes: ["example.com", "192.0.2.1", "::1"] },
  { list: "a.test,*", yes: ["example.com"] },
  {
    list: "example.com",
    yes: ["example.com", "EXAMPLE.com", "example.com.", "www.example.com", "a.b.example.com"],
    no: ["notexample.com", "example.com.evil.test", "com", "xexample.com", "example.org"],
  },
  {
    list: ".Example.com.",
    yes: ["example.com", "www.example.com"],
    no: ["wwwexample.com", "com"],
  },
  { list: "*.example.com", yes: ["www.example.com", "a.b.example.com"], no: ["example.com"] },
  {
    list: "example.com:8080 *.example.org:81",
    yes: ["example.com:8080", "www.example.com:8080", "a.example.org:81"],
    no: ["example.com", "example.com:808", "example.org:81", "a.example.org"],
  },
  { list: "localhost", yes: ["localhost", "db.localhost"], no: ["127.0.0.1"] },
  {
    list: "192.0.2.1 192.0.2.2:81",
    yes: ["192.0.2.1", "192.0.2.1:80", "192.0.2.2:81", "::ffff:192.0.2.1"],
    no: ["192.0.2.2", "192.0.2.10", "192.0.2.2:80", "1.192.0.2.1.test", "192.0.2.1.test"],
  },
  { list: "10.0.0.0/8", yes: ["10.0.0.0", "10.255.255.255"], no: ["11.0.0.0", "9.255.255.255"] },
  { list: "10.1.2.3/8", yes: ["10.9.9.9"], no: ["11.1.2.3"] },
  { list: "192.0.2.128/25", yes: ["192.0.2.128"], no: ["192.0.2.127"] },
  { list: "192.0.2.1/32,0.0.0.0/0", yes: ["192.0.2.1", "8.8.8.8"], no: ["::1", "a.test"] },
  { list: "10.0.0.0/33 10.0.0.0/ 10.0.0.0/x 10.0/8 /8", no: ["10.0.0.0", "10.0.0.1"] },
  {
    list: "2001:DB8::1,[::1],[2001:db8::2]:81",
    yes: ["2001:db8::1", "[2001:db8::1]", "2001:db8:0:0::1", "::1", "2001:db8::2|81"],
    no: ["2001:db8::2", "2001:db8::11"],
  },
  { list: "2001:db8::/32", yes: ["2001:db8:ffff::1"], no: ["2001:db9::"] },
  { list: "fe80::1%eth0", yes: ["fe80::1", "fe80::1%lo"], no: ["fe80::2"] },
  { list: "__proto__ constructor", yes: ["constructor"], no: ["toString", "hasOwnProperty"] },
  { list: "http://example.com", no: ["example.com"] },
  { list: ".", no: ["example.com", ""] },
];

for (const { list, yes = [], no = [] } of ROWS) {
  Deno.test(`NoProxyRules.has() goes by ${JSON.stringify(list)}`, () => {
    const rules = new NoProxyRules(list);
    const decide = (host: string): boolean => {
      const [, name = host, port = "443"] = /^([^|]*)\|(\d+)$/.exec(host) ??
        /^([^:]*):(\d+)$/.exec(host) ?? [];
      return rules.has(name, Number(port));
    };
    assertEquals(yes.filter((host) => !decide(host)), []);
    assertEquals(no.filter(decide), []);
  });
}

Deno.test("NoProxyRules takes an entry each, and texts of several", () => {
  const rules = new NoProxyRules(["a.test", "b.test c.test,192.0.2.0/24"]);
  for (const host of ["a.test", "b.test", "c.test", "192.0.2.9"]) {
    assertEquals(rules.has(host, 80), true, host);
  }
});

Deno.test("NoProxyRules takes 10,000 entries and refuses one more", () => {
  const list = Array.from({ length: 10_000 }, (_, index) => `h${index}.test`);
  assertEquals(new NoProxyRules(list).has("h9999.test", 80), true);
  assertThrows(() => new NoProxyRules([...list, "more.test"]), RangeError);
  assertThrows(() => new NoProxyRules("a.test,".repeat(1_000_000)), RangeError);
});
