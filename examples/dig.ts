/**
 * Asks name servers, and prints what they say much as `dig` does.
 *
 * ```sh
 * deno run --allow-net --allow-read=/etc examples/dig.ts example.com MX
 * deno run --allow-net --allow-read=/etc examples/dig.ts @192.0.2.53 -p 5300 www.example.com +short
 * deno run --allow-net --allow-read=/etc examples/dig.ts -x 192.0.2.1 +noall +answer
 * ```
 *
 * Arguments: names, each with a type and a class on either side; `@server` (address or name);
 * `-x` address, `-p` port, `-t` type, `-c` class, `-q` name, `-4`, `-6`; `+short`, `+tcp`, `+dnssec`,
 * `+cdflag`, `+nsid`, `+bufsize=N`, `+time=S`, `+tries=N`, `+retry=N`; `+noedns`, `+nocookie`,
 * `+norecurse`; and for what is printed `+[no]all`, `+[no]cmd`, `+[no]comments`, `+[no]question`,
 * `+[no]answer`, `+[no]authority`, `+[no]additional`, `+[no]stats`. What stands in front of the first
 * name holds for all. Zone transfers are left to `dig`.
 *
 * Each question is asked anew, nothing comes out of a cache, and names are absolute. The exit code
 * is 0 if there was an answer to each, whatever it says, 1 for wrong arguments, 9 if a server did
 * not answer, 10 for all else.
 */

import {
  type DnsAnswer,
  DnsResponseError,
  DnsTimeoutError,
  type Message,
  printMessage,
  printRdata,
  Resolver,
  SystemDnsReader,
} from "@nbio/net/dns";
import { NetError, parseIpAddress } from "@nbio/net/nbio";
import { type DigPart, type DigQuery, DigUsageError, parseDigArguments } from "./dig_arguments.ts";

/** A server and the name it was given by. */
interface Server {
  readonly address: string;
  readonly name: string;
}

/** Whom to ask. */
async function serversOf({ server, family }: DigQuery): Promise<Server[]> {
  const isWanted = ({ address }: Server): boolean =>
    family === undefined || address.includes(":") === (family === 6);
  let servers: Server[];
  if (server === undefined) {
    const { servers: all } = await new SystemDnsReader().read();
    servers = all.map(({ address }) => ({ address, name: address }));
  } else if (parseIpAddress(server) !== undefined) {
    servers = [{ address: server, name: server }];
  } else {
    await using resolver = new Resolver();
    const addresses = await resolver.lookup(server);
    servers = addresses.map((address) => ({ address, name: server }));
  }
  servers = servers.filter(isWanted);
  if (servers.length > 0) return servers;
  throw new DigUsageError("there is no server with an address of that family");
}

/** Asks one question; gives the text to print. */
export async function dig(query: DigQuery, commandLine: string): Promise<string> {
  const servers = await serversOf(query);
  await using resolver = new Resolver({
    servers: servers.map(({ address }) => address),
    port: query.port,
    useTcp: query.useTcp,
    edns: query.edns,
    cookies: query.cookies,
    timeoutMs: query.timeoutMs,
    attempts: query.attempts,
    cache: false,
    specialNames: false,
    trustAd: true,
  });
  const startMs = performance.now();
  const answer = await resolver.query(query.name, query.type, {
    class: query.class,
    dnssecOk: query.dnssecOk,
    checkingDisabled: query.checkingDisabled,
    recursionDesired: query.recursionDesired,
    ...(query.nsid ? { ednsOptions: [{ type: "nsid", bytes: new Uint8Array() }] } : {}),
  });
  if (query.isShort) return printShort(answer.message);
  const elapsedMs = Math.round(performance.now() - startMs);
  const name = servers.find(({ address }) => address === answer.server?.address)?.name ?? "";
  const isRetried = answer.over === "tcp" && !query.useTcp && query.parts.has("comments");
  return (isRetried ? ";; Truncated, retrying in TCP mode.\n" : "") +
    printHead(query, servers.length, commandLine) +
    printParts(answer.message, query.parts) +
    (query.parts.has("stats") ? printStats(answer, name, elapsedMs) : "");
}

/** The data alone, a line for each record of the answer. */
function printShort({ answers }: Message): string {
  return answers.map(({ type, data }) => `${printRdata(type, data)}\n`).join("");
}

function printHead({ parts, server }: DigQuery, count: number, commandLine: string): string {
  let text = "";
  if (parts.has("cmd")) {
    text += `\n; <<>> dig.ts <<>> ${commandLine}\n`;
    if (server !== undefined) text += `; (${count} server${count === 1 ? "" : "s"} found)\n`;
    text += ";; global options: +cmd\n";
  }
  return parts.has("comments") ? `${text};; Got answer:\n` : text;
}

/** What `dig` prints of a message, without the parts that are not wanted. */
export function printParts(message: Message, parts: ReadonlySet<DigPart>): string {
  const hasComments = parts.has("comments");
  let part: DigPart = "comments";
  let text = "";
  for (const line of printMessage(message).split("\n").slice(0, -1)) {
    const title = /^;; (\w+) SECTION:$/.exec(line)?.[1]?.toLowerCase();
    if (title !== undefined) part = title as DigPart;
    else if (line.startsWith(";; ")) part = "comments";
    // Titles and the blank lines between are comments, the records below are not.
    const isComment = title !== undefined || line === "" || part === "comments";
    const isWanted = (parts.has(part) && (!isComment || hasComments)) ||
      (part === "comments" && hasComments);
    if (isWanted && (line !== "" || hasComments)) text += `${markCookie(line)}\n`;
  }
  return text;
}

/** With the part of the server behind that of the client; with a wrong one it were no answer. */
function markCookie(line: string): string {
  return /^; COOKIE: [0-9a-f]{32,}$/.test(line) ? `${line} (good)` : line;
}

function printStats({ server, over, bytes }: DnsAnswer, name: string, elapsedMs: number): string {
  const at = `${server?.address}#${server?.port}(${name})`;
  return `;; Query time: ${elapsedMs} msec\n;; SERVER: ${at} (${over?.toUpperCase()})\n` +
    `;; WHEN: ${formatTime(new Date())}\n` +
    `;; MSG SIZE  rcvd: ${bytes?.length ?? 0}\n\n`;
}

/** As `Sat Nov 21 20:13:52 UTC 2026`. */
function formatTime(date: Date): string {
  const [weekday, month, day, year, time] = date.toString().split(" ");
  const zone = date.toLocaleTimeString("en-US", { timeZoneName: "short" }).split(" ").at(-1);
  return `${weekday} ${month} ${day} ${time} ${zone} ${year}`;
}

/** Why there is no answer, as `dig` says it. */
export function describeFailure(error: DnsResponseError | DnsTimeoutError): string {
  const lines = error.attempts.map(({ server, outcome }) => {
    const what = outcome === "timeout" ? "timed out" : outcome;
    return `;; communications error to ${server.address}#${server.port}: ${what}\n`;
  });
  return `${lines.join("")};; no servers could be reached\n`;
}

/** Runs the program; gives the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let code = 0;
  try {
    for (const query of parseDigArguments(args)) {
      try {
        await write(await dig(query, args.join(" ")));
      } catch (error) {
        const isSilence = error instanceof DnsTimeoutError || error instanceof DnsResponseError;
        if (!isSilence) throw error;
        await write(describeFailure(error));
        code = 9;
      }
    }
  } catch (error) {
    if (!isExpected(error)) throw error;
    console.error(`dig: ${(error as Error).message}`);
    return error instanceof DigUsageError ? 1 : 10;
  }
  return code;
}

/** What wrong arguments or this system lead to, and no bug. */
function isExpected(error: unknown): boolean {
  return error instanceof DigUsageError || error instanceof NetError ||
    error instanceof RangeError || error instanceof Deno.errors.NotCapable ||
    error instanceof Deno.errors.NotFound;
}

/** Whole, also where the reader is slow. */
async function write(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let sent = 0; sent < bytes.length;) sent += await Deno.stdout.write(bytes.subarray(sent));
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
