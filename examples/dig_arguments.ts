/** The command line of `dig.ts`, taken apart. */

import { parseRecordClass, parseRecordType, reverseName } from "@nbio/net/dns";

/** What of an answer is printed. */
export type DigPart =
  | "cmd"
  | "comments"
  | "question"
  | "answer"
  | "authority"
  | "additional"
  | "stats";

/** How one question is asked and its answer printed. */
export interface DigQuery {
  name: string;
  type: string;
  class: string;
  /** Name or address; `undefined` for the servers of the system. */
  server: string | undefined;
  port: number;
  family: 4 | 6 | undefined;
  useTcp: boolean;
  /** The payload to announce; `false` for no EDNS. */
  edns: number | false;
  cookies: boolean;
  dnssecOk: boolean;
  checkingDisabled: boolean;
  recursionDesired: boolean;
  nsid: boolean;
  timeoutMs: number;
  attempts: number;
  isShort: boolean;
  parts: Set<DigPart>;
}

/** The arguments are not to be understood. */
export class DigUsageError extends Error {}

const PARTS: readonly DigPart[] = [
  "cmd",
  "comments",
  "question",
  "answer",
  "authority",
  "additional",
  "stats",
];

/** Words behind `+` that are on or, with `no` in front, off. The last one names the inverse. */
const SWITCHES: Readonly<Record<string, (query: DigQuery, isOn: boolean) => void>> = {
  tcp: (query, isOn) => query.useTcp = isOn,
  vc: (query, isOn) => query.useTcp = isOn,
  cookie: (query, isOn) => query.cookies = isOn,
  dnssec: (query, isOn) => query.dnssecOk = isOn,
  do: (query, isOn) => query.dnssecOk = isOn,
  cdflag: (query, isOn) => query.checkingDisabled = isOn,
  recurse: (query, isOn) => query.recursionDesired = isOn,
  rec: (query, isOn) => query.recursionDesired = isOn,
  rdflag: (query, isOn) => query.recursionDesired = isOn,
  nsid: (query, isOn) => query.nsid = isOn,
  short: (query, isOn) => query.isShort = isOn,
  edns: (query, isOn) => query.edns = isOn ? query.edns || DEFAULT_PAYLOAD : false,
  all: (query, isOn) => query.parts = new Set(isOn ? PARTS : []),
};

const DEFAULT_PAYLOAD = 1_232;

/** As `dig`: three tries of five seconds. */
function defaults(): DigQuery {
  return {
    name: ".",
    type: "A",
    class: "IN",
    server: undefined,
    port: 53,
    family: undefined,
    useTcp: false,
    edns: DEFAULT_PAYLOAD,
    cookies: true,
    dnssecOk: false,
    checkingDisabled: false,
    recursionDesired: true,
    nsid: false,
    timeoutMs: 5_000,
    attempts: 3,
    isShort: false,
    parts: new Set(PARTS),
  };
}

/**
 * Parses arguments as `dig` does: what stands in front of the first name holds for all queries,
 * what stands behind a name for that one. A type or a class may stand on either side of its name.
 *
 * @throws {DigUsageError} If something is not understood.
 */
export function parseDigArguments(args: readonly string[]): DigQuery[] {
  const shared = defaults();
  const queries: DigQuery[] = [];
  let current = shared;
  let type: string | undefined;
  const begin = (name: string): void => {
    current = { ...shared, name, type: type ?? shared.type, parts: new Set(shared.parts) };
    type = undefined;
    queries.push(current);
  };
  const setType = (mnemonic: string): void => {
    if (current === shared) type = mnemonic;
    else current.type = mnemonic;
  };
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    if (arg.startsWith("@")) current.server = arg.slice(1);
    else if (arg.startsWith("+")) applyWord(current, arg.slice(1));
    else if (arg === "-4" || arg === "-6") shared.family = current.family = arg === "-4" ? 4 : 6;
    else if (/^-[xptcqb]/.test(arg)) {
      const value = arg.length > 2 ? arg.slice(2) : args[++index];
      if (value === undefined) throw new DigUsageError(`${arg} needs a value`);
      if (arg[1] === "x") begin(reverse(value)), current.type = "PTR";
      else if (arg[1] === "q") begin(value);
      else if (arg[1] === "p") current.port = integer("-p", value, 1, 65_535);
      else if (arg[1] === "t") setType(typeOf(value));
      else if (arg[1] === "c") current.class = classOf(value);
      else throw new DigUsageError(`${arg} is not supported`);
    } else if (arg.startsWith("-")) throw new DigUsageError(`unknown option ${arg}`);
    else if (parseRecordType(arg) !== undefined) setType(arg.toUpperCase());
    else if (parseRecordClass(arg) !== undefined) current.class = arg.toUpperCase();
    else begin(arg);
  }
  // As `dig` without a name: the servers of the root.
  if (queries.length === 0) queries.push({ ...shared, type: type ?? "NS" });
  return queries;
}

function applyWord(query: DigQuery, word: string): void {
  const [key = "", value] = word.toLowerCase().split("=", 2);
  if (value !== undefined) return applyValue(query, key, value);
  const isOff = key.startsWith("no");
  const name = isOff ? key.slice(2) : key;
  const part = PARTS.find((part) => part === name);
  const apply = SWITCHES[name];
  if (part !== undefined && isOff) query.parts.delete(part);
  else if (part !== undefined) query.parts.add(part);
  else if (apply !== undefined) apply(query, !isOff);
  else throw new DigUsageError(`unknown option +${word}`);
}

function applyValue(query: DigQuery, key: string, value: string): void {
  if (key === "time" || key === "timeout") {
    query.timeoutMs = 1_000 * integer(`+${key}`, value, 1, 3_600);
  } else if (key === "tries") query.attempts = integer("+tries", value, 1, 16);
  else if (key === "retry") query.attempts = 1 + integer("+retry", value, 0, 15);
  else if (key === "bufsize") query.edns = integer("+bufsize", value, 512, 65_535);
  else if (key === "edns" && value === "0") query.edns ||= DEFAULT_PAYLOAD;
  else throw new DigUsageError(`unknown option +${key}=${value}`);
}

function integer(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && value >= min && value <= max) return value;
  throw new DigUsageError(`${name} is ${text}, expected ${min} to ${max}`);
}

function typeOf(text: string): string {
  if (parseRecordType(text) !== undefined) return text.toUpperCase();
  throw new DigUsageError(`there is no type ${text}`);
}

function classOf(text: string): string {
  if (parseRecordClass(text) !== undefined) return text.toUpperCase();
  throw new DigUsageError(`there is no class ${text}`);
}

function reverse(address: string): string {
  try {
    return reverseName(address);
  } catch (error) {
    if (error instanceof TypeError) throw new DigUsageError(`${address} is no address`);
    throw error;
  }
}
