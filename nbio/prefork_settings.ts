/**
 * {@linkcode PreforkSettings}: what a worker is told when it is started, and the words that it and
 * its supervisor have for each other.
 *
 * @module
 */

import type { PreforkExit, PreforkWorkerId } from "./prefork_event.ts";
import type { PreforkMode } from "./prefork_options.ts";

/** What a worker is told when it is started. */
export interface PreforkSettings extends PreforkWorkerId {
  /** Process id of the supervisor. */
  readonly supervisorPid: number;
  /** What it is itself. */
  readonly mode: PreforkMode;
  /** How many workers there are. */
  readonly workers: number;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Milliseconds for which it goes on accepting when it is to stop. */
  readonly drainMs: number;
  /** Milliseconds that it has afterwards. */
  readonly graceMs: number;
}

/** The environment variable in which a process finds its settings. */
export const SETTINGS_VARIABLE = "NBIO_PREFORK";

/** What the name of a thread begins with, before its settings. */
export const SETTINGS_NAME = "nbio-prefork:";

/** What the two say to each other. `end` is said by a thread, which has no exit status. */
export type PreforkWord =
  | { readonly nbioPrefork: "ready" }
  | { readonly nbioPrefork: "stop" }
  | { readonly nbioPrefork: "end"; readonly code: number };

/** How a worker of either mode is started. */
export type PreforkLauncher = (
  settings: PreforkSettings,
  events: PreforkLaunchEvents,
) => PreforkHandle;

/** What a launcher tells about a worker: that it is ready, and, once and last, that it has ended. */
export interface PreforkLaunchEvents {
  /** It says that it is ready. */
  readonly onReady: () => void;
  /** It has ended, or could not be started. Never called before the launcher has returned. */
  readonly onExit: (exit: PreforkExit) => void;
}

/** A worker that was started. */
export interface PreforkHandle {
  /** Process id; that of the supervisor for a thread. */
  readonly pid: number | undefined;
  /** Asks it to stop. */
  stop(): void;
  /** Ends it. */
  kill(): void;
}

/**
 * Tells our words from what a program says to its workers by the same road.
 *
 * @param message What came.
 * @returns The word; `undefined` if it is none.
 */
export function readPreforkWord(message: unknown): PreforkWord | undefined {
  if (typeof message !== "object" || message === null) return undefined;
  const { nbioPrefork, code } = message as { nbioPrefork?: unknown; code?: unknown };
  if (nbioPrefork === "ready" || nbioPrefork === "stop") return { nbioPrefork };
  if (nbioPrefork === "end" && typeof code === "number") return { nbioPrefork, code };
  return undefined;
}

/**
 * Reads what a supervisor has written with `JSON.stringify`.
 *
 * @param text The text.
 * @returns The settings; `undefined` if it is something else.
 */
export function parsePreforkSettings(text: string): PreforkSettings | undefined {
  try {
    const settings = JSON.parse(text) as PreforkSettings | null;
    return typeof settings?.supervisorPid === "number" ? settings : undefined;
  } catch {
    return undefined;
  }
}
