/** The message vectors of llhttp and gunicorn, and how a transcript is held against them. */

import { decodeBase64 } from "@std/encoding/base64";
import { textOf } from "../_support/raw_bytes.ts";
import type { Transcript, TranscriptMessage } from "./transcript.ts";
import type { Judgement } from "./vector_difference.ts";

/** A message as a vector describes it; what is absent is not compared. */
export interface VectorMessage {
  readonly method?: string;
  readonly url?: string;
  readonly version?: string;
  readonly status?: number;
  readonly reason?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly trailers?: readonly (readonly [string, string])[];
  /** In base64. */
  readonly body?: string;
  readonly complete?: boolean;
}

/** A case of the files with messages. */
export interface VectorCase {
  readonly name: string;
  readonly type: string;
  /** In base64. */
  readonly input: string;
  readonly expect: {
    readonly outcome: string;
    readonly messages?: readonly VectorMessage[];
    readonly finish?: string;
    readonly status?: number;
  };
}

/** The bytes of a base64 text of a vector file. */
export function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> {
  return decodeBase64(text);
}

/** Decides whether a transcript is what a case wants. */
export function judge(item: VectorCase, transcript: Transcript): Judgement {
  const wanted = item.expect.outcome;
  const isAgreed = wanted === "error"
    ? transcript.outcome.startsWith("error")
    : transcript.outcome === wanted;
  const { name } = item;
  if (!isAgreed) return { name, wanted, got: transcript.outcome, isAgreed };
  const difference = differenceOf(item, transcript);
  if (difference === undefined) return { name, wanted, got: transcript.outcome, isAgreed };
  return { name, wanted, got: difference, isAgreed: false };
}

function differenceOf(item: VectorCase, transcript: Transcript): string | undefined {
  const isError = item.expect.outcome === "error";
  const wanted = (item.expect.messages ?? []).filter((message) => !isError || message.complete);
  // Of what an error cut off, sources show more or less.
  const got = isError
    ? transcript.messages.filter((message) => message.isComplete)
    : transcript.messages;
  const parsed = got.filter((_, index) => index < wanted.length || !isError);
  // A head that is not whole shows in what the source calls a message already.
  const started = wanted.filter((message) => message.complete !== false || message.body !== "");
  if (parsed.length < started.length || parsed.length > wanted.length) {
    return `${got.length} messages`;
  }
  for (const [index, message] of parsed.entries()) {
    const part = differingPart(wanted[index]!, message);
    if (part !== undefined) return `message ${index + 1} with another ${part}`;
  }
  return undefined;
}

function differingPart(wanted: VectorMessage, got: TranscriptMessage): string | undefined {
  const pairs: readonly (readonly [part: string, wanted: unknown, got: unknown])[] = [
    ["method", wanted.method, got.method],
    ["target", wanted.url, got.target],
    ["version", wanted.version, `1.${got.minorVersion}`],
    ["status", wanted.status, got.status],
    ["reason", wanted.reason, got.reason],
    ["header section", foldedFields(wanted.headers), foldedFields(got.headers)],
    ["trailer section", foldedFields(wanted.trailers), foldedFields(got.trailers)],
    ["body", wanted.body === undefined ? undefined : textOf(bytesOfBase64(wanted.body)), got.body],
    ["end", wanted.complete, got.isComplete],
  ];
  return pairs.find(([, want, is]) => want !== undefined && want !== is)?.[0];
}

/** Names in one case and values trimmed, as the formats say to compare them. */
function foldedFields(fields: VectorMessage["headers"]): string | undefined {
  return fields?.map(([name, value]) => `${name.toLowerCase()}: ${value.trim()}`).join("\n");
}
