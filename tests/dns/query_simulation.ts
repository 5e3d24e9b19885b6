/**
 * A resolver machine among scripted servers, in virtual time: no socket, no clock, no permission.
 */

import { decodeMessage } from "../../dns/decode_message.ts";
import { type DnsServer, formatServer, ServerMemory } from "../../dns/dns_server.ts";
import { encodeMessage, type MessageInit } from "../../dns/encode_message.ts";
import type { Message, Question, ResourceRecord } from "../../dns/message.ts";
import type { AnswerAction, FailedAction, SendAction } from "../../dns/query_action.ts";
import { QueryMachine } from "../../dns/query_machine.ts";
import type { QueryMachineOptions } from "../../dns/query_options.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";

/** A query as a scripted server sees it. */
export interface SeenQuery {
  readonly message: Message;
  readonly bytes: Uint8Array;
  readonly over: "udp" | "tcp";
  /** How many this server has seen before. */
  readonly index: number;
}

/** What a scripted server does about a query, after a while. */
export interface ScriptedReply {
  /** 10 by default. */
  readonly afterMs?: number;
  readonly bytes?: Uint8Array;
  /** Another sender. */
  readonly from?: DnsServer;
  /** The query fails with it. */
  readonly failure?: Error;
}

/** What a server does: nothing, one thing or several. */
export type ServerScript = (query: SeenQuery) => readonly ScriptedReply[];

/** How a question has ended. */
export interface SimulationResult {
  readonly outcome: AnswerAction | FailedAction;
  readonly sent: readonly SendAction[];
  readonly elapsedMs: number;
  readonly memory: ServerMemory;
}

export const QUESTION: Question = { name: "a.example.", type: "A", class: "IN" };
export const SERVERS: readonly DnsServer[] = [
  { address: "192.0.2.1", port: 53 },
  { address: "192.0.2.2", port: 53 },
  { address: "2001:db8::3", port: 53 },
];

/** An A record. */
export function address(name: string, text: string, ttl = 300): ResourceRecord {
  return { name, type: "A", class: "IN", ttl, data: { address: text } };
}

/** The honest record of the question. */
export const HONEST: ResourceRecord = address("a.example.", "192.0.2.80");

/** A response to a query. */
export function respond({ message }: SeenQuery, init: MessageInit = {}): Uint8Array<ArrayBuffer> {
  const { id, questions, edns } = message;
  return encodeMessage({
    id,
    questions,
    response: true,
    recursionDesired: true,
    recursionAvailable: true,
    ...(edns === undefined ? {} : { edns: { ...edns, options: [] } }),
    ...init,
  });
}

/** A script that gives one response to everything. */
export function always(init: MessageInit): ServerScript {
  return (query) => [{ bytes: respond(query, init) }];
}

/** The honest server. */
export const honest: ServerScript = always({ answers: [HONEST] });

/** The dead server. */
export const silent: ServerScript = (): [] => [];

/** The address in an answer; the code of the error, else. */
export function verdictOf({ outcome }: SimulationResult): string {
  if (outcome.type === "failed") return outcome.error.code;
  const [record] = outcome.message.answers;
  return record?.type === "A" ? record.data.address : outcome.message.rcode;
}

/** Runs one question to its end, and says how it ended. */
export function simulate(
  scripts: readonly ServerScript[],
  options: Partial<QueryMachineOptions> = {},
  { question = QUESTION, startMs = 0, seed = 1 }: {
    readonly question?: Question;
    readonly startMs?: number;
    readonly seed?: number;
  } = {},
): SimulationResult {
  const random = new SeededRandom(seed);
  const memory = options.memory ?? new ServerMemory();
  const machine = new QueryMachine(question, {
    servers: SERVERS.slice(0, scripts.length),
    memory,
    randomUint16: () => random.int(0x1_0000),
    random: () => random.next(),
    ...options,
  });
  const world = new World(machine, scripts, options.servers ?? SERVERS, startMs);
  return { ...world.run(), memory };
}

interface PendingReply {
  readonly atMs: number;
  readonly sequence: number;
  readonly action: SendAction;
  readonly reply: ScriptedReply;
}

class World {
  readonly #machine: QueryMachine;
  readonly #scripts: ReadonlyMap<string, ServerScript>;
  readonly #startMs: number;
  readonly #seen = new Map<string, number>();
  readonly #sent: SendAction[] = [];
  /** Soonest last; equals in reverse of the order they were sent. */
  readonly #pending: PendingReply[] = [];
  #sequence = 0;
  #nowMs: number;

  constructor(
    machine: QueryMachine,
    scripts: readonly ServerScript[],
    servers: readonly DnsServer[],
    startMs: number,
  ) {
    this.#machine = machine;
    this.#scripts = new Map(
      scripts.map((script, index) => [formatServer(servers[index]!), script]),
    );
    this.#startMs = this.#nowMs = startMs;
  }

  run(): Omit<SimulationResult, "memory"> {
    for (let step = 0; step < 1_000_000; step++) {
      const action = this.#machine.next(this.#nowMs);
      if (action.type === "send") {
        this.#sent.push(action);
        this.#serve(action);
      } else if (action.type === "wait") {
        this.#wait(action.untilMs);
      } else {
        return { outcome: action, sent: this.#sent, elapsedMs: this.#nowMs - this.#startMs };
      }
    }
    throw new Error("the machine does not end");
  }

  #serve(action: SendAction): void {
    const key = formatServer(action.server);
    const index = this.#seen.get(key) ?? 0;
    this.#seen.set(key, index + 1);
    const { bytes, over } = action;
    const replies = this.#scripts.get(key)!({ message: decodeMessage(bytes), bytes, over, index });
    for (const reply of replies) {
      const atMs = this.#nowMs + (reply.afterMs ?? 10);
      this.#pending.push({ atMs, sequence: this.#sequence++, action, reply });
    }
    this.#pending.sort((a, b) => b.atMs - a.atMs || b.sequence - a.sequence);
  }

  #wait(untilMs: number): void {
    const next = this.#pending.at(-1);
    if (next === undefined || next.atMs > untilMs) {
      this.#nowMs = untilMs;
      return;
    }
    this.#pending.pop();
    this.#nowMs = next.atMs;
    const { action: { tag, over, server }, reply } = next;
    if (reply.failure !== undefined) this.#machine.onFailure(tag, reply.failure, this.#nowMs);
    if (reply.bytes === undefined) return;
    const from = reply.from ?? server;
    if (over === "udp") this.#machine.onDatagram(tag, reply.bytes, from, this.#nowMs);
    else this.#machine.onMessage(tag, reply.bytes, from, this.#nowMs);
  }
}
