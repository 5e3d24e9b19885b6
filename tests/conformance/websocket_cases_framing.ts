import { answer, answered, binary, text, type WebSocketCase } from "./websocket_case.ts";

const LENGTHS = [0, 125, 126, 127, 128, 65_535, 65_536] as const;
const CHOP_BYTES = 997;

function messages(type: "text" | "binary", group: number, byte: number): WebSocketCase[] {
  const one = (length: number, index: number, chop?: number) => {
    const payload = new Uint8Array(length).fill(byte);
    const name = `${type} of ${length} bytes${chop === undefined ? "" : ` in writes of ${chop}`}`;
    const sent = type === "text" ? text(payload) : binary(payload);
    return answered(`1.${group}.${index + 1}`, name, [sent], [answer(type, payload)], chop);
  };
  return [
    ...LENGTHS.map((length, index) => one(length, index)),
    one(LENGTHS.at(-1)!, LENGTHS.length, CHOP_BYTES),
  ];
}

/** Group 1: messages of all classes of length. */
export const FRAMING_CASES: readonly WebSocketCase[] = [
  ...messages("text", 1, 0x2a),
  ...messages("binary", 2, 0xfe),
];
