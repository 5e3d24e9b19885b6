import type { FrameParts } from "../_support/websocket_frames.ts";
import { answer, close, failing, ping, type SendStep, text } from "./websocket_case.ts";
import type { WebSocketCase } from "./websocket_case.ts";

const HELLO = "Hello, world!";
const GOOD = [answer("text", HELLO)];

/** A bad frame by itself. */
function alone(id: string, name: string, bad: FrameParts): WebSocketCase {
  return failing(id, name, [bad]);
}

/** A bad frame between a good message and a ping. */
function between(id: string, name: string, bad: FrameParts, chop?: SendStep["chop"]) {
  const how = chop === undefined
    ? "in one write"
    : chop === "frames"
    ? "frame by frame"
    : "byte by byte";
  return failing(id, `${name} behind a good message, ${how}`, [text(HELLO), bad, ping()], {
    answers: GOOD,
    ...chop !== undefined && { chop },
  });
}

/** The five places of a reserved opcode, from `first` on. */
function opcodes(group: number, first: number): WebSocketCase[] {
  const name = (offset: number) => `opcode ${first + offset}`;
  const frame = (offset: number, payload = ""): FrameParts => ({ opcode: first + offset, payload });
  return [
    alone(`4.${group}.1`, name(0), frame(0)),
    alone(`4.${group}.2`, `${name(1)} with payload`, frame(1, "reserved")),
    between(`4.${group}.3`, name(2), frame(2)),
    between(`4.${group}.4`, `${name(3)} with payload`, frame(3, "reserved")),
    between(`4.${group}.5`, name(4), frame(4), 1),
  ];
}

/** Groups 3 and 4: reserved bits and reserved opcodes. */
export const RESERVED_CASES: readonly WebSocketCase[] = [
  alone("3.1", "reserved bits 1", { ...text(HELLO), reserved: 1 }),
  between("3.2", "reserved bits 2", { ...text(HELLO), reserved: 2 }),
  between("3.3", "reserved bits 3", { ...text(HELLO), reserved: 3 }, "frames"),
  between("3.4", "reserved bits 4", { ...text(HELLO), reserved: 4 }, 1),
  alone("3.5", "reserved bits 5 in a binary frame", {
    opcode: 2,
    payload: new Uint8Array(8).fill(0xff),
    reserved: 5,
  }),
  alone("3.6", "reserved bits 6 in a ping", { ...ping(HELLO), reserved: 6 }),
  alone("3.7", "reserved bits 7 in a Close frame", { ...close(1000), reserved: 7 }),
  ...opcodes(1, 3),
  ...opcodes(2, 11),
];
