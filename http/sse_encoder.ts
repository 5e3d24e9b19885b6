// This module is sans-I/O.

/** One event of a stream of server-sent events, as a page sees it. */
export interface ServerSentEvent {
  /**
   * What the page reads as `event.data`. It may have several lines, ended by CR LF, LF or CR: the
   * page gets LF for each of them. Without it there is no event: nothing but `id` and `retryMs`
   * takes effect.
   */
  readonly data?: string | undefined;
  /** Name of the event, without line ends; a page that is told none calls it `message`. */
  readonly event?: string | undefined;
  /**
   * What the client names as `Last-Event-ID` when it comes back, without line ends and NUL; the
   * empty one makes it forget.
   */
  readonly id?: string | undefined;
  /** How long the client waits before it comes back, in milliseconds, a whole number. */
  readonly retryMs?: number | undefined;
  /** What no page sees: for whoever looks at the connection, and to keep it alive. */
  readonly comment?: string | undefined;
}

const LINE_END = /\r\n|\r|\n/;
const NOT_ID = /[\0\r\n]/;
const NOT_EVENT = /[\r\n]/;

const encoder = new TextEncoder();

/**
 * Encodes an event as the event stream of the HTML standard has it (section 9.2.6). Nothing in it
 * can begin another event: lines of data and comments are marked each, and a name or an id with a
 * line end is refused.
 *
 * @param event What to say; with nothing in it, an empty comment.
 * @returns Its bytes, in UTF-8, with the empty line that ends it.
 * @throws {TypeError} If `event` or `id` contains a line end, or `id` a NUL.
 * @throws {RangeError} If `retryMs` is no whole number of at least 0.
 *
 * @example Two lines
 * ```ts
 * import { encodeServerSentEvent } from "@nbio/net/http/core";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = encodeServerSentEvent({ id: "7", event: "news", data: "one\ntwo" });
 * assertEquals(new TextDecoder().decode(bytes), "event: news\nid: 7\ndata: one\ndata: two\n\n");
 * ```
 */
export function encodeServerSentEvent(event: ServerSentEvent): Uint8Array<ArrayBuffer> {
  const { comment, event: name, id, retryMs, data } = event;
  let text = "";
  if (comment !== undefined) text += formatLines(":", comment);
  if (name !== undefined) text += formatField("event", name, NOT_EVENT);
  if (id !== undefined) text += formatField("id", id, NOT_ID);
  if (retryMs !== undefined) text += `retry: ${checkRetry(retryMs)}\n`;
  if (data !== undefined) text += formatLines("data:", data);
  return encoder.encode(`${text || ":\n"}\n`);
}

/** A blank behind the colon belongs to the syntax, and keeps one of the text's own. */
function formatLines(start: string, text: string): string {
  let lines = "";
  for (const line of text.split(LINE_END)) lines += `${start} ${line}\n`;
  return lines;
}

function formatField(name: string, value: string, forbidden: RegExp): string {
  if (forbidden.test(value)) {
    const shown = JSON.stringify(value.slice(0, 32));
    throw new TypeError(`Cannot encode event: ${name} ${shown} contains a line end or NUL`);
  }
  return `${name}: ${value}\n`;
}

function checkRetry(retryMs: number): number {
  if (Number.isSafeInteger(retryMs) && retryMs >= 0) return retryMs;
  throw new RangeError(`Cannot encode event: retryMs is ${retryMs}, expected a whole number`);
}
