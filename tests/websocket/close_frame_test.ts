import { assertEquals, assertThrows } from "@std/assert";
import { decodeCloseFrame, encodeCloseFrame } from "../../websocket/close_frame.ts";
import { WebSocketProtocolError } from "../../websocket/errors.ts";

const VALID: { name: string; payload: number[]; code: number; reason: string }[] = [
  { name: "nothing", payload: [], code: 1005, reason: "" },
  { name: "a code", payload: [0x03, 0xe8], code: 1000, reason: "" },
  { name: "a reason", payload: [0x0f, 0xa0, 0xc3, 0xa9], code: 4000, reason: "é" },
  {
    name: "the longest reason",
    payload: [0x03, 0xe9, ...new Array(123).fill(0x61)],
    code: 1001,
    reason: "a".repeat(123),
  },
];

for (const { name, payload, code, reason } of VALID) {
  Deno.test(`decodeCloseFrame() reads ${name}, and encodeCloseFrame() writes it`, () => {
    assertEquals(decodeCloseFrame(new Uint8Array(payload)), { code, reason });
    assertEquals(encodeCloseFrame(code, reason), new Uint8Array(payload));
  });
}

const INVALID = [
  { name: "one byte", payload: [0x03], code: "ERR_WEBSOCKET_BAD_CLOSE_PAYLOAD", hint: 1002 },
  { name: "code 0", payload: [0, 0], code: "ERR_WEBSOCKET_BAD_CLOSE_CODE", hint: 1002 },
  { name: "code 999", payload: [0x03, 0xe7], code: "ERR_WEBSOCKET_BAD_CLOSE_CODE", hint: 1002 },
  { name: "code 1004", payload: [0x03, 0xec], code: "ERR_WEBSOCKET_BAD_CLOSE_CODE", hint: 1002 },
  { name: "code 1005", payload: [0x03, 0xed], code: "ERR_WEBSOCKET_BAD_CLOSE_CODE", hint: 1002 },
  { name: "code 1006", payload: [0x03, 0xee], code: "ERR_WEBSOCKET_BAD_CLOSE_CODE", hint: 1002 },
  { name: "code 1015", payload: [0x03, 0xf7], code: "ERR_WEBSOCKET_BAD_CLOSE_CODE", hint: 1002 },
  { name: "code 2999", payload: [0x0b, 0xb7], code: "ERR_WEBSOCKET_BAD_CLOSE_CODE", hint: 1002 },
  { name: "code 5000", payload: [0x13, 0x88], code: "ERR_WEBSOCKET_BAD_CLOSE_CODE", hint: 1002 },
  {
    name: "a reason that is no UTF-8",
    payload: [0x03, 0xe8, 0xff],
    code: "ERR_WEBSOCKET_BAD_UTF8",
    hint: 1007,
  },
  {
    name: "a reason that ends within a character",
    payload: [0x03, 0xe8, 0x61, 0xc3],
    code: "ERR_WEBSOCKET_BAD_UTF8",
    hint: 1007,
  },
];

for (const { name, payload, code, hint } of INVALID) {
  Deno.test(`decodeCloseFrame() throws on ${name}`, () => {
    const error = assertThrows(
      () => decodeCloseFrame(new Uint8Array(payload)),
      WebSocketProtocolError,
    );
    assertEquals([error.code, error.closeCodeHint], [code, hint]);
  });
}

const UNSENDABLE: [name: string, code: number, reason: string][] = [
  ["a reason without a code", 1005, "why"],
  ["1006", 1006, ""],
  ["1015", 1015, ""],
  ["999", 999, ""],
  ["a code that is not whole", 1000.5, ""],
  ["a reason of 124 bytes", 1000, "a".repeat(124)],
  ["a reason of 124 bytes in 62 characters", 1000, "é".repeat(62)],
];

for (const [name, code, reason] of UNSENDABLE) {
  Deno.test(`encodeCloseFrame() throws on ${name}`, () => {
    assertThrows(() => encodeCloseFrame(code, reason), RangeError);
  });
}
