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

/** Types `dig` prints in another way, with the difference in words. */
const DIFFERENT: ReadonlySet<string> = new Set([
  // Old versions know these in the form of RFC 3597 only.
  "WALLET",
  "RESINFO",
  // Metres with and without decimals; the groups of NID and L64 without leading zeros.
  "LOC",
  "NID",
  "L64",
  // Names for certificate types and algorithms; keys of HIP in one word.
  "CERT",
]);

/** Sends one message to `dig` as the answer to its question, and gives what both make of it. */
async function printByBoth(answer: Partial<Message>): Promise<{ ours: string; theirs: string }> {
  await using socket = await bindUdp({ hostname: "127.0.0.1" });
  const { port } = socket.localAddr;
  const options = ["+noedns", "+ignore", "+tries=1", "+time=5", "+nobadcookie"];
  const args = ["@127.0.0.1", "-p", `${port}`, ...options, "q.example.", "A"];
  const running = runPeer("dig", args);
  const { bytes, from } = await socket.receive({ timeoutMs: 10_000 });
  const query = decodeMessage(bytes);
  const message = { questions: query.questions, response: true, ...answer, id: query.id };
  const wire = encodeMessage(message, { maxBytes: 65_535 });
  await socket.send(wire, from);
  const { text } = await running;
  return {
    ours: printMessage(decodeMessage(wire)),
    theirs: text.slice(text.indexOf(";; ->>HEADER<<-"), text.indexOf(";; Query time:")),
  };
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
