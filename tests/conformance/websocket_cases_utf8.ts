import { join } from "../_support/websocket_frames.ts";
import {
  answer,
  answered,
  failing,
  fragments,
  text,
  utf8,
  type WebSocketCase,
} from "./websocket_case.ts";

/** With an accent of 3 bytes: the letters have 2, 3, 2, 2 and 2. */
const GREEK = "κ\u1f79σμε";
const MIXED = "Hello-µ@ßöäüàá-UTF-8!!";
const NOT_UTF8 = 1007;
/** Behind it a message that was valid up to a lone surrogate would be text again. */
const BROKEN = join(utf8(GREEK), hex("ed a0 80"), utf8("edited"));

const CUT_OFF = [
  ...["c0", "e0 80", "f0 80 80", "f8 80 80 80", "fc 80 80 80 80"],
  ...["df", "ef bf", "f7 bf bf", "fb bf bf bf", "fd bf bf bf bf"],
];

type Make = (id: string, name: string, payload: Uint8Array) => WebSocketCase;

/** All planes end in two code points that are no characters, and may be sent all the same. */
const NONCHARACTERS = Array.from(
  { length: 17 },
  (_, plane) => [0xfffe, 0xffff].map((low) => plane * 0x1_0000 + low),
).flat();

function hex(bytes: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(bytes.replaceAll(" ", ""));
}

function range(first: number, last: number, behind = " "): string {
  const bytes = Array.from({ length: last - first + 1 }, (_, index) => first + index);
  return bytes.map((byte) => `${byte.toString(16)}${behind}`).join("");
}

function oneByOne(payload: Uint8Array) {
  return fragments(...Array.from(payload, (byte) => new Uint8Array([byte])));
}

function valid(id: string, name: string, payload: Uint8Array): WebSocketCase {
  return answered(id, name, [text(payload)], [answer("text", payload)]);
}

function invalid(id: string, name: string, payload: Uint8Array): WebSocketCase {
  return failing(id, name, [text(payload)], { code: NOT_UTF8 });
}

function codePoints(group: number, name: string, points: readonly number[]): WebSocketCase[] {
  return points.map((point, index) => {
    const id = `6.${group}.${index + 1}`;
    return valid(id, `${name} U+${point.toString(16)}`, utf8(String.fromCodePoint(point)));
  });
}

/** Three parts, the second of which is too much: as fragments, or as pieces of one frame. */
function failFast(
  number: number,
  parts: readonly Uint8Array[],
  inOneFrame: boolean,
): WebSocketCase {
  const frames = fragments(...parts);
  const whole = text(join(...parts));
  const cut = parts[0]!.length + parts[1]!.length;
  return {
    id: `6.4.${number}`,
    name: `the second of three ${inOneFrame ? "pieces of a frame" : "fragments"} is no UTF-8`,
    steps: inOneFrame
      ? [{ send: [whole], failsBehind: cut }]
      : [{ send: frames.slice(0, 2) }, "fails here", { send: frames.slice(2) }],
    answers: [],
    closeCodes: [NOT_UTF8],
  };
}

/** Beyond U+10FFFF: at once, and with the byte that makes it so alone. */
const TOO_LARGE = [
  [utf8(GREEK), hex("f4 90 80 80"), utf8("edited")],
  [join(utf8(GREEK), hex("f4")), hex("90"), join(hex("80 80"), utf8("edited"))],
];

function basics(): WebSocketCase[] {
  const empty = answer("text");
  const middle = "middle frame payload";
  return [
    answered("6.1.1", "empty text", [text("")], [empty]),
    answered("6.1.2", "three empty fragments", fragments("", "", ""), [empty]),
    answered(
      "6.1.3",
      "three fragments, the middle one not empty",
      fragments("", middle, ""),
      [answer("text", middle)],
    ),
    valid("6.2.1", "text with all lengths of UTF-8", utf8(MIXED)),
    answered(
      "6.2.2",
      "cut between two characters",
      fragments("Hello-µ@ßöä", "üàá-UTF-8!!"),
      [answer("text", MIXED)],
    ),
    answered("6.2.3", "fragments of 1 byte", oneByOne(utf8(MIXED)), [answer("text", MIXED)]),
    answered("6.2.4", "Greek, fragments of 1 byte", oneByOne(utf8(GREEK)), [answer("text", GREEK)]),
    invalid("6.3.1", "a surrogate in the middle", BROKEN),
    failing("6.3.2", "a surrogate in the middle, fragments of 1 byte", oneByOne(BROKEN), {
      code: NOT_UTF8,
    }),
    ...[false, true].flatMap((inOneFrame, form) =>
      TOO_LARGE.map((parts, index) => failFast(2 * form + index + 1, parts, inOneFrame))
    ),
  ];
}

function prefixes(): WebSocketCase[] {
  const bytes = utf8(GREEK);
  const ends = [2, 5, 7, 9, 11];
  return Array.from(bytes, (_, index) => {
    const length = index + 1;
    const make = ends.includes(length) ? valid : invalid;
    return make(`6.6.${length}`, `${length} bytes of a Greek word`, bytes.subarray(0, length));
  });
}

/** Groups 6.7 to 6.21: what the bytes are, and the bytes in hexadecimal. */
const TABLES: readonly (readonly [name: string, make: Make, rows: readonly string[]])[] = [
  ["first of its length", valid, ["00", "c2 80", "e0 a0 80", "f0 90 80 80"]],
  ["first of 5 and 6 bytes", invalid, ["f8 88 80 80 80", "fc 84 80 80 80 80"]],
  ["last of its length", valid, ["7f", "df bf", "ef bf bf", "f4 8f bf bf"]],
  ["last of 4 to 6 bytes", invalid, ["f7 bf bf bf", "fb bf bf bf bf", "fd bf bf bf bf bf"]],
  ["at a boundary", valid, ["ed 9f bf", "ee 80 80", "ef bf bd", "f4 8f bf bf"]],
  ["lone continuation bytes", invalid, [
    ...["80", "bf"],
    ...[2, 3, 4, 5, 6].map((count) => "80 bf ".repeat(3).slice(0, 3 * count)),
    range(0x80, 0xbf),
  ]],
  [
    "lone starts",
    invalid,
    [[0xc0, 0xdf], [0xe0, 0xef], [0xf0, 0xf7], [0xf8, 0xfb], [0xfc, 0xfd]]
      .map(([first, last]) => range(first!, last!, " 20 ")),
  ],
  ["last byte missing", invalid, CUT_OFF],
  ["many of them", invalid, [CUT_OFF.join(" ")]],
  ["impossible bytes", invalid, ["fe", "ff", "fe fe ff ff"]],
  ["slash in too many bytes", invalid, [
    ...["c0 af", "e0 80 af", "f0 80 80 af", "f8 80 80 80 af", "fc 80 80 80 80 af"],
  ]],
  ["largest in too many bytes", invalid, [
    ...["c1 bf", "e0 9f bf", "f0 8f bf bf", "f8 87 bf bf bf", "fc 83 bf bf bf bf"],
  ]],
  ["NUL in too many bytes", invalid, [
    ...["c0 80", "e0 80 80", "f0 80 80 80", "f8 80 80 80 80", "fc 80 80 80 80 80"],
  ]],
  ["lone surrogate", invalid, [
    ...["ed a0 80", "ed ad bf", "ed ae 80", "ed af bf", "ed b0 80", "ed be 80", "ed bf bf"],
  ]],
  [
    "pair of surrogates",
    invalid,
    ["ed a0 80", "ed ad bf", "ed ae 80", "ed af bf"].flatMap((high) =>
      ["ed b0 80", "ed bf bf"].map((low) => `${high} ${low}`)
    ),
  ],
];

/** Group 6: UTF-8. */
export const UTF8_CASES: readonly WebSocketCase[] = [
  ...basics(),
  ...["hello$world", "hello¢world", "hello€world", "hello𤭢world", GREEK].map((word, index) =>
    valid(`6.5.${index + 1}`, `text ${word}`, utf8(word))
  ),
  ...prefixes(),
  ...TABLES.flatMap(([name, make, list], index) =>
    list.map((bytes, row) => {
      const shown = bytes.trim().slice(0, 32);
      return make(`6.${7 + index}.${row + 1}`, `${name}: ${shown}`, hex(bytes));
    })
  ),
  invalid("6.11.5", "at a boundary: f4 90 80 80", hex("f4 90 80 80")),
  ...codePoints(22, "noncharacter", NONCHARACTERS),
  ...codePoints(23, "special", [0xfff9, 0xfffa, 0xfffb, 0xfffc, 0xfffd, 0xfffe, 0xffff]),
];
