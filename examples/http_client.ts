/**
 * An HTTP client for the terminal: asks, and shows the response and how it came about.
 *
 * ```sh
 * deno run --allow-net examples/http_client.ts http://localhost:8000/
 * deno run --allow-net examples/http_client.ts --data '{"a":1}' http://localhost:8000/things
 * ```
 *
 * Options: `--method NAME`; `--data TEXT`, sent as JSON where it is JSON; `--header "Name: value"`,
 * any number of times; `--include` shows the head and what came before it; `--timings` shows how
 * long each step took; `--timeout-ms` (default 30000) for everything; `--max-redirects` (default
 * 20); `--proxy URL`; `--fail` ends with code 1 on a status of 400 and more.
 */

import { parseArgs } from "node:util";
import {
  Client,
  type ClientResponse,
  HttpStatusError,
  requestFailure,
  type RequestOptions,
} from "@nbio/net/http";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "method": { type: "string" },
    "data": { type: "string" },
    "header": { type: "string", multiple: true, default: [] },
    "include": { type: "boolean", default: false },
    "timings": { type: "boolean", default: false },
    "timeout-ms": { type: "string", default: "30000" },
    "max-redirects": { type: "string", default: "20" },
    "proxy": { type: "string" },
    "fail": { type: "boolean", default: false },
  },
});

/** The body of the request: as JSON, with the type of that, where the text is JSON. */
function bodyOf(text: string | undefined): RequestOptions {
  if (text === undefined) return {};
  try {
    return { json: JSON.parse(text) };
  } catch {
    return { body: text };
  }
}

function fieldOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

function showHead({ redirects, status, statusText, headers }: ClientResponse): void {
  for (const { url, status } of redirects) console.error(`${status} from ${url}`);
  console.error(`${status} ${statusText}`);
  for (const [name, value] of headers) console.error(`${name}: ${value}`);
  console.error();
}

function showTimings({ timings, attempts, reused }: ClientResponse): void {
  for (const [name, ms] of Object.entries(timings)) {
    if (ms !== undefined) {
      console.error(`${name.replace(/Ms$/, "").padEnd(10)} ${ms.toFixed(1)} ms`);
    }
  }
  console.error(`attempts   ${attempts}${reused ? ", on a kept connection" : ""}`);
}

const { data } = values;

await using client = new Client({
  throwOnError: values.fail,
  totalTimeoutMs: Number(values["timeout-ms"]),
  maxRedirects: Number(values["max-redirects"]),
  ...values.proxy !== undefined && { proxy: values.proxy },
});
try {
  const method = values.method ?? (data === undefined ? "GET" : "POST");
  await using response = await client.request(method, positionals[0] ?? "http://localhost:8000/", {
    ...bodyOf(data),
    headers: values.header.map(fieldOf),
    onInformational: ({ status }) => {
      if (values.include) console.error(`${status} came first`);
    },
  });
  if (values.include) showHead(response);
  // Nothing is kept: what comes is written as it comes.
  await response.stream.pipeTo(Deno.stdout.writable, { preventClose: true });
  if (values.timings) showTimings(response);
} catch (error) {
  const failure = requestFailure(error);
  const where = failure === undefined
    ? ""
    : ` (${failure.phase}, attempt ${failure.attempts}, ${failure.address ?? "no connection"})`;
  console.error(`${error instanceof Error ? error.message : error}${where}`);
  if (error instanceof HttpStatusError) await error.response.discard();
  Deno.exitCode = 1;
}
