import { assert, assertEquals } from "@std/assert";
import { NetError } from "../../nbio/errors.ts";
import { TranscriptError } from "../../nbio/testing_transcript_error.ts";

function errorFor(expected: Uint8Array, actual: Uint8Array): TranscriptError {
  return new TranscriptError("byte differs", {
    code: "ERR_TRANSCRIPT_MISMATCH",
    stepIndex: 3,
    step: { type: "expect", bytes: expected, note: "greeting" },
    expected,
    actual,
  });
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

Deno.test("TranscriptError is a NetError that keeps both sides", () => {
  const error = errorFor(bytes("abc"), bytes("abX"));
  assert(error instanceof NetError);
  assertEquals([error.code, error.stepIndex, error.offset], ["ERR_TRANSCRIPT_MISMATCH", 3, 2]);
  assertEquals([error.expected, error.actual, error.cause], [
    bytes("abc"),
    bytes("abX"),
    undefined,
  ]);
});

for (
  const [expected, actual, offset] of [
    ["", "", 0],
    ["a", "", 0],
    ["", "a", 0],
    ["abc", "abc", 3],
    ["abc", "ab", 2],
    ["ab", "abc", 2],
    ["xbc", "abc", 0],
  ] as const
) {
  Deno.test(`TranscriptError.offset of ${expected || "nothing"} and ${actual || "nothing"}`, () => {
    assertEquals(errorFor(bytes(expected), bytes(actual)).offset, offset);
  });
}

Deno.test("TranscriptError shows little of long and hostile bytes, around the difference", () => {
  const expected = new Uint8Array(100_000).fill(0x61);
  const actual = expected.slice();
  actual.set(bytes('\x1b[31m"\\\r\n\0'), 50_000);
  const { message } = errorFor(expected, actual);
  assert(message.length < 300, message);
  assert(/^[\x20-\x7e]*$/.test(message), message);
  for (const part of ["greeting", "step 3", "\\x1b[31m", '\\"', "\\r\\n", "\\x00"]) {
    assert(message.includes(part), `${part} in ${message}`);
  }
});

Deno.test("TranscriptError says no more of a step without a note and without bytes", () => {
  const { message, offset } = new TranscriptError("it is late", {
    code: "ERR_TRANSCRIPT_TIMEOUT",
    stepIndex: 0,
    step: { type: "expect-close" },
    expected: new Uint8Array(0),
    actual: new Uint8Array(0),
  });
  assertEquals(offset, 0);
  for (const part of ["(", "expected", "got"]) assert(!message.includes(part), message);
});
