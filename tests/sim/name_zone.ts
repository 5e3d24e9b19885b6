import type { MessageInit } from "../../dns/encode_message.ts";
import type { Question, ResourceRecord } from "../../dns/message.ts";
import type { SeededRandom } from "../../nbio/testing_random.ts";
import { check } from "./simulation_error.ts";

const ALIAS_COUNT = 3;
const VERSION_COUNT = 250;

/** A name whose address changes: its record says which version of it was true. */
export interface ChangingName {
  readonly name: string;
  readonly index: number;
  /** How long each version is true. */
  readonly periodMs: number;
  /** Seconds. */
  readonly ttl: number;
  /** Whether it takes several aliases to get there. */
  readonly isAlias: boolean;
  /** Whether UDP is too small for it. */
  readonly isLarge: boolean;
}

/** What all name servers of a world agree on. */
export class NameZone {
  readonly changing: readonly ChangingName[];
  readonly #addresses = new Map<string, string>();
  readonly #byName = new Map<string, ChangingName>();

  constructor(random: SeededRandom) {
    this.changing = Array.from({ length: random.between(1, 5) }, (_, index) => ({
      name: `n${index}.dyn.sim.`,
      index,
      periodMs: random.between(500, 4_000),
      ttl: random.int(6),
      isAlias: random.chance(0.3),
      isLarge: random.chance(0.2),
    }));
    for (const name of this.changing) this.#byName.set(name.name, name);
  }

  /** Gives a host a name that never changes. */
  add(name: string, address: string): void {
    this.#addresses.set(`${name}.`, address);
  }

  /** Whether a question is about a name whose answer does not fit into a datagram. */
  isLarge(question: Question): boolean {
    return this.#byName.get(question.name.toLowerCase())?.isLarge ?? false;
  }

  /** What a server says to a question. */
  answer({ name: asked, type }: Question, nowMs: number): MessageInit {
    const name = asked.toLowerCase();
    const address = this.#addresses.get(name);
    const changing = this.#byName.get(name);
    const soa = authority();
    if (address === undefined && changing === undefined) {
      return { rcode: "NXDOMAIN", authorities: [soa] };
    }
    if (type !== "A") return { authorities: [soa] };
    if (changing === undefined) return { answers: [addressRecord(asked, address!, 60)] };
    const version = Math.floor(nowMs / changing.periodMs) % VERSION_COUNT;
    const text = `172.16.${changing.index}.${version}`;
    const { ttl } = changing;
    if (!changing.isAlias) return { answers: [addressRecord(asked, text, ttl)] };
    const answers: ResourceRecord[] = [];
    let owner = asked;
    for (let step = 1; step <= ALIAS_COUNT; step++) {
      const target = `alias${step}.${name}`;
      answers.push({ name: owner, type: "CNAME", class: "IN", ttl, data: { target } });
      owner = target;
    }
    return { answers: [...answers, addressRecord(owner, text, ttl)] };
  }
}

/**
 * Holds that an address belongs to a name, and was true not too long ago.
 *
 * @param name What was asked for.
 * @param addresses What came.
 * @param askedMs When.
 * @param answeredMs When it came.
 * @param slackMs How long an answer may have been on its way.
 */
export function checkFresh(
  name: ChangingName,
  addresses: readonly string[],
  [askedMs, answeredMs]: readonly [number, number],
  slackMs: number,
): void {
  check(addresses.length === 1, `a set of ${addresses.length} addresses`, addresses);
  const [a, b, index, version] = addresses[0]!.split(".").map(Number);
  check(a === 172 && b === 16, "an address that nobody honest has told", addresses);
  check(index === name.index, "an answer to another question", { name, addresses });
  const sinceMs = Math.max(0, askedMs - name.ttl * 1_000 - slackMs);
  const first = Math.floor(sinceMs / name.periodMs);
  const last = Math.floor(answeredMs / name.periodMs);
  if (last - first >= VERSION_COUNT) return;
  for (let wanted = first; wanted <= last; wanted++) {
    if (wanted % VERSION_COUNT === version) return;
  }
  check(false, "an answer that was no longer true", { name, addresses, askedMs, answeredMs });
}

function addressRecord(name: string, address: string, ttl: number): ResourceRecord {
  return { name, type: "A", class: "IN", ttl, data: { address } };
}

function authority(): ResourceRecord {
  return {
    name: "sim.",
    type: "SOA",
    class: "IN",
    ttl: 2,
    data: {
      mname: "ns.sim.",
      rname: "root.sim.",
      serial: 1,
      refresh: 60,
      retry: 60,
      expire: 60,
      minimum: 2,
    },
  };
}
