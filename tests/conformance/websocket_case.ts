/**
 * What a case of the WebSocket suites is: what goes over one connection, what
 * has to come back, and how it has to end. Every case is for both roles: which
 * end the peer under test is changes nothing but the masks.
 */

import type { FrameParts } from "../_support/websocket_frames.ts";

/** What the peer says back: an echoed message, or the answer to a ping. */
export interface Answer {
  readonly type: "text" | "binary" | "pong";
  readonly payload: Uint8Array;
}

/** Frames that are sent. */
export interface SendStep {
  readonly send: readonly FrameParts[];
  /** Bytes of one write, or a write for each frame. @default {all in one write} */
  readonly chop?: number | "frames";
  /** Bytes of the payload of the one frame behind which the peer has seen enough to fail. */
  readonly failsBehind?: number;
}

/** Messages that are sent one after the other, each when the one before it has come back. */
export interface EchoStep {
  readonly type: "text" | "binary";
  /** The message with that index. */
  readonly message: (index: number) => Uint8Array;
  /** How many. @default {1} */
  readonly count?: number;
  /** Bytes of one fragment. @default {all in one frame} */
  readonly fragmentBytes?: number;
  /** Bytes of one write. @default {all in one write} */
  readonly chop?: number;
}

/** One thing that is done. */
export type Step =
  | SendStep
  | EchoStep
  /** Waits until so many answers have come in all. */
  | { readonly awaitAnswers: number }
  /** By now the peer has seen enough to fail the connection: not to do so is not strict. */
  | "fails here";

/** What is asked of permessage-deflate, in the order of preference. */
export interface DeflateWish {
  readonly noContextTakeover: boolean;
  /** `undefined` for as large as it may be. */
  readonly windowBits: number | undefined;
  /** Whose compression it is about: of the peer, of this end, or of both. */
  readonly whose: "peer" | "own" | "both";
}

/** One case of the suites. */
export interface WebSocketCase {
  /** Group and number, for example `6.4.1`. */
  readonly id: string;
  readonly name: string;
  readonly steps: readonly Step[];
  /** All answers, in order; those to an {@linkcode EchoStep} are checked there. */
  readonly answers: readonly Answer[];
  /** Answers that are let pass as not strict. */
  readonly lenientAnswers?: readonly Answer[];
  /**
   * Codes that the peer's Close may have, 1005 for none. Without them the connection is closed with
   * 1000 when all is done, which the peer has to repeat.
   */
  readonly closeCodes?: readonly number[];
  /** Whether nothing was wrong, so that a client has to leave the end to the server. */
  readonly isClean?: boolean;
  /** Whether there is no right or wrong, as long as it ends. */
  readonly isInformational?: boolean;
  /** Compression to agree on; a peer that declines has not implemented the case. */
  readonly deflate?: readonly DeflateWish[];
}

/** How much is sent where the sheer amount is what counts. */
export interface SuiteScale {
  /** What the sizes of the messages of group 9 are divided by. */
  readonly sizeDivisor: number;
  /** Messages of a case that sends many. */
  readonly messageCount: number;
  /** Messages of a case that sends many compressed ones. */
  readonly deflatedCount: number;
}

/** The full extent, of some minutes. */
export const FULL_SCALE: SuiteScale = { sizeDivisor: 1, messageCount: 1000, deflatedCount: 1000 };

/** Enough to see that each case works, within seconds. */
export const SHORT_SCALE: SuiteScale = { sizeDivisor: 32, messageCount: 25, deflatedCount: 4 };

/** Text as UTF-8. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** A text frame that is a whole message. */
export function text(payload: Uint8Array | string): FrameParts {
  return { opcode: 1, payload };
}

/** A binary frame that is a whole message. */
export function binary(payload: Uint8Array): FrameParts {
  return { opcode: 2, payload };
}

/** A ping. */
export function ping(payload: Uint8Array | string = ""): FrameParts {
  return { opcode: 9, payload };
}

/** A pong. */
export function pong(payload: Uint8Array | string = ""): FrameParts {
  return { opcode: 10, payload };
}

/** A Close frame with that code and reason. */
export function close(code: number, reason: Uint8Array | string = ""): FrameParts {
  const bytes = typeof reason === "string" ? utf8(reason) : reason;
  return { opcode: 8, payload: new Uint8Array([code >> 8, code & 0xff, ...bytes]) };
}

/** A text message in fragments. */
export function fragments(...payloads: readonly (Uint8Array | string)[]): FrameParts[] {
  return payloads.map((payload, index) => ({
    opcode: index === 0 ? 1 : 0,
    payload,
    isFinal: index === payloads.length - 1,
  }));
}

/** An answer with that payload. */
export function answer(type: Answer["type"], payload: Uint8Array | string = ""): Answer {
  return { type, payload: typeof payload === "string" ? utf8(payload) : payload };
}

/** What is sent is answered, and nothing is wrong. */
export function answered(
  id: string,
  name: string,
  send: readonly FrameParts[],
  answers: readonly Answer[],
  chop?: SendStep["chop"],
): WebSocketCase {
  return { id, name, steps: [sending(send, chop)], answers };
}

/** What is sent breaks the protocol: the peer fails the connection, after what came before. */
export function failing(
  id: string,
  name: string,
  send: readonly FrameParts[],
  options: {
    readonly answers?: readonly Answer[];
    readonly chop?: SendStep["chop"];
    readonly code?: number;
  } = {},
): WebSocketCase {
  const { answers = [], code = 1002 } = options;
  return {
    id,
    name,
    steps: [sending(send, options.chop)],
    answers,
    // Who looks at everything that has come before answering any of it gets this far.
    ...answers.length > 0 && { lenientAnswers: [] },
    closeCodes: [code],
  };
}

function sending(send: readonly FrameParts[], chop: SendStep["chop"]): SendStep {
  return chop === undefined ? { send } : { send, chop };
}
