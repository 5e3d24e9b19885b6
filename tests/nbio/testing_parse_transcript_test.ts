import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseTranscript, TranscriptSyntaxError } from "../../nbio/testing_parse_transcript.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";

Deno.test("parseTranscript() reads every kind of step", () => {
  const steps = parseTranscript(`[
    { "type": "send", "text": "é\\r\\n", "note": "a line", "timeoutMs": 5 },
    { "type": "expect", "hex": "00 fF\\n7f", "timeoutMs": 0 },
    { "type": "skip-until", "base64": "AAEC/w==", "maxBytes": 10 },
    { "type": "expect-end" }, { "type": "expect-close", "timeoutMs": 1.5 },
    { "type": "expect-reset" }, { "type": "expect-silence", "durationMs": 20 },
    { "type": "wait", "durationMs": 0 },
    { "type": "close-write" }, { "type": "close", "note": "" }, { "type": "reset" },
    { "type": "send", "text": "" }, { "type": "expect", "hex": "" }, { "type": "send", "base64": "" }
  ]`);
  assertEquals(steps, [
    { type: "send", bytes: new Uint8Array([0xc3, 0xa9, 13, 10]), note: "a line", timeoutMs: 5 },
    { type: "expect", bytes: new Uint8Array([0, 255, 127]), timeoutMs: 0 },
    { type: "skip-until", bytes: new Uint8Array([0, 1, 2, 255]), maxBytes: 10 },
    { type: "expect-end" },
    { type: "expect-close", timeoutMs: 1.5 },
    { type: "expect-reset" },
    { type: "expect-silence", durationMs: 20 },
    { type: "wait", durationMs: 0 },
    { type: "close-write" },
    { type: "close", note: "" },
    { type: "reset" },
    { type: "send", bytes: new Uint8Array(0) },
    { type: "expect", bytes: new Uint8Array(0) },
    { type: "send", bytes: new Uint8Array(0) },
  ]);
  assertEquals(parseTranscript(" [ ] "), []);
});

/** A wrong step; the mistake is at `^`, which is not part of it. */
const WRONG_STEPS = [
  "^1",
  "^null",
  "^[]",
  '^"close"',
  "^{}",
  '{ "type": ^1 }',
  '{ "type": ^"shout" }',
  '{ "type": ^"toString" }',
  '{ "type": "close", "note": ^1 }',
  '{ "type": "close", "note": ^true }',
  '{ "type": "close", "note": ^{} }',
  '{ "type": "close", ^"type": "close" }',
  '{ "type": "close", ^"timeoutMs": 1 }',
  '{ "type": "close", ^"text": "a" }',
  '{ "type": "close", ^"__proto__": 1 }',
  '{ "type": "close", ^}',
  '{ "type": "close" ^"note": "a" }',
  '{ "type"^, "close" }',
  '{ ^type: "close" }',
  "{ \"type\": ^'close' }",
  '{ "type": ^"clo\tse" }',
  '{ "type": ^"\\x" }',
  '^{ "type": "send" }',
  '{ "type": "send", ^"bytes": "a" }',
  '{ "type": "send", "text": "a", ^"hex": "61" }',
  '{ "type": "send", "text": "a", ^"text": "a" }',
  '{ "type": "send", "text": ^1 }',
  '{ "type": "send", "text": ^null }',
  '{ "type": "send", "text": ^"\\ud800" }',
  '{ "type": "send", "hex": ^"0" }',
  '{ "type": "send", "hex": ^"000" }',
  '{ "type": "send", "hex": ^"0 0" }',
  '{ "type": "send", "hex": ^"0g" }',
  '{ "type": "send", "hex": ^"0x00" }',
  '{ "type": "send", "base64": ^"A" }',
  '{ "type": "send", "base64": ^"AA" }',
  '{ "type": "send", "base64": ^"A===" }',
  '{ "type": "send", "base64": ^"AA=A" }',
  '{ "type": "send", "base64": ^"AA A" }',
  '{ "type": "send", "base64": ^"AA-_" }',
  '{ "type": "send", "text": "a", "timeoutMs": ^-1 }',
  '{ "type": "send", "text": "a", "timeoutMs": ^"1" }',
  '{ "type": "send", "text": "a", "timeoutMs": ^null }',
  '{ "type": "send", "text": "a", "timeoutMs": ^1e999 }',
  '{ "type": "send", "text": "a", "timeoutMs": ^+1 }',
  '{ "type": "send", "text": "a", "timeoutMs": 0^1 }',
  '{ "type": "send", "text": "a", ^"durationMs": 1 }',
  '{ "type": "send", "text": "a", ^"maxBytes": 1 }',
  '{ "type": "skip-until", "text": ^"" }',
  '{ "type": "skip-until", "text": "a", "maxBytes": ^0.5 }',
  '^{ "type": "wait" }',
  '{ "type": "wait", "durationMs": ^-1 }',
  '{ "type": "expect-silence", "durationMs": ^0 }',
];

for (const marked of WRONG_STEPS) {
  Deno.test(`parseTranscript() throws on the step ${marked}`, () => {
    const step = marked.replace("^", "");
    // What could lead a search for the place astray.
    const before = '{ "type": "send", "text": "],\\"[{" },\n';
    const json = `[ ${before}  { "type": "expect-end" }, \n\t${step} , { "type": "close" }]`;
    const error = assertThrows(() => parseTranscript(json), TranscriptSyntaxError);
    assert(error instanceof SyntaxError);
    const column = 2 + marked.indexOf("^");
    assertEquals([error.line, error.column, error.stepIndex], [3, column, 2]);
  });
}

for (
  const [json, line, column, stepIndex] of [
    ["", 1, 1, 0],
    ["[", 1, 2, 0],
    ["[\n  }", 2, 3, 0],
    ['[{ "type": "close" }\n', 2, 1, 1],
    ['[{ "type": "close" },]', 1, 22, 1],
    ['[{ "type": "close" }] x', 1, 23, 1],
    ['[{ "type": "close" }\u00a0]', 1, 21, 1],
    ["{}", 1, 1, 0],
    ["1", 1, 1, 0],
    ["null", 1, 1, 0],
  ] as const
) {
  Deno.test(`parseTranscript() throws on ${JSON.stringify(json)}`, () => {
    const error = assertThrows(() => parseTranscript(json), TranscriptSyntaxError);
    assertEquals([error.line, error.column, error.stepIndex], [line, column, stepIndex]);
  });
}

Deno.test("parseTranscript() reads a long text in linear time", () => {
  const step = JSON.stringify({ type: "send", text: 'x\\"\n'.repeat(100_000) });
  const steps = parseTranscript(`[${Array(20).fill(step).join()}]`);
  assertEquals(steps.length, 20);
  assertThrows(() => parseTranscript(`[${step.slice(0, -2)}`), TranscriptSyntaxError);
});

Deno.test("parseTranscript() gives steps or a TranscriptSyntaxError for any text", () => {
  const random = new SeededRandom(1);
  const whole = '[{"type":"send","text":"a\\"]"},{"type":"expect","hex":"00 ff"},{"type":"close"}]';
  for (let count = 0; count < 2_000; count++) {
    const characters = [...whole];
    for (let change = 0; change <= random.int(3); change++) {
      const index = random.int(characters.length);
      characters.splice(index, random.int(3), ...random.pick(["", '"', "]", "{", "\\", "x", "1"]));
    }
    try {
      parseTranscript(characters.join(""));
    } catch (error) {
      assert(error instanceof TranscriptSyntaxError, `${error} on ${characters.join("")}`);
    }
  }
});
