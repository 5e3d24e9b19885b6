/** The suites' own permessage-deflate (RFC 7692), by `node:zlib` and nothing of the package. */

import {
  constants,
  createDeflateRaw,
  createInflateRaw,
  deflateRawSync,
  inflateRawSync,
} from "node:zlib";
import { join } from "../_support/websocket_frames.ts";
import type { DeflateWish } from "./websocket_case.ts";

/** How one end compresses. */
export interface DeflateSide {
  readonly noContextTakeover: boolean;
  readonly windowBits: number;
}

/** How both do. */
export interface DeflateAgreement {
  readonly server: DeflateSide;
  readonly client: DeflateSide;
}

/** What follows each message where it is inflated (RFC 7692 section 7.2.2). */
const TAIL = new Uint8Array([0x00, 0x00, 0xff, 0xff]);
/** The smallest window with which zlib compresses. */
const MIN_WINDOW_BITS = 9;
const NAME = "permessage-deflate";
const FLUSH = constants.Z_SYNC_FLUSH;

type Sides = "server" | "client";
type Stream = ReturnType<typeof createDeflateRaw> | ReturnType<typeof createInflateRaw>;

/** The parameters of one extension, by name; `true` for those without a value. */
type Parameters = ReadonlyMap<string, string | true>;

/** What a client offers that wishes so, one offer for each wish. */
export function offerOf(wishes: readonly DeflateWish[]): string {
  return wishes.map((wish) => {
    const own = parametersOf("client", wish, "own");
    // That it would follow the server costs nothing to say.
    const hint = own.some((name) => name.startsWith("client_max"))
      ? []
      : ["client_max_window_bits"];
    return [NAME, ...parametersOf("server", wish, "peer"), ...own, ...hint].join("; ");
  }).join(", ");
}

/**
 * Reads the answer to such an offer.
 *
 * @throws {Error} If the server has not agreed to any of it.
 */
export function agreedOn(answer: string, wishes: readonly DeflateWish[]): DeflateAgreement {
  const [agreed, ...rest] = readExtensions(answer);
  if (agreed === undefined || rest.length > 0) throw new Error(`Bad extensions: ${answer}`);
  const agreement = { server: sideOf("server", agreed), client: sideOf("client", agreed) };
  const isMet = wishes.some(({ whose, noContextTakeover, windowBits = 15 }) =>
    whose === "own" || (agreement.server.windowBits <= windowBits &&
      (agreement.server.noContextTakeover || !noContextTakeover))
  );
  if (!isMet) throw new Error(`No answer to any offer: ${answer}`);
  return agreement;
}

/** What a server answers that wishes so; `undefined` if the client offers too little. */
export function answerTo(
  offer: string,
  wishes: readonly DeflateWish[],
): { readonly answer: string; readonly agreement: DeflateAgreement } | undefined {
  for (const offered of readExtensions(offer)) {
    for (const wish of wishes) {
      const asked = parametersOf("client", wish, "peer");
      const mayBound = offered.has("client_max_window_bits");
      if (!mayBound && asked.some((name) => name.startsWith("client_max"))) continue;
      const given = parametersOf("server", wish, "own");
      if (offered.has("server_no_context_takeover")) given.push("server_no_context_takeover");
      const bits = offered.get("server_max_window_bits");
      if (bits !== undefined && !given.some((name) => name.startsWith("server_max"))) {
        given.push(`server_max_window_bits=${bits}`);
      }
      const answer = [...new Set([NAME, ...given, ...asked])].join("; ");
      const [agreed] = readExtensions(answer);
      return {
        answer,
        agreement: { server: sideOf("server", agreed!), client: sideOf("client", agreed!) },
      };
    }
  }
  return undefined;
}

function parametersOf(side: Sides, wish: DeflateWish, whose: "peer" | "own"): string[] {
  if (wish.whose !== "both" && wish.whose !== whose) return [];
  return [
    ...wish.noContextTakeover ? [`${side}_no_context_takeover`] : [],
    ...wish.windowBits === undefined ? [] : [`${side}_max_window_bits=${wish.windowBits}`],
  ];
}

function readExtensions(value: string): Parameters[] {
  const lists = value.split(",").map((item) => item.split(";").map((part) => part.trim()));
  return lists.filter(([name]) => name === NAME).map(([, ...parameters]) =>
    new Map(parameters.map((parameter) => {
      const [name, text] = parameter.split("=");
      return [name!, text?.replaceAll('"', "") ?? true];
    }))
  );
}

function sideOf(side: Sides, parameters: Parameters): DeflateSide {
  const bits = parameters.get(`${side}_max_window_bits`) ?? 15;
  return {
    noContextTakeover: parameters.has(`${side}_no_context_takeover`),
    windowBits: bits === true ? 15 : Number(bits),
  };
}

/** Compresses messages as one end, and decompresses those of the other. */
export class RawDeflate implements Disposable {
  readonly #own: DeflateSide;
  readonly #peer: DeflateSide;
  #deflate: Stream | undefined;
  #inflate: Stream | undefined;

  /** @param own How this end compresses. @param peer How the other does. */
  constructor(own: DeflateSide, peer: DeflateSide) {
    this.#own = { ...own, windowBits: Math.max(own.windowBits, MIN_WINDOW_BITS) };
    this.#peer = peer;
  }

  /** Compresses a message. */
  async deflate(message: Uint8Array): Promise<Uint8Array> {
    const { noContextTakeover, windowBits } = this.#own;
    if (noContextTakeover) {
      return withoutTail(deflateRawSync(message, { windowBits, finishFlush: FLUSH }));
    }
    this.#deflate ??= createDeflateRaw({ windowBits });
    return withoutTail(await flushed(this.#deflate, message));
  }

  /** Decompresses a message. */
  async inflate(message: Uint8Array): Promise<Uint8Array> {
    const { noContextTakeover, windowBits } = this.#peer;
    const input = join(message, TAIL);
    if (noContextTakeover) return inflateRawSync(input, { windowBits, finishFlush: FLUSH });
    this.#inflate ??= createInflateRaw({ windowBits });
    return await flushed(this.#inflate, input);
  }

  [Symbol.dispose](): void {
    this.#deflate?.close();
    this.#inflate?.close();
  }
}

/** All that comes out of a stream for what goes in. */
function flushed(stream: Stream, input: Uint8Array): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const onData = (chunk: Uint8Array) => void chunks.push(chunk);
  stream.on("data", onData);
  stream.once("error", reject);
  stream.write(input);
  stream.flush(FLUSH, () => {
    stream.off("data", onData);
    stream.off("error", reject);
    resolve(join(...chunks));
  });
  return promise;
}

function withoutTail(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, bytes.length - TAIL.length);
}
