import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  isIdempotentMethod,
  type RetryFacts,
  type RetryFailure,
  type RetryOptions,
  RetryPolicy,
  TRANSIENT_STATUSES,
} from "../../http/client_retry.ts";
import { HttpProtocolError, HttpStateError } from "../../http/errors.ts";
import { ConnectError } from "../../nbio/connect_error.ts";
import { ConnectionClosedError, LimitExceededError, TimeoutError } from "../../nbio/errors.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { TlsError, TlsUnsupportedError } from "../../tls/errors.ts";

const SAFE: RetryFacts = {
  attempt: 1,
  bytesSent: 100,
  isIdempotent: true,
  isReplayable: true,
  elapsedMs: 0,
};
const CLOSED: RetryFailure = { error: new ConnectionClosedError("gone") };
const BUSY: RetryFailure = { status: 503 };

/** The delay with all jitter at its end. */
function longest(
  failure: RetryFailure,
  facts: Partial<RetryFacts> = {},
  options: RetryOptions = {},
): number | undefined {
  const policy = new RetryPolicy({ random: () => 1, statuses: TRANSIENT_STATUSES, ...options });
  return policy.decide(failure, { ...SAFE, ...facts })?.delayMs;
}

const timeout = (phase: string): TimeoutError => new TimeoutError("late", { phase, timeoutMs: 1 });

const READ_ALERT = new TlsError("ERR_TLS_HANDSHAKE", "no", { phase: "read", alert: "unknown_ca" });
const ALERT = new Deno.errors.InvalidData("received fatal alert: UnknownCA");
const UNSUPPORTED = new TlsUnsupportedError("ERR_TLS_UNSUPPORTED_OPTION", "no", {
  provider: "deno",
});

const ERRORS: readonly (readonly [name: string, error: unknown, isRetried: boolean])[] = [
  ["a refused connection", new ConnectError("no", { code: "ERR_NET_CONNECT", attempts: [] }), true],
  ["an unknown name", new ConnectError("no", { code: "ERR_NET_RESOLVE", attempts: [] }), true],
  ["a connection that broke", new ConnectionClosedError("gone"), true],
  ["a handshake that was cut", new ConnectionClosedError("it left during the handshake"), true],
  ["a refused server", new TlsError("ERR_TLS_CERTIFICATE", "no", { phase: "verify" }), false],
  ["an alert", new TlsError("ERR_TLS_HANDSHAKE", "no", { alert: "unknown_ca" }), false],
  ["a server without TLS", new TlsError("ERR_TLS_NOT_TLS", "no"), false],
  ["what a provider cannot do", UNSUPPORTED, false],
  ["an alert in the first read", new ConnectionClosedError("broke", { cause: READ_ALERT }), false],
  ["one that the runtime tells of", new ConnectionClosedError("broke", { cause: ALERT }), false],
  ["a cut response", new HttpProtocolError("ERR_HTTP_TRUNCATED_MESSAGE", "cut"), true],
  ["a broken response", new HttpProtocolError("ERR_HTTP_BAD_STATUS_LINE", "bad"), false],
  ["a limit", new LimitExceededError("much", { limit: "maxHeaderBytes", max: 1 }), false],
  ["a mistake of ours", new TypeError("bad"), false],
  [
    "a moment of ours",
    new HttpStateError("ERR_HTTP_BODY_USED", "x", { state: "", event: "" }),
    false,
  ],
  ["the reason of a signal", new DOMException("stop", "AbortError"), false],
  ["something else", "a string", false],
  ["nothing", undefined, false],
  ["late names", timeout("resolve"), true],
  ["a late connection", timeout("connect"), true],
  ["a late handshake", timeout("tls"), true],
  ["a late write", timeout("write"), true],
  ["a late response", timeout("first-byte"), true],
  ["a late body", timeout("body"), false],
  ["a long queue", timeout("queue"), false],
  ["the end of all time", timeout("total"), false],
];

for (const [name, error, isRetried] of ERRORS) {
  Deno.test(`RetryPolicy.decide() ${isRetried ? "repeats" : "does not repeat"} after ${name}`, () => {
    assertEquals(longest({ error }), isRetried ? 100 : undefined);
    assertEquals(longest({ error }, { bytesSent: 0 }), isRetried ? 100 : undefined);
  });
}

const SAFETY: readonly (readonly [
  name: string,
  facts: Partial<RetryFacts>,
  afterError: boolean,
  afterStatus: boolean,
])[] = [
  ["an idempotent request", {}, true, true],
  ["one of which nothing left", { isIdempotent: false, bytesSent: 0 }, true, false],
  ["one of which a byte left", { isIdempotent: false, bytesSent: 1 }, false, false],
  ["one whose body is gone", { isReplayable: false }, false, false],
  ["an unsent one whose body is gone", { isReplayable: false, bytesSent: 0 }, false, false],
];

for (const [name, facts, afterError, afterStatus] of SAFETY) {
  Deno.test(`RetryPolicy.decide() knows whether ${name} may be repeated`, () => {
    assertEquals(longest(CLOSED, facts) !== undefined, afterError);
    assertEquals(longest(BUSY, facts) !== undefined, afterStatus);
  });
}

Deno.test("RetryPolicy.decide() repeats no status by itself", () => {
  const policy = new RetryPolicy();
  for (const status of [200, 404, 408, 429, 500, 502, 503, 504]) {
    assertEquals(policy.wantsStatus(status), false);
    assertEquals(policy.decide({ status }, SAFE), undefined);
  }
});

Deno.test("RetryPolicy.decide() repeats the statuses that were asked for", () => {
  for (const status of TRANSIENT_STATUSES) assertEquals(longest({ status }), 100);
  for (const status of [400, 500, 501]) assertEquals(longest({ status }), undefined);
  assertEquals(longest({ status: 500 }, {}, { statuses: [500] }), 100);
  assertEquals(new RetryPolicy({ statuses: [500] }).wantsStatus(500), true);
});

Deno.test("RetryPolicy.decide() stops after maxRetries", () => {
  const retried = (maxRetries: number | undefined): boolean[] =>
    [1, 2, 3].map((attempt) =>
      longest(CLOSED, { attempt }, maxRetries === undefined ? {} : { maxRetries }) !== undefined
    );
  assertEquals(retried(undefined), [true, true, false]);
  assertEquals(retried(0), [false, false, false]);
  assertEquals(retried(1), [true, false, false]);
  assertEquals(retried(Infinity), [true, true, true]);
});

Deno.test("RetryPolicy.decide() doubles the upper end of its delays up to a bound", () => {
  const options = { maxRetries: Infinity, maxDelayMs: 1_000 };
  const delays = [1, 2, 3, 4, 5, 6, 2_000].map((attempt) => longest(CLOSED, { attempt }, options));
  assertEquals(delays, [100, 200, 400, 800, 1_000, 1_000, 1_000]);
  assertEquals(longest(CLOSED, {}, { baseDelayMs: 7 }), 7);
});

Deno.test("RetryPolicy.decide() draws delays from the whole range", () => {
  const random = new SeededRandom(3);
  const policy = new RetryPolicy({ random: () => random.next() });
  const delays = Array.from({ length: 1_000 }, () => policy.decide(CLOSED, SAFE)!.delayMs);
  for (let tenth = 0; tenth < 10; tenth++) {
    const count = delays.filter((delayMs) => Math.floor(delayMs / 10) === tenth).length;
    assert(count > 50 && count < 150, `${count} of 1000 delays in tenth ${tenth}`);
  }
  assertEquals(new RetryPolicy({ random: () => 0 }).decide(CLOSED, SAFE), { delayMs: 0 });
});

Deno.test("RetryPolicy.decide() waits as long as Retry-After asks for, up to a bound", () => {
  const busy = (retryAfterMs: number): RetryFailure => ({ status: 429, retryAfterMs });
  assertEquals(longest(busy(5_000)), 5_100);
  assertEquals(longest(busy(0)), 100);
  assertEquals(longest(busy(3_600_000)), 60_100);
  assertEquals(longest(busy(3_600_000), {}, { maxRetryAfterMs: 10 }), 110);
  assertEquals(longest(busy(3_600_000), {}, { maxRetryAfterMs: 0 }), 100);
  const unbounded = { maxRetryAfterMs: Infinity, maxTotalMs: 0 };
  assertEquals(longest(busy(1e15), {}, unbounded), 2 ** 31 - 1);
  assertEquals(longest({ status: 429, retryAfterMs: undefined }), 100);
});

Deno.test("RetryPolicy.decide() begins no attempt after maxTotalMs", () => {
  assertEquals(longest(CLOSED, { elapsedMs: 900 }, { maxTotalMs: 1_000 }), 100);
  assertEquals(longest(CLOSED, { elapsedMs: 901 }, { maxTotalMs: 1_000 }), undefined);
  assertEquals(longest(CLOSED, { elapsedMs: 119_900 }), 100);
  assertEquals(longest(CLOSED, { elapsedMs: 119_901 }), undefined);
  assertEquals(longest(CLOSED, { elapsedMs: 1e12 }, { maxTotalMs: 0 }), 100);
});

Deno.test("RetryPolicy refuses options out of range", () => {
  const bad: readonly RetryOptions[] = [
    { maxRetries: -1 },
    { maxRetries: 1.5 },
    { maxRetries: NaN },
    { statuses: [200] },
    { statuses: [503, 600] },
    { statuses: [503.5] },
    { baseDelayMs: 0 },
    { baseDelayMs: Infinity },
    { maxDelayMs: 0 },
    { maxDelayMs: 2 ** 31 },
    { maxRetryAfterMs: -1 },
    { maxRetryAfterMs: NaN },
    { maxTotalMs: -1 },
    { maxTotalMs: NaN },
  ];
  for (const options of bad) {
    assertThrows(() => new RetryPolicy(options), RangeError, undefined, JSON.stringify(options));
  }
});

Deno.test("isIdempotentMethod() knows the methods of RFC 9110", () => {
  const methods = ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"];
  assertEquals(methods.every(isIdempotentMethod), true);
  assertEquals(["POST", "PATCH", "CONNECT", "get", ""].some(isIdempotentMethod), false);
});
