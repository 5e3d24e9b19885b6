/**
 * {@linkcode threadLauncher}: workers that are threads.
 *
 * @module
 */

import type { PreforkExit } from "./prefork_event.ts";
import {
  type PreforkHandle,
  type PreforkLauncher,
  type PreforkLaunchEvents,
  type PreforkSettings,
  readPreforkWord,
  SETTINGS_NAME,
} from "./prefork_settings.ts";

/**
 * Prepares to start threads. A thread that ends by an error or `Deno.exit()` is noticed, one that
 * calls `self.close()` is not: nothing tells of it. One in an endless loop goes on after `terminate()`
 * in Deno 2.9, and keeps the program alive.
 *
 * @param module What they run.
 * @returns How to start one.
 */
export function threadLauncher(module: string): PreforkLauncher {
  return (settings, events) => new ThreadHandle(module, settings, events);
}

class ThreadHandle implements PreforkHandle {
  readonly pid: number = Deno.pid;
  readonly #worker: Worker;
  readonly #onExit: (exit: PreforkExit) => void;
  #ended = false;

  constructor(module: string, settings: PreforkSettings, { onReady, onExit }: PreforkLaunchEvents) {
    this.#onExit = onExit;
    const name = SETTINGS_NAME + JSON.stringify(settings);
    this.#worker = new Worker(module, { type: "module", name });
    this.#worker.onmessage = ({ data }) => {
      const word = readPreforkWord(data);
      if (word?.nbioPrefork === "ready") onReady();
      else if (word?.nbioPrefork === "end") this.#end({ code: word.code, signal: null });
    };
    this.#worker.onerror = (event) => {
      // The runtime has written it to the standard error.
      event.preventDefault();
      this.#end({ code: 1, signal: null, error: event.error ?? new Error(event.message) });
    };
  }

  stop(): void {
    if (!this.#ended) this.#worker.postMessage({ nbioPrefork: "stop" });
  }

  kill(): void {
    // A microtask later, as with a process: whoever kills has not written that down yet.
    queueMicrotask(() => this.#end({ code: null, signal: "SIGKILL" }));
  }

  #end(exit: PreforkExit): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#worker.terminate();
    this.#onExit(exit);
  }
}
