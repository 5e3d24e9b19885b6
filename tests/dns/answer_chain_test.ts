import { assertEquals, assertThrows } from "@std/assert";
import {
  effectiveTtl,
  followAnswer,
  type FollowAnswerOptions,
  type FollowedAnswer,
  isReferral,
  isRelevant,
} from "../../dns/answer_chain.ts";
import { decodeMessage } from "../../dns/decode_message.ts";
import { encodeMessage, type MessageInit } from "../../dns/encode_message.ts";
import type { Message, ResourceRecord } from "../../dns/message.ts";
import { parseRecord } from "../../dns/parse_record.ts";
import { printRdata } from "../../dns/rdata.ts";

const QUESTION = { name: "a.example.", type: "A", class: "IN" };

function message(
  answers: readonly string[],
  authorities: readonly string[] = [],
  init: MessageInit = {},
): Message {
  return decodeMessage(encodeMessage({
    response: true,
    recursionAvailable: true,
    questions: [QUESTION],
    answers: answers.map((text) => parseRecord(text)),
    authorities: authorities.map((text) => parseRecord(text)),
    ...init,
  }));
}

function follow(
  answers: readonly string[],
  authorities: readonly string[] = [],
  init: MessageInit = {},
  options: FollowAnswerOptions = {},
): FollowedAnswer {
  return followAnswer(message(answers, authorities, init), QUESTION, options);
}

function dataOf(records: readonly ResourceRecord[]): string[] {
  return records.map(({ type, data }) => printRdata(type, data));
}

/** A result in one line. */
function lineOf(found: FollowedAnswer): string {
  const path = `${found.type} ${found.name} ${found.aliases.length}`;
  if (found.type === "records") return `${path} ${found.ttl} ${dataOf(found.records).join(",")}`;
  if (found.type === "nxdomain" || found.type === "nodata" || found.type === "alias") {
    return `${path} ${found.ttl}`;
  }
  return path;
}

const SOA = "example. 900 IN SOA ns.example. root.example. 1 1 1 1 60";
const NXDOMAIN = { rcode: "NXDOMAIN" };
const ADDRESS = "a.example. 300 IN A 192.0.2.1";
const ALIAS = "a.example. 200 IN CNAME b.example.";

interface ChainCase {
  readonly name: string;
  readonly answers: readonly string[];
  readonly authorities?: readonly string[];
  readonly init?: MessageInit;
  readonly gives: string;
}

const CASES: readonly ChainCase[] = [
  { name: "one record", answers: [ADDRESS], gives: "records a.example. 0 300 192.0.2.1" },
  {
    name: "a set of records with several TTLs",
    answers: [ADDRESS, "a.example. 20 IN A 192.0.2.2"],
    gives: "records a.example. 0 20 192.0.2.1,192.0.2.2",
  },
  {
    name: "another case of letters",
    answers: ["A.EXAMPLE. 300 IN A 192.0.2.1"],
    gives: "records a.example. 0 300 192.0.2.1",
  },
  {
    name: "an alias and its target",
    answers: [ALIAS, "b.example. 300 IN A 192.0.2.1"],
    gives: "records b.example. 1 200 192.0.2.1",
  },
  {
    name: "a chain that is shuffled",
    answers: [
      "c.example. 9 IN A 192.0.2.1",
      "B.example. 8 IN CNAME c.example.",
      "a.example. 7 IN CNAME b.example.",
    ],
    gives: "records c.example. 2 7 192.0.2.1",
  },
  {
    name: "a DNAME without CNAME",
    answers: ["example. 50 IN DNAME example.net.", "a.example.net. 300 IN A 192.0.2.1"],
    gives: "records a.example.net. 1 50 192.0.2.1",
  },
  {
    name: "a DNAME with its CNAME",
    answers: [
      "example. 50 IN DNAME example.net.",
      "a.example. 0 IN CNAME a.example.net.",
      "a.example.net. 300 IN A 192.0.2.1",
    ],
    gives: "records a.example.net. 1 0 192.0.2.1",
  },
  {
    name: "a DNAME at the name itself, which is not for it",
    answers: ["a.example. 50 IN DNAME example.net."],
    gives: "nodata a.example. 0 undefined",
  },
  {
    name: "a DNAME that makes the name too long",
    answers: [
      `example. 50 IN DNAME ${"x".repeat(63)}.${"y".repeat(63)}.${"z".repeat(63)}.${
        "w".repeat(60)
      }.`,
    ],
    gives: "alias-limit a.example. 1",
  },
  { name: "an alias alone", answers: [ALIAS], gives: "alias b.example. 1 200" },
  {
    name: "an alias into another zone, with the SOA record of the first",
    answers: ["a.example. 200 IN CNAME b.example.net."],
    authorities: [SOA],
    gives: "alias b.example.net. 1 200",
  },
  {
    name: "an alias without records behind it",
    answers: [ALIAS],
    authorities: [SOA],
    gives: "nodata b.example. 1 60",
  },
  {
    name: "an alias to a name that does not exist",
    answers: ["a.example. 30 IN CNAME b.example."],
    authorities: [SOA],
    init: NXDOMAIN,
    gives: "nxdomain b.example. 1 30",
  },
  {
    name: "an alias to itself",
    answers: ["a.example. 30 IN CNAME A.example."],
    gives: "alias-loop A.example. 1",
  },
  {
    name: "aliases in a ring",
    answers: [ALIAS, "b.example. 1 IN CNAME c.example.", "c.example. 1 IN CNAME a.example."],
    gives: "alias-loop a.example. 3",
  },
  {
    name: "a DNAME to itself",
    answers: ["example. 30 IN DNAME a.example."],
    gives: "alias-limit a.a.a.a.a.a.a.a.a.example. 9",
  },
  { name: "a chain of 8", answers: chain(8), gives: "records n8.example. 8 300 192.0.2.1" },
  { name: "a chain of 9", answers: chain(9), gives: "alias-limit n8.example. 9" },
  { name: "a chain of 30", answers: chain(30), gives: "alias-limit n8.example. 9" },
  {
    name: "records of somebody else",
    answers: ["evil.example. 300 IN A 203.0.113.1"],
    gives: "nodata a.example. 0 undefined",
  },
  {
    name: "records of somebody else beside the right ones",
    answers: ["evil.example. 300 IN A 203.0.113.1", ADDRESS, "example. 300 IN A 203.0.113.2"],
    gives: "records a.example. 0 300 192.0.2.1",
  },
  {
    name: "an alias of somebody else",
    answers: ["evil.example. 300 IN CNAME a.example.", "b.example. 1 IN A 203.0.113.1"],
    gives: "nodata a.example. 0 undefined",
  },
  {
    name: "a TTL with the highest bit",
    answers: ["a.example. 2147483648 IN A 192.0.2.1"],
    gives: "records a.example. 0 2147483647 192.0.2.1",
  },
  {
    name: "the highest TTL",
    answers: ["a.example. 2147483647 IN A 192.0.2.1"],
    gives: "records a.example. 0 2147483647 192.0.2.1",
  },
  {
    name: "NXDOMAIN with SOA",
    answers: [],
    authorities: [SOA],
    init: NXDOMAIN,
    gives: "nxdomain a.example. 0 60",
  },
  {
    name: "NXDOMAIN whose SOA record has the smaller TTL",
    answers: [],
    authorities: ["example. 5 IN SOA ns.example. root.example. 1 1 1 1 60"],
    init: NXDOMAIN,
    gives: "nxdomain a.example. 0 5",
  },
  {
    name: "NXDOMAIN without SOA",
    answers: [],
    init: NXDOMAIN,
    gives: "nxdomain a.example. 0 undefined",
  },
  {
    name: "NXDOMAIN with the SOA record of another zone",
    answers: [],
    authorities: ["example.net. 900 IN SOA ns.example. root.example. 1 1 1 1 60"],
    init: NXDOMAIN,
    gives: "nxdomain a.example. 0 undefined",
  },
  {
    name: "NXDOMAIN whose SOA record has a negative minimum",
    answers: [],
    authorities: ["example. 900 IN SOA ns.example. root.example. 1 1 1 1 4294967295"],
    init: NXDOMAIN,
    gives: "nxdomain a.example. 0 900",
  },
  { name: "NODATA with SOA", answers: [], authorities: [SOA], gives: "nodata a.example. 0 60" },
  { name: "NODATA without anything", answers: [], gives: "nodata a.example. 0 undefined" },
  {
    name: "NODATA with SOA and NS",
    answers: [],
    authorities: [SOA, "example. 1 IN NS ns.example."],
    gives: "nodata a.example. 0 60",
  },
  {
    name: "a referral",
    answers: [],
    authorities: ["example. 1 IN NS ns.example."],
    gives: "referral a.example. 0",
  },
  { name: "SERVFAIL", answers: [ALIAS], init: { rcode: "SERVFAIL" }, gives: "rcode a.example. 0" },
];

function chain(count: number): string[] {
  const records = Array.from(
    { length: count },
    (_, index) => `${index === 0 ? "a" : `n${index}`}.example. 300 IN CNAME n${index + 1}.example.`,
  );
  return [...records, `n${count}.example. 300 IN A 192.0.2.1`];
}

for (const { name, answers, authorities, init, gives } of CASES) {
  Deno.test(`followAnswer() finds in ${name}: ${gives}`, () => {
    assertEquals(lineOf(follow(answers, authorities, init)), gives);
  });
}

Deno.test("followAnswer() levels the TTLs of a set of records", () => {
  const found = follow([ADDRESS, "a.example. 20 IN A 192.0.2.2"]);
  assertEquals(found.type === "records" && found.records.map(({ ttl }) => ttl), [20, 20]);
});

Deno.test("followAnswer() gives the signatures of what was asked for, and no others", () => {
  const signature = "IN RRSIG A 8 2 300 20300101000000 20200101000000 1 example. AAAA";
  const found = follow([
    ADDRESS,
    `a.example. 300 ${signature}`,
    `a.example. 300 ${signature.replace("RRSIG A ", "RRSIG MX ")}`,
    `b.example. 300 ${signature}`,
  ]);
  assertEquals(found.type === "records" && found.signatures.length, 1);
});

Deno.test("followAnswer() counts and remembers the aliases of earlier messages", () => {
  const aliases = ["x.example.", "y.example."];
  const options = { aliases };
  assertEquals(lineOf(follow([ADDRESS], [], {}, options)), "records a.example. 2 300 192.0.2.1");
  assertEquals(
    lineOf(follow(["a.example. 1 IN CNAME X.example."], [], {}, options)),
    "alias-loop X.example. 3",
  );
  assertEquals(
    lineOf(follow([ALIAS], [], {}, { aliases, maxAliasCount: 2 })),
    "alias-limit a.example. 3",
  );
});

Deno.test("followAnswer() follows nothing where no alias is allowed", () => {
  const options = { maxAliasCount: 0 };
  assertEquals(lineOf(follow([ADDRESS], [], {}, options)), "records a.example. 0 300 192.0.2.1");
  assertEquals(lineOf(follow([ALIAS], [], {}, options)), "alias-limit a.example. 1");
});

Deno.test("followAnswer() gives everything of the name for ANY, and aliases as records", () => {
  const records = message([
    ADDRESS,
    "a.example. 9 IN MX 1 mx.example.",
    "b.example. 1 IN A 192.0.2.9",
  ]);
  const found = followAnswer(records, { ...QUESTION, type: "ANY" });
  assertEquals(lineOf(found), "records a.example. 0 9 192.0.2.1,1 mx.example.");
  const alias = followAnswer(message([ALIAS]), { ...QUESTION, type: "CNAME" });
  assertEquals(lineOf(alias), "records a.example. 0 200 b.example.");
});

Deno.test("followAnswer() takes no record of another class", () => {
  const found = followAnswer(message(["a.example. 1 HS A 192.0.2.1"]), QUESTION);
  assertEquals(found.type, "nodata");
});

Deno.test("followAnswer() refuses a bound out of its range", () => {
  for (const maxAliasCount of [-1, 256, 1.5, NaN]) {
    assertThrows(() => follow([], [], {}, { maxAliasCount }), RangeError);
  }
});

Deno.test("isReferral() is not misled by authority, SOA or answers", () => {
  const authorities = ["example. 1 IN NS ns.example."];
  const cases: readonly [Message, boolean][] = [
    [message([], authorities), true],
    [message([], ["example.net. 1 IN NS ns.example."]), false],
    [message([], authorities, { authoritative: true }), false],
    [message([], [SOA, ...authorities]), false],
    [message([ADDRESS], authorities), false],
    [message([], authorities, NXDOMAIN), false],
    [message([]), false],
    [message([], [], { recursionAvailable: false }), true],
  ];
  assertEquals(cases.map(([each]) => isReferral(each, QUESTION)), cases.map(([, gives]) => gives));
});

Deno.test("isRelevant() wants a record asked for, or an alias", () => {
  const cases: readonly [string[], boolean][] = [
    [[], true],
    [[ADDRESS], true],
    [[ALIAS], true],
    [["example. 1 IN DNAME example.net."], true],
    [["evil.example. 1 IN A 192.0.2.1"], false],
    [["a.example. 1 IN MX 1 mx.example."], false],
    [["a.example. 1 CH TXT x"], false],
  ];
  assertEquals(
    cases.map(([answers]) => isRelevant(message(answers), QUESTION)),
    cases.map(([, gives]) => gives),
  );
});

Deno.test("effectiveTtl() cuts what has the highest bit", () => {
  assertEquals(
    [0, 1, 0x7fffffff, 0x80000000, 0xffffffff].map(effectiveTtl),
    [0, 1, 0x7fffffff, 0x7fffffff, 0x7fffffff],
  );
});
