import type { FrameParts } from "../_support/websocket_frames.ts";
import {
  answer,
  answered,
  failing,
  fragments,
  ping,
  type SendStep,
  text,
  type WebSocketCase,
} from "./websocket_case.ts";

const CHOPS = [undefined, "frames", 1] as const satisfies readonly SendStep["chop"][];
const PARTS = ["fragment1", "fragment2"] as const;
const WHOLE = answer("text", PARTS.join(""));
const TWO = fragments(...PARTS);

/** The same once in one write, once frame by frame and once byte by byte. */
function threeTimes(
  first: number,
  make: (id: string, how: string, chop: SendStep["chop"]) => WebSocketCase,
) {
  const how = ["in one write", "frame by frame", "byte by byte"];
  return CHOPS.map((chop, index) => make(`5.${first + index}`, how[index]!, chop));
}

function loose(isFinal: boolean): FrameParts {
  return { opcode: 0, payload: "loose", isFinal };
}

function looseCases(first: number, isFinal: boolean): WebSocketCase[] {
  const kind = isFinal ? "last" : "middle";
  return threeTimes(first, (id, how, chop) =>
    failing(
      id,
      `${kind} fragment of nothing, then a message, ${how}`,
      [loose(isFinal), text("Hello, world!")],
      chop === undefined ? {} : { chop },
    ));
}

function repeatedLoose(id: string, isFinal: boolean): WebSocketCase {
  const name = `twice a ${isFinal ? "last" : "middle"} fragment of nothing, then a message in two`;
  return failing(id, name, [loose(isFinal), ...TWO, loose(isFinal), ...TWO]);
}

/** A message in five fragments with two pings between them. */
function withPings(id: string, name: string, waits: boolean): WebSocketCase {
  const parts = fragments("1", "2", "3", "4", "5");
  const first = [...parts.slice(0, 2), ping("first")];
  const second = [...parts.slice(2, 4), ping("second"), ...parts.slice(4)];
  return {
    id,
    name,
    steps: waits
      ? [{ send: first }, { awaitAnswers: 1 }, { send: second }]
      : [{ send: [...first, ...second], chop: "frames" }],
    answers: [answer("pong", "first"), answer("pong", "second"), answer("text", "12345")],
  };
}

/** Group 5: fragments. */
export const FRAGMENT_CASES: readonly WebSocketCase[] = [
  failing("5.1", "ping in two fragments", [
    { ...ping(PARTS[0]), isFinal: false },
    { opcode: 0, payload: PARTS[1] },
  ]),
  failing("5.2", "pong in two fragments", [
    { opcode: 10, payload: PARTS[0], isFinal: false },
    { opcode: 0, payload: PARTS[1] },
  ]),
  ...threeTimes(
    3,
    (id, how, chop) => answered(id, `text in two fragments, ${how}`, TWO, [WHOLE], chop),
  ),
  ...threeTimes(6, (id, how, chop) =>
    answered(
      id,
      `text in two fragments with a ping between them, ${how}`,
      [TWO[0]!, ping("between"), TWO[1]!],
      [answer("pong", "between"), WHOLE],
      chop,
    )),
  ...looseCases(9, true),
  ...looseCases(12, false),
  failing("5.15", "message in two, middle fragment of nothing, message", [
    ...TWO,
    loose(false),
    text("behind"),
  ], { answers: [WHOLE] }),
  repeatedLoose("5.16", false),
  repeatedLoose("5.17", true),
  failing("5.18", "message in two with the opcode of text in both", [
    TWO[0]!,
    text(PARTS[1]),
  ]),
  withPings("5.19", "message in five, two pings between, waiting for the first pong", true),
  withPings("5.20", "message in five, two pings between, frame by frame", false),
];
