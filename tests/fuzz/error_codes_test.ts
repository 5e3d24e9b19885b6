import { assert, assertEquals } from "@std/assert";
import { documentedCodes, testsThatAssert } from "./error_codes.ts";
import type { Outcomes } from "./fuzz_target.ts";
import { FUZZ_TARGETS } from "./registry.ts";

const TABLE = new URL("./error_codes.txt", import.meta.url);
const IS_UPDATE = Deno.env.get("NBIO_API_UPDATE") !== undefined;
/** Always the same inputs: what they reach today they reach tomorrow. */
const RUN = { seed: 1, count: 200 };

/** The classes whose culprit is an input. */
const PARSER_ERRORS = [
  ...["HttpProtocolError", "ProxyError", "ProxyProtocolError", "WebSocketProtocolError"],
  ...["DnsMessageError", "DnsTextError", "CertificateError", "HostnameError"],
];

/** Codes of theirs that no input alone can reach, and why. */
const NOT_OF_INPUT: Readonly<Record<string, string>> = {
  "CertificateError ERR_X509_UNKNOWN_KEY_ALGORITHM": "of the certificate beside the key",
  "DnsMessageError ERR_DNS_BAD_VALUE": "of values that are encoded",
  "DnsMessageError ERR_DNS_TOO_LONG": "of messages that are encoded",
  "ProxyError ERR_PROXY_UNSUPPORTED": "of the kind of connection that is asked for",
  "ProxyProtocolError ERR_PROXY_UNTRUSTED_SENDER": "of where the connection is from",
};

/** The names of the targets that end in each code, with what is kept or what is made of that. */
async function reachedCodes(): Promise<Map<string, string[]>> {
  const reached = new Map<string, string[]>();
  const note = (name: string, outcomes: Outcomes): void => {
    for (const outcome of Object.keys(outcomes)) {
      reached.set(outcome, [...reached.get(outcome) ?? [], `fuzz ${name}`]);
    }
  };
  for (const target of FUZZ_TARGETS) {
    note(target.name, await target.replay());
    note(target.name, await target.fuzz(RUN));
  }
  return reached;
}

/** The table as it is kept: a code, and who reaches it. */
async function readTable(): Promise<Map<string, string>> {
  const lines = (await Deno.readTextFile(TABLE)).split("\n").filter((line) => line !== "");
  return new Map(lines.map((line) => line.split(": ") as [string, string]));
}

Deno.test("every documented error code is reached by a target, or asserted on by a test", async () => {
  const codes = await documentedCodes();
  const reached = await reachedCodes();
  const tests = await testsThatAssert();
  if (IS_UPDATE) {
    const lines = codes.map((entry) => `${entry}: ${reached.get(entry)?.[0] ?? tests(entry)[0]}\n`);
    await Deno.writeTextFile(TABLE, lines.join(""));
  }
  const table = await readTable();
  // NBIO_API_UPDATE=1 writes the table anew.
  assertEquals([...table.keys()], codes);
  const lost = [...table].filter(([entry, place]) =>
    !reached.get(entry)?.includes(place) && !tests(entry).includes(place)
  );
  assertEquals(lost, []);
  assert(codes.length > 100);
});

Deno.test("what a parser says of its input is reached by a target", async () => {
  const table = await readTable();
  const isOfParser = (entry: string) => PARSER_ERRORS.some((name) => entry.startsWith(`${name} `));
  const others = [...table].filter(([entry, place]) =>
    isOfParser(entry) && !place.startsWith("fuzz ") && !(entry in NOT_OF_INPUT)
  );
  assertEquals(others, []);
});

Deno.test("documentedCodes() finds unions, single codes and classes below others", async () => {
  const codes = await documentedCodes();
  for (
    const entry of [
      "HttpProtocolError ERR_HTTP_BAD_HOST",
      "TimeoutError ERR_NET_TIMEOUT",
      "HostnameError ERR_X509_NO_NAMES",
      "DnsMessageError ERR_DNS_BAD_NAME",
      "DnsTextError ERR_DNS_BAD_NAME",
    ]
  ) {
    assert(codes.includes(entry), entry);
  }
});
