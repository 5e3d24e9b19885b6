/**
 * {@linkcode SystemDnsReader}: how this system finds hosts, as its files say it.
 *
 * @module
 */

import { type Clock, systemClock } from "../nbio/clock.ts";
import { readEntireFile } from "../nbio/read_entire_file.ts";
import { FileError } from "../nbio/file_error.ts";
import type { DnsServer } from "./dns_server.ts";
import { HostsFile } from "./hosts_file.ts";
import { type NameService, parseNsswitchConf } from "./nsswitch_conf.ts";
import { parseResolvConf, type ResolvConf } from "./resolv_conf.ts";

/** How this system finds hosts. */
export interface SystemDns {
  /** What resolv.conf and the environment say; defaults where the servers come from elsewhere. */
  readonly resolvConf: ResolvConf;
  /** The servers to ask, 1 to 3. */
  readonly servers: readonly DnsServer[];
  /** The hosts file; empty if it cannot be read. */
  readonly hosts: HostsFile;
  /** What nsswitch.conf says of `hosts`; `files dns` if it cannot be read, or says nothing. */
  readonly services: readonly NameService[];
  /** Where the servers come from: resolv.conf, or the runtime. */
  readonly source: "files" | "runtime";
}

/** Options of a {@linkcode SystemDnsReader}. */
export interface SystemDnsReaderOptions {
  /**
   * Path of resolv.conf; `false` for none.
   *
   * @default {"/etc/resolv.conf"}, and `false` on Windows
   */
  readonly resolvConfPath?: string | false;
  /**
   * Path of the hosts file; `false` for none.
   *
   * @default {"/etc/hosts"}, and its place on Windows
   */
  readonly hostsPath?: string | false;
  /**
   * Path of nsswitch.conf; `false` for none.
   *
   * @default {"/etc/nsswitch.conf"}, and `false` on Windows
   */
  readonly nsswitchPath?: string | false;
  /**
   * How long nobody looks whether a file has changed, in milliseconds, 0 or more.
   *
   * @default {5_000}
   */
  readonly checkIntervalMs?: number;
  /**
   * Most bytes of each file: an integer. 0 and `Infinity` mean no limit.
   *
   * @default {67_108_864}
   */
  readonly maxFileBytes?: number;
  /**
   * Where time comes from.
   *
   * @default {systemClock}
   */
  readonly clock?: Pick<Clock, "now">;
}

/** Options of {@linkcode SystemDnsReader.read}. */
export interface ReadSystemDnsOptions {
  /**
   * Ends the wait, which rejects with the signal's reason.
   *
   * @default {undefined}
   */
  readonly signal?: AbortSignal;
}

/** What the C library asks at most (`MAXNS`). */
const MAX_SERVER_COUNT = 3;
const DNS_PORT = 53;
const DEFAULT_MAX_FILE_BYTES = 67_108_864;
const WINDOWS_HOSTS_PATH = "C:\\Windows\\System32\\drivers\\etc\\hosts";
/** What the C library does without nsswitch.conf. */
const DEFAULT_SERVICES: readonly NameService[] = [
  { name: "files", actions: [] },
  { name: "dns", actions: [] },
];

const NO_HOSTS = new HostsFile();

/** One reading, for all who wait for it. */
interface Reading {
  readonly result: Promise<SystemDns>;
  readonly stop: AbortController;
  waiterCount: number;
}

/**
 * Reads how this system finds hosts, and again when a file has changed. Many may ask at once: files
 * are read once for all of them, and a reading nobody waits for any more ends.
 *
 * - The servers are those of resolv.conf; if there is no such file, this machine (as in the C
 *   library). If it may not be read, and on Windows, the runtime is asked for its own.
 * - A file that was read and cannot be read any more changes nothing.
 * - The option `no-reload` holds for resolv.conf and nsswitch.conf.
 *
 * Permissions: `--allow-read` for the three files. Without that for resolv.conf,
 * `--allow-sys=networkInterfaces`; without that for the others they count as empty. With
 * `--allow-env=LOCALDOMAIN,RES_OPTIONS` and `--allow-sys=hostname` the environment and the name of
 * this machine count as well; they are never asked for.
 *
 * @example The servers of this system
 * ```ts
 * import { SystemDnsReader } from "@nbio/net/dns";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile();
 * await Deno.writeTextFile(path, "nameserver 192.0.2.53\n");
 * const reader = new SystemDnsReader({ resolvConfPath: path });
 * const { servers } = await reader.read();
 * assertEquals(servers, [{ address: "192.0.2.53", port: 53 }]);
 * await Deno.remove(path);
 * ```
 */
export class SystemDnsReader {
  readonly #clock: Pick<Clock, "now">;
  readonly #checkIntervalMs: number;
  readonly #resolvConf: WatchedFile<ResolvConf>;
  readonly #hosts: WatchedFile<HostsFile>;
  readonly #services: WatchedFile<readonly NameService[]>;
  /** What holds without resolv.conf. */
  readonly #defaults = parseSystemResolvConf("");
  #current: SystemDns | undefined;
  #checkedMs = -Infinity;
  #reading: Reading | undefined;

  /**
   * Makes a reader that has read nothing yet.
   *
   * @param options The files and how often to look at them.
   * @throws {RangeError} If an option is out of its range.
   */
  constructor(options: SystemDnsReaderOptions = {}) {
    const isWindows = Deno.build.os === "windows";
    const {
      resolvConfPath = isWindows ? false : "/etc/resolv.conf",
      hostsPath = isWindows ? WINDOWS_HOSTS_PATH : "/etc/hosts",
      nsswitchPath = isWindows ? false : "/etc/nsswitch.conf",
      checkIntervalMs = 5_000,
      maxFileBytes = DEFAULT_MAX_FILE_BYTES,
      clock = systemClock,
    } = options;
    if (!(checkIntervalMs >= 0)) {
      throw new RangeError(
        `Cannot use checkIntervalMs ${checkIntervalMs}: expected a number of at least 0`,
      );
    }
    if (maxFileBytes !== Infinity && !(Number.isInteger(maxFileBytes) && maxFileBytes >= 0)) {
      throw new RangeError(
        `Cannot use maxFileBytes ${maxFileBytes}: expected an integer of at least 0 or Infinity`,
      );
    }
    this.#clock = clock;
    this.#checkIntervalMs = checkIntervalMs;
    this.#resolvConf = new WatchedFile(resolvConfPath, maxFileBytes, parseSystemResolvConf);
    this.#hosts = new WatchedFile(hostsPath, maxFileBytes, (text) => new HostsFile(text));
    this.#services = new WatchedFile(nsswitchPath, maxFileBytes, parseHostServices);
  }

  /**
   * Gives how this system finds hosts.
   *
   * @param options A signal.
   * @returns It; the same object until something has changed.
   * @throws {Deno.errors.NotCapable} If neither resolv.conf may be read nor the runtime be asked: the
   * message says which permissions are missing.
   * @throws {Deno.errors.NotFound} If the runtime knows of no server.
   * @throws {FileError} If a file may be read, and reading it fails at first.
   * @throws {LimitExceededError} If a file has more than `maxFileBytes` at first.
   * @throws {Error} The signal's reason.
   */
  async read(options: ReadSystemDnsOptions = {}): Promise<SystemDns> {
    const { signal } = options;
    signal?.throwIfAborted();
    const nowMs = this.#clock.now();
    if (this.#current !== undefined && nowMs - this.#checkedMs < this.#checkIntervalMs) {
      return this.#current;
    }
    const reading = this.#reading ??= this.#begin(nowMs);
    reading.waiterCount++;
    const aborted = Promise.withResolvers<never>();
    const onAbort = (): void => aborted.reject(signal!.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      return await Promise.race([reading.result, aborted.promise]);
    } finally {
      signal?.removeEventListener("abort", onAbort);
      if (--reading.waiterCount === 0) this.#end(reading);
    }
  }

  #begin(nowMs: number): Reading {
    const stop = new AbortController();
    const result = this.#readAll(stop.signal).then((system) => {
      this.#checkedMs = nowMs;
      return this.#current = system;
    });
    // Who waits gets it; if nobody does any more, it is of no interest.
    result.catch(() => {});
    return { result, stop, waiterCount: 0 };
  }

  #end(reading: Reading): void {
    if (this.#reading === reading) this.#reading = undefined;
    reading.stop.abort();
  }

  async #readAll(signal: AbortSignal): Promise<SystemDns> {
    await this.#hosts.refresh(signal);
    if (this.#resolvConf.value?.noReload !== true) {
      await this.#services.refresh(signal);
      await this.#resolvConf.refresh(signal);
    }
    const hosts = this.#hosts.value ?? NO_HOSTS;
    const services = this.#services.value ?? DEFAULT_SERVICES;
    const found = this.#resolvConf.value ??
      (this.#resolvConf.isWithheld ? undefined : this.#defaults);
    const next: SystemDns = found === undefined
      ? { resolvConf: this.#defaults, hosts, services, ...await askRuntime(this.#resolvConf.path) }
      : { resolvConf: found, hosts, services, servers: serversOf(found), source: "files" };
    return this.#current !== undefined && isSame(this.#current, next) ? this.#current : next;
  }
}

/** A file, and what it said when it was read last. */
class WatchedFile<T> {
  /** Its path; `undefined` for none. */
  readonly path: string | undefined;
  /** What it says; `undefined` if it was never there, or could never be read. */
  value: T | undefined;
  /** Whether there is no path, or no permission to read it. */
  isWithheld = false;
  readonly #maxBytes: number;
  readonly #parse: (text: string) => T;
  #version: string | undefined;

  constructor(path: string | false, maxBytes: number, parse: (text: string) => T) {
    this.path = path === false ? undefined : path;
    this.#maxBytes = maxBytes;
    this.#parse = parse;
  }

  /** Reads it if it has changed. */
  async refresh(signal: AbortSignal): Promise<void> {
    const { path } = this;
    this.isWithheld = path === undefined;
    if (path === undefined) return;
    try {
      // Before it is read: what changes meanwhile is seen the next time.
      const { mtime, size, ino, isFile } = await Deno.stat(path);
      const version = `${mtime?.getTime()} ${size} ${ino}`;
      if (version === this.#version) return;
      // From a pipe or a device nobody knows when it ends.
      const bytes = isFile
        ? await readEntireFile(path, { maxBytes: this.#maxBytes, signal })
        : new Uint8Array(0);
      this.value = this.#parse(new TextDecoder().decode(bytes));
      this.#version = version;
    } catch (error) {
      signal.throwIfAborted();
      this.#judge(error);
    }
  }

  #judge(error: unknown): void {
    const cause = error instanceof FileError ? error.cause : error;
    const isRefused = cause instanceof Deno.errors.NotCapable ||
      cause instanceof Deno.errors.PermissionDenied;
    if (this.value !== undefined || cause instanceof Deno.errors.NotFound) return;
    if (!isRefused) throw error;
    this.isWithheld = true;
  }
}

function parseSystemResolvConf(text: string): ResolvConf {
  return parseResolvConf(text, {
    hostname: isGranted({ name: "sys", kind: "hostname" }) ? Deno.hostname() : undefined,
    localDomain: variable("LOCALDOMAIN"),
    resOptions: variable("RES_OPTIONS"),
  });
}

function parseHostServices(text: string): readonly NameService[] {
  return parseNsswitchConf(text).get("hosts") ?? DEFAULT_SERVICES;
}

function variable(name: string): string | undefined {
  return isGranted({ name: "env", variable: name }) ? Deno.env.get(name) : undefined;
}

/** Whether something may be done without the user being asked. */
function isGranted(descriptor: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(descriptor).state === "granted";
}

function serversOf({ nameservers }: ResolvConf): DnsServer[] {
  return nameservers.slice(0, MAX_SERVER_COUNT).map((address) => ({ address, port: DNS_PORT }));
}

function isSame(first: SystemDns, second: SystemDns): boolean {
  return first.resolvConf === second.resolvConf && first.hosts === second.hosts &&
    first.services === second.services && first.source === second.source &&
    JSON.stringify(first.servers) === JSON.stringify(second.servers);
}

/** The servers of the runtime, for who may not, or cannot, read resolv.conf. */
async function askRuntime(
  path: string | undefined,
): Promise<Pick<SystemDns, "servers" | "source">> {
  // Loaded at first use: who may read the file need not pay for it.
  const { getServers } = await import("node:dns");
  const servers = new Set(callGetServers(getServers, path));
  if (servers.size === 0) {
    throw new Deno.errors.NotFound(
      "Cannot find name servers: the system names none, and no option servers is given",
    );
  }
  return {
    servers: Array.from(servers).slice(0, MAX_SERVER_COUNT).map(parseServer),
    source: "runtime",
  };
}

function callGetServers(getServers: () => string[], path: string | undefined): string[] {
  try {
    return getServers();
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotCapable)) throw cause;
    const read = path === undefined ? "" : `--allow-read=${path} or `;
    throw new Deno.errors.NotCapable(
      `Cannot find name servers: ${read}--allow-sys=networkInterfaces is missing, and no option ` +
        "servers is given",
      { cause },
    );
  }
}

/** `address`, `address:port` or `[address]:port`. */
function parseServer(text: string): DnsServer {
  const [, bracketed, plain, port] = /^(?:\[(.*)\]|([^:]*)):([0-9]+)$/.exec(text) ?? [];
  return {
    address: bracketed ?? plain ?? text,
    port: port === undefined ? DNS_PORT : Number(port),
  };
}
