/**
 * Serves a module that has `export default { fetch }`, as many frameworks make them:
 *
 * ```sh
 * deno run -A jsr:@nbio/net/http/cli app.ts --port=8000 --log
 * deno run -A jsr:@nbio/net/http/cli app.ts --workers=4 --tls-cert=cert.pem --tls-key=key.pem
 * deno run -A jsr:@nbio/net/http/cli app.ts --unix=/run/app.sock
 * ```
 *
 * `--help` lists all options. Ctrl-C and SIGTERM let requests under way finish for ten seconds; a
 * second one does not. Exit codes: 0 after a shutdown, 1 if the module or the address cannot be
 * used, 2 for a wrong command line.
 *
 * Permissions: `--allow-net` of the address; `--allow-read` for the module and the TLS files (and for a
 * Unix socket, with `--allow-write`); with `--workers` also `--allow-run` of Deno and `--allow-env`;
 * and what the module itself needs. Workers have the kinds of permission that were given without a
 * bound; of those with one, which the runtime tells nobody, the address to listen on, the module
 * and the TLS files. A module that needs more in its workers has to be given that kind as a whole.
 *
 * @example Its handler, in a program of one's own
 * ```ts
 * import { loadApp } from "@nbio/net/http/cli";
 * import { runRequest } from "@nbio/net/http";
 * import { assertEquals } from "@std/assert";
 *
 * const handler = await loadApp("data:text/javascript,export default { fetch: () => new Response('hi') }");
 * assertEquals(await (await runRequest(handler, "/")).text(), "hi");
 * ```
 *
 * @module
 */

import { NetError } from "../nbio/errors.ts";
import { prefork } from "../nbio/prefork.ts";
import type { PreforkEvent } from "../nbio/prefork_event.ts";
import { inheritedPermissions } from "../nbio/prefork_process.ts";
import { preforkWorker } from "../nbio/prefork_worker.ts";
import { shutdownSignal } from "../nbio/shutdown_signal.ts";
import { CLI_USAGE, type CliOptions, parseCliOptions } from "./cli_options.ts";
import { compose } from "./middleware.ts";
import { logger } from "./middleware_logger.ts";
import { type HttpServer, serve } from "./serve.ts";
import type { ServeOptions } from "./server_options.ts";
import type { Handler } from "./server_shared.ts";
import { type FetchApp, toHandler } from "./to_handler.ts";

const GRACE_MS = 10_000;

/**
 * Loads a module, and makes a handler of its default export.
 *
 * @param module URL of the module.
 * @returns The handler.
 * @throws {TypeError} If its default export has no method `fetch`, or it cannot be loaded.
 *
 * @example A module without an application
 * ```ts
 * import { loadApp } from "@nbio/net/http/cli";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(() => loadApp("data:text/javascript,export default 1"), TypeError);
 * ```
 */
export async function loadApp(module: string): Promise<Handler> {
  const { default: app } = await import(module) as { default?: FetchApp };
  if (typeof app?.fetch !== "function") {
    throw new TypeError(`Cannot serve ${module}: it has no export default { fetch }`);
  }
  return toHandler(app);
}

/** Serves in this process, alone or as one of several workers, to the end. */
async function serveHere(options: CliOptions): Promise<void> {
  const handler = await loadApp(moduleUrl(options.module));
  const { log, port, hostname, unix } = options;
  const worker = preforkWorker();
  const server = serve(log === undefined ? handler : compose([logger({ format: log })], handler), {
    ...unix === undefined ? { port, hostname } : { path: unix },
    ...await tlsOptions(options),
    worker,
  });
  if (worker !== undefined) return await server.finished;
  console.log(`Listening on ${describe(server, options)}`);
  await shutdownSignal();
  await server.shutdown({ graceMs: GRACE_MS });
}

async function tlsOptions({ tlsCert, tlsKey }: CliOptions): Promise<ServeOptions> {
  if (tlsCert === undefined || tlsKey === undefined) return {};
  const { CertificateFiles } = await import("../tls/certificate_files.ts");
  return { tls: { certificates: await CertificateFiles.open(tlsCert, tlsKey) } };
}

/** Keeps the workers, each of which runs this module again. */
async function superviseWorkers(options: CliOptions, args: readonly string[]): Promise<void> {
  const { workers, hostname, port, tlsCert } = options;
  const permissions = workerPermissions(options);
  const cluster = prefork({
    module: import.meta.url,
    workers,
    args: [import.meta.url, ...args],
    permissions,
    onEvent: warn,
    graceMs: GRACE_MS,
  });
  await cluster.ready;
  const scheme = tlsCert === undefined ? "http" : "https";
  console.log(`Listening on ${scheme}://${hostname}:${port}/ with ${workers} workers`);
  await cluster.finished;
}

/** Of a permission with bounds it can be asked only whether something known lies within them. */
function workerPermissions({ hostname, port, module, tlsCert, tlsKey }: CliOptions): string[] {
  const host = `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  const url = moduleUrl(module);
  const files = url.startsWith("file:") ? [fromFileUrl(url)] : [];
  const paths = [...files, tlsCert, tlsKey].filter((path) => path !== undefined);
  const flags = inheritedPermissions();
  const isGranted = (descriptor: Deno.PermissionDescriptor): boolean =>
    Deno.permissions.querySync(descriptor).state === "granted";
  if (!flags.includes("--allow-net") && isGranted({ name: "net", host })) {
    flags.push(`--allow-net=${host}`);
  }
  if (!flags.includes("--allow-read")) {
    // A path with a comma would be two in a flag, of which neither was granted.
    const readable = paths.filter((path) => {
      return !path.includes(",") && isGranted({ name: "read", path });
    });
    if (readable.length > 0) flags.push(`--allow-read=${readable}`);
  }
  return flags;
}

function fromFileUrl(url: string): string {
  const path = decodeURIComponent(new URL(url).pathname);
  return Deno.build.os === "windows" ? path.slice(1) : path;
}

function moduleUrl(path: string): string {
  if (/^[a-z][a-z\d+.-]+:/i.test(path)) return path;
  return new URL(path, `file://${encodeURI(Deno.cwd())}/`).href;
}

/** What an operator has to know of: an end that nobody wanted. */
function warn(event: PreforkEvent): void {
  if (event.type !== "backoff") return;
  console.error(`Worker ${event.index} has ended; another begins in ${event.delayMs} ms`);
}

/** Whether its message says all there is to say; of others the place is wanted, too. */
function isExplained(error: unknown): error is Error {
  return [TypeError, NetError, ...Object.values(Deno.errors)].some((kind) => error instanceof kind);
}

function describe(server: HttpServer, { tlsCert }: CliOptions): string {
  const { addr } = server;
  if (!("hostname" in addr)) return `unix:${(addr as Deno.UnixAddr).path}`;
  const host = addr.hostname.includes(":") ? `[${addr.hostname}]` : addr.hostname;
  return `${tlsCert === undefined ? "http" : "https"}://${host}:${addr.port}/`;
}

async function main(args: readonly string[]): Promise<number> {
  let options: CliOptions | undefined;
  try {
    options = parseCliOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${CLI_USAGE}`);
    return 2;
  }
  if (options === undefined) {
    console.log(CLI_USAGE);
    return 0;
  }
  try {
    const isAlone = options.workers === 1 || preforkWorker() !== undefined;
    await (isAlone ? serveHere(options) : superviseWorkers(options, args));
    return 0;
  } catch (error) {
    console.error(isExplained(error) ? error.message : error);
    return 1;
  }
}

const worker = preforkWorker();
// Not of a program that merely imports this.
if (worker?.args[0] === import.meta.url) {
  // A worker that could not start is to end, and to be seen to.
  if (await main(worker.args.slice(1)) !== 0) Deno.exit(1);
} else if (import.meta.main) Deno.exit(await main(Deno.args));
