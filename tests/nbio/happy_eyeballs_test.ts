import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type AddressFamily,
  HappyEyeballs,
  type HappyEyeballsEvent,
  type HappyEyeballsOptions,
} from "../../nbio/happy_eyeballs.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { loadVectors } from "../_support/vectors.ts";

const A1 = "192.0.2.1";
const A2 = "192.0.2.2";
const B1 = "2001:db8::1";
const B2 = "2001:db8::2";
const B3 = "2001:db8::3";

/** One line of a script: what happens, and what the machine says to it. */
type Step = readonly [
  nowMs: number,
  input: string,
  events: readonly string[],
  deadlineMs?: number,
];

function drain(machine: HappyEyeballs): HappyEyeballsEvent[] {
  const events: HappyEyeballsEvent[] = [];
  for (let event; (event = machine.nextEvent()) !== undefined;) events.push(event);
  return events;
}

function say(event: HappyEyeballsEvent): string {
  return "address" in event ? `${event.type} ${event.address}` : event.type;
}

function feed(machine: HappyEyeballs, input: string, nowMs: number): void {
  const [word, ...rest] = input.split(" ");
  if (word === "v4" || word === "v6") {
    const family = word === "v4" ? 4 : 6;
    if (rest[0] === "failed") machine.resolutionFailed(family, nowMs);
    else machine.receiveAddresses(family, rest, nowMs);
  } else if (word === "ok") machine.attemptSucceeded(rest[0]!, nowMs);
  else if (word === "fail") machine.attemptFailed(rest[0]!, nowMs);
  else if (word === "time") machine.handleTimeout(nowMs);
  else if (word === "cancel") machine.cancel();
  else throw new TypeError(`No such input: ${input}`);
}

interface Script {
  readonly name: string;
  readonly options?: HappyEyeballsOptions;
  readonly steps: readonly Step[];
}

const SCRIPTS: readonly Script[] = [
  {
    name: "begins at once with IPv6, without waiting for IPv4",
    steps: [
      [0, `v6 ${B1}`, [`attempt ${B1}`], Infinity],
      [10, `v4 ${A1}`, [], 250],
      [250, "time", [`attempt ${A1}`], Infinity],
    ],
  },
  {
    name: "lets IPv4 wait for the resolution delay",
    steps: [
      [100, `v4 ${A1}`, [], 150],
      [149.9, "time", [], 150],
      [150, "time", [`attempt ${A1}`], Infinity],
    ],
  },
  {
    name: "begins with IPv6 if it comes within the resolution delay",
    steps: [
      [0, `v4 ${A1}`, [], 50],
      [49, `v6 ${B1}`, [`attempt ${B1}`], 299],
      [299, "time", [`attempt ${A1}`], Infinity],
    ],
  },
  {
    name: "does not wait when IPv6 has no address",
    steps: [[0, `v4 ${A1}`, [], 50], [20, "v6", [`attempt ${A1}`], Infinity]],
  },
  {
    name: "does not wait when IPv6 could not be looked up",
    steps: [[0, "v6 failed", []], [5, `v4 ${A1}`, [`attempt ${A1}`], Infinity]],
  },
  {
    name: "does not wait without a resolution delay",
    options: { resolutionDelayMs: 0 },
    steps: [[0, `v4 ${A1}`, [`attempt ${A1}`]]],
  },
  {
    name: "waits for IPv6 for ever with an infinite resolution delay",
    options: { resolutionDelayMs: Infinity },
    steps: [[0, `v4 ${A1}`, [], Infinity], [9_999, "v6 failed", [`attempt ${A1}`]]],
  },
  {
    name: "does not wait when only one family is looked up",
    options: { families: [4] },
    steps: [[0, `v4 ${A1}`, [`attempt ${A1}`]], [1, `fail ${A1}`, ["failed"]]],
  },
  {
    name: "takes the families in turn, IPv6 first",
    options: { attemptDelayMs: 10 },
    steps: [
      [0, `v4 ${A1} ${A2}`, [], 50],
      [0, `v6 ${B1} ${B2} ${B3}`, [`attempt ${B1}`], 10],
      [10, "time", [`attempt ${A1}`], 20],
      [20, "time", [`attempt ${B2}`], 30],
      [30, "time", [`attempt ${A2}`], 40],
      [40, "time", [`attempt ${B3}`], Infinity],
    ],
  },
  {
    name: "begins with IPv4 if the order says so",
    steps: [
      [0, `v4 ${A1} ${A2}`, [], 50],
      [0, `v6 fd00::1 fd00::2`, [`attempt ${A1}`], 250],
      [1, `fail ${A1}`, ["attempt fd00::1"], 251],
      [2, "fail fd00::1", [`attempt ${A2}`], 252],
    ],
  },
  {
    name: "lets IPv6 that comes late join in next",
    steps: [
      [0, `v4 ${A1} ${A2}`, [], 50],
      [50, "time", [`attempt ${A1}`], 300],
      [200, `v6 ${B1} ${B2}`, [], 300],
      [300, "time", [`attempt ${B1}`], 550],
      [550, "time", [`attempt ${A2}`], 800],
      [800, "time", [`attempt ${B2}`], Infinity],
    ],
  },
  {
    name: "tries at once what comes after the delay has passed",
    steps: [
      [0, `v6 ${B1}`, [`attempt ${B1}`]],
      [400, `v4 ${A1}`, [`attempt ${A1}`]],
    ],
  },
  {
    name: "goes on at once after a failure",
    steps: [
      [0, "v4 failed", []],
      [0, `v6 ${B1} ${B2} ${B3}`, [`attempt ${B1}`], 250],
      [5, `fail ${B1}`, [`attempt ${B2}`], 255],
      [5, "time", [], 255],
      [6, `fail ${B2}`, [`attempt ${B3}`], Infinity],
      [7, `fail ${B3}`, ["failed"], Infinity],
    ],
  },
  {
    name: "keeps the delay between two attempts that both hang",
    options: { attemptDelayMs: 100 },
    steps: [
      [0, `v6 ${B1} ${B2} ${B3}`, [`attempt ${B1}`], 100],
      [0, "v4", [], 100],
      [99, "time", [], 100],
      [140, "time", [`attempt ${B2}`], 240],
      [240, "time", [`attempt ${B3}`], Infinity],
    ],
  },
  {
    name: "tries one after the other with an infinite delay",
    options: { attemptDelayMs: Infinity, families: [6] },
    steps: [
      [0, `v6 ${B1} ${B2}`, [`attempt ${B1}`], Infinity],
      [9_999, "time", [], Infinity],
      [9_999, `fail ${B1}`, [`attempt ${B2}`], Infinity],
    ],
  },
  {
    name: "cancels the losers when one wins",
    options: { attemptDelayMs: 10 },
    steps: [
      [0, `v6 ${B1} ${B2} ${B3}`, [`attempt ${B1}`]],
      [10, "time", [`attempt ${B2}`]],
      [20, "time", [`attempt ${B3}`]],
      [25, `ok ${B2}`, [`connected ${B2}`, `cancel ${B1}`, `cancel ${B3}`], Infinity],
      [30, `fail ${B1}`, []],
      [31, `ok ${B3}`, [`close ${B3}`]],
      [40, `v4 ${A1}`, [], Infinity],
      [9_999, "time", []],
    ],
  },
  {
    name: "waits for a family that is still looked up when all others have failed",
    steps: [
      [0, `v6 ${B1}`, [`attempt ${B1}`]],
      [1, `fail ${B1}`, [], Infinity],
      [500, `v4 ${A1}`, [`attempt ${A1}`]],
      [501, `fail ${A1}`, ["failed"]],
    ],
  },
  {
    name: "fails when no family has an address",
    steps: [[0, "v6", []], [1, "v4 failed", ["failed"], Infinity]],
  },
  {
    name: "does not look at a second answer for a family",
    steps: [
      [0, "v6", []],
      [0, `v6 ${B1}`, []],
      [1, `v4 ${A1}`, [`attempt ${A1}`]],
      [2, `v4 ${A2}`, [], Infinity],
    ],
  },
  {
    name: "tries an address once, however often it is given",
    options: { order: (addresses) => addresses },
    steps: [
      [0, `v6 ${B1} ${B1} ${B2}`, [`attempt ${B1}`]],
      [1, `v4 ${B1} ${B2} ${A1}`, []],
      [2, `fail ${B1}`, [`attempt ${A1}`]],
      [3, `fail ${A1}`, [`attempt ${B2}`]],
      [4, `fail ${B2}`, ["failed"]],
    ],
  },
  {
    name: "tries no more than maxAddresses, the best of each family",
    options: { maxAddresses: 2 },
    steps: [
      [0, `v4 ${A1} ${A2}`, [], 50],
      [0, `v6 fd00::1 ${B1} ${B2}`, [`attempt ${B1}`]],
      [1, `fail ${B1}`, [`attempt ${A1}`], Infinity],
      [2, `fail ${A1}`, ["failed"]],
    ],
  },
  {
    name: "waits for no more answers once it has tried maxAddresses",
    options: { maxAddresses: 1 },
    steps: [[0, `v6 ${B1} ${B2}`, [`attempt ${B1}`]], [1, `fail ${B1}`, ["failed"]]],
  },
  {
    name: "gives everything up when cancelled",
    steps: [
      [0, `v6 ${B1} ${B2}`, [`attempt ${B1}`]],
      [1, "cancel", [`cancel ${B1}`], Infinity],
      [2, "cancel", []],
      [3, `v4 ${A1}`, [], Infinity],
      [4, `ok ${B1}`, [`close ${B1}`]],
    ],
  },
  {
    name: "does nothing when cancelled before anything happened",
    steps: [[0, "cancel", []], [1, `v6 ${B1}`, [], Infinity], [2, "time", []]],
  },
];

for (const { name, options, steps } of SCRIPTS) {
  Deno.test(`HappyEyeballs ${name}`, () => {
    const machine = new HappyEyeballs(options);
    assertEquals(drain(machine), []);
    for (const [nowMs, input, events, deadlineMs] of steps) {
      feed(machine, input, nowMs);
      assertEquals(drain(machine).map(say), [...events], `${nowMs} ms: ${input}`);
      if (deadlineMs !== undefined) assertEquals(machine.deadlineMs, deadlineMs, input);
    }
  });
}

Deno.test("HappyEyeballs cancels no attempt that has ended by then", () => {
  const machine = new HappyEyeballs({ attemptDelayMs: 10 });
  machine.receiveAddresses(6, [B1, B2], 0);
  drain(machine);
  machine.handleTimeout(10);
  drain(machine);
  machine.attemptSucceeded(B1, 11);
  machine.attemptSucceeded(B2, 11);
  assertEquals(drain(machine).map(say), [`connected ${B1}`, `close ${B2}`]);
});

Deno.test("HappyEyeballs begins no attempt for which it was not asked before the winner came", () => {
  const machine = new HappyEyeballs({ attemptDelayMs: 10 });
  machine.receiveAddresses(6, [B1, B2], 0);
  assertEquals(machine.nextEvent(), { type: "attempt", address: B1 });
  machine.handleTimeout(10);
  machine.attemptSucceeded(B1, 10);
  assertEquals(drain(machine).map(say), [`connected ${B1}`]);
});

Deno.test("HappyEyeballs does not even look at an answer that comes after the end", () => {
  const order = (): never => {
    throw new Error("Not to be called");
  };
  const machine = new HappyEyeballs({ order });
  machine.receiveAddresses(6, [B1], 0);
  drain(machine);
  machine.attemptSucceeded(B1, 1);
  machine.receiveAddresses(4, [A1, A2], 2);
  assertEquals(drain(machine).map(say), [`connected ${B1}`]);
});

Deno.test("HappyEyeballs throws on the end of an attempt that is not under way", () => {
  const machine = new HappyEyeballs();
  assertThrows(() => machine.attemptFailed(B1, 0), TypeError);
  machine.receiveAddresses(6, [B1], 0);
  assertThrows(() => machine.attemptSucceeded(B1, 0), TypeError);
  drain(machine);
  machine.attemptFailed(B1, 0);
  assertThrows(() => machine.attemptFailed(B1, 0), TypeError);
});

const BAD_OPTIONS: readonly HappyEyeballsOptions[] = [
  { families: [] },
  { families: [5 as 4] },
  { families: [6, 4, NaN as 4] },
  { attemptDelayMs: 9.9 },
  { attemptDelayMs: NaN },
  { resolutionDelayMs: -1 },
  { resolutionDelayMs: NaN },
  { maxAddresses: 0 },
  { maxAddresses: 1.5 },
  { maxAddresses: 1_001 },
];

for (const options of BAD_OPTIONS) {
  Deno.test(`HappyEyeballs throws on ${Deno.inspect(options)}`, () => {
    assertThrows(() => new HappyEyeballs(options), RangeError);
  });
}

/** What becomes of a family or an address in a random run: when, and how. */
interface Fate {
  readonly atMs: number;
  readonly ending: "good" | "bad" | "never";
}

interface Simulation {
  readonly options: Required<Omit<HappyEyeballsOptions, "order">>;
  readonly lookups: readonly (readonly [AddressFamily, readonly string[], Fate])[];
  readonly cancelMs: number;
}

function randomFate(random: SeededRandom, maxMs: number): Fate {
  const ending = random.pick(["good", "good", "bad", "bad", "bad", "never"] as const);
  // Coarse, so that many things happen at the same instant.
  return { atMs: random.int(maxMs / 10) * 10, ending };
}

function randomSimulation(random: SeededRandom): Simulation {
  const families = random.pick([[6, 4], [6, 4], [4, 6], [4], [6]] as const);
  const pools = { 4: [A1, A2, "10.0.0.1"], 6: [B1, B2, "fd00::1", "::1"] };
  return {
    options: {
      families,
      attemptDelayMs: 10 + 10 * random.int(30),
      resolutionDelayMs: 10 * random.int(10),
      maxAddresses: 1 + random.int(8),
    },
    lookups: families.map((family) => {
      const addresses = Array.from({ length: random.int(6) }, () => random.pick(pools[family]));
      return [family, addresses, randomFate(random, 400)];
    }),
    cancelMs: random.int(4) === 0 ? 10 * random.int(100) : Infinity,
  };
}

/** Runs one simulation in virtual time and holds the machine to its promises. */
class Referee {
  readonly #random: SeededRandom;
  readonly #simulation: Simulation;
  readonly #machine: HappyEyeballs;
  readonly #agenda: { readonly atMs: number; readonly run: () => void }[] = [];
  #nowMs = 0;
  #lastStartMs = -Infinity;
  #failedSinceStart = false;
  #lastFamily: AddressFamily | undefined;
  /** What has come and was not tried, by family; over `maxAddresses` it is cut. */
  readonly #untried: Record<AddressFamily, Set<string>> = { 4: new Set(), 6: new Set() };
  readonly #answeredMs: Record<AddressFamily, number> = { 4: Infinity, 6: Infinity };
  readonly #tried: Set<string> = new Set();
  readonly #running: Set<string> = new Set();
  readonly #cancelled: Set<string> = new Set();
  readonly #toClose: Set<string> = new Set();
  /** The addresses whose attempts succeeded before there was an end. */
  #winner: string | undefined;
  #ended: "connected" | "failed" | "cancelled" | undefined;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#simulation = randomSimulation(random);
    this.#machine = new HappyEyeballs(this.#simulation.options);
    for (const [family, addresses, fate] of this.#simulation.lookups) {
      this.#plan(fate, () => this.#answer(family, fate.ending === "good" ? addresses : []));
    }
    const { cancelMs } = this.#simulation;
    if (cancelMs < Infinity) this.#agenda.push({ atMs: cancelMs, run: () => this.#cancel() });
  }

  run(): void {
    // Much more than any simulation can take: each step ends something or passes time.
    for (let steps = 0; steps < 1_000; steps++) {
      this.#drain();
      const { deadlineMs } = this.#machine;
      assert(deadlineMs > this.#nowMs, "nothing is due that was not said");
      // A driver may be told the time early, late, or not by the machine's wish at all.
      const wakeMs = deadlineMs + 10 * this.#random.int(2);
      const nextMs = Math.min(wakeMs, ...this.#agenda.map(({ atMs }) => atMs));
      if (nextMs === Infinity) return this.#checkEnd();
      this.#nowMs = Math.max(this.#nowMs, nextMs);
      const due = this.#agenda.filter(({ atMs }) => atMs <= this.#nowMs);
      const item = due.length > 0 ? this.#random.pick(due) : undefined;
      if (item !== undefined) this.#agenda.splice(this.#agenda.indexOf(item), 1);
      if (item === undefined || this.#random.int(3) === 0) this.#machine.handleTimeout(this.#nowMs);
      item?.run();
    }
    throw new Error("The simulation does not end");
  }

  #plan({ atMs, ending }: Fate, run: () => void): void {
    if (ending !== "never") this.#agenda.push({ atMs: this.#nowMs + atMs, run });
  }

  #answer(family: AddressFamily, addresses: readonly string[]): void {
    this.#machine.receiveAddresses(family, addresses, this.#nowMs);
    this.#answeredMs[family] = this.#nowMs;
    for (const address of addresses) this.#untried[family].add(address);
  }

  #cancel(): void {
    this.#machine.cancel();
    this.#ended ??= "cancelled";
  }

  #drain(): void {
    for (const event of drain(this.#machine)) {
      if (event.type === "attempt") this.#onAttempt(event.address);
      else if (event.type === "cancel") this.#onCancel(event.address);
      else if (event.type === "close") assert(this.#toClose.delete(event.address));
      else {
        assertEquals(this.#ended, undefined, "there is one end");
        this.#ended = event.type;
        if (event.type === "connected") assertEquals(event.address, this.#winner);
        else this.#checkFailure();
      }
    }
    assertEquals(this.#toClose.size, 0, "late successes are closed at once");
    if (this.#ended !== undefined) assertEquals(this.#running.difference(this.#cancelled).size, 0);
  }

  #onAttempt(address: string): void {
    const { attemptDelayMs, resolutionDelayMs, maxAddresses } = this.#simulation.options;
    assertEquals(this.#ended, undefined, "no attempt begins after the end");
    assert(!this.#tried.has(address), "no address is tried twice");
    const family = address.includes(":") ? 6 : 4;
    const other = family === 4 ? 6 : 4;
    assert(this.#untried[family].delete(address), "it was given");
    if (this.#tried.size === 0) {
      const awaitsIpv6 = this.#simulation.options.families.includes(6) &&
        this.#answeredMs[6] === Infinity;
      if (awaitsIpv6) assert(this.#nowMs >= this.#answeredMs[4] + resolutionDelayMs);
    } else {
      const gapMs = this.#nowMs - this.#lastStartMs;
      assert(gapMs >= attemptDelayMs || this.#failedSinceStart, "the delay is kept");
      if (family === this.#lastFamily) {
        assertEquals(this.#untried[other].size, 0, "the families take turns");
      }
    }
    this.#tried.add(address);
    assert(this.#tried.size <= maxAddresses);
    this.#lastStartMs = this.#nowMs;
    this.#lastFamily = family;
    this.#failedSinceStart = false;
    this.#running.add(address);
    const fate = randomFate(this.#random, 600);
    this.#plan(fate, () => this.#endAttempt(address, fate.ending === "good"));
  }

  #endAttempt(address: string, isGood: boolean): void {
    this.#running.delete(address);
    if (!isGood) {
      this.#machine.attemptFailed(address, this.#nowMs);
      this.#failedSinceStart = true;
      return;
    }
    this.#machine.attemptSucceeded(address, this.#nowMs);
    if (this.#ended !== undefined || this.#winner !== undefined) this.#toClose.add(address);
    else this.#winner = address;
  }

  #onCancel(address: string): void {
    assert(this.#ended === "connected" || this.#ended === "cancelled");
    assert(this.#running.has(address) && !this.#cancelled.has(address));
    this.#cancelled.add(address);
  }

  #checkFailure(): void {
    const { maxAddresses, families } = this.#simulation.options;
    assertEquals(this.#running.size, 0);
    if (this.#tried.size === maxAddresses) return;
    assertEquals(this.#untried[4].size + this.#untried[6].size, 0, "everything was tried");
    for (const family of families) assert(this.#answeredMs[family] < Infinity);
  }

  /** Nothing will ever happen again. */
  #checkEnd(): void {
    if (this.#ended !== undefined) return;
    const { families } = this.#simulation.options;
    const isAwaiting = families.some((family) => this.#answeredMs[family] === Infinity);
    assert(this.#running.size > 0 || isAwaiting, "without an end there is something under way");
  }
}

Deno.test("HappyEyeballs keeps its promises in 3,000 random runs", () => {
  for (let seed = 0; seed < 3_000; seed++) {
    try {
      new Referee(new SeededRandom(seed)).run();
    } catch (error) {
      throw new Error(`Seed ${seed}`, { cause: error });
    }
  }
});

interface InterleaveVector {
  readonly id: string;
  readonly kind: string;
  readonly in: readonly string[];
  readonly expect: readonly string[];
}

const vectors = loadVectors<{ readonly cases: readonly InterleaveVector[] }>("dns-addrselect");

Deno.test({
  name: "HappyEyeballs attempts in the order of the vectors of another project",
  ignore: vectors === undefined,
  fn() {
    const cases = vectors!.cases.filter(({ kind }) => kind === "interleave");
    for (const { id, in: input, expect } of cases) {
      const machine = new HappyEyeballs();
      for (const family of [4, 6] as const) {
        const ours = input.filter((text) => text.includes(":") === (family === 6));
        machine.receiveAddresses(family, ours, 0);
      }
      const attempts: string[] = [];
      for (let event; (event = machine.nextEvent()) && event.type === "attempt";) {
        attempts.push(event.address);
        machine.attemptFailed(event.address, 0);
      }
      assertEquals(attempts, [...expect], id);
    }
    assert(cases.length > 0);
  },
});
