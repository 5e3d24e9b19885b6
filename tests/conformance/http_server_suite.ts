/**
 * A suite of cases for any HTTP/1.1 server, over raw sockets. The server under
 * test has to answer as `http_target.ts` does and have the limits of
 * `http_cases_limits.ts`.
 */

import { type RawAddress, RawClient } from "../_support/raw_client.ts";
import { fieldOf, type RawResponse } from "../_support/raw_response.ts";
import { type ExpectedResponse, type HttpCase, request, type Step } from "./http_case.ts";
import { CHUNKED_CASES } from "./http_cases_chunked.ts";
import { CONNECTION_CASES } from "./http_cases_connection.ts";
import { FIELD_CASES } from "./http_cases_fields.ts";
import { FRAMING_CASES } from "./http_cases_framing.ts";
import { LIMIT_CASES } from "./http_cases_limits.ts";
import { MESSAGE_CASES } from "./http_cases_message.ts";
import { START_LINE_CASES } from "./http_cases_start_line.ts";

/** Bytes sent behind a refusal, far more than a server reads at once. */
const TAIL_BYTES = 64 * 1024;
const FILL_BYTES = 64 * 1024;
/** Sent where a connection must be open still; its answer ends the exchange. */
const PROBE = request("GET", "/", ["Connection: close"]);
const OK = { status: 200, body: "OK" } satisfies ExpectedResponse;
/** Sent behind a refusal: whoever answers it can be smuggled to. */
const SMUGGLED = request("GET", "/target/smuggled");

/** The cases of the protocol, without those of limits: they are a server's own choice. */
export const PROTOCOL_CASES: readonly HttpCase[] = withTails([
  ...START_LINE_CASES,
  ...FIELD_CASES,
  ...FRAMING_CASES,
  ...CHUNKED_CASES,
  ...CONNECTION_CASES,
  ...MESSAGE_CASES,
]);

/** All cases. */
export const HTTP_CASES: readonly HttpCase[] = [...PROTOCOL_CASES, ...withTails(LIMIT_CASES)];

/** What became of a case. */
export interface CaseResult {
  readonly name: string;
  readonly clause: string;
  /** Why the case failed; `undefined` if it passed. */
  readonly failure: string | undefined;
}

/** Options of {@linkcode runSuite}. */
export interface SuiteOptions {
  /** The cases to run. @default {HTTP_CASES} */
  readonly cases?: readonly HttpCase[];
  /** Connections at a time. @default {16} */
  readonly concurrency?: number;
  /** Milliseconds one case may take. @default {5000} */
  readonly timeoutMs?: number;
}

/**
 * Runs cases against a server, several at a time.
 *
 * @returns One result per case, in their order.
 */
export async function runSuite(
  address: RawAddress,
  options: SuiteOptions = {},
): Promise<CaseResult[]> {
  const { cases = HTTP_CASES, concurrency = 16, timeoutMs = 5000 } = options;
  const results: CaseResult[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < cases.length; index = next++) {
      const item = cases[index]!;
      const failure = await runCase(address, item, timeoutMs);
      results[index] = { name: item.name, clause: item.clause, failure };
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return results;
}

/**
 * Runs one case on a connection of its own.
 *
 * @returns Why it failed; `undefined` if it passed.
 */
export async function runCase(
  address: RawAddress,
  item: HttpCase,
  timeoutMs: number,
): Promise<string | undefined> {
  try {
    await using client = await RawClient.connect(address, { timeoutMs });
    return await runOn(client, item);
  } catch (error) {
    return `${error instanceof Error ? error.message : error}`;
  }
}

async function runOn(client: RawClient, item: HttpCase): Promise<string | undefined> {
  const responses: RawResponse[] = [];
  const expected = item.expect.responses;
  const take = async (): Promise<boolean> => {
    const response = await client.response(expected[responses.length]?.isHead);
    if (response !== undefined) responses.push(response);
    return response !== undefined;
  };
  for (const step of item.send) {
    if (step === "await response") await take();
    else await send(client, step);
  }
  while (responses.length < expected.length && await take());
  // The probe goes out last, so that whatever answers it came too many.
  if (item.expect.closes !== true) await client.send(PROBE);
  while (await take());
  const end = await client.closed();
  return checkResponses(responses, item) ?? checkEnd(end, client.leftover);
}

/** The refusals once more with bytes behind them. */
function withTails(cases: readonly HttpCase[]): HttpCase[] {
  return cases.flatMap((item) => item.isRefusal ? [item, withTail(item)] : [item]);
}

function withTail(item: HttpCase): HttpCase {
  return {
    ...item,
    name: `${item.name} (and a request and ${TAIL_BYTES} bytes behind it)`,
    send: [...item.send, SMUGGLED, { fill: TAIL_BYTES }],
  };
}

async function send(client: RawClient, step: Step): Promise<void> {
  if (step === "end") return await client.sendEnd();
  if (typeof step === "string") return void await client.send(step);
  const block = new Uint8Array(Math.min(FILL_BYTES, step.fill)).fill(0x78);
  for (let left = step.fill; left > 0; left -= block.length) {
    // Once the server takes no more, all that counts is what it says.
    if (!await client.send(block.subarray(0, Math.min(left, block.length)))) return;
  }
}

function checkEnd(end: string, leftover: Uint8Array): string | undefined {
  if (end !== "eof") return `the connection ended with ${end}`;
  return leftover.length === 0 ? undefined : `${leftover.length} bytes of no whole response came`;
}

function checkResponses(responses: readonly RawResponse[], item: HttpCase): string | undefined {
  const { closes } = item.expect;
  const statuses = `statuses ${responses.map((response) => response.status).join(", ") || "none"}`;
  let expected = item.expect.responses;
  if (responses.length < expected.length) {
    expected = expected.filter((response) => !response.isOptional);
  }
  const count = responses.length - expected.length;
  if (closes === false || (closes === "either" && count === 1)) expected = [...expected, OK];
  if (responses.length !== expected.length) {
    const what = closes === false
      ? `${expected.length}, the last to the probe`
      : `${expected.length}`;
    return `${statuses}, wanted ${what}`;
  }
  for (const [index, response] of responses.entries()) {
    const failure = checkResponse(response, expected[index]!);
    if (failure !== undefined) return `response ${index + 1}: ${failure} (${statuses})`;
  }
  return undefined;
}

function checkResponse(response: RawResponse, expected: ExpectedResponse): string | undefined {
  const statuses = typeof expected.status === "number" ? [expected.status] : expected.status;
  if (!statuses.includes(response.status)) {
    return `status ${response.status}, wanted ${statuses.join(" or ")}`;
  }
  const { body } = expected;
  if (
    body !== undefined &&
    !(typeof body === "string" ? body === response.body : body.test(response.body))
  ) {
    const wanted = typeof body === "string" ? quote(body) : `${body}`;
    return `body ${quote(response.body)}, wanted ${wanted}`;
  }
  if (expected.framing !== undefined && response.framing !== expected.framing) {
    return `framing ${response.framing}, wanted ${expected.framing}`;
  }
  for (const [name, wanted] of Object.entries(expected.fields ?? {})) {
    const value = fieldOf(response, name);
    if (!matches(value, wanted)) return `${name} is ${quote(value)}, wanted ${wanted}`;
  }
  return undefined;
}

function matches(value: string | undefined, wanted: string | RegExp | null): boolean {
  if (wanted === null || value === undefined) return wanted === null && value === undefined;
  return typeof wanted === "string" ? value.toLowerCase() === wanted : wanted.test(value);
}

function quote(text: string | undefined): string {
  return text === undefined ? "missing" : JSON.stringify(text.slice(0, 64));
}
