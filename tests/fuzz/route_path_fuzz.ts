/**
 * Fuzzing of what a router makes of paths, also over a socket.
 *
 * Every path has a number, and with the seed the number makes it again.
 */

import { HttpError } from "../../http/errors.ts";
import { canonicalPath, encodePath, type RoutePathOptions } from "../../http/route_path.ts";
import { Router } from "../../http/router.ts";
import { serve } from "../../http/serve.ts";
import { RawClient } from "../_support/raw_client.ts";
import type { FuzzRun, FuzzTarget, Outcomes } from "./fuzz_target.ts";
import { randomOf } from "./mutation.ts";

/** What came of it. */
export interface PathFuzzResult {
  /** Paths that cannot be read. */
  readonly refusedCount: number;
  /** Paths that were read, and written otherwise than they are compared. */
  readonly rewrittenCount: number;
}

const MAX_PIECES = 12;
const LIVE_BATCH = 100;
const PROTECTED = /%2f|%25|%00/gi;
const WELL_ENCODED = /^(?:[^%]|%[0-9a-f]{2})*$/i;
const REMAINING_PERCENT = /%(?!2F|25|00)/;
const DOT_SEGMENT = /(?:^|\/)\.\.?(?:\/|$)/;

/** What decides how a path is read. */
const PIECES = [
  "/",
  "/",
  "//",
  ".",
  "..",
  "%2e",
  "%2E",
  "%2f",
  "%2F",
  "%5c",
  "%25",
  "%252e",
  "%252f",
  "%00",
  "%0a",
  "%20",
  "%",
  "%z",
  "%c3%a9",
  "%c3",
  "%a9",
  "%c0%ae",
  "%ed%a0%80",
  "%f0%9f%98%80",
  "%ef%bb%bf",
  ";",
  ":",
  "@",
  "a",
  "b",
  "7",
  "users",
  "%61",
  "__proto__",
] as const;

/** Only where nobody has checked the target: a head parser refuses them. */
const RAW_PIECES = ["\\", "\x80", "\xc3\xa9", "\xff"] as const;

const OPTIONS: readonly Required<Omit<RoutePathOptions, "trailingSlash">>[] = (
  ["reject", "resolve", "keep"] as const
).flatMap((dotSegments) =>
  (["keep", "merge"] as const).map((duplicateSlashes) => ({ dotSegments, duplicateSlashes }))
);

/** The path with a number: pieces in any order. */
function createPath(seed: number, number: number, isRaw: boolean): string {
  const random = randomOf(seed, number);
  let path = "/";
  for (let count = random.int(MAX_PIECES); count > 0; count--) {
    path += isRaw && random.int(20) === 0 ? random.pick(RAW_PIECES) : random.pick(PIECES);
  }
  return path;
}

/** The path percent-decoded, said another way; `undefined` where that cannot be. */
function decodeNaively(path: string): string | undefined {
  const ascii = path.replace(
    /[\x80-\xff]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16)}`,
  );
  const kept = ascii.match(PROTECTED) ?? [];
  const parts = ascii.split(PROTECTED);
  if (!parts.every((part) => WELL_ENCODED.test(part))) return undefined;
  try {
    return parts.map((part, index) => decodeURIComponent(part) + (kept[index] ?? "").toUpperCase())
      .join("");
  } catch {
    return undefined;
  }
}

function readOrRefuse(path: string, options: RoutePathOptions): string | undefined {
  try {
    return canonicalPath(path, options);
  } catch (error) {
    if (error instanceof HttpError && error.status === 400) return undefined;
    throw error;
  }
}

function demand(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`It should be so that ${what}`);
}

function checkPath(path: string, options: typeof OPTIONS[number]): string | undefined {
  const canonical = readOrRefuse(path, options);
  const decoded = decodeNaively(path);
  if (canonical === undefined) {
    demand(decoded === undefined || options.dotSegments === "reject", "this can be read");
    return undefined;
  }
  demand(decoded !== undefined, "this cannot be read");
  const { dotSegments, duplicateSlashes } = options;
  demand(!REMAINING_PERCENT.test(canonical), "nothing else stays encoded");
  demand(dotSegments === "keep" || !DOT_SEGMENT.test(canonical), "no dot segment is left");
  demand(duplicateSlashes === "keep" || !canonical.includes("//"), "no run of slashes is left");
  demand(canonical.startsWith("/"), "it begins with a slash");
  const written = encodePath(canonical);
  demand(/^\/(?![/\\])[\x21-\x7e]*$/.test(written), "it is written as a path of this host");
  const isOfThisHost = !/^\/[/\\]/.test(canonical);
  demand(!isOfThisHost || readOrRefuse(written, options) === canonical, "it reads back");
  if (dotSegments === "keep" && duplicateSlashes === "keep") {
    demand(canonical === decoded, "it is decoded");
  }
  return canonical;
}

/**
 * Brings random paths into the form in which they are compared.
 *
 * @throws {Error} If one is read in another way than it should; the message says
 * how to see it again.
 */
export function fuzzPaths({ seed, first = 0, count }: FuzzRun): PathFuzzResult {
  let refusedCount = 0;
  let rewrittenCount = 0;
  for (let number = first; number < first + count; number++) {
    const path = createPath(seed, number, true);
    const options = OPTIONS[number % OPTIONS.length]!;
    try {
      const canonical = checkPath(path, options);
      if (canonical === undefined) refusedCount++;
      else if (canonical !== path) rewrittenCount++;
    } catch (cause) {
      const shown = `${JSON.stringify(path)} ${JSON.stringify(options)}`;
      throw new Error(`Failed (seed ${seed}, number ${number}) on ${shown}: ${cause}`, { cause });
    }
  }
  return { refusedCount, rewrittenCount };
}

/** Answers with what it was told: the route and its parameters. */
function createRouter(): Router {
  const app = new Router();
  const patterns = ["/users/:name", "/users/:id{int}", "/a/:b?", "/:x/:y{[a-z.]+}", "/*rest"];
  for (const pattern of patterns) {
    app.get(pattern, (ctx) => ctx.json([ctx.route, ...Object.values(ctx.params)]));
  }
  return app;
}

/** Whether an answer of the router is one that this path can have. */
function fits(path: string, status: number, body: string): boolean {
  const canonical = readOrRefuse(path, {});
  if (canonical === undefined || status !== 200) return canonical === undefined && status === 400;
  const [route, ...params] = JSON.parse(body) as (string | null)[];
  if (route === "/*rest") return params[0] === canonical.slice(1);
  // No parameter is more than its segment, and optional ones may be missing.
  const segments = canonical.slice(1).split("/");
  return params.every((param) => param === null || segments.includes(String(param)));
}

/**
 * Sends random paths to a router, which tells what it made of them.
 *
 * @returns How many were refused.
 * @throws {Error} If an answer is missing or wrong.
 */
export async function fuzzPathsLive({ seed, first = 0, count }: FuzzRun): Promise<number> {
  await using server = serve(createRouter().handler, {
    hostname: "127.0.0.1",
    port: 0,
    maxRequestsPerConnection: 0,
  });
  const { port } = server.addr as Deno.NetAddr;
  await using client = await RawClient.connect({ hostname: "127.0.0.1", port }, {
    timeoutMs: 3_600_000,
  });
  let refusedCount = 0;
  for (let start = 0; start < count; start += LIVE_BATCH) {
    const paths = Array.from(
      { length: Math.min(LIVE_BATCH, count - start) },
      (_, index) => createPath(seed, first + start + index, false),
    );
    const sent = client.send(
      paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(""),
    );
    for (const [index, path] of paths.entries()) {
      const { status, body } = await client.response() ?? { status: 0, body: "" };
      const text = new TextDecoder().decode(Uint8Array.from(body, (byte) => byte.charCodeAt(0)));
      if (!fits(path, status, text)) {
        const shown = `${JSON.stringify(path)}: ${status} ${text}`;
        throw new Error(`Wrong answer (seed ${seed}, number ${first + start + index}) to ${shown}`);
      }
      if (status === 400) refusedCount++;
    }
    await sent;
  }
  return refusedCount;
}

/** Paths as a target. */
export const PATH_TARGET: FuzzTarget = {
  name: "http/paths",
  drives: ["http/route_path.ts"],
  fuzz: (run) => toOutcomes(run.count, fuzzPaths(run).refusedCount),
  replay: () => toOutcomes(100, fuzzPaths({ seed: 1, count: 100 }).refusedCount),
};

/** Paths over a socket as a target; needs `--allow-net`. */
export const PATH_LIVE_TARGET: FuzzTarget = {
  name: "http/paths_live",
  drives: ["http/route_path.ts"],
  fuzz: async (run) => toOutcomes(run.count, await fuzzPathsLive(run)),
  replay: async () => toOutcomes(100, await fuzzPathsLive({ seed: 1, count: 100 })),
};

function toOutcomes(count: number, refusedCount: number): Outcomes {
  return { accepted: count - refusedCount, "HttpError ERR_HTTP_STATUS": refusedCount };
}
