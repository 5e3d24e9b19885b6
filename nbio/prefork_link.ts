/**
 * {@linkcode findPreforkLink}: a worker's road to its supervisor.
 *
 * @module
 */

import {
  parsePreforkSettings,
  type PreforkSettings,
  type PreforkWord,
  readPreforkWord,
  SETTINGS_NAME,
  SETTINGS_VARIABLE,
} from "./prefork_settings.ts";

/** What a worker hears. */
export interface PreforkLinkEvents {
  /** It is asked to stop. */
  readonly onStop: () => void;
  /** Its supervisor is gone. */
  readonly onGone: () => void;
}

/** A worker's road to its supervisor. */
export interface PreforkLink {
  /** Begins to listen; keeps the worker alive from now on. */
  open(events: PreforkLinkEvents): void;
  /** Says that the worker is ready. */
  ready(): void;
  /** Says that it has done all; keeps it alive no longer. */
  close(): void;
  /** Ends the worker at once. */
  exit(code: number): void;
}

/** What is used of `node:process`, whose types would be a static import. */
interface NodeProcess {
  readonly connected: boolean;
  send(message: PreforkWord): boolean;
  disconnect(): void;
  on(name: string, listener: (message: unknown) => void): void;
}

/** What is used of the global object of a thread, whose types exclude those of a process. */
interface ThreadScope {
  readonly name?: unknown;
  postMessage(message: PreforkWord): void;
  addEventListener(name: string, listener: (event: { readonly data?: unknown }) => void): void;
}

/** What a worker is, and its road. */
export interface PreforkOpening {
  /** What it was told. */
  readonly settings: PreforkSettings;
  /** Not open yet. */
  readonly link: PreforkLink;
}

/**
 * Finds out whether this is a worker. Asks for no permission: who has none to read the settings
 * was given none.
 *
 * @returns The settings and the road; `undefined` in any other program. A process finds them once:
 * they are removed from its environment, because what it starts is no worker.
 */
export function findPreforkLink(): PreforkOpening | undefined {
  const scope = globalThis as unknown as ThreadScope;
  if (typeof scope.name === "string" && scope.name.startsWith(SETTINGS_NAME)) {
    const settings = parsePreforkSettings(scope.name.slice(SETTINGS_NAME.length));
    return settings && { settings, link: new ThreadLink(scope) };
  }
  const variable = SETTINGS_VARIABLE;
  if (Deno.permissions.querySync({ name: "env", variable }).state !== "granted") return undefined;
  const text = Deno.env.get(variable);
  const settings = text === undefined ? undefined : parsePreforkSettings(text);
  if (settings === undefined) return undefined;
  Deno.env.delete(variable);
  return { settings, link: new ProcessLink(settings.supervisorPid) };
}

class ProcessLink implements PreforkLink {
  readonly #supervisorPid: number;
  readonly #process: NodeProcess;
  #closed = false;
  #onTerminate: () => void = () => {};
  /** Ctrl-C reaches all processes of a terminal: it is the supervisor who answers it. */
  readonly #onInterrupt = (): void => {};

  constructor(supervisorPid: number) {
    this.#supervisorPid = supervisorPid;
    const { process } = globalThis as unknown as {
      readonly process: { getBuiltinModule(name: string): NodeProcess };
    };
    this.#process = process.getBuiltinModule("node:process");
  }

  open({ onStop, onGone }: PreforkLinkEvents): void {
    this.#onTerminate = onStop;
    Deno.addSignalListener("SIGINT", this.#onInterrupt);
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", this.#onTerminate);
    this.#process.on("message", (message) => {
      if (readPreforkWord(message)?.nbioPrefork === "stop") onStop();
    });
    const onDisconnect = (): void => {
      if (!this.#closed) onGone();
    };
    this.#process.on("disconnect", onDisconnect);
    // It may have gone before anybody listened.
    if (!this.#process.connected || Deno.ppid !== this.#supervisorPid) queueMicrotask(onDisconnect);
  }

  ready(): void {
    if (this.#process.connected) this.#process.send({ nbioPrefork: "ready" });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    Deno.removeSignalListener("SIGINT", this.#onInterrupt);
    if (Deno.build.os !== "windows") Deno.removeSignalListener("SIGTERM", this.#onTerminate);
    if (this.#process.connected) this.#process.disconnect();
  }

  exit(code: number): void {
    Deno.exit(code);
  }
}

/** A thread ends with its supervisor: it is one program. */
class ThreadLink implements PreforkLink {
  readonly #scope: ThreadScope;

  constructor(scope: ThreadScope) {
    this.#scope = scope;
  }

  open({ onStop }: PreforkLinkEvents): void {
    this.#scope.addEventListener("message", ({ data }) => {
      if (readPreforkWord(data)?.nbioPrefork === "stop") onStop();
    });
    // Deno.exit() ends a thread without a word to the others.
    this.#scope.addEventListener("unload", () => this.#end(Deno.exitCode));
  }

  ready(): void {
    this.#scope.postMessage({ nbioPrefork: "ready" });
  }

  close(): void {
    this.#end(0);
  }

  exit(code: number): void {
    this.#end(code);
  }

  #end(code: number): void {
    this.#scope.postMessage({ nbioPrefork: "end", code });
  }
}
