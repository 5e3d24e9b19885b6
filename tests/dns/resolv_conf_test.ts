import { assertEquals } from "@std/assert";
import {
  parseResolvConf,
  type ParseResolvConfOptions,
  type ResolvConf,
} from "../../dns/resolv_conf.ts";

interface Row extends ParseResolvConfOptions {
  readonly name: string;
  readonly text: string;
  readonly wanted: Partial<ResolvConf>;
}

const DEFAULTS: ResolvConf = {
  nameservers: ["127.0.0.1"],
  search: [],
  ndots: 1,
  timeoutMs: 5_000,
  attempts: 2,
  rotate: false,
  useTcp: false,
  edns0: false,
  trustAd: false,
  inet6: false,
  singleRequest: false,
  singleRequestReopen: false,
  noTldQuery: false,
  noReload: false,
  noAaaa: false,
  strictError: false,
  sortlist: [],
};

/** Of these an empty file and everything else but what a row names differ. */
const ROWS: readonly Row[] = [
  { name: "an empty file", text: "", wanted: {} },
  { name: "comments", text: "# nameserver 192.0.2.1\n; search example\n", wanted: {} },
  {
    name: "unknown directives",
    text: "nameservers 192.0.2.1\nfoo bar\nNAMESERVER ::1\n",
    wanted: {},
  },
  { name: "a directive not at the beginning", text: " nameserver 192.0.2.1\n", wanted: {} },
  { name: "a directive without a blank", text: "nameserver\nnameserver:192.0.2.1\n", wanted: {} },
  {
    name: "servers of both families, the last line without an end",
    text: "nameserver 192.0.2.1\nnameserver\t 2001:DB8::1 # local\nnameserver 192.0.2.2",
    wanted: { nameservers: ["192.0.2.1", "2001:db8::1", "192.0.2.2"] },
  },
  {
    name: "servers with a zone",
    text: "nameserver fe80::1%eth0\nnameserver fe80::2%\nnameserver fe80::3%a/b\n",
    wanted: { nameservers: ["fe80::1%eth0", "fe80::2", "fe80::3"] },
  },
  {
    name: "servers in the forms of inet_aton",
    text: "nameserver 127.1\nnameserver 0x7f.0.0.1\nnameserver 192.0.513\nnameserver 010.1.1.1\n" +
      "nameserver 4294967295\nnameserver 0\n",
    wanted: {
      nameservers: ["127.0.0.1", "127.0.0.1", "192.0.2.1", "8.1.1.1", "255.255.255.255", "0.0.0.0"],
    },
  },
  {
    name: "servers that are none",
    text: "nameserver example\nnameserver 256.1.1.1\nnameserver 1.1.1.1.1\nnameserver 08.1.1.1\n" +
      "nameserver 4294967296\nnameserver 1.16777216\nnameserver 192.0.2.1,192.0.2.2\nnameserver 1..1\n" +
      "nameserver [::1]\nnameserver %eth0\nnameserver 1:2\n",
    wanted: {},
  },
  {
    name: "domain and search, the last one holds",
    text: "search a.example b.example\ndomain c.example d.example\n",
    wanted: { search: ["c.example."] },
  },
  {
    name: "search after domain, an empty one ignored",
    text: "domain c.example\nsearch a.example.\tb.example  \nsearch\nsearch \ndomain \t\n",
    wanted: { search: ["a.example.", "b.example."] },
  },
  {
    name: "the root and dots in front in the search list",
    text: "search . .a.example ..b .\n",
    wanted: { search: [".", "a.example.", "."] },
  },
  {
    name: "what cannot be a name in the search list",
    text: `search a..b ${"a".repeat(64)} b\u00fccher.example ok_1.example\n`,
    wanted: { search: ["ok_1.example."] },
  },
  {
    name: "the domain of this machine",
    text: "",
    hostname: "a.b.example",
    wanted: { search: ["b.example."] },
  },
  { name: "a machine without a domain", text: "", hostname: "a", wanted: {} },
  { name: "a machine with a dot at its end", text: "", hostname: "a.", wanted: { search: ["."] } },
  {
    name: "LOCALDOMAIN, over the file",
    text: "search a.example\n",
    localDomain: " b.example\tc.example\nd.example",
    hostname: "x.y",
    wanted: { search: ["b.example.", "c.example."] },
  },
  { name: "an empty LOCALDOMAIN", text: "search a.example\n", localDomain: "", wanted: {} },
  {
    name: "RES_OPTIONS, after the file",
    text: "options ndots:3 timeout:9\n",
    resOptions: "ndots:2 rotate",
    wanted: { ndots: 2, timeoutMs: 9_000, rotate: true },
  },
  {
    name: "numbers at their bounds",
    text: "options ndots:15 timeout:30 attempts:5\n",
    wanted: { ndots: 15, timeoutMs: 30_000, attempts: 5 },
  },
  {
    name: "a number behind a blank",
    text: "options ndots: 4 timeout:\t7 attempts:\n",
    wanted: { ndots: 4, timeoutMs: 7_000, attempts: 1 },
  },
  {
    name: "numbers over them",
    text: "options ndots:16 timeout:31 attempts:6\n",
    wanted: { ndots: 15, timeoutMs: 30_000, attempts: 5 },
  },
  { name: "enormous numbers", text: `options ndots:${"9".repeat(40)}\n`, wanted: { ndots: 15 } },
  {
    name: "numbers of 0",
    text: "options ndots:0 timeout:0 attempts:0\n",
    wanted: { ndots: 0, timeoutMs: 1_000, attempts: 1 },
  },
  {
    name: "numbers below 0",
    text: "options ndots:-1 timeout:-1 attempts:-9\n",
    wanted: { ndots: 15, timeoutMs: 1_000, attempts: 1 },
  },
  {
    name: "numbers that are none",
    text: "options ndots:x timeout:3x attempts\n",
    wanted: { ndots: 0, timeoutMs: 3_000 },
  },
  {
    name: "all flags",
    text: "options rotate edns0 use-vc trust-ad inet6\toptions single-request\n" +
      "options single-request-reopen no-tld-query no-reload no-aaaa strict-error\n",
    wanted: {
      rotate: true,
      edns0: true,
      useTcp: true,
      trustAd: true,
      inet6: true,
      singleRequest: true,
      singleRequestReopen: true,
      noTldQuery: true,
      noReload: true,
      noAaaa: true,
      strictError: true,
    },
  },
  {
    name: "a flag in its other spelling",
    text: "options no_tld_query\n",
    wanted: { noTldQuery: true },
  },
  {
    name: "a flag by its beginning",
    text: "options single-request-reopened\n",
    wanted: { singleRequestReopen: true },
  },
  { name: "flags that are none", text: "options Rotate rotat xrotate usevc\n", wanted: {} },
  {
    name: "networks with masks of all kinds",
    text:
      "sortlist 192.0.2.0/255.255.255.128 10.1.2.3 172.16.0.0&255.240.0.0 192.0.2.9 1.2.3.4/16\n",
    wanted: {
      sortlist: [
        { address: "192.0.2.0", mask: "255.255.255.128" },
        { address: "10.1.2.3", mask: "255.0.0.0" },
        { address: "172.16.0.0", mask: "255.240.0.0" },
        { address: "192.0.2.9", mask: "255.255.255.0" },
        { address: "1.2.3.4", mask: "255.255.0.0" },
      ],
    },
  },
  {
    name: "masks at their bounds, and malformed ones",
    text: "sortlist 172.16.0.1/0 172.16.0.2/32 172.16.0.3/33 172.16.0.4/x x/8 ::1/8 ; 1.2.3.4\n",
    wanted: {
      sortlist: [
        { address: "172.16.0.1", mask: "0.0.0.0" },
        { address: "172.16.0.2", mask: "255.255.255.255" },
        { address: "172.16.0.3", mask: "255.255.0.0" },
        { address: "172.16.0.4", mask: "255.255.0.0" },
      ],
    },
  },
  {
    name: "lines that end in CR",
    text: "nameserver 192.0.2.1\r\nsearch a.example\r\n",
    wanted: { nameservers: ["192.0.2.1"], search: ["a.example."] },
  },
];

for (const { name, text, wanted, ...options } of ROWS) {
  Deno.test(`parseResolvConf() reads ${name}`, () => {
    assertEquals(parseResolvConf(text, options), { ...DEFAULTS, ...wanted });
  });
}

Deno.test("parseResolvConf() keeps ten networks of several lines", () => {
  const text = Array.from({ length: 12 }, (_, index) => `sortlist 10.0.0.${index}\n`).join("");
  const { sortlist } = parseResolvConf(text);
  assertEquals([sortlist.length, sortlist.at(-1)?.address], [10, "10.0.0.9"]);
});

Deno.test("parseResolvConf() takes a time linear in a file that is no text", () => {
  const text = "nameserver ".repeat(100_000) + "search\t".repeat(100_000) + " ".repeat(100_000);
  assertEquals(parseResolvConf(text), DEFAULTS);
  assertEquals(parseResolvConf("nameserver ::1\n".repeat(50_000)).nameservers.length, 50_000);
});
