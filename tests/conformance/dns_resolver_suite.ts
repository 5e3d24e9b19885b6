/**
 * The cases for any stub resolver: a name server that misbehaves by script. A task is the port, the
 * name and the type; the result is the list of addresses, sorted.
 */

import type { MessageInit } from "../../dns/encode_message.ts";
import type { ResourceRecord } from "../../dns/message.ts";
import {
  addressRecord,
  type DnsScript,
  honestAnswer,
  respond,
  ScriptedDnsServer,
  type ScriptedDnsServerOptions,
} from "../_support/dns_server.ts";
import {
  type ClientCase,
  type ClientCaseResult,
  type ClientPeer,
  resultOf,
} from "./client_peer.ts";

/** One case. */
export interface DnsResolverCase extends ClientCase {
  readonly type?: "A" | "AAAA";
  readonly script: DnsScript;
  readonly server?: ScriptedDnsServerOptions;
}

const HONEST = ["192.0.2.1"];
const FORGED = "203.0.113.66";
const FAMILIES = "RFC 1035 section 4.1";
const SPOOFING = "RFC 5452 section 9.1";

function answered(name: string, clause: string, script: DnsScript): DnsResolverCase {
  return { name, clause, expect: [HONEST], script };
}

function failing(name: string, clause: string, script: DnsScript): DnsResolverCase {
  return { name, clause, expect: ["error"], script };
}

function alias(name: string, target: string): ResourceRecord {
  return { name, type: "CNAME", class: "IN", ttl: 60, data: { target } } as ResourceRecord;
}

/** A response with a forged address, otherwise as it should be. */
function forged(query: Parameters<DnsScript>[0], parts: MessageInit = {}): Uint8Array<ArrayBuffer> {
  const { name } = query.message.questions[0]!;
  return respond(query, { answers: [addressRecord(name, FORGED)], ...parts });
}

/** Something that must not be believed, and then the truth. */
function behind(lie: (query: Parameters<DnsScript>[0]) => Promise<void>): DnsScript {
  return async (query) => {
    await lie(query);
    await query.send(honestAnswer(query));
  };
}

function rcode(code: string): DnsScript {
  return (query) => query.send(respond(query, { rcode: code }));
}

const HONESTY: readonly DnsResolverCase[] = [
  answered("an address", FAMILIES, (query) => query.send(honestAnswer(query))),
  {
    ...answered("an address of IPv6", "RFC 3596", (query) => query.send(honestAnswer(query))),
    type: "AAAA",
    expect: [["2001:db8::1"]],
  },
  {
    ...answered("twenty addresses", FAMILIES, (query) => {
      const { name } = query.message.questions[0]!;
      const answers = Array.from(
        { length: 20 },
        (_, i) => addressRecord(name, `192.0.2.${10 + i}`),
      );
      return query.send(respond(query, { answers }));
    }),
    expect: [Array.from({ length: 20 }, (_, i) => `192.0.2.${10 + i}`)],
  },
  answered("aliases", "RFC 1034 section 3.6.2", (query) => {
    const { name } = query.message.questions[0]!;
    const answers = [
      alias(name, "b.test."),
      alias("b.test.", "c.test."),
      addressRecord("c.test.", HONEST[0]!),
    ];
    return query.send(respond(query, { answers }));
  }),
  answered("a first datagram that is lost", "RFC 1035 section 7.2", async (query) => {
    if (query.index > 0) await query.send(honestAnswer(query));
  }),
  answered(
    "truncation, and the whole over TCP",
    "RFC 7766 section 5",
    (query) =>
      query.send(query.over === "tcp" ? honestAnswer(query) : respond(query, { truncated: true })),
  ),
  answered(
    "a lie that is truncated",
    "RFC 2181 section 9",
    (query) =>
      query.send(query.over === "tcp" ? honestAnswer(query) : forged(query, { truncated: true })),
  ),
  answered("a server that knows no EDNS", "RFC 6891 section 7", (query) =>
    query.send(
      query.message.edns === undefined
        ? honestAnswer(query)
        : respond(query, { rcode: "FORMERR", edns: undefined }),
    )),
];

const LIES: readonly DnsResolverCase[] = [
  answered(
    "a wrong id before the answer",
    SPOOFING,
    behind((query) => query.send(forged(query, { id: query.message.id ^ 1 }))),
  ),
  answered(
    "another port before the answer",
    SPOOFING,
    behind((query) => query.over === "udp" ? query.sendOddly(forged(query)) : Promise.resolve()),
  ),
  answered(
    "another question before the answer",
    SPOOFING,
    behind((query) => {
      const questions = [{ name: "evil.test.", type: "A", class: "IN" }];
      return query.send(
        respond(query, { questions, answers: [addressRecord("evil.test.", FORGED)] }),
      );
    }),
  ),
  answered(
    "no question before the answer",
    SPOOFING,
    behind((query) => query.send(forged(query, { questions: [] }))),
  ),
  answered(
    "a query before the answer",
    FAMILIES,
    behind((query) => query.send(forged(query, { response: false }))),
  ),
  answered(
    "bytes of nothing before the answer",
    FAMILIES,
    behind((query) => query.send(new Uint8Array([1, 2, 3]))),
  ),
  answered(
    "an empty datagram before the answer",
    FAMILIES,
    behind((query) => query.send(new Uint8Array(0))),
  ),
  failing(
    "an address of somebody else",
    "RFC 2181 section 5.4.1",
    (query) => query.send(respond(query, { answers: [addressRecord("evil.test.", FORGED)] })),
  ),
  failing(
    "an address among the additional records",
    "RFC 2181 section 5.4.1",
    (query) => query.send(respond(query, { additionals: [addressRecord("www.test.", FORGED)] })),
  ),
];

const FAILURES: readonly DnsResolverCase[] = [
  failing("NXDOMAIN", "RFC 2308 section 2.1", rcode("NXDOMAIN")),
  failing("no data", "RFC 2308 section 2.2", (query) => query.send(respond(query))),
  failing("SERVFAIL", FAMILIES, rcode("SERVFAIL")),
  failing("REFUSED", FAMILIES, rcode("REFUSED")),
  failing("NOTIMP", FAMILIES, rcode("NOTIMP")),
  failing("an alias of itself", "RFC 1034 section 3.6.2", (query) => {
    const { name } = query.message.questions[0]!;
    return query.send(respond(query, { answers: [alias(name, name)] }));
  }),
  failing("two aliases of each other", "RFC 1034 section 3.6.2", (query) => {
    const { name } = query.message.questions[0]!;
    return query.send(
      respond(query, { answers: [alias(name, "b.test."), alias("b.test.", name)] }),
    );
  }),
  failing("a name that points to itself", "RFC 1035 section 4.1.4", async (query) => {
    const bytes = forged(query);
    // The answer begins with a pointer to the question; let it point to itself.
    const at = bytes.findLastIndex((byte) => byte === 0xc0);
    bytes[at + 1] = at;
    await query.send(bytes);
  }),
  failing(
    "truncation without TCP",
    "RFC 7766 section 5",
    (query) => query.send(respond(query, { truncated: true })),
  ),
  failing("silence", "RFC 1035 section 7.2", () => {}),
];

/** All cases. */
export const DNS_RESOLVER_CASES: readonly DnsResolverCase[] = [
  ...HONESTY,
  ...LIES,
  ...FAILURES.map((item) =>
    item.name === "truncation without TCP" ? { ...item, server: { withoutTcp: true } } : item
  ),
];

/** Runs cases against a resolver, one after the other. */
export async function runDnsResolverSuite(
  peer: ClientPeer,
  cases: readonly DnsResolverCase[] = DNS_RESOLVER_CASES,
): Promise<ClientCaseResult[]> {
  const results: ClientCaseResult[] = [];
  for (const item of cases) {
    await using server = await ScriptedDnsServer.open(item.script, item.server ?? {});
    const answer = await peer.ask([`${server.address.port}`, "www.test.", item.type ?? "A"]);
    results.push(resultOf(item, peer, answer));
  }
  return results;
}
