import { utf8 } from "./websocket_case.ts";
import type { DeflateWish, EchoStep, SuiteScale, WebSocketCase } from "./websocket_case.ts";

/** Sizes of messages, and of their fragments. */
const SIZES: readonly (readonly [bytes: number, fragmentBytes?: number])[] = [
  ...[16, 64, 256, 1024, 4096, 8192, 16_384, 32_768, 65_536, 131_072].map((bytes) =>
    [bytes] as const
  ),
  ...[8192, 16_384, 32_768, 65_536, 131_072].map((bytes) => [bytes, 256] as const),
  ...[1024, 4096, 32_768].map((fragmentBytes) => [131_072, fragmentBytes] as const),
];
const SOURCE_BYTES = 1_048_576;
/** How far the next message is from the one before: no divisor of any size, and even. */
const STRIDE_BYTES = 7_330;

interface Source {
  readonly name: string;
  readonly type: EchoStep["type"];
  readonly make: (random: () => number) => Uint8Array;
}

/** Numbers below 1 that look like chance and are the same in every run. */
function lcg(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32;
}

/** Words up to the size of a source. */
function written(word: (index: number) => string, bytesPerCharacter: number): Uint8Array {
  let all = "";
  for (let index = 0; all.length * bytesPerCharacter < SOURCE_BYTES; index++) all += word(index);
  return utf8(all).slice(0, SOURCE_BYTES);
}

function letters(random: () => number, alphabet: string): string[] {
  return Array.from({ length: 2000 }, () => {
    const length = 2 + Math.floor(random() * 9);
    return Array.from({ length }, () => alphabet[Math.floor(random() ** 2 * alphabet.length)])
      .join("");
  });
}

const SOURCES: readonly Source[] = [
  {
    name: "prose",
    type: "text",
    make: (random) => {
      const words = letters(random, "etaoinshrdlucmfwypvbgkjqxz");
      return written(() => `${words[Math.floor(random() ** 3 * words.length)]} `, 1);
    },
  },
  {
    name: "JSON",
    type: "text",
    make: (random) =>
      written((id) => {
        const value = random();
        return JSON.stringify({ id, value, tags: ["a", "b"], on: value < 0.5 });
      }, 1),
  },
  {
    name: "Greek",
    type: "text",
    // No character of 1 byte: then every cut at an even place is one between two characters.
    make: (random) => {
      const words = letters(random, "αβγδεζηθικλμνξοπρστυφχψω");
      return written(() => `${words[Math.floor(random() ** 3 * words.length)]}·`, 2);
    },
  },
  {
    name: "a picture",
    type: "binary",
    make: (random) =>
      Uint8Array.from({ length: SOURCE_BYTES }, (_, index) => {
        return 128 + 100 * Math.sin(index / 300) + 8 * random();
      }),
  },
  {
    name: "noise",
    type: "binary",
    make: (random) => Uint8Array.from({ length: SOURCE_BYTES }, () => random() * 256),
  },
];

const made = new Map<Source, Uint8Array>();

/** Messages cut out of a source, which is made when the first of them is asked for. */
function messagesOf(source: Source, bytes: number): EchoStep["message"] {
  return (index) => {
    let all = made.get(source);
    if (all === undefined) made.set(source, all = source.make(lcg(12)));
    const start = (index * STRIDE_BYTES) % (SOURCE_BYTES - bytes);
    return all.subarray(start, start + bytes);
  };
}

function deflated(
  group: string,
  source: Source,
  count: number,
  wishes: (index: number) => readonly DeflateWish[],
): WebSocketCase[] {
  return SIZES.map(([bytes, fragmentBytes], index) => {
    const deflate = wishes(index);
    const step: EchoStep = {
      ...{ type: source.type, message: messagesOf(source, bytes), count },
      ...fragmentBytes !== undefined && { fragmentBytes },
    };
    const cut = fragmentBytes === undefined ? "" : ` in fragments of ${fragmentBytes}`;
    const name = `${count} messages of ${bytes} bytes of ${source.name}${cut}, ` +
      deflate.map(describe).join(" or ");
    return { id: `${group}.${index + 1}`, name, steps: [step], answers: [], deflate };
  });
}

function describe({ noContextTakeover, windowBits, whose }: DeflateWish): string {
  const window = windowBits === undefined ? "" : ` with ${windowBits} bits`;
  return `${noContextTakeover ? "no takeover" : "takeover"}${window} (${whose})`;
}

/** What group 13 asks for, in turns of the peer, of this end and of both. */
const WISHES: readonly (readonly Omit<DeflateWish, "whose">[])[] = [
  [{ noContextTakeover: false, windowBits: undefined }],
  [{ noContextTakeover: true, windowBits: undefined }],
  [{ noContextTakeover: false, windowBits: 9 }],
  [{ noContextTakeover: false, windowBits: 15 }],
  [{ noContextTakeover: true, windowBits: 9 }],
  [{ noContextTakeover: true, windowBits: 15 }],
  [
    { noContextTakeover: true, windowBits: 9 },
    { noContextTakeover: true, windowBits: undefined },
    { noContextTakeover: false, windowBits: 9 },
    { noContextTakeover: false, windowBits: undefined },
  ],
];
const WHOSE = ["peer", "both", "own"] as const;

/** Groups 12 and 13: permessage-deflate, by what is compressed and by what is agreed on. */
export function deflateCases({ deflatedCount }: SuiteScale): WebSocketCase[] {
  const plain: DeflateWish = { noContextTakeover: false, windowBits: undefined, whose: "both" };
  return [
    ...SOURCES.flatMap((source, index) =>
      deflated(`12.${index + 1}`, source, deflatedCount, () => [plain])
    ),
    ...WISHES.flatMap((wishes, group) =>
      deflated(
        `13.${group + 1}`,
        SOURCES[1]!,
        deflatedCount,
        (index) => wishes.map((wish) => ({ ...wish, whose: WHOSE[index % WHOSE.length]! })),
      )
    ),
  ];
}
