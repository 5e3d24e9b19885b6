import { assertEquals, assertThrows } from "@std/assert";
import { LimitExceededError } from "../../nbio/errors.ts";
import { CertificateError } from "../../tls/certificate_errors.ts";
import { formatPem, parsePemBlocks } from "../../tls/pem.ts";

const BLOCK = "-----BEGIN X-----\nAQID\n-----END X-----\n";
const block = { label: "X", headers: [], bytes: new Uint8Array([1, 2, 3]) };

const VALID: readonly { name: string; text: string; blocks: unknown }[] = [
  { name: "nothing", text: "", blocks: [] },
  { name: "a text without blocks", text: "-----END X-----\nBEGIN X", blocks: [] },
  { name: "one block", text: BLOCK, blocks: [block] },
  { name: "one block without the last line end", text: BLOCK.trimEnd(), blocks: [block] },
  { name: "CRLF", text: BLOCK.replaceAll("\n", "\r\n"), blocks: [block] },
  { name: "CR", text: BLOCK.replaceAll("\n", "\r"), blocks: [block] },
  { name: "text around blocks", text: `a\n${BLOCK}b\n\n${BLOCK}c`, blocks: [block, block] },
  { name: "a begin inside of a line", text: `a -----BEGIN Y-----\n${BLOCK}`, blocks: [block] },
  { name: "blanks at ends", text: BLOCK.replaceAll("\n", " \t\n"), blocks: [block] },
  { name: "data in pieces", text: BLOCK.replace("AQID", "AQ\n\n  ID"), blocks: [block] },
  {
    name: "no data",
    text: BLOCK.replace("AQID\n", ""),
    blocks: [{ ...block, bytes: new Uint8Array() }],
  },
  {
    name: "padding",
    text: BLOCK.replace("AQID", "AQ=="),
    blocks: [{ ...block, bytes: new Uint8Array([1]) }],
  },
  {
    name: "headers",
    text: BLOCK.replace("AQID", "Proc-Type: 4,ENCRYPTED\nDEK-Info: A,\n  B\n\nAQID"),
    blocks: [{ ...block, headers: [["Proc-Type", "4,ENCRYPTED"], ["DEK-Info", "A,B"]] }],
  },
  {
    name: "a label of words",
    text: BLOCK.replaceAll("X", "X509 CRL"),
    blocks: [{ ...block, label: "X509 CRL" }],
  },
];

for (const { name, text, blocks } of VALID) {
  Deno.test(`parsePemBlocks() reads ${name}`, () => {
    assertEquals([...parsePemBlocks(text)], blocks);
  });
}

const INVALID: readonly { name: string; text: string }[] = [
  { name: "a block without an end", text: BLOCK.slice(0, 25) },
  { name: "a begin without a line end", text: "-----BEGIN X-----" },
  { name: "another end", text: BLOCK.replace("END X", "END Y") },
  { name: "an end that is cut off", text: BLOCK.trimEnd().slice(0, -1) },
  { name: "a begin in a block", text: BLOCK.replace("AQID", BLOCK) },
  { name: "no label", text: BLOCK.replaceAll(" X", " ") },
  { name: "a label in lower case", text: BLOCK.replaceAll(" X", " x") },
  { name: "a label with two blanks", text: BLOCK.replaceAll(" X", " X  Y") },
  { name: "dashes that are cut off", text: BLOCK.replace("N X-----", "N X----") },
  { name: "three characters", text: BLOCK.replace("AQID", "AQI") },
  { name: "missing padding", text: BLOCK.replace("AQID", "AQ") },
  { name: "padding in the middle", text: BLOCK.replace("AQID", "AQ==AQID") },
  { name: "bits left over", text: BLOCK.replace("AQID", "AR==") },
  { name: "bits left over of two bytes", text: BLOCK.replace("AQID", "AQF=") },
  { name: "another alphabet", text: BLOCK.replace("AQID", "A-_D") },
  { name: "a character that is none", text: BLOCK.replace("AQID", "AQ\0D") },
  { name: "a blank of Unicode", text: BLOCK.replace("AQID", "AQID\u00a0") },
  { name: "headers without data", text: BLOCK.replace("AQID", "A: b") },
  { name: "headers without an empty line", text: BLOCK.replace("AQID", "A: b\nAQID") },
];

for (const { name, text } of INVALID) {
  Deno.test(`parsePemBlocks() throws on ${name}`, () => {
    const error = assertThrows(() => [...parsePemBlocks(text)], CertificateError);
    assertEquals(error.code, "ERR_X509_BAD_PEM");
  });
}

Deno.test("parsePemBlocks() gives the blocks in front of a broken one", () => {
  const blocks = parsePemBlocks(`${BLOCK}-----BEGIN X-----\n`);
  assertEquals(blocks.next().value, block);
  assertThrows(() => blocks.next(), CertificateError);
});

Deno.test("parsePemBlocks() holds its bounds", () => {
  const limits = { maxBlockBytes: 3, maxBlockCount: 2 };
  assertEquals([...parsePemBlocks(BLOCK + BLOCK, limits)].length, 2);
  for (const options of [{ maxBlockBytes: 2 }, { maxBlockCount: 1 }]) {
    const error = assertThrows(
      () => [...parsePemBlocks(BLOCK + BLOCK, options)],
      LimitExceededError,
    );
    assertEquals([error.limit, error.max], Object.entries(options)[0]);
  }
});

for (const value of [0, 0.5, NaN, 2 ** 31]) {
  Deno.test(`parsePemBlocks() throws on options of ${value}`, () => {
    assertThrows(() => [...parsePemBlocks("", { maxBlockBytes: value })], RangeError);
    assertThrows(() => [...parsePemBlocks("", { maxBlockCount: value })], RangeError);
  });
}

Deno.test("formatPem() writes lines of 64 characters that parsePemBlocks() reads", () => {
  for (const length of [0, 1, 2, 3, 47, 48, 49, 96, 100]) {
    const bytes = new Uint8Array(length).map((_, index) => index);
    const text = formatPem("PRIVATE KEY", bytes);
    assertEquals(text.split("\n").every((line) => line.length <= 64), true);
    assertEquals([...parsePemBlocks(text)], [{ label: "PRIVATE KEY", headers: [], bytes }]);
  }
});

for (const label of ["", "x", "A\nB", "A ", "A--", "-----"]) {
  Deno.test(`formatPem() throws on the label ${JSON.stringify(label)}`, () => {
    assertThrows(() => formatPem(label, new Uint8Array()), TypeError);
  });
}
