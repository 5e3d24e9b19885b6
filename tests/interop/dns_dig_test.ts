import {
  decodeMessage,
  type EdnsOption,
  encodeMessage,
  formatExtendedError,
  type Message,
  parseZone,
  printMessage,
  type ResourceRecord,
} from "@nbio/net/dns";
import { bindUdp } from "@nbio/net/nbio";
import { assertEquals } from "@std/assert";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { runPeer } from "../_support/peer.ts";
import { bytesOf } from "../_support/raw_bytes.ts";
import { EVERY_TYPE_ZONE } from "./dns_every_type_zone.ts";

const isMissing = !interopEnabled || !hasCommand("dig");

/** Types old versions of `dig` know in the form of RFC 3597 only. */
const DIFFERENT: ReadonlySet<string> = new Set(["WALLET", "RESINFO", "DSYNC"]);

/** What `dig` asks with some arguments, what it prints when it is answered, and the answer. */
interface DigExchange {
  readonly query: Uint8Array;
  readonly answer: Uint8Array;
  readonly text: string;
}

/** Runs `dig` and answers what it asks. */
async function askByDig(
  args: readonly string[],
  answerTo: (query: Message) => Partial<Message>,
): Promise<DigExchange> {
  await using socket = await bindUdp({ hostname: "127.0.0.1" });
  const { port } = socket.localAddr;
  const options = ["+ignore", "+tries=1", "+time=5", "+nobadcookie"];
  const running = runPeer("dig", ["@127.0.0.1", "-p", `${port}`, ...options, ...args]);
  const { bytes, from } = await socket.receive({ timeoutMs: 10_000 });
  const query = decodeMessage(bytes);
  const answer = encodeMessage({ response: true, ...answerTo(query), id: query.id });
  await socket.send(answer, from);
  const { text } = await running;
  return { query: bytes, answer, text };
}

/** What stands in the output of `dig` between its header and a line; it ends some lines in a blank. */
function between(text: string, end: string): string {
  const rest = text.slice(text.indexOf(";; ->>HEADER<<-"));
  return rest.slice(0, rest.indexOf(end)).replaceAll(" \n", "\n");
}

/** Sends one message to `dig` as the answer to its question, and gives what both make of it. */
async function printByBoth(message: Partial<Message>): Promise<{ ours: string; theirs: string }> {
  const args = ["+noedns", "q.example.", "A"];
  const { answer, text } = await askByDig(args, ({ questions }) => ({ questions, ...message }));
  return { ours: printMessage(decodeMessage(answer)), theirs: between(text, ";; Query time:") };
}

const FIRST_BIT = 0x4000;

const OPTIONS: readonly EdnsOption[] = [
  { type: "nsid", bytes: bytesOf("gpdn\x01\xff") },
  { type: "dau", algorithms: [8, 13] },
  { type: "client-subnet", address: "192.0.2.0", sourcePrefixLength: 24, scopePrefixLength: 16 },
  { type: "client-subnet", address: "2001:db8::", sourcePrefixLength: 32, scopePrefixLength: 0 },
  { type: "expire", seconds: 694_861 },
  { type: "expire", seconds: 7_200 },
  { type: "expire", seconds: undefined },
  { type: "keepalive", idleTimeoutMs: 30_100 },
  { type: "padding", bytes: new Uint8Array(9) },
  { type: "chain", closestTrustPoint: "foo." },
  { type: "key-tag", tags: [19_036, 20_326] },
  { type: "extended-error", infoCode: 22, text: 'a "b"\x07' },
  { type: "report-channel", agentDomain: "rep.example." },
  { type: "unknown", code: 1, bytes: new Uint8Array(18).fill(1) },
  { type: "unknown", code: 16, bytes: bytesOf("ab") },
  { type: "unknown", code: 17, bytes: bytesOf("ab") },
  { type: "unknown", code: 65_001, bytes: bytesOf("hi\0") },
  { type: "unknown", code: 65_002, bytes: new Uint8Array(0) },
];

const MESSAGES: readonly { name: string; message: Partial<Message> }[] = [
  { name: "an empty answer", message: { recursionDesired: true } },
  {
    name: "every flag",
    message: {
      authoritative: true,
      truncated: true,
      recursionDesired: true,
      recursionAvailable: true,
      zero: true,
      authenticData: true,
      checkingDisabled: true,
      rcode: "REFUSED",
    },
  },
  {
    name: "every option",
    message: {
      edns: {
        udpPayloadSize: 512,
        version: 0,
        dnssecOk: true,
        flags: FIRST_BIT | 1,
        options: OPTIONS,
      },
    },
  },
  {
    name: "every extended error",
    message: {
      edns: {
        udpPayloadSize: 1_232,
        version: 0,
        dnssecOk: false,
        flags: 0,
        // Codes that were registered since are known by number only.
        options: Array.from({ length: 25 }, (_, infoCode): EdnsOption => {
          return { type: "extended-error", infoCode, text: formatExtendedError(infoCode)! };
        }),
      },
    },
  },
  {
    name: "long names and large numbers in columns",
    message: {
      answers: Array.from({ length: 60 }, (_, index) => {
        const name = `${"n".repeat(index + 1)}.example.`;
        const ttl = [5, 300, 1_234_567_890][index % 3]!;
        return { name, type: "A", class: "IN", ttl, data: { address: "192.0.2.1" } } as const;
      }),
      authorities: parseZone("exa\\.m\\000\\032\\@\\$. 60 TXT x\n. 1 NS .\n"),
    },
  },
];

for (const { name, message } of MESSAGES) {
  Deno.test({
    name: `dig prints ${name} as we do`,
    ignore: isMissing,
    async fn() {
      const { ours, theirs } = await printByBoth(message);
      assertEquals(ours, theirs);
    },
  });
}

Deno.test({
  name: "dig prints records of every type as we do",
  ignore: isMissing,
  async fn() {
    // It refuses owners of addresses that are no host names.
    const records = parseZone(EVERY_TYPE_ZONE).filter(({ type, name }) => {
      return !DIFFERENT.has(type) && !name.includes("\\");
    });
    for (let at = 0; at < records.length; at += 20) {
      const answers: ResourceRecord[] = records.slice(at, at + 20);
      const { ours, theirs } = await printByBoth({ answers });
      assertEquals(ours, theirs);
    }
  },
});

/** Arguments of `dig`, each for another query. */
const QUERIES: readonly (readonly string[])[] = [
  ["example.com", "A"],
  ["+noedns", "+nocookie", "x.example", "TXT", "CH"],
  ["+subnet=0", "x.example"],
  ["+subnet=192.0.2.77/21", "x.example"],
  ["+subnet=2001:db8::/33", "x.example"],
  ["+expire", "+nsid", "+keepalive", "x.example", "SOA"],
  ["+dnssec", "+cdflag", "+adflag", "+norec", "x.example", "TYPE65280"],
  ["+zflag", "+aaflag", "+tcflag", "+raflag", "x.example"],
  ["+edns=5", "+noednsneg", "+ednsflags=0x4001", "+bufsize=4096", "x.example"],
  ["+ednsopt=65001:0a0b", "+ednsopt=key-tag:4f66", "+ednsopt=ede:0012", "x.example"],
  ["+cookie=0102030405060708090a0b0c0d0e0f10", "x.example"],
  ["+opcode=notify", "x.example", "SOA"],
  ["+opcode=7", "+qid=65535", "x.example"],
  ["-x", "2001:db8::1"],
  ["-y", "hmac-sha256:key.:Zm9v", "x.example"],
  ["a\\.b\\000\\032\\@.example", "AAAA"],
];

for (const args of QUERIES) {
  Deno.test({
    name: `what dig +qr ${args.join(" ")} sends is printed as dig does, and written as it came`,
    ignore: isMissing,
    async fn() {
      const { query, text } = await askByDig(["+qr", ...args], () => ({ rcode: "REFUSED" }));
      const message = decodeMessage(query);
      assertEquals(printMessage(message), between(text, ";; QUERY SIZE:"));
      assertEquals(encodeMessage(message), query);
    },
  });
}

const SERVER_COOKIES: Readonly<Record<string, (client: Uint8Array) => EdnsOption>> = {
  good: (client) => ({ type: "cookie", client, server: bytesOf("12345678") }),
  echoed: (client) => ({ type: "cookie", client, server: new Uint8Array(0) }),
  bad: () => ({ type: "cookie", client: new Uint8Array(8), server: bytesOf("12345678") }),
};

for (const [what, answerTo] of Object.entries(SERVER_COOKIES)) {
  Deno.test({
    name: `dig calls a cookie ${what} as we do`,
    ignore: isMissing,
    async fn() {
      const { query, answer, text } = await askByDig(["x.example"], ({ questions, edns }) => {
        const [option] = edns!.options;
        const client = option?.type === "cookie" ? option.client : new Uint8Array(8);
        return { questions, edns: { ...edns!, options: [answerTo(client)] } };
      });
      const ours = printMessage(decodeMessage(answer), { query: decodeMessage(query) });
      assertEquals(ours, between(text, ";; Query time:"));
      assertEquals(ours.includes(`(${what})`), true);
    },
  });
}
