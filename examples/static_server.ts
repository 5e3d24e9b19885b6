/**
 * Serves a folder, as `python -m http.server` does, but with ranges, caching and listings.
 *
 * ```sh
 * deno run --allow-net=127.0.0.1:8000 --allow-read=. examples/static_server.ts
 * deno run --allow-net=0.0.0.0:8000 --allow-read=public examples/static_server.ts public \
 *   --hostname=0.0.0.0 --clean-urls --max-age=600 --immutable='[.-][0-9a-f]{8,}[.]'
 * ```
 *
 * The folder is the first argument, the current one by default. Options: `--hostname` (default
 * 127.0.0.1), `--port` (default 8000, 0 for any), `--no-listing`, `--no-compression` (text is not
 * compressed on its way, and files beside others with `.br`, `.zst` and `.gz` are not sent in their
 * place; what is larger than 8 MiB never is compressed on its way, so that downloads can be told of
 * and resumed), `--clean-urls` (`/about` is
 * `about.html`), `--dotfiles`, `--symlinks` (`inside`, `follow` or `refuse`), `--download` (files
 * are saved, not shown), `--max-age` (seconds for which clients need not ask again; 0 has them ask
 * each time), `--immutable` (an expression; files on paths that match never change),
 * `--progress-mib` (downloads from this size on are told of as they go; default 16, 0 for none),
 * `--quiet` (no line for each request), `--help`.
 *
 * It needs `--allow-net` of its address and `--allow-read` of the folder, nothing else. Ctrl-C
 * lets downloads under way finish for ten seconds; a second one does not.
 */

import { parseArgs } from "node:util";
import {
  compress,
  type Context,
  type FileProgress,
  type Handler,
  logger,
  Router,
  serve,
  serveDir,
  type ServeDirOptions,
} from "@nbio/net/http";
import { shutdownSignal } from "@nbio/net/nbio";

const MIB = 1_048_576;
/** What is larger can be resumed by who has lost the connection, and is not compressed for that. */
const MAX_COMPRESSED_BYTES = 8 * MIB;
/** A download is told of each time it has gone on by this share of it. */
const PROGRESS_SHARE = 0.1;

/** What {@linkcode createStaticServer} serves, and how. */
export interface StaticServerOptions extends ServeDirOptions {
  /** The folder. */
  readonly root: string;
  /**
   * Whether text is compressed on its way to who takes it so, and files that lie compressed beside
   * others are sent in their place.
   *
   * @default {true}
   */
  readonly compression?: boolean;
  /**
   * Takes lines for people: requests, and how far large downloads are.
   *
   * @default {() => {}}
   */
  readonly log?: (line: string) => void;
  /**
   * Whether each request has its line.
   *
   * @default {true}
   */
  readonly logRequests?: boolean;
  /**
   * Bytes from which on a download is told of as it goes; Infinity for none.
   *
   * @default {16_777_216}
   */
  readonly progressBytes?: number;
}

/**
 * Makes the handler. It needs no socket, so that a test can ask it.
 *
 * @param options The folder, the log, and those of `serveDir`.
 */
export function createStaticServer(options: StaticServerOptions): Handler {
  const { root, log = () => {}, logRequests = true, compression = true, ...rest } = options;
  const { progressBytes = 16 * MIB, ...others } = rest;
  const app = new Router();
  if (logRequests) app.use(logger({ sink: log }));
  if (compression) app.use(compress({ skip: isLarge }));
  const files = { precompressed: compression, ...others };
  const isTold = progressBytes < Infinity;
  const onProgress = progressLog(progressBytes, log);
  app.get("/*path", serveDir(root, isTold ? { ...files, onProgress } : files));
  return app.handler;
}

function isLarge({ response: { headers } }: Context): boolean {
  return Number(headers.get("content-length") ?? 0) > MAX_COMPRESSED_BYTES;
}

/** Tells of a download at every tenth of it, with its pace. */
function progressLog(minBytes: number, log: (line: string) => void): (at: FileProgress) => void {
  const downloads = new WeakMap<Context, { startMs: number; toldBytes: number }>();
  return ({ ctx, path, sentBytes, totalBytes }) => {
    if (totalBytes < minBytes) return;
    let download = downloads.get(ctx);
    if (download === undefined) {
      download = { startMs: performance.now(), toldBytes: 0 };
      downloads.set(ctx, download);
    }
    const isDue = sentBytes - download.toldBytes >= totalBytes * PROGRESS_SHARE;
    if (!isDue && sentBytes < totalBytes) return;
    download.toldBytes = sentBytes;
    const seconds = Math.max(0.001, (performance.now() - download.startMs) / 1000);
    const percent = Math.floor(sentBytes / totalBytes * 100);
    const pace = (sentBytes / MIB / seconds).toFixed(1);
    const { hostname } = ctx.remoteAddr as Deno.NetAddr;
    // Quoted: a name may hold what a terminal would obey.
    log(
      `${hostname} ${JSON.stringify(path)} ${percent} % of ${formatMib(totalBytes)}, ${pace} MiB/s`,
    );
  };
}

function formatMib(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

/** Where to listen. */
interface ListenOptions {
  readonly hostname: string;
  readonly port: number;
}

const USAGE = `static_server.ts [FOLDER] [OPTIONS]

Serves a folder, the current one by default.

  --hostname=NAME       address to listen on (127.0.0.1)
  --port=NUMBER         port to listen on, 0 for any (8000)
  --no-listing          no pages for folders without an index.html
  --no-compression      everything as it lies there
  --clean-urls          /about is about.html
  --dotfiles            names that begin with a dot, too
  --symlinks=POLICY     inside, follow or refuse (inside)
  --download            files are saved, not shown
  --max-age=SECONDS     clients need not ask again for so long (0)
  --immutable=REGEXP    files on paths that match never change
  --progress-mib=NUMBER downloads from this size on are told of, 0 for none (16)
  --quiet               no line for each request
  --help                this text`;

/** Options of the command line; `undefined` where only help is wanted. */
function readOptions(): (StaticServerOptions & ListenOptions) | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      "hostname": { type: "string", default: "127.0.0.1" },
      "port": { type: "string", default: "8000" },
      "no-listing": { type: "boolean", default: false },
      "no-compression": { type: "boolean", default: false },
      "clean-urls": { type: "boolean", default: false },
      "dotfiles": { type: "boolean", default: false },
      "symlinks": { type: "string", default: "inside" },
      "download": { type: "boolean", default: false },
      "max-age": { type: "string", default: "0" },
      "immutable": { type: "string" },
      "progress-mib": { type: "string", default: "16" },
      "quiet": { type: "boolean", default: false },
      "help": { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const maxAge = readCount("max-age", values["max-age"]);
  const progressMib = readCount("progress-mib", values["progress-mib"]);
  return {
    root: positionals[0] ?? ".",
    hostname: values.hostname,
    port: readCount("port", values.port),
    listing: !values["no-listing"],
    compression: !values["no-compression"],
    cleanUrls: values["clean-urls"],
    dotfiles: values.dotfiles ? "serve" : "hide",
    symlinks: values.symlinks as "inside" | "follow" | "refuse",
    download: values.download,
    cacheControl: maxAge === 0 ? "no-cache" : `max-age=${maxAge}`,
    ...(values.immutable === undefined ? {} : { immutable: new RegExp(values.immutable) }),
    progressBytes: progressMib === 0 ? Infinity : progressMib * MIB,
    logRequests: !values.quiet,
    log: console.log,
  };
}

function readCount(name: string, text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw new RangeError(`Cannot use --${name} ${text}: expected a whole number of at least 0`);
}

/** Serves until the process is told to end. */
async function run(settings: StaticServerOptions & ListenOptions): Promise<void> {
  const { hostname, port, ...options } = settings;
  // A folder that is not there yet may come; a wrong name is better told of at once.
  if (!Deno.statSync(options.root).isDirectory) {
    throw new Deno.errors.NotADirectory(`Cannot serve ${options.root}: it is no folder`);
  }
  const server = serve(createStaticServer(options), {
    hostname,
    port,
    onListen: (addr) => {
      const at = addr as Deno.NetAddr;
      const shown = at.hostname.includes(":") ? `[${at.hostname}]` : at.hostname;
      console.log(`Serving on http://${shown}:${at.port}/`);
    },
  });
  await shutdownSignal();
  await server.shutdown({ graceMs: 10_000 });
}

if (import.meta.main) {
  const settings = readOptions();
  if (settings === undefined) console.log(USAGE);
  else await run(settings);
}
