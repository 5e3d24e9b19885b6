import { assert, assertEquals, assertThrows } from "@std/assert";
import { LimitExceededError } from "../../nbio/errors.ts";
import { everySplit } from "../../nbio/testing_split.ts";
import { WebSocketProtocolError } from "../../websocket/errors.ts";
import { FrameDecoder } from "../../websocket/frame_decoder.ts";
import { frame, type FrameParts, join, KEY } from "../_support/websocket_frames.ts";

interface Decoded {
  opcode: number;
  isFinal: boolean;
  isCompressed: boolean;
  payload: number[];
}

/** Feeds chunks as a caller that keeps what is left over would. */
function decode(chunks: Iterable<Uint8Array>, isMasked: boolean, allowRsv1 = false): Decoded[] {
  const decoder = new FrameDecoder({ isMasked, allowRsv1 });
  const frames: Decoded[] = [];
  let rest = new Uint8Array();
  let isInFrame = false;
  for (const chunk of chunks) {
    rest = join(rest, chunk);
    for (;;) {
      if (!isInFrame) {
        const headBytes = decoder.readHead(rest, 0, rest.length);
        if (headBytes === 0) break;
        rest = rest.slice(headBytes);
        isInFrame = true;
        const { opcode, isFinal, isCompressed } = decoder;
        frames.push({ opcode, isFinal, isCompressed, payload: [] });
      }
      const end = decoder.takePayload(rest, 0, rest.length);
      frames.at(-1)!.payload.push(...rest.subarray(0, end));
      rest = rest.slice(end);
      if (decoder.remainingBytes > 0) break;
      isInFrame = false;
    }
  }
  return frames;
}

const VALID: { name: string; frames: FrameParts[]; allowRsv1?: boolean }[] = [
  { name: "an empty text", frames: [{ opcode: 1 }] },
  { name: "a text", frames: [{ opcode: 1, payload: "Hello" }] },
  { name: "two messages", frames: [{ opcode: 1, payload: "a" }, { opcode: 2, payload: "bc" }] },
  { name: "125 bytes", frames: [{ opcode: 2, payload: new Uint8Array(125).fill(1) }] },
  { name: "126 bytes", frames: [{ opcode: 2, payload: new Uint8Array(126).fill(2) }] },
  {
    name: "fragments",
    frames: [
      { opcode: 1, payload: "a", isFinal: false },
      { opcode: 0, isFinal: false },
      { opcode: 0, payload: "b" },
    ],
  },
  {
    name: "a ping between fragments",
    frames: [
      { opcode: 2, payload: "a", isFinal: false },
      { opcode: 9, payload: "p" },
      { opcode: 0, payload: "b" },
    ],
  },
  { name: "control frames", frames: [{ opcode: 9 }, { opcode: 10, payload: "x" }, { opcode: 8 }] },
  {
    name: "a compressed message",
    frames: [
      { opcode: 1, payload: "a", isFinal: false, reserved: 4 },
      { opcode: 0, payload: "b" },
      { opcode: 2, payload: "c", reserved: 4 },
    ],
    allowRsv1: true,
  },
];

for (const { name, frames, allowRsv1 } of VALID) {
  for (const key of [undefined, KEY]) {
    const how = key === undefined ? "plain" : "masked";
    const wire = join(...frames.map((parts) => frame({ ...parts, key })));
    const expected = frames.map(({ opcode, payload = "", isFinal = true, reserved = 0 }) => ({
      opcode,
      isFinal,
      isCompressed: reserved === 4,
      payload: [...typeof payload === "string" ? new TextEncoder().encode(payload) : payload],
    }));

    Deno.test(`FrameDecoder decodes ${name}, ${how}, however it is split`, () => {
      for (const chunks of everySplit(wire)) {
        assertEquals(decode(chunks, key !== undefined, allowRsv1), expected);
      }
    });

    Deno.test(`FrameDecoder asks for more after every strict prefix of ${name}, ${how}`, () => {
      for (let length = 0; length < wire.length; length++) {
        const found = decode([wire.slice(0, length)], key !== undefined, allowRsv1);
        assert(found.length <= expected.length);
        for (const [index, { payload }] of found.entries()) {
          assertEquals(payload, expected[index]!.payload.slice(0, payload.length));
        }
      }
    });
  }
}

const LENGTHS: [length: bigint, bits: 7 | 16 | 64, isLegal: boolean][] = [
  [125n, 7, true],
  [0n, 16, false],
  [125n, 16, false],
  [126n, 16, true],
  [65_535n, 16, true],
  [0n, 64, false],
  [126n, 64, false],
  [65_535n, 64, false],
  [65_536n, 64, true],
  [2n ** 32n - 1n, 64, true],
  [2n ** 32n, 64, true],
  [2n ** 53n - 1n, 64, true],
  [2n ** 63n, 64, false],
  [2n ** 64n - 1n, 64, false],
];

for (const [length, lengthBits, isLegal] of LENGTHS) {
  for (const key of [undefined, KEY]) {
    const name = `length ${length} in ${lengthBits} bits, ${
      key === undefined ? "plain" : "masked"
    }`;
    Deno.test(`FrameDecoder.readHead() ${isLegal ? "accepts" : "refuses"} ${name}`, () => {
      const wire = frame({ opcode: 2, length, lengthBits, key });
      const decoder = new FrameDecoder({ isMasked: key !== undefined });
      const read = () => decoder.readHead(wire, 0, wire.length);
      if (isLegal) {
        assertEquals(read(), wire.length);
        assertEquals(decoder.payloadBytes, Number(length));
      } else {
        assertEquals(assertThrows(read, WebSocketProtocolError).code, "ERR_WEBSOCKET_BAD_LENGTH");
      }
    });
  }
}

for (const length of [2n ** 53n, 2n ** 63n - 1n]) {
  Deno.test(`FrameDecoder.readHead() takes a length of ${length} for too long`, () => {
    const wire = frame({ opcode: 2, length, lengthBits: 64 });
    const decoder = new FrameDecoder({ isMasked: false });
    assertThrows(() => decoder.readHead(wire, 0, wire.length), LimitExceededError);
  });
}

const INVALID: { name: string; frames: FrameParts[]; code: string; allowRsv1?: boolean }[] = [
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => ({
    name: `opcode ${opcode}`,
    frames: [{ opcode }],
    code: "ERR_WEBSOCKET_BAD_OPCODE",
  })),
  ...[1, 2, 3, 4, 5, 6, 7].map((reserved) => ({
    name: `reserved bits ${reserved}`,
    frames: [{ opcode: 1, reserved }],
    code: "ERR_WEBSOCKET_RESERVED_BIT",
  })),
  ...[1, 2, 3, 5, 6, 7].map((reserved) => ({
    name: `reserved bits ${reserved} where RSV1 was agreed on`,
    frames: [{ opcode: 1, reserved }],
    code: "ERR_WEBSOCKET_RESERVED_BIT",
    allowRsv1: true,
  })),
  ...[8, 9, 10].flatMap((opcode) => [
    {
      name: `RSV1 on control opcode ${opcode}`,
      frames: [{ opcode, reserved: 4 }],
      code: "ERR_WEBSOCKET_RESERVED_BIT",
      allowRsv1: true,
    },
    {
      name: `a fragment of opcode ${opcode}`,
      frames: [{ opcode, isFinal: false }],
      code: "ERR_WEBSOCKET_FRAGMENTED_CONTROL",
    },
    {
      name: `126 bytes in opcode ${opcode}`,
      frames: [{ opcode, payload: new Uint8Array(126) }],
      code: "ERR_WEBSOCKET_CONTROL_TOO_LONG",
    },
    {
      name: `a 64-bit length in opcode ${opcode}`,
      frames: [{ opcode, lengthBits: 64 as const }],
      code: "ERR_WEBSOCKET_CONTROL_TOO_LONG",
    },
  ]),
  {
    name: "RSV1 on a later fragment",
    frames: [{ opcode: 1, isFinal: false, reserved: 4 }, { opcode: 0, reserved: 4 }],
    code: "ERR_WEBSOCKET_RESERVED_BIT",
    allowRsv1: true,
  },
  {
    name: "a continuation of nothing",
    frames: [{ opcode: 0 }],
    code: "ERR_WEBSOCKET_UNEXPECTED_CONTINUATION",
  },
  {
    name: "a continuation of a whole message",
    frames: [{ opcode: 1 }, { opcode: 0 }],
    code: "ERR_WEBSOCKET_UNEXPECTED_CONTINUATION",
  },
  {
    name: "a continuation of a finished message",
    frames: [{ opcode: 1, isFinal: false }, { opcode: 0 }, { opcode: 0 }],
    code: "ERR_WEBSOCKET_UNEXPECTED_CONTINUATION",
  },
  {
    name: "a message within a message",
    frames: [{ opcode: 1, isFinal: false }, { opcode: 9 }, { opcode: 1 }],
    code: "ERR_WEBSOCKET_MISSING_CONTINUATION",
  },
];

for (const { name, frames, code, allowRsv1 } of INVALID) {
  for (const key of [undefined, KEY]) {
    const how = key === undefined ? "plain" : "masked";
    Deno.test(`FrameDecoder.readHead() throws on ${name}, ${how}, however it is split`, () => {
      const wire = join(...frames.map((parts) => frame({ ...parts, key })));
      for (const chunks of wire.length > 48 ? [[wire]] : everySplit(wire)) {
        const error = assertThrows(
          () => decode(chunks, key !== undefined, allowRsv1),
          WebSocketProtocolError,
        );
        assertEquals([error.code, error.closeCodeHint], [code, 1002]);
      }
    });
  }
}

Deno.test("FrameDecoder.readHead() holds to the masking direction of either role", () => {
  const masked = frame({ opcode: 1, payload: "a", key: KEY });
  const plain = frame({ opcode: 1, payload: "a" });
  assertEquals(
    assertThrows(() => decode([masked], false), WebSocketProtocolError).code,
    "ERR_WEBSOCKET_MASKED",
  );
  assertEquals(
    assertThrows(() => decode([plain], true), WebSocketProtocolError).code,
    "ERR_WEBSOCKET_NOT_MASKED",
  );
});

Deno.test("FrameDecoder.readHead() refuses by the first two bytes alone", () => {
  const decoder = new FrameDecoder({ isMasked: true });
  const bytes = frame({ opcode: 3, payload: new Uint8Array(70_000), key: KEY }).slice(0, 2);
  assertThrows(() => decoder.readHead(bytes, 0, 2), WebSocketProtocolError);
});

Deno.test("FrameDecoder.skipPayload() drops as much as there is of a frame", () => {
  const decoder = new FrameDecoder({ isMasked: true });
  const bytes = frame({ opcode: 2, payload: new Uint8Array(10), key: KEY });
  decoder.readHead(bytes, 0, bytes.length);
  assertEquals([decoder.skipPayload(4), decoder.remainingBytes], [4, 6]);
  assertEquals([decoder.skipPayload(9), decoder.remainingBytes], [6, 0]);
});

Deno.test("FrameDecoder.takePayload() changes nothing but the payload", () => {
  const wire = join(
    new Uint8Array([1, 2, 3]),
    frame({ opcode: 1, payload: "Hello", key: KEY }),
    new Uint8Array([4, 5]),
  );
  const decoder = new FrameDecoder({ isMasked: true });
  const head = decoder.readHead(wire, 3, wire.length);
  const end = decoder.takePayload(wire, 3 + head, wire.length);
  assertEquals(new TextDecoder().decode(wire.subarray(3 + head, end)), "Hello");
  assertEquals([...wire.subarray(0, 3), ...wire.subarray(end)], [1, 2, 3, 4, 5]);
});
