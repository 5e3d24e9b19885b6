import type { FrameParts } from "../_support/websocket_frames.ts";
import {
  type Answer,
  answer,
  close,
  failing,
  fragments,
  ping,
  text,
  utf8,
  type WebSocketCase,
} from "./websocket_case.ts";

const HELLO = "Hello, world!";
const VALID_CODES = [
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011],
  ...[3000, 3999, 4000, 4999],
];
const INVALID_CODES = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999];
const EMPTY_CLOSE: FrameParts = { opcode: 8 };

/** Frames with a Close among them, and the code that answers it. */
function ended(
  id: string,
  name: string,
  send: readonly FrameParts[],
  code: number,
  answers: readonly Answer[] = [],
): WebSocketCase {
  return { id, name, steps: [{ send }], answers, closeCodes: [code], isClean: true };
}

/** A Close frame that breaks the protocol, and the code that says so. */
function refused(id: string, name: string, send: FrameParts, code: number): WebSocketCase {
  return failing(id, name, [send], { code });
}

/** Group 7: the closing handshake. */
export const CLOSE_CASES: readonly WebSocketCase[] = [
  ended("7.1.1", "message, then Close", [text(HELLO), close(1000)], 1000, [answer("text", HELLO)]),
  ended("7.1.2", "two Close frames", [close(1000), close(1000)], 1000),
  ended("7.1.3", "ping behind a Close", [close(1000), ping()], 1000),
  ended("7.1.4", "message behind a Close", [close(1000), text(HELLO)], 1000),
  ended(
    "7.1.5",
    "Close between two fragments",
    [fragments("1", "2")[0]!, close(1000), fragments("1", "2")[1]!],
    1000,
  ),
  {
    id: "7.1.6",
    name: "message of 256 KiB, Close, ping",
    steps: [{ send: [text(new Uint8Array(262_144).fill(0x2a)), text(HELLO), close(1000), ping()] }],
    answers: [],
    closeCodes: [1000],
    isInformational: true,
  },
  ended("7.3.1", "Close without payload", [EMPTY_CLOSE], 1005),
  refused(
    "7.3.2",
    "Close with a payload of 1 byte",
    { ...EMPTY_CLOSE, payload: new Uint8Array(1) },
    1002,
  ),
  ended("7.3.3", "Close with a code", [close(1000)], 1000),
  ended("7.3.4", "Close with code and reason", [close(1000, HELLO)], 1000),
  ended("7.3.5", "Close with a reason of 123 bytes", [close(1000, "*".repeat(123))], 1000),
  refused("7.3.6", "Close with a reason of 124 bytes", close(1000, "*".repeat(124)), 1002),
  refused(
    "7.5.1",
    "Close with a reason that is no UTF-8",
    close(1000, new Uint8Array([...utf8("κόσμε"), 0xed, 0xa0, 0x80, ...utf8("edited")])),
    1007,
  ),
  ...VALID_CODES.map((code, index) =>
    ended(`7.7.${index + 1}`, `valid code ${code}`, [close(code)], code)
  ),
  ...INVALID_CODES.map((code, index) =>
    refused(`7.9.${index + 1}`, `invalid code ${code}`, close(code), 1002)
  ),
  ...[5000, 65_535].map((code, index): WebSocketCase => ({
    ...refused(`7.13.${index + 1}`, `code ${code}, of which nothing is said`, close(code), 1002),
    isInformational: true,
  })),
];
