import type { Budget } from "../_support/budget.ts";
import { GREETING, jsonBody, largeBody, UPLOAD_BYTES } from "./payloads.ts";

/** What a server process answers; each does one thing, so that no peer pays for routing. */
export type Route = "greet" | "large" | "upload" | "echo";

/** One way to load a server. */
export interface Scenario {
  /** Short name, also for `--only`. */
  readonly name: string;
  /** What the server does. */
  readonly route: Route;
  /** Open connections, each with one write in flight. */
  readonly connections: number;
  /** Requests in one write. */
  readonly pipelined: number;
  /** Header fields after `Host`. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The bytes of one request. */
  readonly request: Uint8Array<ArrayBuffer>;
  /** The expected body. */
  readonly body: Uint8Array<ArrayBuffer>;
}

const encoder = new TextEncoder();

/** The ten fields that a browser sends with a click; the whole request has 595 bytes. */
const BROWSER_FIELDS: Scenario["fields"] = [
  ["Connection", "keep-alive"],
  ["Cache-Control", "max-age=0"],
  ["Upgrade-Insecure-Requests", "1"],
  [
    "User-Agent",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) " +
    "Chrome/142.0.0.0 Safari/537.36",
  ],
  [
    "Accept",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  ],
  ["Sec-Fetch-Site", "same-origin"],
  ["Referer", "http://www.example.com/catalogue/shoes?page=2&sort=price"],
  ["Accept-Encoding", "gzip, deflate, br, zstd"],
  ["Accept-Language", "en-GB,en;q=0.9,de;q=0.8,fr;q=0.7"],
  ["Cookie", "session=0123456789abcdef0123456789abcdef; theme=dark; consent=necessary"],
];

interface Shape {
  readonly route?: Route;
  readonly connections?: number;
  readonly pipelined?: number;
  readonly fields?: Scenario["fields"];
  readonly send?: Uint8Array<ArrayBuffer>;
  readonly body?: Uint8Array<ArrayBuffer>;
}

function scenario(name: string, shape: Shape): Scenario {
  const { route = "greet", connections = 50, pipelined = 1, fields = [], send } = shape;
  const lines = [`${send ? "POST" : "GET"} / HTTP/1.1`, "Host: 127.0.0.1"];
  for (const [field, value] of fields) lines.push(`${field}: ${value}`);
  if (send) lines.push(`Content-Length: ${send.length}`);
  const head = encoder.encode(lines.join("\r\n") + "\r\n\r\n");
  const request = new Uint8Array(head.length + (send?.length ?? 0));
  request.set(head);
  if (send) request.set(send, head.length);
  const body = shape.body ?? encoder.encode(GREETING);
  return { name, route, connections, pipelined, fields, request, body };
}

const JSON_FIELDS: Scenario["fields"] = [["Content-Type", "application/json"]];

/** All scenarios, in the order of the visits. */
export const SCENARIOS: readonly Scenario[] = [
  scenario("minimal", {}),
  scenario("minimal-1000", { connections: 1_000 }),
  scenario("browser", { fields: BROWSER_FIELDS }),
  scenario("pipelined", { pipelined: 16 }),
  scenario("large", { route: "large", body: largeBody() }),
  scenario("upload", {
    route: "upload",
    connections: 10,
    send: new Uint8Array(UPLOAD_BYTES).fill(0x62),
    body: encoder.encode(String(UPLOAD_BYTES)),
  }),
  scenario("json", { route: "echo", fields: JSON_FIELDS, send: jsonBody(), body: jsonBody() }),
];

function versus(peer: string, name: string, scenario: string, max: number, aim?: number): Budget {
  const budget = { name, of: `${scenario}/ours`, over: `${scenario}/${peer}`, max };
  return aim === undefined ? budget : { ...budget, aim };
}

/** What is promised of our server's CPU time per request. */
export const BUDGETS: readonly Budget[] = [
  versus("deno", "minimal GET against Deno.serve", "minimal", 1.1, 1),
  versus("deno", "browser headers against Deno.serve", "browser", 1.2),
  versus("deno", "pipelined by 16 against Deno.serve", "pipelined", 0.2, 0.12),
  versus("deno", "64 KiB response against Deno.serve", "large", 1),
  versus("deno", "1 MiB upload against Deno.serve", "upload", 1),
  versus("deno", "1 KiB JSON echo against Deno.serve", "json", 1),
  versus("node", "minimal GET against node", "minimal", 0.8),
  versus("node", "browser headers against node", "browser", 0.8),
  {
    name: "1,000 connections against 50",
    of: "minimal-1000/ours",
    over: "minimal/ours",
    max: 1.5,
  },
];
