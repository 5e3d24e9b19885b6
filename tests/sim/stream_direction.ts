import type { ManualClock } from "../../nbio/testing_clock.ts";
import type { SeededRandom } from "../../nbio/testing_random.ts";
import type { LinkConditions } from "./link_conditions.ts";
import { check } from "./simulation_error.ts";

/** What a direction needs of the network around it. */
export interface DirectionSettings {
  readonly clock: ManualClock;
  readonly random: SeededRandom;
  readonly link: LinkConditions;
  /** Whether nothing gets through at present. */
  readonly isCut: () => boolean;
  /** Called with bytes that arrive where nobody is left to read them. */
  readonly onStray: () => void;
  /** Called when a reset arrives. */
  readonly onReset: () => void;
}

interface Segment {
  readonly kind: "data" | "end" | "reset";
  readonly bytes: Uint8Array;
  arriveMs: number;
}

interface Waiter<T> {
  readonly p: Uint8Array;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

const NO_BYTES = new Uint8Array(0);

/**
 * One direction of a stream over a link: bytes are cut into segments, leave one after the other as
 * fast as the link takes them, and arrive in order. What is on its way while the link is cut
 * arrives after it is repaired, as TCP sends it again.
 */
export class StreamDirection {
  readonly #settings: DirectionSettings;
  readonly #segments: Segment[] = [];
  readonly #arrived: Uint8Array[] = [];
  #arrivedBytes = 0;
  #inFlightBytes = 0;
  #lastDepartMs = 0;
  #lastArriveMs = 0;
  #timer: unknown;
  #reader: Waiter<number | null> | undefined;
  #writer: Waiter<number> | undefined;
  /** The writer is through. */
  #isEnded = false;
  /** The reader has read, or would read, the end. */
  #hasEndArrived = false;
  /** The writer has torn the connection off. */
  #isTorn = false;
  /** Nobody reads any more. */
  #isAbandoned = false;
  /** What the writer gets from now on. */
  #writeError: Error | undefined;
  /** What the reader gets from now on. */
  #readError: Error | undefined;

  constructor(settings: DirectionSettings) {
    this.#settings = settings;
  }

  /** Bytes that have arrived and were not read. */
  get unreadBytes(): number {
    return this.#arrivedBytes;
  }

  /** As `Transport.read` of the end that reads. */
  read(p: Uint8Array): Promise<number | null> {
    check(this.#reader === undefined, "a second read while one waits");
    if (this.#arrivedBytes > 0) return Promise.resolve(this.#take(p));
    if (this.#readError !== undefined) return Promise.reject(this.#readError);
    if (this.#hasEndArrived) return Promise.resolve(null);
    return new Promise((resolve, reject) => this.#reader = { p, resolve, reject });
  }

  /** As `Transport.write` of the end that writes. */
  write(p: Uint8Array): Promise<number> {
    check(this.#writer === undefined, "a second write while one waits");
    if (this.#writeError !== undefined) return Promise.reject(this.#writeError);
    if (this.#isEnded) return Promise.reject(new Deno.errors.BrokenPipe("Cannot write: ended"));
    if (this.#room > 0) return Promise.resolve(this.#put(p));
    return new Promise((resolve, reject) => this.#writer = { p, resolve, reject });
  }

  /** The writer writes no more; the reader learns of it behind all bytes. */
  end(): void {
    if (this.#isEnded || this.#writeError !== undefined) return;
    this.#isEnded = true;
    this.#send("end", NO_BYTES);
  }

  /** The writer tears the connection off; the reader learns of it, and loses what it has not read. */
  reset(): void {
    if (this.#isTorn) return;
    this.#isTorn = true;
    this.failWriter(resetError());
    this.#send("reset", NO_BYTES);
  }

  /** Nobody reads any more. */
  abandon(reason: Error): void {
    this.#isAbandoned = true;
    this.failReader(reason);
  }

  /** Fails the read that waits, and all that come. */
  failReader(error: Error): void {
    this.#readError = error;
    this.#arrived.length = 0;
    this.#arrivedBytes = 0;
    this.#reader?.reject(error);
    this.#reader = undefined;
  }

  /** Fails the write that waits, if one does. */
  failWriterIfWaiting(error: Error): void {
    this.#writer?.reject(error);
    this.#writer = undefined;
  }

  /** Fails the write that waits, and all that come. */
  failWriter(error: Error): void {
    this.#writeError = error;
    this.failWriterIfWaiting(error);
  }

  /** Forgets what is on its way: the host that sent it is no more. */
  vanish(): void {
    this.#segments.length = 0;
    this.#inFlightBytes = 0;
    this.#settings.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  /** The link may have been repaired: what is on its way goes on. */
  resume(): void {
    if (this.#timer !== undefined) return;
    const nowMs = this.#settings.clock.now();
    for (const segment of this.#segments) {
      segment.arriveMs = Math.max(segment.arriveMs, nowMs + this.#settings.link.latencyMs);
    }
    this.#arm();
  }

  get #room(): number {
    return this.#settings.link.windowBytes - this.#inFlightBytes - this.#arrivedBytes;
  }

  #put(p: Uint8Array): number {
    const { random, link } = this.#settings;
    const byteCount = Math.min(p.length, this.#room);
    for (let at = 0; at < byteCount;) {
      const { maxSegmentBytes } = link;
      const length = maxSegmentBytes === 1 || random.chance(0.5)
        ? maxSegmentBytes
        : random.length(maxSegmentBytes);
      // Copied: from now on the memory is the caller's again.
      const bytes = p.slice(at, Math.min(byteCount, at + length));
      this.#send("data", bytes);
      at += bytes.length;
    }
    return byteCount;
  }

  #send(kind: Segment["kind"], bytes: Uint8Array): void {
    const { clock, random, link } = this.#settings;
    const departMs = Math.max(clock.now(), this.#lastDepartMs) + bytes.length / link.bytesPerMs;
    const jitterMs = link.jitterMs === 0 ? 0 : random.int(link.jitterMs + 1);
    const arriveMs = Math.max(this.#lastArriveMs, departMs + link.latencyMs + jitterMs);
    this.#lastDepartMs = departMs;
    this.#lastArriveMs = arriveMs;
    this.#inFlightBytes += bytes.length;
    this.#segments.push({ kind, bytes, arriveMs });
    this.#arm();
  }

  #arm(): void {
    const [first] = this.#segments;
    if (first === undefined || this.#timer !== undefined) return;
    const { clock } = this.#settings;
    this.#timer = clock.setTimer(this.#deliver, Math.max(0, first.arriveMs - clock.now()));
  }

  readonly #deliver = (): void => {
    this.#timer = undefined;
    const { clock, isCut } = this.#settings;
    if (isCut()) return;
    for (let first; (first = this.#segments[0]) && first.arriveMs <= clock.now();) {
      this.#segments.shift();
      this.#inFlightBytes -= first.bytes.length;
      this.#arrive(first);
    }
    this.#arm();
  };

  #arrive({ kind, bytes }: Segment): void {
    if (kind === "reset") {
      this.failReader(resetError());
      return this.#settings.onReset();
    }
    if (this.#isAbandoned) return kind === "data" ? this.#settings.onStray() : undefined;
    if (this.#readError !== undefined) return;
    if (kind === "end") this.#hasEndArrived = true;
    else this.#arrived.push(bytes);
    this.#arrivedBytes += bytes.length;
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#reader = undefined;
    reader.resolve(this.#arrivedBytes > 0 ? this.#take(reader.p) : null);
  }

  #take(p: Uint8Array): number {
    let count = 0;
    for (let first; count < p.length && (first = this.#arrived[0]);) {
      const part = first.subarray(0, p.length - count);
      p.set(part, count);
      count += part.length;
      if (part.length === first.length) this.#arrived.shift();
      else this.#arrived[0] = first.subarray(part.length);
    }
    this.#arrivedBytes -= count;
    const writer = this.#writer;
    if (writer !== undefined) {
      this.#writer = undefined;
      writer.resolve(this.#put(writer.p));
    }
    return count;
  }
}

function resetError(): Error {
  return new Deno.errors.ConnectionReset("The peer reset the connection");
}
