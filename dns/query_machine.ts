// This module is sans-I/O.

import { newServerState, type ServerState } from "./_server_state.ts";
import { checkAnswer, type MalformedVerdict } from "./answer_check.ts";
import { isReferral, isRelevant } from "./answer_chain.ts";
import { type DnsServer, equalBytes, isFromServer } from "./dns_server.ts";
import type { Message, Question } from "./message.ts";
import type { QueryAction, SendAction, ServerResponse } from "./query_action.ts";
import { randomizeCase, restoreCase } from "./query_case.ts";
import { QueryFailure } from "./query_failure.ts";
import {
  type QueryMachineOptions,
  type ResolvedQueryOptions,
  resolveQueryOptions,
} from "./query_options.ts";
import { encodeQuery, normalizeQuestion, type QueryParts } from "./query_message.ts";
import { planAttempts, type PlannedAttempt } from "./query_schedule.ts";

/** A query that was sent. */
interface Sent extends QueryParts {
  /** The query itself. */
  readonly bytes: Uint8Array;
  readonly tag: number;
  readonly state: ServerState;
  readonly over: "udp" | "tcp";
  strayCount: number;
  /** Whether an answer to it still counts. */
  isOpen: boolean;
}

/** Response codes that are as final as records, whoever is asked. */
const FINAL_RCODES: ReadonlySet<string> = new Set([
  "NOERROR",
  "NXDOMAIN",
  "YXDOMAIN",
  "YXRRSET",
  "NXRRSET",
]);
/** RFC 6891 section 7, RFC 3225 section 3: what may come of EDNS where it is not understood. */
const EDNS_REFUSALS: ReadonlySet<string> = new Set(["FORMERR", "NOTIMP", "BADVERS"]);

/**
 * One question to a list of servers, until one gives a response that can be used, or the time of
 * resolv.conf is over. It owns no socket and no clock: it says what to send, and is told what comes.
 *
 * Ask {@linkcode QueryMachine.next} after every call, until it says `wait`. Queries that were sent
 * stay open until the end, so that late answers count: keep their sockets.
 *
 * - An answer must come from the address and port that was asked, and repeat id and question, over
 *   UDP with 0x20 in the same case; anything else is dropped while waiting goes on.
 * - TC leads to TCP, as does what smells of forgery: many datagrams that do not match, a name in
 *   the wrong case, a cookie that is missing. What was cut is never used.
 * - FORMERR, NOTIMP, BADVERS or silence towards EDNS: the server is asked once more without it, and
 *   that is remembered if it helps. Silence alone is not: nothing is learned before an answer without
 *   EDNS, and a server that is known to understand EDNS is not asked without it.
 * - SERVFAIL, silence, and what cannot be read lead to the next server, or to the same one again
 *   where it is the only one; REFUSED, NOTIMP, FORMERR and a referral are not asked for twice.
 *
 * @example A server that fails, and one that answers
 * ```ts
 * import { decodeMessage, encodeMessage, QueryMachine, ServerMemory } from "@nbio/net/dns";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const servers = [{ address: "192.0.2.1", port: 53 }, { address: "192.0.2.2", port: 53 }];
 * const machine = new QueryMachine({ name: "a.example.", type: "A", class: "IN" }, {
 *   servers,
 *   memory: new ServerMemory(),
 *   randomUint16: () => crypto.getRandomValues(new Uint16Array(1))[0]!,
 *   random: Math.random,
 * });
 * for (const [index, rcode] of ["SERVFAIL", "NXDOMAIN"].entries()) {
 *   const action = machine.next(0);
 *   assert(action.type === "send");
 *   assertEquals(action.server, servers[index]);
 *   const { id, questions } = decodeMessage(action.bytes);
 *   const answer = encodeMessage({
 *     id,
 *     questions,
 *     rcode,
 *     response: true,
 *     recursionAvailable: true,
 *   });
 *   assertEquals(machine.onDatagram(action.tag, answer, action.server, 0), "taken");
 * }
 * const action = machine.next(0);
 * assertEquals(action.type === "answer" && action.message.rcode, "NXDOMAIN");
 * ```
 */
export class QueryMachine {
  readonly #question: Question;
  readonly #options: ResolvedQueryOptions;
  readonly #failure: QueryFailure;
  readonly #plan: readonly PlannedAttempt[];
  /** In the order in which they are asked; empty before the first call. */
  #states: readonly ServerState[] = [];
  #turn = -1;
  /** When the turn is over. */
  #deadlineMs = 0;
  /** Everything sent, by tag. */
  readonly #sent: Sent[] = [];
  /** What is waited for; `undefined` where only older queries are still open. */
  #current: Sent | undefined;
  /** What waiting goes back to if TCP does not help against stray datagrams. */
  #suspended: Sent | undefined;
  #unsent: SendAction | undefined;
  /** Until when an unreadable answer may yet turn out to be a forged one. */
  #lingerUntilMs = 0;
  #outcome: QueryAction | undefined;

  /**
   * Makes a machine for one question.
   *
   * @param question What to ask; the name counts as absolute.
   * @param options Whom to ask and how.
   * @throws {DnsTextError} If the name is none.
   * @throws {RangeError} If type, class or an option is out of its range.
   */
  constructor(question: Question, options: QueryMachineOptions) {
    this.#question = normalizeQuestion(question);
    this.#options = resolveQueryOptions(options);
    const { servers, attempts, timeoutMs } = this.#options;
    this.#plan = planAttempts(servers.length, attempts, timeoutMs);
    const totalMs = this.#plan.reduce((sum, turn) => sum + turn.timeoutMs, 0);
    this.#failure = new QueryFailure(this.#question, totalMs);
  }

  /** What is asked: the name absolute with its one escaping, type and class as mnemonics. */
  get question(): Question {
    return this.#question;
  }

  /**
   * Tells whether an answer to a query still counts: where not, its socket can go.
   *
   * @param tag The query.
   * @returns Whether it does.
   */
  isOpen(tag: number): boolean {
    const sent = this.#sent[tag];
    return sent !== undefined && (sent.isOpen || sent === this.#suspended);
  }

  /**
   * Says what to do now.
   *
   * @param nowMs What time it is.
   * @returns One action; `answer` and `failed` are the last one and stay.
   * @throws {DnsMessageError} If an option of EDNS cannot be encoded.
   */
  next(nowMs: number): QueryAction {
    if (this.#outcome !== undefined) return this.#outcome;
    if (this.#turn < 0) this.#start(nowMs);
    else if (nowMs >= this.#deadlineMs) this.#handleTimeout(nowMs);
    if (this.#outcome !== undefined) return this.#outcome;
    const unsent = this.#unsent;
    this.#unsent = undefined;
    return unsent ?? { type: "wait", untilMs: this.#deadlineMs };
  }

  /**
   * Takes a datagram that came to the socket of a query over UDP. Hand in what does not match as
   * well: a flood of it is noticed.
   *
   * @param tag The query.
   * @param bytes The datagram. Kept if it becomes the answer, and not to be changed then.
   * @param from Who sent it.
   * @param nowMs What time it is.
   * @returns Whether it was for this query.
   */
  onDatagram(tag: number, bytes: Uint8Array, from: DnsServer, nowMs: number): "taken" | "ignored" {
    const sent = this.#sent[tag];
    if (sent === undefined || !sent.isOpen || sent.over !== "udp") return "ignored";
    if (!isFromServer(from, sent.state.server)) return this.#countStray(sent, nowMs);
    return this.#judge(sent, bytes, nowMs);
  }

  /**
   * Takes a message that came over the connection of a query over TCP.
   *
   * @param tag The query.
   * @param bytes The message, without its length. Kept if it becomes the answer, and not to be
   * changed then.
   * @param from The server the connection leads to.
   * @param nowMs What time it is.
   * @returns Whether it was for this query.
   */
  onMessage(tag: number, bytes: Uint8Array, from: DnsServer, nowMs: number): "taken" | "ignored" {
    const sent = this.#sent[tag];
    if (sent === undefined || !sent.isOpen || sent.over !== "tcp") return "ignored";
    if (!isFromServer(from, sent.state.server)) return "ignored";
    return this.#judge(sent, bytes, nowMs);
  }

  /**
   * Takes note that a query could not be sent, or that its connection failed.
   *
   * @param tag The query.
   * @param error Why.
   * @param nowMs What time it is.
   */
  onFailure(tag: number, error: unknown, nowMs: number): void {
    const sent = this.#sent[tag];
    if (sent === undefined || !(sent.isOpen || sent === this.#suspended)) return;
    const { memory, useTcp } = this.#options;
    // A server without TCP is not a silent one.
    if (sent.over === "udp" || useTcp) memory.recordFailure(sent.state.server, nowMs);
    if (sent === this.#suspended) this.#suspended = undefined;
    this.#drop(sent, "unreachable", nowMs, error);
  }

  #start(nowMs: number): void {
    const { servers, memory, rotate, random } = this.#options;
    const shift = rotate ? Math.floor(random() * servers.length) : 0;
    const rotated = shift === 0 ? servers : [...servers.slice(shift), ...servers.slice(0, shift)];
    this.#states = memory.order(rotated, nowMs).map(newServerState);
    this.#nextTurn(nowMs);
  }

  #nextTurn(nowMs: number): void {
    this.#current = undefined;
    this.#suspended = undefined;
    this.#unsent = undefined;
    while (++this.#turn < this.#plan.length) {
      const { serverIndex, timeoutMs } = this.#plan[this.#turn]!;
      const state = this.#states[serverIndex]!;
      if (state.isOut) continue;
      this.#deadlineMs = nowMs + timeoutMs;
      this.#send(state, this.#options.useTcp || state.overTcp ? "tcp" : "udp", nowMs);
      return;
    }
    if (this.#lingerUntilMs > nowMs) this.#deadlineMs = this.#lingerUntilMs;
    else this.#fail();
  }

  #handleTimeout(nowMs: number): void {
    const sent = this.#current;
    if (sent === undefined) return this.#fail();
    const { state, over, hasEdns } = sent;
    const { memory, useTcp } = this.#options;
    const isSilent = !state.hasSpoken && (over === "udp" || useTcp);
    if (isSilent && hasEdns && memory.ednsAbility(state.server, nowMs) === "unknown") {
      state.plain = "silent";
    }
    if (isSilent) memory.recordFailure(state.server, nowMs);
    this.#failure.record(state.server, over, "timeout");
    // A late datagram is still welcome.
    if (over === "tcp") sent.isOpen = false;
    if (this.#suspended !== undefined) state.toleratesStrays = true;
    this.#nextTurn(nowMs);
  }

  #send(state: ServerState, over: "udp" | "tcp", nowMs: number): void {
    const { edns, memory, cookies, clientAddress, randomUint16, use0x20 } = this.#options;
    const { server } = state;
    const hasEdns = edns !== false && state.plain === undefined &&
      memory.ednsAbility(server, nowMs) !== "unsupported";
    const cookie = hasEdns && cookies
      ? memory.cookieFor(server, clientAddress, randomUint16, nowMs)
      : undefined;
    const question = use0x20 && over === "udp"
      ? { ...this.#question, name: randomizeCase(this.#question.name, randomUint16) }
      : this.#question;
    const id = randomUint16();
    const tag = this.#sent.length;
    const bytes = encodeQuery({ id, question, hasEdns, cookie }, this.#options);
    const strayCount = 0;
    const isOpen = true;
    const sent = { tag, state, over, id, question, hasEdns, cookie, bytes, strayCount, isOpen };
    this.#sent.push(sent);
    this.#current = sent;
    const timeoutMs = this.#deadlineMs - nowMs;
    this.#unsent = { type: "send", over, server, bytes, tag, timeoutMs };
  }

  #judge(sent: Sent, bytes: Uint8Array, nowMs: number): "taken" | "ignored" {
    const { over, id, question, bytes: query } = sent;
    const exactCase = this.#options.use0x20 && over === "udp";
    const verdict = checkAnswer(bytes, { id, question, exactCase, query });
    switch (verdict.type) {
      case "unrelated":
        return this.#countStray(sent, nowMs);
      case "miscased":
        this.#goOverTcp(sent, "mismatched", nowMs);
        return "taken";
      case "truncated":
        this.#judgeTruncated(sent, nowMs);
        return "taken";
      case "malformed":
        this.#judgeUnusable(sent, verdict, nowMs);
        return "taken";
      default:
        return this.#judgeMessage(sent, verdict.message, bytes, nowMs);
    }
  }

  /** What does not match is dropped; if there is too much of it, somebody may be guessing. */
  #countStray(sent: Sent, nowMs: number): "ignored" {
    sent.strayCount++;
    const { maxStrayCount } = this.#options;
    if (sent !== this.#current || sent.over !== "udp") return "ignored";
    if (sent.strayCount < maxStrayCount || sent.state.toleratesStrays) return "ignored";
    // A guess must not hit meanwhile.
    this.#goOverTcp(sent, "mismatched", nowMs);
    return "ignored";
  }

  #judgeTruncated(sent: Sent, nowMs: number): void {
    this.#hear(sent);
    if (sent.over === "tcp") {
      this.#failure.note("malformed");
      return this.#drop(sent, "truncated", nowMs);
    }
    sent.state.overTcp = true;
    sent.isOpen = false;
    this.#goOverTcp(sent, "truncated", nowMs);
  }

  /**
   * What cannot be read, or has nothing to do with the question, may be forged: the honest answer
   * may be on its way. Nobody waits for it before somebody else is asked.
   */
  #judgeUnusable(sent: Sent, verdict: MalformedVerdict | undefined, nowMs: number): void {
    const { over, state } = sent;
    this.#failure.note("malformed");
    if (over === "tcp") return this.#drop(sent, "malformed", nowMs, verdict?.error);
    this.#failure.record(state.server, over, "malformed", verdict?.error);
    if (sent !== this.#current) return;
    this.#lingerUntilMs = Math.max(this.#lingerUntilMs, this.#deadlineMs);
    if (this.#hasTurnLeft()) this.#nextTurn(nowMs);
    else this.#resend(state, "tcp", nowMs);
  }

  #judgeMessage(
    sent: Sent,
    message: Message,
    bytes: Uint8Array,
    nowMs: number,
  ): "taken" | "ignored" {
    const cookie = this.#judgeCookie(sent, message);
    if (cookie === "wrong") return this.#countStray(sent, nowMs);
    this.#hear(sent);
    if (cookie === "missing" && sent.over === "udp") {
      sent.isOpen = false;
      this.#goOverTcp(sent, "mismatched", nowMs);
      return "taken";
    }
    const { state, over } = sent;
    const response: ServerResponse = { message, server: state.server, over, bytes };
    if (message.rcode === "BADCOOKIE" && sent.cookie !== undefined) {
      this.#judgeBadCookie(sent, response, nowMs);
    } else if (sent.hasEdns && EDNS_REFUSALS.has(message.rcode)) {
      this.#judgeEdnsRefusal(sent, response, nowMs);
    } else if (!FINAL_RCODES.has(message.rcode)) {
      this.#judgeFailure(sent, response, nowMs);
    } else if (this.#options.recursionDesired && isReferral(message, this.#question)) {
      state.isOut = true;
      this.#failure.note("lame", response);
      this.#drop(sent, "lame", nowMs);
    } else if (message.rcode === "NOERROR" && !isRelevant(message, this.#question)) {
      this.#failure.note("malformed", response);
      this.#judgeUnusable(sent, undefined, nowMs);
    } else {
      this.#answer(sent, response, nowMs);
    }
    return "taken";
  }

  /** RFC 7873 section 5.3. */
  #judgeCookie(sent: Sent, { edns }: Message): "fine" | "wrong" | "missing" {
    if (sent.cookie === undefined) return "fine";
    const { memory, clientAddress } = this.#options;
    const { server } = sent.state;
    const cookie = edns?.options.find((option) => option.type === "cookie");
    if (cookie === undefined) {
      if (sent.cookie.server.length === 0) return "fine";
      // It gave one before. TCP is going to tell who is speaking; after that it may do without.
      memory.recordCookie(server, clientAddress, { ...sent.cookie, server: new Uint8Array(0) });
      return "missing";
    }
    if (!equalBytes(cookie.client, sent.cookie.client)) return "wrong";
    if (cookie.server.length > 0) memory.recordCookie(server, clientAddress, cookie);
    return "fine";
  }

  /** The server wants to see its new cookie first; if that does not help, TCP does. */
  #judgeBadCookie(sent: Sent, response: ServerResponse, nowMs: number): void {
    const { state, over } = sent;
    if (over === "tcp") return this.#judgeFailure(sent, response, nowMs);
    sent.isOpen = false;
    this.#failure.note("refused", response);
    if (state.hasNewCookie) return this.#goOverTcp(sent, "BADCOOKIE", nowMs);
    state.hasNewCookie = true;
    this.#failure.record(state.server, over, "BADCOOKIE");
    if (sent === this.#current) this.#resend(state, "udp", nowMs);
  }

  #judgeEdnsRefusal(sent: Sent, response: ServerResponse, nowMs: number): void {
    const { state, over } = sent;
    const { rcode } = response.message;
    sent.isOpen = false;
    state.plain = "refused";
    this.#failure.note("refused", response);
    this.#failure.record(state.server, over, rcode);
    // Another query to it may be on its way already.
    const isCurrent = this.#current?.state === state && this.#current.hasEdns;
    if (isCurrent) this.#resend(state, this.#current!.over, nowMs);
  }

  #judgeFailure(sent: Sent, response: ServerResponse, nowMs: number): void {
    const { state, hasEdns } = sent;
    const { rcode, edns } = response.message;
    const { memory, dnssecOk } = this.#options;
    if (rcode !== "SERVFAIL") state.isOut = true;
    // Some servers fail over EDNS; those that know it say so by an OPT record of their own.
    else if (
      hasEdns && edns === undefined && !dnssecOk &&
      memory.ednsAbility(state.server, nowMs) === "unknown"
    ) state.plain = "failed";
    this.#failure.note("rcode", response);
    this.#drop(sent, rcode, nowMs);
  }

  #answer(sent: Sent, response: ServerResponse, nowMs: number): void {
    const { memory, use0x20 } = this.#options;
    const { state, hasEdns } = sent;
    if (hasEdns) memory.recordEdns(state.server, "supported", nowMs);
    else if (state.plain === "refused" || state.plain === "silent") {
      memory.recordEdns(state.server, "unsupported", nowMs);
    }
    const message = use0x20 && sent.over === "udp"
      ? restoreCase(response.message, this.#question.name)
      : response.message;
    this.#finish({ type: "answer", ...response, message });
  }

  /** The server lives. */
  #hear(sent: Sent): void {
    sent.state.hasSpoken = true;
    this.#options.memory.recordSuccess(sent.state.server);
  }

  /** A query has failed: on to the next turn, if it is the one that is waited for. */
  #drop(sent: Sent, outcome: string, nowMs: number, cause?: unknown): void {
    sent.isOpen = false;
    this.#failure.record(sent.state.server, sent.over, outcome, cause);
    if (sent !== this.#current) return;
    const suspended = this.#suspended;
    if (suspended === undefined) return this.#nextTurn(nowMs);
    this.#suspended = undefined;
    this.#unsent = undefined;
    suspended.isOpen = true;
    suspended.state.toleratesStrays = true;
    this.#current = suspended;
  }

  /** Goes on over TCP in the same turn, if the server is the one that is waited for. */
  #goOverTcp(sent: Sent, outcome: string, nowMs: number): void {
    const { state, over } = sent;
    this.#failure.record(state.server, over, outcome);
    if (this.#current?.state !== state || this.#current.over === "tcp") return;
    const waiting = this.#current;
    const isSent = this.#resend(state, "tcp", nowMs);
    if (!isSent || outcome !== "mismatched" || !waiting.isOpen) return;
    waiting.isOpen = false;
    this.#suspended = waiting;
  }

  /** Asks the same server again within its turn; tells whether there is time for that. */
  #resend(state: ServerState, over: "udp" | "tcp", nowMs: number): boolean {
    if (nowMs < this.#deadlineMs) {
      this.#send(state, over, nowMs);
      return true;
    }
    this.#nextTurn(nowMs);
    return false;
  }

  #hasTurnLeft(): boolean {
    return this.#plan.slice(this.#turn + 1).some(({ serverIndex }) =>
      !this.#states[serverIndex]!.isOut
    );
  }

  #fail(): void {
    this.#finish(this.#failure.finish());
  }

  #finish(outcome: QueryAction): void {
    this.#outcome = outcome;
    this.#unsent = undefined;
    this.#suspended = undefined;
    for (const sent of this.#sent) sent.isOpen = false;
  }
}
