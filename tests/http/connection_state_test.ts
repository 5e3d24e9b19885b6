import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import {
  type HttpConnectionState,
  nextRequestState,
  nextResponseState,
  type RequestState,
  type RequestTransition,
  type ResponseState,
  type ResponseTransition,
  settle,
} from "../../http/connection_state.ts";

const REQUEST_STATES: readonly RequestState[] = [
  "idle",
  "body",
  "done",
  "closed",
  "tunnel",
  "error",
];
const RESPONSE_STATES: readonly ResponseState[] = [
  "idle",
  "awaiting",
  "body",
  "done",
  "closed",
  "tunnel",
  "error",
];
const REQUEST_TRANSITIONS: readonly RequestTransition[] = [
  "request",
  "data",
  "end",
  "next",
  "close",
  "switch",
  "fail",
];
const RESPONSE_TRANSITIONS: readonly ResponseTransition[] = [
  "request",
  "informational",
  "response",
  "data",
  "end",
  "next",
  "close",
  "switch",
  "fail",
];

/** What is legal, one row for each; whatever is not here must be illegal. */
const LEGAL_REQUEST: readonly string[] = [
  "idle request body",
  "idle close closed",
  "idle fail error",
  "body data body",
  "body end done",
  "body close closed",
  "body fail error",
  "done request body",
  "done next idle",
  "done close closed",
  "done switch tunnel",
];
const LEGAL_RESPONSE: readonly string[] = [
  "idle request awaiting",
  "idle response body",
  "idle close closed",
  "idle fail error",
  "awaiting request awaiting",
  "awaiting informational awaiting",
  "awaiting response body",
  "awaiting switch tunnel",
  "awaiting fail error",
  "body request body",
  "body data body",
  "body end done",
  "body fail error",
  "done next idle",
  "done close closed",
];

Deno.test("nextRequestState() allows exactly the listed transitions", () => {
  const legal: string[] = [];
  for (const state of REQUEST_STATES) {
    for (const transition of REQUEST_TRANSITIONS) {
      const next = nextRequestState(state, transition);
      if (next !== undefined) legal.push(`${state} ${transition} ${next}`);
    }
  }
  assertEquals(legal.sort(), [...LEGAL_REQUEST].sort());
});

Deno.test("nextResponseState() allows exactly the listed transitions", () => {
  const legal: string[] = [];
  for (const state of RESPONSE_STATES) {
    for (const transition of RESPONSE_TRANSITIONS) {
      const next = nextResponseState(state, transition);
      if (next !== undefined) legal.push(`${state} ${transition} ${next}`);
    }
  }
  assertEquals(legal.sort(), [...LEGAL_RESPONSE].sort());
});

const FACTS = [
  { isPersistent: true, hasNext: false },
  { isPersistent: true, hasNext: true },
  { isPersistent: false, hasNext: false },
  { isPersistent: false, hasNext: true },
] as const;

/** Every pair that moves, as request/response; the four columns are FACTS. */
const MOVES: Readonly<Record<string, readonly [string, string, string, string]>> = {
  "done/done": ["idle/idle", "done/awaiting", "closed/closed", "closed/closed"],
  // No exchange ends with an idle request but one that a server refuses.
  "idle/done": ["idle/done", "idle/awaiting", "closed/closed", "closed/closed"],
  "body/done": ["body/done", "body/awaiting", "body/closed", "body/closed"],
  "closed/done": ["closed/closed", "closed/closed", "closed/closed", "closed/closed"],
  "error/done": ["error/closed", "error/closed", "error/closed", "error/closed"],
  "tunnel/done": ["tunnel/done", "tunnel/awaiting", "tunnel/closed", "tunnel/closed"],
  "closed/idle": ["closed/closed", "closed/closed", "closed/closed", "closed/closed"],
  "idle/closed": ["closed/closed", "closed/closed", "closed/closed", "closed/closed"],
  "done/closed": ["closed/closed", "closed/closed", "closed/closed", "closed/closed"],
  "idle/error": ["closed/error", "closed/error", "closed/error", "closed/error"],
  "body/error": ["closed/error", "closed/error", "closed/error", "closed/error"],
  "done/error": ["closed/error", "closed/error", "closed/error", "closed/error"],
  "done/tunnel": ["tunnel/tunnel", "tunnel/tunnel", "tunnel/tunnel", "tunnel/tunnel"],
};

Deno.test("settle() moves exactly the listed pairs", () => {
  for (const request of REQUEST_STATES) {
    for (const response of RESPONSE_STATES) {
      const pair = `${request}/${response}`;
      FACTS.forEach((facts, column) => {
        const settled = settle({ request, response }, facts);
        const expected = MOVES[pair]?.[column] ?? pair;
        assertEquals(
          `${settled.request}/${settled.response}`,
          expected,
          `${pair} column ${column}`,
        );
      });
    }
  }
});

Deno.test("settle() gives the same object where nothing moves, and moves once", () => {
  for (const state of everyPair()) {
    for (const facts of FACTS) {
      const settled = settle(state, facts);
      const { request, response } = settled;
      if (request === state.request && response === state.response) {
        assertStrictEquals(settled, state);
      }
      assertStrictEquals(settle(settled, { isPersistent: true, hasNext: false }), settled);
    }
  }
});

Deno.test("settle() never leaves a final state", () => {
  for (const state of everyPair()) {
    for (const facts of FACTS) {
      const settled = settle(state, facts);
      for (const half of ["request", "response"] as const) {
        const isFinal = ["closed", "tunnel", "error"].includes(state[half]);
        assert(!isFinal || settled[half] === state[half]);
      }
    }
  }
});

function* everyPair(): IterableIterator<HttpConnectionState> {
  for (const request of REQUEST_STATES) {
    for (const response of RESPONSE_STATES) yield { request, response };
  }
}
