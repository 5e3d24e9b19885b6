import { assertEquals, assertThrows } from "@std/assert";
import { DnsTextError } from "../../dns/errors.ts";
import { tokenAt } from "../../dns/text_tokens.ts";
import {
  tokenizeEntry,
  ZoneTokenizer,
  type ZoneTokenizerOptions,
} from "../../dns/zone_tokenizer.ts";
import { LimitExceededError } from "../../nbio/errors.ts";
import { everySplit } from "../../nbio/testing_split.ts";
import { bytesOf } from "../_support/raw_bytes.ts";

/** Tokens of one entry: those in quotes with quotes around them, a dash for a blank owner. */
type Entry = readonly string[];

function entriesOf(chunks: Iterable<Uint8Array>, options: ZoneTokenizerOptions = {}): Entry[] {
  const tokenizer = new ZoneTokenizer(options);
  const entries: Entry[] = [];
  const drain = (): void => {
    while (tokenizer.next()) {
      const tokens = Array.from({ length: tokenizer.count }, (_, index) => {
        const token = tokenAt(tokenizer, index);
        return tokenizer.quoted[index] === 1 ? `"${token}"` : token;
      });
      entries.push([`${tokenizer.line}`, ...tokenizer.hasBlankOwner ? ["-"] : [], ...tokens]);
    }
  };
  for (const chunk of chunks) {
    tokenizer.write(chunk);
    drain();
  }
  tokenizer.end();
  drain();
  return entries;
}

const VALID: readonly { name: string; text: string; entries: readonly Entry[] }[] = [
  { name: "nothing", text: "", entries: [] },
  { name: "blank lines and comments", text: '\n \t\n; a ("\n  ;b\n', entries: [] },
  { name: "a byte-order mark", text: "\xef\xbb\xbfa\n", entries: [["1", "a"]] },
  { name: "nothing but a byte-order mark", text: "\xef\xbb\xbf", entries: [] },
  { name: "a second mark", text: "\xef\xbb\xbf\xef\xbb\xbf", entries: [["1", "\xef\xbb\xbf"]] },
  { name: "half a mark", text: "\xef\xbb", entries: [["1", "\xef\xbb"]] },
  { name: "a mark later", text: "a\n\xef\xbb\xbf", entries: [["1", "a"], ["2", "\xef\xbb\xbf"]] },
  { name: "two lines", text: "a b\nc d\n", entries: [["1", "a", "b"], ["2", "c", "d"]] },
  { name: "a last line without an end", text: "a\nb", entries: [["1", "a"], ["2", "b"]] },
  { name: "CR LF", text: "a b\r\n\r\nc\r\n", entries: [["1", "a", "b"], ["3", "c"]] },
  { name: "a blank owner", text: " a\n\tb", entries: [["1", "-", "a"], ["2", "-", "b"]] },
  { name: "comments", text: "a;b\n;c\nd ;e", entries: [["1", "a"], ["3", "d"]] },
  {
    name: "parentheses over lines",
    text: "a ( b ; c )\n\n d )e\nf",
    entries: [["1", "a", "b", "d", "e"], ["4", "f"]],
  },
  {
    name: "nested parentheses",
    text: "(a) ((b\n)(c)\n)\nd",
    entries: [["1", "a", "b", "c"], ["4", "d"]],
  },
  { name: "parentheses around nothing", text: "(\n)\na", entries: [["3", "a"]] },
  {
    name: "quotes",
    text: `"a b" "" "x;(" "\\"" "c""d"e`,
    entries: [["1", '"a b"', '""', '"x;("', '"\\""', '"c"', '"d"', "e"]],
  },
  { name: "quotes inside a token", text: 'a="b c;(",d e', entries: [["1", 'a="b c;(",d', "e"]] },
  {
    name: "quotes over lines within parentheses",
    text: 'a ("b\nc"\n)\nd',
    entries: [["1", "a", '"b\nc"'], ["4", "d"]],
  },
  {
    name: "escapes",
    text: 'a\\ b\\;c\\(\\)\\\\ \\"d \\000 e\\\\',
    entries: [["1", "a\\ b\\;c\\(\\)\\\\", '\\"d', "\\000", "e\\\\"]],
  },
  {
    name: "bytes outside of ASCII",
    text: '\xc3\xa9 \xff\\\xfe "\x80" ( ; \xe4\n\xf6 )',
    entries: [["1", "\xc3\xa9", "\xff\\\xfe", '"\x80"', "\xf6"]],
  },
];

for (const { name, text, entries } of VALID) {
  Deno.test(`ZoneTokenizer.next() cuts ${name}, however they are split`, () => {
    for (const chunks of everySplit(bytesOf(text))) assertEquals(entriesOf(chunks), entries);
  });
}

const INVALID: readonly { name: string; text: string; code: string; at: [number, number] }[] = [
  { name: "a quote that is open", text: 'a "b\nc"', code: "ERR_DNS_UNBALANCED", at: [1, 5] },
  { name: "a quote in a token", text: 'x\na="b\n', code: "ERR_DNS_UNBALANCED", at: [2, 5] },
  { name: "a quote at the end", text: 'a "', code: "ERR_DNS_UNBALANCED", at: [1, 4] },
  { name: "a parenthesis that is open", text: "a (b\nc\n", code: "ERR_DNS_UNBALANCED", at: [3, 1] },
  {
    name: "a parenthesis that closes none",
    text: "a\n b )",
    code: "ERR_DNS_UNBALANCED",
    at: [2, 4],
  },
  {
    name: "a backslash before a line end",
    text: "a b\\\nc",
    code: "ERR_DNS_BAD_ESCAPE",
    at: [1, 5],
  },
  { name: "a backslash at the end", text: "ab\\", code: "ERR_DNS_BAD_ESCAPE", at: [1, 4] },
  { name: "CR alone", text: "a\rb", code: "ERR_DNS_BAD_TEXT", at: [1, 2] },
];

for (const { name, text, code, at } of INVALID) {
  Deno.test(`ZoneTokenizer.next() throws on ${name}, however it is split`, () => {
    for (const chunks of everySplit(bytesOf(text))) {
      const error = assertThrows(() => entriesOf(chunks, { file: "a.zone" }), DnsTextError);
      assertEquals([error.code, error.file, error.line, error.column], [code, "a.zone", ...at]);
    }
  });
}

Deno.test("ZoneTokenizer takes a token of maxTokenBytes and throws on a longer one", () => {
  for (const token of ["a".repeat(64), `"${"a".repeat(64)}"`]) {
    assertEquals(entriesOf([bytesOf(token)], { maxTokenBytes: 64 }), [["1", token]]);
  }
  for (const token of ["a".repeat(65), `"${"a".repeat(65)}"`, `"${"a".repeat(66)}`]) {
    for (
      const chunks of [
        [bytesOf(token)],
        [...bytesOf(token)].map((byte) => Uint8Array.of(byte)),
      ]
    ) {
      const run = () => entriesOf(chunks, { maxTokenBytes: 64 });
      const error = assertThrows(run, LimitExceededError);
      assertEquals([error.limit, error.max], ["maxTokenBytes", 64]);
    }
  }
});

Deno.test("ZoneTokenizer takes an entry of maxEntryBytes and throws on a longer one", () => {
  const text = (length: number): Uint8Array =>
    bytesOf(`(${"a \n".repeat(20)})`.padEnd(length - 1) + "\n");
  assertEquals(entriesOf([text(64)], { maxEntryBytes: 64 }).length, 1);
  for (const bytes of [text(65), text(80).subarray(0, 70)]) {
    const error = assertThrows(() => entriesOf([bytes], { maxEntryBytes: 64 }), LimitExceededError);
    assertEquals([error.limit, error.max], ["maxEntryBytes", 64]);
  }
});

Deno.test("ZoneTokenizer skips a comment longer than an entry that stands alone", () => {
  const comment = bytesOf(`;${"x".repeat(50)}`);
  const chunks = [comment, comment, comment, bytesOf("\na")];
  assertEquals(entriesOf(chunks, { maxEntryBytes: 64 }), [["2", "a"]]);
});

Deno.test("ZoneTokenizer takes more tokens than its first arrays hold", () => {
  const tokens = Array.from({ length: 1_000 }, (_, index) => `t${index}`);
  assertEquals(entriesOf([bytesOf(tokens.join(" "))]), [["1", ...tokens]]);
});

Deno.test("ZoneTokenizer throws on bounds out of range", () => {
  for (const value of [63, 2 ** 30 + 1, 64.5, NaN]) {
    assertThrows(() => new ZoneTokenizer({ maxEntryBytes: value }), RangeError);
    assertThrows(() => new ZoneTokenizer({ maxTokenBytes: value }), RangeError);
  }
});

Deno.test("ZoneTokenizer.write() takes text as UTF-8", () => {
  const tokenizer = new ZoneTokenizer();
  tokenizer.write("é");
  tokenizer.end();
  assertEquals([tokenizer.next(), tokenizer.text], [true, "\xc3\xa9"]);
});

Deno.test("ZoneTokenizer takes a token that comes byte by byte in time linear in it", () => {
  // One token that comes byte by byte; by a second look at each it would take a second.
  const tokenizer = new ZoneTokenizer();
  for (let count = 0; count < 200_000; count++) {
    tokenizer.write("a");
    tokenizer.next();
  }
  tokenizer.end();
  assertEquals([tokenizer.next(), tokenizer.text.length], [true, 200_000]);
});

Deno.test("tokenizeEntry() gives the tokens of one line, and none for none", () => {
  assertEquals(tokenizeEntry("a (\nb ) ; c\n").count, 2);
  assertEquals(tokenizeEntry(" ; nothing").count, 0);
});

Deno.test("tokenizeEntry() throws on a second line", () => {
  const error = assertThrows(() => tokenizeEntry("a\n\n b", { file: "f", line: 7 }), DnsTextError);
  assertEquals(
    [error.code, error.file, error.line, error.column],
    ["ERR_DNS_BAD_TEXT", "f", 9, 2],
  );
});

Deno.test("tokenizeEntry() takes a byte-order mark for text", () => {
  assertEquals(tokenAt(tokenizeEntry("\ufeffa"), 0), "\xef\xbb\xbfa");
});
