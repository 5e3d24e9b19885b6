import { assertEquals, assertThrows } from "@std/assert";
import { checkAnswer, type ExpectedAnswer } from "../../dns/answer_check.ts";
import { encodeMessage, type MessageInit } from "../../dns/encode_message.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";

const question = { name: "a.example.", type: "A", class: "IN" };
const EXPECTED: ExpectedAnswer = { id: 0x1234, question };

function answer(init: MessageInit = {}): Uint8Array<ArrayBuffer> {
  return encodeMessage({ id: 0x1234, response: true, questions: [question], ...init });
}

function verdictOf(bytes: Uint8Array, expected = EXPECTED): string {
  const verdict = checkAnswer(bytes, expected);
  return verdict.type === "unrelated" ? verdict.reason : verdict.type;
}

const BARE = { questions: [], rcode: "FORMERR" };

const CASES: readonly [name: string, bytes: Uint8Array, verdict: string][] = [
  ["an answer", answer(), "accepted"],
  ["an answer and bytes behind it", new Uint8Array([...answer(), 1, 2, 3]), "accepted"],
  ["another case", answer({ questions: [{ ...question, name: "A.example." }] }), "accepted"],
  ["TC", answer({ truncated: true }), "truncated"],
  ["TC, and the rest cut", cut(answer({ truncated: true }), 3), "truncated"],
  ["FORMERR alone", answer(BARE), "accepted"],
  ["FORMERR alone with another id", answer({ ...BARE, id: 1 }), "id"],
  ["FORMERR alone that is a query", answer({ ...BARE, response: false }), "query"],
  ["FORMERR alone and a byte behind it", new Uint8Array([...answer(BARE), 0]), "question"],
  ["SERVFAIL alone", answer({ questions: [], rcode: "SERVFAIL" }), "question"],
  ["nothing", new Uint8Array(0), "header"],
  ["eleven bytes", answer().subarray(0, 11), "header"],
  ["another id", answer({ id: 0x1235 }), "id"],
  ["the id the wrong way round", answer({ id: 0x3412 }), "id"],
  ["QR=0", answer({ response: false }), "query"],
  ["NOTIFY", answer({ opcode: "NOTIFY" }), "opcode"],
  ["opcode 15", answer({ opcode: "OPCODE15" }), "opcode"],
  ["no question", answer({ questions: [] }), "question"],
  ["two questions", answer({ questions: [question, question] }), "question"],
  ["another name", answer({ questions: [{ ...question, name: "b.example." }] }), "question"],
  ["a longer name", answer({ questions: [{ ...question, name: "x.a.example." }] }), "question"],
  ["another type", answer({ questions: [{ ...question, type: "AAAA" }] }), "question"],
  ["another class", answer({ questions: [{ ...question, class: "ANY" }] }), "question"],
  ["half a question", answer().subarray(0, 18), "question"],
];

function cut(bytes: Uint8Array, count: number): Uint8Array {
  bytes[7] = 1;
  return bytes.subarray(0, bytes.length + count);
}

for (const [name, bytes, verdict] of CASES) {
  Deno.test(`checkAnswer() takes ${name} as: ${verdict}`, () => {
    assertEquals(verdictOf(bytes), verdict);
  });
}

Deno.test("checkAnswer() gives the same verdict where it is given the query", () => {
  const query = encodeMessage({ id: EXPECTED.id, questions: [question] });
  const expected = { ...EXPECTED, exactCase: true, query };
  const rows = [
    [answer(), "accepted"],
    [answer({ questions: [{ ...question, name: "A.example." }] }), "miscased"],
    [answer({ questions: [{ ...question, name: "b.example." }] }), "question"],
    [answer({ questions: [{ ...question, type: "AAAA" }] }), "question"],
    [answer({ questions: [{ ...question, class: "CH" }] }), "question"],
    [answer({ questions: [question, question] }), "question"],
    [answer({ questions: [] }), "question"],
    [answer().subarray(0, query.length - 1), "question"],
    [query, "query"],
  ] as const;
  for (const [bytes, verdict] of rows) assertEquals(verdictOf(bytes, expected), verdict);
  // A query that is none is of no use, and of no harm.
  for (const none of [new Uint8Array(0), query.subarray(0, 14), new Uint8Array(20).fill(63)]) {
    assertEquals(verdictOf(answer(), { ...EXPECTED, query: none }), "accepted");
  }
});

Deno.test("checkAnswer() wants the case of letters where it is told to", () => {
  const expected = { ...EXPECTED, exactCase: true };
  const other = answer({ questions: [{ ...question, name: "A.example." }] });
  assertEquals([verdictOf(other, expected), verdictOf(answer(), expected)], [
    "miscased",
    "accepted",
  ]);
});

Deno.test("checkAnswer() takes an answer that is cut anywhere behind its question as malformed", () => {
  const data = { address: "192.0.2.1" };
  const bytes = answer({
    answers: [{ name: "a.example.", type: "A", class: "IN", ttl: 1, data }],
  });
  const questionEnd = answer().length;
  for (let end = 0; end < bytes.length; end++) {
    const verdict = verdictOf(bytes.subarray(0, end));
    const wanted = end < 12 ? "header" : end < questionEnd ? "question" : "malformed";
    assertEquals([end, verdict], [end, wanted]);
  }
});

Deno.test("checkAnswer() never throws on random changes", () => {
  const random = new SeededRandom(1);
  const data = { target: "b.example." };
  const base = answer({
    answers: [{ name: "a.example.", type: "CNAME", class: "IN", ttl: 1, data }],
    edns: { udpPayloadSize: 1232, version: 0, dnssecOk: false, flags: 0, options: [] },
  });
  for (let round = 0; round < 20_000; round++) {
    const bytes = base.slice();
    for (let count = random.int(4); count >= 0; count--) {
      bytes[2 + random.int(bytes.length - 2)] = random.int(256);
    }
    checkAnswer(bytes, EXPECTED);
  }
});

/** The same bytes, and whoever reads the one at this offset meets a fault that is not theirs. */
function brokenAt(bytes: Uint8Array, offset: number): Uint8Array {
  return new Proxy(bytes, {
    get(target, key): unknown {
      if (key === `${offset}`) throw new TypeError("Cannot read");
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

Deno.test("checkAnswer() takes a fault of ours for no fault of the message", () => {
  const data = { address: "192.0.2.1" };
  const bytes = answer({
    answers: [{ name: "a.example.", type: "A", class: "IN", ttl: 1, data }],
  });
  const questionEnd = answer().length;
  assertEquals(verdictOf(brokenAt(bytes, bytes.length)), "accepted");
  assertThrows(() => checkAnswer(brokenAt(bytes, 12), EXPECTED), TypeError);
  assertThrows(() => checkAnswer(brokenAt(bytes, questionEnd), EXPECTED), TypeError);
});
