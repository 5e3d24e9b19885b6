/**
 * {@linkcode parseTranscript}: a conversation from a file.
 *
 * @module
 */

import { type FlatObject, readFlatJson, TextMistake } from "./_testing_flat_json.ts";
import type { TranscriptStep } from "./testing_transcript_step.ts";

/** What a {@linkcode TranscriptSyntaxError} tells beside its message. */
export interface TranscriptSyntaxErrorOptions extends ErrorOptions {
  /** Line of the mistake, from 1. */
  readonly line: number;
  /** Column in that line, in UTF-16 code units, from 1. */
  readonly column: number;
  /** How many steps come before the mistake. */
  readonly stepIndex: number;
}

/**
 * A text is no transcript.
 *
 * @example Where the mistake is
 * ```ts
 * import { parseTranscript, TranscriptSyntaxError } from "@nbio/net/nbio/testing";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const error = assertThrows(
 *   () => parseTranscript('[\n  { "type": "send", "hex": "0g" }\n]'),
 *   TranscriptSyntaxError,
 * );
 * assertEquals([error.line, error.column, error.stepIndex], [2, 28, 0]);
 * ```
 */
export class TranscriptSyntaxError extends SyntaxError {
  /** Line of the mistake, from 1. */
  readonly line: number;
  /** Column in that line, in UTF-16 code units, from 1. */
  readonly column: number;
  /** How many steps come before the mistake: the index of the step it is in, from 0. */
  readonly stepIndex: number;

  /**
   * Makes the error.
   *
   * @param message What is wrong.
   * @param options Where.
   */
  constructor(message: string, options: TranscriptSyntaxErrorOptions) {
    super(`${message} (line ${options.line}, column ${options.column})`, options);
    this.name = "TranscriptSyntaxError";
    this.line = options.line;
    this.column = options.column;
    this.stepIndex = options.stepIndex;
  }
}

type StepType = TranscriptStep["type"];

/** Fields of each kind of step beside `type` and `note`. */
const FIELDS: Readonly<Record<StepType, readonly string[]>> = {
  "send": ["bytes", "timeoutMs"],
  "expect": ["bytes", "timeoutMs"],
  "skip-until": ["bytes", "timeoutMs", "maxBytes"],
  "expect-end": ["timeoutMs"],
  "expect-close": ["timeoutMs"],
  "expect-reset": ["timeoutMs"],
  "expect-silence": ["durationMs"],
  "wait": ["durationMs"],
  "close-write": [],
  "close": [],
  "reset": [],
};

const DECODERS: Readonly<Record<string, (text: string) => Uint8Array<ArrayBuffer>>> = {
  text: decodeText,
  hex: decodeHex,
  base64: decodeBase64,
};

/**
 * Reads a transcript from JSON: an array of the steps that `runTranscript`
 * takes, in which bytes are given by exactly one of three fields: `text`, which
 * stands for its UTF-8, `hex`, in which white space may stand between two bytes,
 * or `base64` with its padding.
 *
 * Strict: a field that is unknown, missing, given twice, of a wrong type or out
 * of its range is an error.
 *
 * @param json The text of the file.
 * @returns The steps.
 * @throws {TranscriptSyntaxError} If it is no JSON, or a step is wrong; it says where.
 *
 * @example A file that server and client are tested against
 * ```ts
 * import { memoryPipe, parseTranscript, runTranscript } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const steps = parseTranscript(`[
 *   { "type": "send", "text": "hello", "note": "a frame of the client" },
 *   { "type": "expect", "hex": "00 05 68 65 6c 6c 6f", "timeoutMs": 1000 },
 *   { "type": "expect-end" }
 * ]`);
 *
 * const [client, server] = memoryPipe();
 * const running = runTranscript(client, steps);
 * const buffer = new Uint8Array(16);
 * const byteCount = await server.read(buffer);
 * await server.write(new Uint8Array([0, byteCount!, ...buffer.subarray(0, byteCount!)]));
 * server.close();
 * assertEquals((await running).unread.length, 0);
 * ```
 */
export function parseTranscript(json: string): TranscriptStep[] {
  const steps: TranscriptStep[] = [];
  try {
    for (const object of readFlatJson(json)) steps.push(parseStep(object));
    return steps;
  } catch (error) {
    if (!(error instanceof TextMistake)) throw error;
    const before = json.slice(0, error.offset).split("\n");
    throw new TranscriptSyntaxError(`Cannot parse transcript: ${error.message}`, {
      line: before.length,
      column: before.at(-1)!.length + 1,
      stepIndex: steps.length,
    });
  }
}

function parseStep(object: FlatObject): TranscriptStep {
  const { fields, offset } = object;
  const type = fields.get("type");
  if (type === undefined) throw new TextMistake("expected a type", offset);
  if (!isStepType(type.value)) {
    throw new TextMistake(`there is no step ${JSON.stringify(type.value)}`, type.valueOffset);
  }
  const names = FIELDS[type.value];
  const step: Record<string, unknown> = { type: type.value };
  for (const [key, { value, keyOffset, valueOffset }] of fields) {
    if (key === "type") continue;
    const name = Object.hasOwn(DECODERS, key) ? "bytes" : key;
    if (key === "bytes" || !(name === "note" || names.includes(name))) {
      throw new TextMistake(`${type.value} has no field ${JSON.stringify(key)}`, keyOffset);
    }
    if (name in step) throw new TextMistake("bytes are given twice", keyOffset);
    try {
      step[name] = parseValue(type.value, key, value);
    } catch (error) {
      throw new TextMistake(`${key} ${(error as Error).message}`, valueOffset);
    }
  }
  for (const name of ["bytes", "durationMs"]) {
    if (!names.includes(name) || name in step) continue;
    throw new TextMistake(`${type.value} needs ${name}`, offset);
  }
  return step as unknown as TranscriptStep;
}

function isStepType(value: unknown): value is StepType {
  return Object.hasOwn(FIELDS, String(value));
}

/** The value of a field; throws an error that says what is wrong with it. */
function parseValue(type: StepType, key: string, value: string | number): unknown {
  if (typeof value === "number") {
    const min = type === "expect-silence" ? Number.MIN_VALUE : 0;
    const isNumber = !Object.hasOwn(DECODERS, key) && key !== "note";
    if (!isNumber) throw new Error("is a number, expected a string");
    if (!(value >= min && value < Infinity)) throw new Error(`is ${value}`);
    if (key === "maxBytes" && !Number.isSafeInteger(value)) throw new Error("is no integer");
    return value;
  }
  if (key === "note") return value;
  const decode = DECODERS[key];
  if (decode === undefined) throw new Error("is a string, expected a number");
  const bytes = decode(value);
  if (type === "skip-until" && bytes.length === 0) throw new Error("is empty");
  return bytes;
}

function decodeText(text: string): Uint8Array<ArrayBuffer> {
  // It would silently become another character.
  if (!text.isWellFormed()) throw new Error("has half a surrogate pair");
  return new TextEncoder().encode(text);
}

function decodeHex(text: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (let index = 0; index < text.length;) {
    if (/\s/.test(text[index]!)) {
      index++;
      continue;
    }
    const digits = text.slice(index, index + 2);
    if (!/^[0-9a-fA-F]{2}$/.test(digits)) {
      throw new Error(`has ${JSON.stringify(digits)} at ${index}, expected two digits`);
    }
    bytes.push(Number.parseInt(digits, 16));
    index += 2;
  }
  return Uint8Array.from(bytes);
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const wrong = text.search(/[^A-Za-z0-9+/=]/);
  if (wrong !== -1) throw new Error(`has ${JSON.stringify(text[wrong])} at ${wrong}`);
  if (text.length % 4 !== 0 || !/^[^=]*={0,2}$/.test(text)) {
    throw new Error("is not padded with = to groups of four");
  }
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
