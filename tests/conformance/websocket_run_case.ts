import { frame, type FrameParts, join } from "../_support/websocket_frames.ts";
import {
  type Answer,
  close,
  type EchoStep,
  type SendStep,
  type WebSocketCase,
} from "./websocket_case.ts";
import type { RawDeflate } from "./websocket_deflate.ts";
import type { WebSocketPeer } from "./websocket_peer.ts";

/** What is to be said about a case, in the words of the public suite. */
export type Verdict = "ok" | "non-strict" | "informational" | "unimplemented" | "failed";

/** What became of a case. */
export interface WebSocketCaseResult {
  readonly id: string;
  readonly name: string;
  readonly verdict: Verdict;
  /** What was wrong; empty if nothing was. */
  readonly detail: string;
}

/** The end from which the peer is tested. */
export interface OwnEnd {
  /** Key of the frames; none for those of a server. */
  readonly key: readonly number[] | undefined;
  /** Compression, where it was agreed on. */
  readonly deflate: RawDeflate | undefined;
}

/** Who fails fast does so within this time, and few do so by chance. */
const FAIL_FAST_MS = 1_000;
/** Who closes a connection that the other side has to close does so at once. */
const HASTE_MS = 10;
const NORMAL = 1000;

/**
 * Runs a case on a connection behind its handshake.
 *
 * @returns The verdict, and what was wrong.
 */
export async function runCase(
  peer: WebSocketPeer,
  own: OwnEnd,
  item: WebSocketCase,
): Promise<{ readonly verdict: Verdict; readonly detail: string }> {
  const answers: Answer[] = [];
  const isLate = await runSteps(peer, own, item, answers);
  if (item.closeCodes === undefined) {
    await collect(peer, answers, item.answers.length);
    await send(peer, own, { send: [close(NORMAL)] });
  }
  await collect(peer, answers, Infinity);
  const isHasty = own.key === undefined && item.isClean === true && await peer.endsWithin(HASTE_MS);
  // A server ends the connection; where this end is one, the peer waits for that.
  const end = own.key === undefined ? undefined : await peer.ended();
  const { closeCode, fault } = peer;
  if (item.isInformational) return { verdict: "informational", detail: `closed with ${closeCode}` };
  if (fault !== undefined) return { verdict: "failed", detail: fault };
  const { closeCodes = [NORMAL], isClean = item.closeCodes === undefined } = item;
  if (closeCode === undefined && isClean) return { verdict: "failed", detail: "no Close frame" };
  if (closeCode !== undefined && !closeCodes.includes(closeCode)) {
    return { verdict: "failed", detail: `closed with ${closeCode}` };
  }
  if (end === "reset") return { verdict: "failed", detail: "ended by a reset or out of time" };
  const laxness = isLate ? "failed, but late" : isHasty
    ? "left before the server did"
    // RFC 6455 section 7.1.7: it should say why.
    : closeCode === undefined
    ? "no Close frame"
    : undefined;
  return judge(item, answers, laxness);
}

function judge(
  item: WebSocketCase,
  answers: readonly Answer[],
  laxness: string | undefined,
): { readonly verdict: Verdict; readonly detail: string } {
  if (isSameList(answers, item.answers)) {
    return laxness === undefined
      ? { verdict: "ok", detail: "" }
      : { verdict: "non-strict", detail: laxness };
  }
  if (item.lenientAnswers !== undefined && isSameList(answers, item.lenientAnswers)) {
    return { verdict: "non-strict", detail: "lost what came before" };
  }
  const came = answers.map(({ type, payload }) => `${type}(${payload.length})`).join(" ");
  return { verdict: "failed", detail: `answered ${came === "" ? "nothing" : came}` };
}

/** Gives whether the peer failed later than it could have. */
async function runSteps(
  peer: WebSocketPeer,
  own: OwnEnd,
  item: WebSocketCase,
  answers: Answer[],
): Promise<boolean> {
  let isLate = false;
  for (const step of item.steps) {
    if (step === "fails here") isLate ||= !await peer.closesWithin(FAIL_FAST_MS);
    else if ("awaitAnswers" in step) await collect(peer, answers, step.awaitAnswers);
    else if ("message" in step) await echo(peer, own, step);
    else isLate = await send(peer, own, step) || isLate;
  }
  return isLate;
}

async function collect(peer: WebSocketPeer, answers: Answer[], count: number): Promise<void> {
  while (answers.length < count) {
    const next = await peer.nextAnswer();
    if (next === undefined) return;
    answers.push(next);
  }
}

async function send(peer: WebSocketPeer, own: OwnEnd, step: SendStep): Promise<boolean> {
  const frames = step.send.map((parts) => frame({ ...parts, key: own.key }));
  if (step.failsBehind !== undefined) {
    const [whole] = frames;
    const headBytes = whole!.length - (step.send[0]!.payload?.length ?? 0);
    await peer.write(whole!.subarray(0, headBytes + step.failsBehind));
    const isLate = !await peer.closesWithin(FAIL_FAST_MS);
    await peer.write(whole!.subarray(headBytes + step.failsBehind));
    return isLate;
  }
  if (step.chop === "frames") { for (const bytes of frames) await peer.write(bytes); }
  else await peer.write(join(...frames), step.chop);
  return false;
}

async function echo(peer: WebSocketPeer, own: OwnEnd, step: EchoStep): Promise<void> {
  for (let index = 0; index < (step.count ?? 1); index++) {
    const message = step.message(index);
    const payload = await own.deflate?.deflate(message) ?? message;
    const frames = cut(step, payload, own.deflate !== undefined);
    const writing = peer.write(
      join(...frames.map((parts) => frame({ ...parts, key: own.key }))),
      step.chop,
    );
    const answer = await peer.nextAnswer();
    await writing;
    if (answer === undefined) {
      throw new Error(`message ${index}: ${peer.fault ?? `closed with ${peer.closeCode}`}`);
    }
    if (!isSame(answer, { type: step.type, payload: message })) {
      throw new Error(`message ${index}: came back as ${answer.type}(${answer.payload.length})`);
    }
  }
}

/** The frames of a message. */
function cut(step: EchoStep, payload: Uint8Array, isCompressed: boolean): FrameParts[] {
  const size = step.fragmentBytes ?? Infinity;
  const count = Math.max(1, Math.ceil(payload.length / size));
  const opcode = step.type === "text" ? 1 : 2;
  return Array.from({ length: count }, (_, index) => ({
    opcode: index === 0 ? opcode : 0,
    payload: count === 1 ? payload : payload.subarray(index * size, (index + 1) * size),
    isFinal: index === count - 1,
    reserved: index === 0 && isCompressed ? 4 : 0,
  }));
}

function isSameList(answers: readonly Answer[], expected: readonly Answer[]): boolean {
  return answers.length === expected.length &&
    answers.every((item, index) => isSame(item, expected[index]!));
}

function isSame(one: Answer, other: Answer): boolean {
  return one.type === other.type && one.payload.length === other.payload.length &&
    one.payload.every((byte, index) => byte === other.payload[index]);
}
