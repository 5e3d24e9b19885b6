// The process that makes the load. It takes one command in JSON on each line of stdin and
// answers each with one line; loader.ts is its other end.
import { HttpLoad } from "../_support/http_load.ts";
import { LineReader } from "../_support/line_reader.ts";
import { SCENARIOS } from "./scenarios.ts";

/** What the loader can be told. */
export type LoaderCommand =
  /** Open connections to a server until there are `count`; each carries one request. */
  | { readonly type: "open"; scenario: string; port: number; count: number }
  /** Send `count` requests over all of them. */
  | { readonly type: "run"; count: number }
  /** Send one request on each and check the response. */
  | { readonly type: "ask" }
  /** Close them all. */
  | { readonly type: "close" };

/** What the loader answers. */
export type LoaderReply =
  | { readonly ok: true; readonly requests: number; readonly elapsedMs: number }
  | { readonly ok: false; readonly message: string };

let load: HttpLoad | undefined;

function loadOf(name: string, port: number): HttpLoad {
  const scenario = SCENARIOS.find((scenario) => scenario.name === name);
  if (scenario === undefined) throw new RangeError(`Cannot load: no scenario "${name}"`);
  return new HttpLoad({ port, ...scenario });
}

/** Does what it is told and gives the number of requests that count. */
async function obey(command: LoaderCommand): Promise<number> {
  if (command.type === "open") {
    load ??= loadOf(command.scenario, command.port);
    await load.open(command.count);
    return 0;
  }
  if (load === undefined) throw new Error(`Cannot ${command.type}: nothing is open`);
  if (command.type === "run") return await load.run(command.count);
  if (command.type === "ask") {
    await load.ask();
  } else {
    load.close();
    load = undefined;
  }
  return 0;
}

async function reply(line: string): Promise<LoaderReply> {
  const start = performance.now();
  try {
    const requests = await obey(JSON.parse(line));
    return { ok: true, requests, elapsedMs: performance.now() - start };
  } catch (error) {
    load?.close();
    load = undefined;
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

if (import.meta.main) {
  const lines = new LineReader(Deno.stdin.readable);
  for (let line = await lines.next(); line !== undefined; line = await lines.next()) {
    console.log(JSON.stringify(await reply(line)));
  }
}
