/** What the command line asks for; see `http/cli.ts`. */
export interface CliOptions {
  /** Path or URL of the module. */
  readonly module: string;
  /** TCP port, 0 to 65535. */
  readonly port: number;
  /** Name or address to bind to. */
  readonly hostname: string;
  /** Path of a Unix socket instead of a port. */
  readonly unix: string | undefined;
  /** Number of processes, 1 to 1,024; 1 serves in this one. */
  readonly workers: number;
  /** Path of a certificate chain in PEM, with `tlsKey`. */
  readonly tlsCert: string | undefined;
  /** Path of its key in PEM. */
  readonly tlsKey: string | undefined;
  /** Format of a line for each request; none without. */
  readonly log: "common" | "combined" | "json" | undefined;
}

/** How the command line is used. */
export const CLI_USAGE = `Usage: deno run -A jsr:@nbio/net/http/cli [options] app.ts

Serves a module that has \`export default { fetch }\`.

  --port=N           TCP port, 0 for any (default 8000)
  --hostname=NAME    name or address to listen on (default 0.0.0.0)
  --unix=PATH        listen on a Unix socket instead
  --workers=N        processes that share the port (default 1)
  --tls-cert=FILE    certificate chain in PEM, read again when it changes
  --tls-key=FILE     its key
  --log[=FORMAT]     a line for each request: common, combined or json
  --help             this text
`;

const VALUES: ReadonlySet<string> = new Set([
  "port",
  "hostname",
  "unix",
  "workers",
  "tls-cert",
  "tls-key",
]);
const FORMATS: ReadonlySet<string> = new Set(["common", "combined", "json"]);
const MAX_PORT = 65_535;
const MAX_WORKERS = 1_024;

/**
 * Reads the command line.
 *
 * @param args The arguments.
 * @returns What they ask for; `undefined` for help.
 * @throws {TypeError} If they cannot be understood, or contradict each other.
 */
export function parseCliOptions(args: readonly string[]): CliOptions | undefined {
  const { flags, modules } = split(args);
  if (flags.has("help")) return undefined;
  if (modules.length !== 1) throw new TypeError(`Expected one module, got ${modules.length}`);
  const log = flags.get("log");
  const options: CliOptions = {
    module: modules[0]!,
    port: integer(flags, "port", 8_000, 0, MAX_PORT),
    hostname: flags.get("hostname") ?? "0.0.0.0",
    unix: flags.get("unix"),
    workers: integer(flags, "workers", 1, 1, MAX_WORKERS),
    tlsCert: flags.get("tls-cert"),
    tlsKey: flags.get("tls-key"),
    log: (log === "" ? "common" : log) as CliOptions["log"],
  };
  check(options, flags);
  return options;
}

interface Split {
  readonly flags: ReadonlyMap<string, string>;
  readonly modules: readonly string[];
}

function split(args: readonly string[]): Split {
  const flags = new Map<string, string>();
  const modules: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    if (!arg.startsWith("--")) {
      modules.push(arg);
      continue;
    }
    const equals = arg.indexOf("=");
    const name = arg.slice(2, equals < 0 ? undefined : equals);
    if (!VALUES.has(name) && name !== "log" && name !== "help") {
      throw new TypeError(`Unknown option --${name}`);
    }
    if (flags.has(name)) throw new TypeError(`Option --${name} comes twice`);
    const value = equals >= 0 ? arg.slice(equals + 1) : VALUES.has(name) ? args[++index] : "";
    if (value === undefined || (value === "" && VALUES.has(name))) {
      throw new TypeError(`Option --${name} needs a value`);
    }
    flags.set(name, value);
  }
  return { flags, modules };
}

function integer(
  flags: ReadonlyMap<string, string>,
  name: string,
  fallback: number,
  least: number,
  most: number,
): number {
  const text = flags.get(name);
  if (text === undefined) return fallback;
  const value = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  throw new TypeError(`Option --${name} is ${text}: expected ${least} to ${most}`);
}

function check(options: CliOptions, flags: ReadonlyMap<string, string>): void {
  const { unix, workers, port, tlsCert, tlsKey, log } = options;
  if (log !== undefined && !FORMATS.has(log)) {
    throw new TypeError(`Option --log is ${log}: expected ${[...FORMATS].join(", ")}`);
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new TypeError("Options --tls-cert and --tls-key go together");
  }
  if (unix !== undefined && (flags.has("port") || flags.has("hostname"))) {
    throw new TypeError("Option --unix goes without --port and --hostname");
  }
  if (workers > 1 && (unix !== undefined || port === 0)) {
    throw new TypeError("Option --workers needs a port that is not 0");
  }
}
