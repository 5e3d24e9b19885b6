/**
 * Inputs for fuzzing: a corpus in a form that people can read, and the ways to
 * spoil what it holds.
 */

import { SeededRandom } from "../../nbio/testing_random.ts";
import { bytesOf, textOf } from "../_support/raw_bytes.ts";

const ESCAPE = /\\(?:r|n|t|\\|x([0-9a-f]{2}))/g;
const NAMED: Record<string, string> = { "\\r": "\r", "\\n": "\n", "\\t": "\t", "\\\\": "\\" };

/**
 * Reads a corpus file: lines that start with `# ` are comments, line ends mean
 * nothing, and `\r`, `\n`, `\t`, `\\` and `\xff` stand for single bytes.
 */
export function parseCorpusEntry(text: string): string {
  const lines = text.split("\n").filter((line) => !line.startsWith("# "));
  return lines.join("").replace(ESCAPE, (escape, hex: string | undefined) => {
    return hex === undefined ? NAMED[escape]! : String.fromCharCode(parseInt(hex, 16));
  });
}

/**
 * All entries of a folder whose names start with `prefix`, ordered by name so
 * that a seed means the same everywhere.
 */
export function readCorpus(folder: URL, prefix = ""): string[] {
  const names = Array.from(Deno.readDirSync(folder), ({ name }) => name);
  return names.filter((name) => name.startsWith(prefix) && name.endsWith(".txt")).sort()
    .map((name) => parseCorpusEntry(Deno.readTextFileSync(new URL(name, folder))));
}

/**
 * All entries of a file that has one on each line, in the form of {@linkcode parseCorpusEntry}.
 */
export function readCorpusLines(file: URL): string[] {
  const lines = Deno.readTextFileSync(file).split("\n");
  return lines.filter((line) => line !== "" && !line.startsWith("# ")).map(parseCorpusEntry);
}

/** What is put into messages: the pieces whose place or number decides a parse. */
const PIECES: readonly string[] = [
  "\r\n",
  "\r\n\r\n",
  "\r",
  "\n",
  "\0",
  " ",
  "\t",
  ":",
  ";",
  ",",
  "=",
  '"',
  "\\",
  "\x80",
  "\xff",
  "0",
  "f",
  "-1",
  "0x",
  "99999999999999999999",
  "9007199254740993",
  "Host: b\r\n",
  "Content-Length: 5\r\n",
  "Content-Length: 0\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: gzip, chunked\r\n",
  "Connection: close\r\n",
  "Connection: upgrade\r\nUpgrade: x\r\n",
  "Expect: 100-continue\r\n",
  "A:\r\n",
  " folded\r\n",
  "0\r\n\r\n",
  "1;a=b\r\nx\r\n",
  "HTTP/1.0",
  "HTTP/1.1",
  "HTTP/1.1 100 Continue\r\n\r\n",
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
];

const LINE_ENDS = ["\n", "\r", "\r\r\n", "\n\r", "\r\n ", "\r\n\t", " \r\n", "\r\n\r\n", ""];

/** What inputs are made of. */
export interface InputSource {
  /** What suits the parser, and is mostly begun with. */
  readonly own: readonly string[];
  /** Everything there is. @default {own} */
  readonly corpus?: readonly string[];
  /** What is put in between. @default {what decides how a message of HTTP is read} */
  readonly pieces?: readonly string[];
}

type Mutation = (text: string, random: SeededRandom, source: Required<InputSource>) => string;

const MUTATIONS: readonly Mutation[] = [
  function flipBit(text, random) {
    const at = random.int(text.length + 1);
    const code = (text.charCodeAt(at) || 0) ^ (1 << random.int(8));
    return text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
  },
  function insertPiece(text, random, { pieces }) {
    const at = random.int(text.length + 1);
    return text.slice(0, at) + random.pick(pieces) + text.slice(at);
  },
  function replaceByPiece(text, random, { pieces }) {
    const at = random.int(text.length + 1);
    return text.slice(0, at) + random.pick(pieces) + text.slice(at + 1 + random.int(4));
  },
  function insertLine(text, random, { pieces }) {
    const at = pickLineEnd(text, random);
    return text.slice(0, at) + random.pick(pieces) + text.slice(at);
  },
  function deleteRange(text, random) {
    const at = random.int(text.length + 1);
    return text.slice(0, at) + text.slice(at + 1 + random.int(8));
  },
  function duplicateLine(text, random) {
    const from = pickLineEnd(text, random);
    const next = text.indexOf("\n", from) + 1;
    const line = text.slice(from, next === 0 ? text.length : next);
    return text.slice(0, from) + line.repeat(1 + random.int(3)) + text.slice(from);
  },
  function deleteLine(text, random) {
    const from = pickLineEnd(text, random);
    const next = text.indexOf("\n", from) + 1;
    return text.slice(0, from) + (next === 0 ? "" : text.slice(next));
  },
  function spoilLineEnd(text, random) {
    const at = pickLineEnd(text, random);
    return at < 2 ? text : text.slice(0, at - 2) + random.pick(LINE_ENDS) + text.slice(at);
  },
  function splice(text, random, { corpus }) {
    const other = random.pick(corpus);
    return text.slice(0, random.int(text.length + 1)) + other.slice(random.int(other.length + 1));
  },
  function join(text, random, { corpus }) {
    return text + random.pick(corpus);
  },
  function truncate(text, random) {
    return text.slice(0, random.int(text.length + 1));
  },
  function lengthen(text, random) {
    const at = random.int(text.length + 1);
    const count = random.int(100) === 0 ? random.int(40_000) : random.int(100);
    return text.slice(0, at) + (text[at] ?? "a").repeat(count) + text.slice(at);
  },
  function repeatLine(text, random) {
    const at = pickLineEnd(text, random);
    return text.slice(0, at) + "A: b\r\n".repeat(random.int(150)) + text.slice(at);
  },
];

/** Offset behind one of the line ends; 0 in front of the first line. */
function pickLineEnd(text: string, random: SeededRandom): number {
  return text.indexOf("\n", random.int(text.length + 1)) + 1;
}

const MAX_MUTATIONS = 4;
const MAX_RANDOM_BYTES = 64;

/**
 * One input: seldom pure noise, mostly something of the corpus that was spoilt.
 *
 * @param random Where chance comes from.
 * @param source What it is made of.
 */
export function createInput(
  random: SeededRandom,
  { own, corpus = own, pieces = PIECES }: InputSource,
): Uint8Array<ArrayBuffer> {
  if (random.int(25) === 0) return random.bytes(random.int(MAX_RANDOM_BYTES));
  let text = random.pick(random.int(8) === 0 ? corpus : own);
  for (let count = random.int(MAX_MUTATIONS + 1); count > 0; count--) {
    text = random.pick(MUTATIONS)(text, random, { own, corpus, pieces });
  }
  return bytesOf(text);
}

/** Where the chance of one input comes from: far apart, so that those of near seeds differ. */
export function randomOf(seed: number, number: number): SeededRandom {
  return new SeededRandom(Math.imul(seed, 0x9e37_79b1) + Math.imul(number, 0x85eb_ca6b));
}

/** Cuts an input into pieces: byte by byte, or at a few places. */
export function cut(bytes: Uint8Array, random: SeededRandom): Uint8Array<ArrayBuffer>[] {
  const most = random.pick([1, 4, 32, 1024, 1024]);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = 1 + random.int(most);
    chunks.push(bytes.slice(at, at + length));
    at += length;
  }
  return chunks;
}

/** An input as it would stand in a corpus file. */
export function formatInput(bytes: Uint8Array): string {
  return textOf(bytes).replace(/[^ -[\]-~]/g, (character) => {
    const named = Object.keys(NAMED).find((escape) => NAMED[escape] === character);
    return named ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
