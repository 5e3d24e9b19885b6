/**
 * {@linkcode DeadlineWheel}: deadlines for thousands of connections, all on one
 * runtime timer.
 *
 * A server re-arms a deadline several times per request and nearly never lets
 * one pass, so arming must cost nothing and expiring may cost something. Two
 * kinds of list hold the armed entries:
 *
 * - the *fresh* list: everything armed since the last tick. Arming records the
 *   timeout and puts the entry here, if it is not here already; no clock is
 *   read.
 * - the *slots*: a ring of lists, one per tick. Each tick gives the fresh
 *   entries their instant, counted from that tick, and moves them to the slot
 *   the instant falls in; then it visits the slots that have come up.
 *
 * Counting from the tick *after* arming is what makes the wheel safe against a
 * clock that lags and an event loop that was blocked: the count never begins
 * before the entry was armed, whatever happened in between. It costs up to one
 * tick, waiting for the visit costs up to another, so the internal tick is half
 * of the promised precision.
 *
 * @module
 */

import { type Clock, systemClock } from "./clock.ts";

/** Options of {@linkcode DeadlineWheel}. */
export interface DeadlineWheelOptions {
  /**
   * Milliseconds by which a deadline may pass late, 2 to 60,000. The default
   * suits network deadlines, the shortest of which is half a second, at a cost
   * of 20 timer callbacks per second while anything is armed.
   *
   * @default {100}
   */
  readonly tickMs?: number;

  /**
   * Lists in the ring, 2 to 65,536. An entry further ahead than
   * `slotCount * tickMs / 2` is looked at once per round of the ring.
   *
   * @default {512}
   */
  readonly slotCount?: number;
}

/**
 * One deadline, made once by {@linkcode DeadlineWheel.create} and armed as
 * often as needed.
 */
export interface Deadline {
  /**
   * Starts the deadline anew, whether it was armed or not. O(1), without
   * allocation.
   *
   * @param timeoutMs Milliseconds from now. 0 and `Infinity` disarm it.
   * @throws {RangeError} If `timeoutMs` is negative or not a number.
   */
  arm(timeoutMs: number): void;

  /** Disarms the deadline; nothing happens if it is not armed. O(1). */
  cancel(): void;

  /** Whether the callback is still to come. */
  readonly armed: boolean;

  /**
   * The instant of the wheel's clock before which the callback will not be
   * called, `Infinity` if not armed. An estimate until the first tick after
   * arming, exact from then on.
   */
  readonly deadlineMs: number;
}

const IDLE = 0;
const FRESH = 1;
const SLOTTED = 2;

/** A link of a circular list; a list is a link that holds no deadline. */
class Link {
  next: Link = this;
  prev: Link = this;
}

function append(list: Link, link: Link): void {
  const last = list.prev;
  link.prev = last;
  link.next = list;
  last.next = link;
  list.prev = link;
}

function unlink(link: Link): void {
  link.prev.next = link.next;
  link.next.prev = link.prev;
}

/** What the wheel offers its entries, and nobody else. */
interface Wheel {
  readonly clock: Clock;
  readonly fresh: Link;
  armedCount: number;
  start(): void;
  stop(): void;
}

class Entry extends Link implements Deadline {
  state: typeof IDLE | typeof FRESH | typeof SLOTTED = IDLE;
  timeoutMs = 0;
  instantMs = 0;
  readonly onExpire: () => void;
  readonly #wheel: Wheel;

  constructor(wheel: Wheel, onExpire: () => void) {
    super();
    this.#wheel = wheel;
    this.onExpire = onExpire;
  }

  arm(timeoutMs: number): void {
    if (!(timeoutMs > 0 && timeoutMs < Infinity)) {
      if (timeoutMs !== 0 && timeoutMs !== Infinity) {
        throw new RangeError(
          `Cannot arm deadline: timeoutMs is ${timeoutMs}, expected a number of at least 0`,
        );
      }
      this.cancel();
      return;
    }
    this.timeoutMs = timeoutMs;
    // The common case: a busy connection, armed before in this tick.
    if (this.state === FRESH) return;
    const wheel = this.#wheel;
    if (this.state === SLOTTED) {
      unlink(this);
    } else if (wheel.armedCount++ === 0) {
      wheel.start();
    }
    this.state = FRESH;
    append(wheel.fresh, this);
  }

  cancel(): void {
    if (this.state === IDLE) return;
    unlink(this);
    this.state = IDLE;
    if (--this.#wheel.armedCount === 0) this.#wheel.stop();
  }

  get armed(): boolean {
    return this.state !== IDLE;
  }

  get deadlineMs(): number {
    if (this.state === IDLE) return Infinity;
    return this.state === FRESH ? this.#wheel.clock.now() + this.timeoutMs : this.instantMs;
  }
}

/**
 * A set of deadlines that share one timer.
 *
 * A callback is never called early, and at most `tickMs` late, plus the time
 * for which the event loop was busy. Arming, re-arming and cancelling are O(1)
 * and allocate nothing; a tick costs the entries armed since the last one and
 * those in the slots that come up. There is no timer while nothing is armed,
 * and the timer does not keep the process alive: a deadline watches over a
 * pending operation, and that does.
 *
 * Callbacks run one after another, and may arm and cancel any deadline,
 * including their own; one cancelled by an earlier callback of the same tick
 * is not called. An exception in a callback keeps no other one from running: it
 * is thrown out of the timer after all of them (several as an
 * `AggregateError`), as one from a `setTimeout` callback would be.
 *
 * @example Closing what stays silent
 * ```ts
 * import { DeadlineWheel } from "@nbio/net/nbio";
 * import { ManualClock } from "@nbio/net/nbio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const clock = new ManualClock();
 * const wheel = new DeadlineWheel(clock, { tickMs: 100 });
 * let closed = false;
 * const idle = wheel.create(() => closed = true);
 * idle.arm(5_000);
 * clock.advance(4_000);
 * idle.arm(5_000); // a byte came
 * clock.advance(4_999);
 * assertEquals(closed, false);
 * clock.advance(101);
 * assertEquals(closed, true);
 * ```
 */
export class DeadlineWheel {
  readonly #clock: Clock;
  readonly #periodMs: number;
  readonly #slots: Link[];
  readonly #due: Link = new Link();
  readonly #wheel: Wheel;
  /** Number of the last period whose slot was visited. */
  #lastPeriod = 0;
  #timer: unknown;
  #ticking = false;

  /**
   * Makes a wheel with nothing armed.
   *
   * @param clock Where instants and the timer come from.
   * @param options Precision and size.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(clock: Clock, options: DeadlineWheelOptions = {}) {
    const { tickMs = 100, slotCount = 512 } = options;
    if (!(tickMs >= 2 && tickMs <= 60_000)) {
      throw new RangeError(`Cannot create wheel: tickMs is ${tickMs}, expected 2 to 60000`);
    }
    if (!(Number.isInteger(slotCount) && slotCount >= 2 && slotCount <= 65_536)) {
      throw new RangeError(
        `Cannot create wheel: slotCount is ${slotCount}, expected an integer from 2 to 65536`,
      );
    }
    this.#clock = clock;
    this.#periodMs = tickMs / 2;
    this.#slots = Array.from({ length: slotCount }, () => new Link());
    this.#wheel = {
      clock,
      fresh: new Link(),
      armedCount: 0,
      start: () => this.#start(),
      stop: () => this.#stop(),
    };
  }

  /**
   * Makes a deadline, not armed. It costs nothing while it is not armed and
   * needs no disposal.
   *
   * @param onExpire Called each time the deadline passes; it is not armed then.
   * @returns The deadline.
   */
  create(onExpire: () => void): Deadline {
    return new Entry(this.#wheel, onExpire);
  }

  /** How many deadlines are armed. */
  get armedCount(): number {
    return this.#wheel.armedCount;
  }

  /** The instant, in milliseconds, of the clock this wheel goes by. */
  now(): number {
    return this.#clock.now();
  }

  #start(): void {
    // A tick sets the timer itself when its callbacks are through.
    if (this.#ticking) return;
    this.#lastPeriod = Math.floor(this.#clock.now() / this.#periodMs);
    this.#schedule();
  }

  #stop(): void {
    if (this.#ticking) return;
    this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    this.#timer = this.#clock.setTimer(this.#tick, this.#periodMs, { unref: true });
  }

  readonly #tick = (): void => {
    this.#timer = undefined;
    this.#ticking = true;
    const nowMs = this.#clock.now();
    this.#placeFresh(nowMs);
    this.#collectDue(nowMs);
    const errors = this.#runDue();
    this.#ticking = false;
    if (this.#wheel.armedCount > 0) this.#schedule();
    if (errors.length === 1) throw errors[0];
    if (errors.length > 1) throw new AggregateError(errors, "Several deadline callbacks failed");
  };

  /** Gives every entry armed since the last tick its instant and its slot. */
  #placeFresh(nowMs: number): void {
    const { fresh } = this.#wheel;
    while (fresh.next !== fresh) {
      const entry = fresh.next as Entry;
      unlink(entry);
      entry.instantMs = nowMs + entry.timeoutMs;
      entry.state = SLOTTED;
      this.#slot(entry.instantMs, entry);
    }
  }

  #slot(instantMs: number, entry: Entry): void {
    const period = Math.floor(instantMs / this.#periodMs);
    append(this.#slots[period % this.#slots.length]!, entry);
  }

  /** Moves what has passed, in every slot that has come up, to the due list. */
  #collectDue(nowMs: number): void {
    const slotCount = this.#slots.length;
    const period = Math.floor(nowMs / this.#periodMs);
    // After a long block more periods may have gone by than there are slots.
    const first = Math.max(this.#lastPeriod, period - slotCount + 1);
    for (let current = first; current <= period; current++) {
      const slot = this.#slots[current % slotCount]!;
      for (let link = slot.next; link !== slot;) {
        const entry = link as Entry;
        link = link.next;
        // Later in this period, or in a later round of the ring: stays.
        if (entry.instantMs > nowMs) continue;
        unlink(entry);
        append(this.#due, entry);
      }
    }
    // The slot of this period is not over: the next tick visits it again.
    this.#lastPeriod = period;
  }

  /** Calls what is due; gives back what was thrown. */
  #runDue(): unknown[] {
    const errors: unknown[] = [];
    const due = this.#due;
    // Taken one by one from the list, because a callback may cancel others.
    // It ends: what a callback arms goes to the fresh list.
    while (due.next !== due) {
      const entry = due.next as Entry;
      unlink(entry);
      entry.state = IDLE;
      this.#wheel.armedCount--;
      try {
        entry.onExpire();
      } catch (error) {
        errors.push(error);
      }
    }
    return errors;
  }
}

/**
 * The wheel of the process, on the system's clock: share it, so that the whole
 * process has one timer for its network deadlines.
 *
 * @example Arming and cancelling
 * ```ts
 * import { deadlines } from "@nbio/net/nbio";
 * import { assert } from "@std/assert";
 *
 * const deadline = deadlines.create(() => {});
 * deadline.arm(30_000);
 * assert(deadline.armed);
 * deadline.cancel();
 * ```
 */
export const deadlines: DeadlineWheel = new DeadlineWheel(systemClock);
