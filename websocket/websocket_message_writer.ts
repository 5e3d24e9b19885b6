import { WebSocketStateError } from "./errors.ts";
import type { SendOptions } from "./message_writer.ts";

/** Sends a fragment of the message under way, and resolves when there is room for the next. */
export type SendFragment = (fragment: string | Uint8Array, isFinal: boolean) => Promise<void>;

/** Options of {@linkcode WebSocketConnection.openMessage}. */
export interface OpenMessageOptions extends SendOptions {
  /**
   * What the message is.
   *
   * @default {"binary"}
   */
  readonly type?: "text" | "binary";
}

/**
 * A message that is sent in fragments, for what is not in memory as a whole. Other messages wait
 * until it is closed; pings, pongs and the Close frame do not.
 *
 * @example A message in two fragments
 * ```ts
 * import { serve } from "@nbio/net/http";
 * import { dial, upgrade } from "@nbio/net/websocket";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = serve(async (ctx) => {
 *   await using ws = await upgrade(ctx);
 *   const message = await ws.openMessage({ type: "text" });
 *   await message.write("Hello, ");
 *   await message.close("World!");
 * }, { hostname: "127.0.0.1", port: 0 });
 *
 * const { port } = server.addr as Deno.NetAddr;
 * await using ws = await dial(`ws://127.0.0.1:${port}/`);
 * assertEquals(await ws.readMessage(), { type: "text", data: "Hello, World!" });
 * ```
 */
export class WebSocketMessageWriter {
  /** What the message is. */
  readonly type: "text" | "binary";
  readonly #send: SendFragment;
  #isClosed = false;

  /**
   * Made by {@linkcode WebSocketConnection.openMessage}.
   *
   * @param type What the message is.
   * @param send Sends a fragment.
   */
  constructor(type: "text" | "binary", send: SendFragment) {
    this.type = type;
    this.#send = send;
  }

  /**
   * Sends a fragment.
   *
   * @param fragment A string for a text message, maybe cut within a surrogate pair; bytes for a
   * binary one, which stay as they are until the promise settles.
   * @returns Resolves when there is room for more.
   * @throws {TypeError} If the fragment is of the wrong kind.
   * @throws {WebSocketStateError} If the message or the connection is closed.
   * @throws {NetError} If the connection broke.
   */
  async write(fragment: string | Uint8Array): Promise<void> {
    this.#check(fragment);
    await this.#send(fragment, false);
  }

  /**
   * Ends the message.
   *
   * @param fragment The last fragment; nothing without.
   * @returns Resolves when there is room for more.
   * @throws {Error} As {@linkcode WebSocketMessageWriter.write}.
   */
  async close(fragment: string | Uint8Array = this.#nothing()): Promise<void> {
    this.#check(fragment);
    this.#isClosed = true;
    await this.#send(fragment, true);
  }

  #nothing(): string | Uint8Array {
    return this.type === "text" ? "" : new Uint8Array();
  }

  #check(fragment: string | Uint8Array): void {
    if ((typeof fragment === "string") !== (this.type === "text")) {
      throw new TypeError(`Cannot send fragment: expected one of a ${this.type} message`);
    }
    if (!this.#isClosed) return;
    throw new WebSocketStateError("ERR_WEBSOCKET_NOT_OPEN", "Cannot send fragment: message ended", {
      state: "message ended",
      event: "fragment",
    });
  }
}
