import zlib from "node:zlib";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { LimitExceededError } from "../../nbio/errors.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { everySplit } from "../../nbio/testing_split.ts";
import type { Deflater, Inflater } from "../../websocket/compression.ts";
import { WebSocketCore } from "../../websocket/connection.ts";
import {
  DeflateEngine,
  type DeflateEngineOptions,
  type DeflateOptions,
  loadDeflateEngine,
} from "../../websocket/deflate_engine.ts";
import { WebSocketProtocolError } from "../../websocket/errors.ts";
import type { DeflateParameters } from "../../websocket/extension_negotiation.ts";
import { furthestDistance } from "../_support/deflate_distance.ts";

const TAIL = Uint8Array.of(0x00, 0x00, 0xff, 0xff);
const PLAIN: DeflateParameters = {
  serverNoContextTakeover: false,
  clientNoContextTakeover: false,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};
const NO_TAKEOVER = { ...PLAIN, serverNoContextTakeover: true, clientNoContextTakeover: true };

const engines = {
  "with contexts": await DeflateEngine.load(),
  "by documented means": await DeflateEngine.load({ useDocumentedOnly: true }),
};

interface Peer {
  readonly deflater: Deflater;
  readonly inflater: Inflater;
  readonly thresholdBytes: number;
}

/** Both ends on one engine, closed after the test. */
function withPeers(
  engine: DeflateEngine,
  parameters: DeflateParameters,
  test: (server: Peer, client: Peer) => void,
  options: DeflateOptions = {},
): void {
  const server = engine.createCompression("server", parameters, options);
  const client = engine.createCompression("client", parameters, options);
  try {
    test(server, client);
  } finally {
    for (const { deflater, inflater } of [server, client]) {
      deflater.close();
      inflater.close();
    }
  }
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

function deflate(deflater: Deflater, message: Uint8Array): Uint8Array {
  return deflater.deflate(message, true).slice();
}

function inflate(inflater: Inflater, ...chunks: readonly Uint8Array[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (const [index, chunk] of chunks.entries()) {
    inflater.inflate(chunk, index === chunks.length - 1, (piece) => pieces.push(piece.slice()));
  }
  return concat(pieces);
}

function isBadData(error: WebSocketProtocolError): void {
  assertEquals([error.code, error.closeCodeHint], ["ERR_WEBSOCKET_BAD_COMPRESSED_DATA", 1007]);
}

/** Text with much in common, near and far. */
function proseOf(length: number, random = new SeededRandom(1)): Uint8Array<ArrayBuffer> {
  const words = "alpha beta gamma delta price volume symbol time user message status".split(" ");
  let text = "";
  while (text.length < length) {
    text += `"${words[Math.floor(random.next() * words.length)]}":${
      Math.floor(random.next() * 1000)
    },`;
  }
  return bytesOf(text.slice(0, length));
}

const HELLO = bytesOf("Hello");
const LONG = bytesOf("The quick brown fox. ".repeat(20));

for (const [means, engine] of Object.entries(engines)) {
  for (const [name, parameters] of Object.entries({ PLAIN, NO_TAKEOVER })) {
    Deno.test(`DeflateEngine ${means} gives back what it got, ${name}`, () => {
      withPeers(engine, parameters, (server, client) => {
        const random = new SeededRandom(3);
        for (const length of [1, 5, 0, 125, 126, 4_091, 4_092, 4_093, 0, 65_536, 300_000, 7]) {
          const noise = random.bytes(length);
          for (const message of [noise, proseOf(length, random), new Uint8Array(length)]) {
            assertEquals(inflate(client.inflater, deflate(server.deflater, message)), message);
            assertEquals(inflate(server.inflater, deflate(client.deflater, message)), message);
          }
        }
      });
    });
  }

  Deno.test(`DeflateEngine ${means} inflates the messages of RFC 7692`, () => {
    // Section 7.2.3.1 to 7.2.3.6.
    const rows: readonly (readonly [...wire: string[]])[] = [
      ["f248cdc9c90700"],
      ["f248cd", "c9c90700"],
      ["000500faff48656c6c6f00"],
      ["f348cdc9c9070000"],
      ["f24805000000ffffcac9c90700"],
    ];
    for (const parameters of [PLAIN, NO_TAKEOVER]) {
      withPeers(engine, parameters, (server) => {
        for (const wire of [...rows, ...rows]) {
          const chunks = wire.map((hex) => Uint8Array.fromHex(hex));
          assertEquals(inflate(server.inflater, ...chunks), HELLO);
          for (const split of everySplit(concat(chunks))) {
            assertEquals(inflate(server.inflater, ...split), HELLO);
          }
          assertEquals(inflate(server.inflater, Uint8Array.of(0)).length, 0);
        }
      });
    }
    withPeers(engine, PLAIN, (server) => {
      assertEquals(inflate(server.inflater, Uint8Array.fromHex("f248cdc9c90700")), HELLO);
      assertEquals(inflate(server.inflater, Uint8Array.fromHex("f200110000")), HELLO);
    });
  });

  // What npm ws 8 has made of the same five messages.
  const fromWs = {
    "with takeover": ["f248cdc9c90700", "f200110000", "00", "1a151cfc820000"],
    "without takeover": ["f248cdc9c90700", "f248cdc9c90700", "00"],
  };
  const foxes = {
    "with takeover": "0ac94855282ccd4cce56482aca2fcf5348cbafd05318151c54820000",
    "without takeover": "0ac94855282ccd4cce56482aca2fcf5348cbafd0530819151c4c820000",
  };
  for (const takeover of ["with takeover", "without takeover"] as const) {
    Deno.test(`DeflateEngine ${means} inflates what npm ws has made ${takeover}`, () => {
      const [first, second, empty, again = foxes[takeover]] = fromWs[takeover];
      const frames = [first!, second!, empty!, foxes[takeover], again];
      const parameters = takeover === "with takeover" ? PLAIN : NO_TAKEOVER;
      withPeers(engine, parameters, (_, client) => {
        const messages = frames.map((hex) => inflate(client.inflater, Uint8Array.fromHex(hex)));
        assertEquals(messages, [HELLO, HELLO, bytesOf(""), LONG, LONG]);
      });
    });
  }

  Deno.test(`DeflateEngine ${means} inflates messages of every length about 4 KiB`, () => {
    const noise = new SeededRandom(13).bytes(5_000);
    withPeers(engine, PLAIN, ({ inflater }) => {
      for (let length = 4_080; length < 4_110; length++) {
        const message = noise.slice(0, length);
        const wire = concat([storedBlock(message), Uint8Array.of(0)]);
        assertEquals(inflate(inflater, wire), message);
      }
    });
  });

  Deno.test(`DeflateEngine ${means} lets one side take over and the other not`, () => {
    const hello = Uint8Array.fromHex("f248cdc9c90700");
    const again = Uint8Array.fromHex("f200110000");
    for (const isServerAlone of [true, false]) {
      const parameters = {
        ...PLAIN,
        serverNoContextTakeover: isServerAlone,
        clientNoContextTakeover: !isServerAlone,
      };
      withPeers(engine, parameters, (server, client) => {
        const [keeps, forgets] = isServerAlone ? [server, client] : [client, server];
        assertEquals(inflate(keeps.inflater, hello), HELLO);
        assertEquals(inflate(keeps.inflater, again), HELLO);
        assertEquals(inflate(forgets.inflater, hello), HELLO);
        assertThrows(() => inflate(forgets.inflater, again), WebSocketProtocolError);
      });
    }
  });

  Deno.test(`DeflateEngine ${means} inflates a message however it is split`, () => {
    const message = proseOf(300);
    withPeers(engine, NO_TAKEOVER, (server, client) => {
      for (const split of everySplit(deflate(server.deflater, message))) {
        assertEquals(inflate(client.inflater, ...split), message);
        assertEquals(inflate(client.inflater, ...split, new Uint8Array(0)), message);
      }
    });
  });

  Deno.test(`DeflateEngine ${means} compresses a message in fragments`, () => {
    const random = new SeededRandom(5);
    for (const parameters of [PLAIN, NO_TAKEOVER]) {
      withPeers(engine, parameters, (server, client) => {
        for (let round = 0; round < 50; round++) {
          const count = 1 + Math.floor(random.next() * 4);
          const parts = Array.from(
            { length: count },
            () => proseOf(Math.floor(random.next() ** 4 * 100_000), random),
          );
          const frames = parts.map((part, index) =>
            server.deflater.deflate(part, index === count - 1).slice()
          );
          assert(frames.at(-1)!.length > 0);
          assertEquals(inflate(client.inflater, ...frames), concat(parts));
        }
      });
    }
  });

  Deno.test(`DeflateEngine ${means} makes 00 of an empty message, and nothing of no fragment`, () => {
    withPeers(engine, PLAIN, ({ deflater }) => {
      const empty = new Uint8Array(0);
      assertEquals(deflater.deflate(empty, false), empty);
      assertEquals(deflater.deflate(empty, true), Uint8Array.of(0));
      deflater.deflate(HELLO, true);
      assertEquals(deflater.deflate(empty, true), Uint8Array.of(0));
      assertEquals(deflater.deflate(HELLO, false).slice(-4), TAIL);
      assertEquals(deflater.deflate(empty, true), Uint8Array.of(0));
    });
  });

  Deno.test(`DeflateEngine ${means} takes a message without a byte for an empty one`, () => {
    withPeers(engine, PLAIN, (server, client) => {
      for (let round = 0; round < 3; round++) {
        assertEquals(inflate(client.inflater, new Uint8Array(0)).length, 0);
        assertEquals(inflate(client.inflater, new Uint8Array(0), new Uint8Array(0)).length, 0);
        assertEquals(inflate(client.inflater, deflate(server.deflater, LONG)), LONG);
      }
    });
  });

  Deno.test(`DeflateEngine ${means} makes what zlib inflates as one stream`, () => {
    withPeers(engine, PLAIN, (server) => {
      const messages = [HELLO, LONG, bytesOf(""), proseOf(100_000), LONG];
      const wire = messages.flatMap((message) => [deflate(server.deflater, message), TAIL]);
      const finishFlush = zlib.constants.Z_SYNC_FLUSH;
      const all = zlib.inflateRawSync(concat(wire), { finishFlush });
      assertEquals(new Uint8Array(all), concat(messages));
    });
  });

  Deno.test(`DeflateEngine ${means} makes messages that stand alone where it is to`, () => {
    withPeers(engine, NO_TAKEOVER, (server) => {
      const finishFlush = zlib.constants.Z_SYNC_FLUSH;
      const first = deflate(server.deflater, LONG);
      for (const _ of [1, 2, 3]) {
        const wire = deflate(server.deflater, LONG);
        assertEquals(wire, first);
        const alone = zlib.inflateRawSync(concat([wire, TAIL]), { finishFlush });
        assertEquals(new Uint8Array(alone), LONG);
      }
    });
  });

  for (let bits = 8; bits <= 15; bits++) {
    Deno.test(`DeflateEngine ${means} keeps to a window of ${bits} bits`, () => {
      const parameters = { ...PLAIN, serverMaxWindowBits: bits, clientMaxWindowBits: 15 };
      const message = proseOf(100_000);
      for (const level of [1, 4, 6, 9]) {
        withPeers(engine, parameters, (server, client) => {
          // Pieces, as what is referred to may lie in those before.
          for (let at = 0; at < message.length; at += 10_000) {
            const part = message.subarray(at, at + 10_000);
            const wire = deflate(server.deflater, part);
            const distance = furthestDistance(concat([wire, TAIL]));
            assert(distance > 0 && distance <= 2 ** bits, `${distance}`);
            assertEquals(inflate(client.inflater, wire), part);
          }
        }, { level });
      }
    });

    Deno.test(`DeflateEngine ${means} refers back as far as ${bits} bits let the sender`, () => {
      const parameters = { ...PLAIN, clientMaxWindowBits: bits };
      const noise = new SeededRandom(9).bytes(2 ** bits);
      withPeers(engine, parameters, (server) => {
        assertEquals(
          inflate(server.inflater, concat([storedBlock(noise), Uint8Array.of(0)])),
          noise,
        );
        // The longest match at the largest distance, by fixed codes.
        const wire = matchAt(2 ** bits);
        const wanted = Uint8Array.from({ length: 258 }, (_, index) => noise[index % 2 ** bits]!);
        assertEquals(inflate(server.inflater, wire), wanted);
      });
    });
  }

  Deno.test(`DeflateEngine ${means} takes final blocks, and what follows them`, () => {
    const final = new Uint8Array(zlib.deflateRawSync(LONG));
    const finalWithTail = concat([final, Uint8Array.of(0)]);
    for (const parameters of [PLAIN, NO_TAKEOVER]) {
      withPeers(engine, parameters, (_, client) => {
        for (const wire of [finalWithTail, final]) {
          for (let round = 0; round < 2; round++) {
            assertEquals(inflate(client.inflater, wire), LONG);
            assertEquals(inflate(client.inflater, wire, new Uint8Array(0)), LONG);
            for (const split of everySplit(wire)) {
              assertEquals(inflate(client.inflater, ...split), LONG);
            }
          }
          // One in the middle, and several.
          const twice = concat([final, wire]);
          assertEquals(inflate(client.inflater, twice), concat([LONG, LONG]));
          const mixed = concat([final, Uint8Array.fromHex("f248cdc9c90700")]);
          assertEquals(inflate(client.inflater, mixed), concat([LONG, HELLO]));
          assertEquals(inflate(client.inflater, Uint8Array.of(0)).length, 0);
        }
      });
    }
  });

  Deno.test(`DeflateEngine ${means} takes so many final blocks in a message`, () => {
    const final = new Uint8Array(zlib.deflateRawSync(HELLO));
    const message = (count: number): Uint8Array =>
      concat([...new Array<Uint8Array>(count).fill(final), Uint8Array.of(0)]);
    withPeers(engine, PLAIN, ({ inflater }) => {
      for (const _ of [1, 2]) {
        assertEquals(inflate(inflater, message(63)).length, 63 * HELLO.length);
        assertEquals(inflate(inflater, message(64)).length, 64 * HELLO.length);
      }
      isBadData(assertThrows(() => inflate(inflater, message(65)), WebSocketProtocolError));
    });
  });

  Deno.test(`DeflateEngine ${means} throws on what is no DEFLATE`, () => {
    const rows = ["ff", "07", "f248cdc9c907ff", "000500ffff48656c6c6f00", "4b0420000000"];
    for (const hex of rows) {
      withPeers(engine, PLAIN, ({ inflater }) => {
        const wire = Uint8Array.fromHex(hex);
        isBadData(assertThrows(() => inflate(inflater, wire), WebSocketProtocolError));
      });
    }
  });

  Deno.test(`DeflateEngine ${means} knows nothing of messages before where it is not to`, () => {
    withPeers(engine, NO_TAKEOVER, ({ inflater }) => {
      assertEquals(inflate(inflater, Uint8Array.fromHex("f248cdc9c90700")), HELLO);
      const wire = Uint8Array.fromHex("f200110000");
      isBadData(assertThrows(() => inflate(inflater, wire), WebSocketProtocolError));
    });
  });

  Deno.test(`DeflateEngine ${means} gives output or documented errors, whatever comes`, () => {
    const random = new SeededRandom(11);
    const seed = zlib.deflateRawSync(proseOf(500), { finishFlush: zlib.constants.Z_SYNC_FLUSH });
    let errorCount = 0;
    for (let round = 0; round < 400; round++) {
      withPeers(engine, round % 2 === 0 ? PLAIN : NO_TAKEOVER, ({ inflater }) => {
        for (let count = 0; count < 4; count++) {
          const wire = random.next() < 0.3
            ? random.bytes(Math.floor(random.next() * 40))
            : new Uint8Array(seed.subarray(0, seed.length - 4));
          if (wire.length > 0) wire[Math.floor(random.next() * wire.length)] = random.next() * 256;
          try {
            inflate(inflater, wire.subarray(0, 9), wire.subarray(9));
          } catch (error) {
            isBadData(error as WebSocketProtocolError);
            errorCount++;
            return;
          }
        }
      });
    }
    assert(errorCount > 100 && errorCount < 400);
  });

  Deno.test(`DeflateEngine ${means} neither keeps nor changes what it is given`, () => {
    withPeers(engine, PLAIN, (server, client) => {
      const message = LONG.slice();
      const wire = deflate(server.deflater, message);
      assertEquals(message, LONG);
      message.fill(0);
      const parts = [wire.slice(0, 5), wire.slice(5)];
      const pieces: Uint8Array[] = [];
      client.inflater.inflate(parts[0]!, false, (piece) => pieces.push(piece.slice()));
      assertEquals(parts[0], wire.slice(0, 5));
      parts[0]!.fill(0xff);
      client.inflater.inflate(parts[1]!, true, (piece) => pieces.push(piece.slice()));
      assertEquals(concat(pieces), LONG);
      const again = deflate(server.deflater, LONG);
      assertEquals(inflate(client.inflater, again), LONG);
    });
  });

  Deno.test(`DeflateEngine ${means} is closed in the middle of a message, and twice`, () => {
    const { deflater, inflater } = engine.createCompression("server", PLAIN);
    deflater.deflate(LONG, false);
    inflater.inflate(Uint8Array.of(0xf2, 0x48), false, () => {});
    for (const _ of [1, 2]) {
      deflater.close();
      inflater.close();
    }
    assertThrows(() => deflater.deflate(LONG, true), TypeError);
    assertThrows(() => inflater.inflate(LONG, true, () => {}), TypeError);
    const unused = engine.createCompression("client", PLAIN);
    unused.deflater.close();
    unused.inflater.close();
  });

  Deno.test(`DeflateEngine ${means} passes on what the sink throws`, () => {
    withPeers(engine, PLAIN, (server, client) => {
      const wire = deflate(server.deflater, LONG);
      const failure = new Error("enough");
      const fail = (): never => {
        throw failure;
      };
      const error = assertThrows(() => client.inflater.inflate(wire, true, fail), Error);
      assertStrictEquals(error, failure);
    });
  });
}

for (const [means, engine] of Object.entries(engines)) {
  for (const [name, parameters] of Object.entries({ PLAIN, NO_TAKEOVER })) {
    Deno.test(`WebSocketCore speaks through DeflateEngine ${means}, ${name}`, () => {
      withPeers(engine, parameters, (ours, theirs) => {
        const server = new WebSocketCore({ role: "server", compression: ours });
        const random = new SeededRandom(17);
        const client = new WebSocketCore({
          role: "client",
          compression: theirs,
          randomMaskKey: () => random.int(2 ** 32),
        });
        let wireBytes = 0;
        let messageBytes = 0;
        for (let round = 0; round < 100; round++) {
          const text = new TextDecoder().decode(proseOf(random.int(4_000), random));
          const bytes = random.bytes(random.int(4_000));
          for (const [sender, receiver] of [[client, server], [server, client]] as const) {
            sender.sendText(text);
            sender.sendBinary(bytes);
            const output = sender.takeOutput()!;
            wireBytes += output.length;
            messageBytes += text.length + bytes.length;
            const cut = random.int(output.length);
            receiver.receive(output.subarray(0, cut));
            const events = [receiver.nextEvent()];
            receiver.receive(output.subarray(cut));
            events.push(receiver.nextEvent(), receiver.nextEvent(), receiver.nextEvent());
            const [first, second, ...rest] = events.filter((event) => event !== undefined);
            assert(first?.type === "text" && second?.type === "binary" && rest.length === 0);
            assertEquals([first.data, new Uint8Array(second.data)], [text, bytes]);
          }
        }
        assert(wireBytes < messageBytes * 0.8);
      });
    });
  }

  Deno.test(`WebSocketCore answers a bomb through DeflateEngine ${means} with 1009`, () => {
    const finishFlush = zlib.constants.Z_SYNC_FLUSH;
    const bomb = zlib.deflateRawSync(new Uint8Array(16 * 1024 * 1024), { finishFlush });
    assertEquals(closeCodeAfter(engine, new Uint8Array(bomb.subarray(0, -4))), 1009);
  });

  Deno.test(`WebSocketCore answers no DEFLATE through DeflateEngine ${means} with 1007`, () => {
    assertEquals(closeCodeAfter(engine, new Uint8Array(200).fill(0xff)), 1007);
  });
}

/** With what code a server answers a message of this payload. */
function closeCodeAfter(engine: DeflateEngine, payload: Uint8Array): number | undefined {
  let code: number | undefined;
  withPeers(engine, PLAIN, (compression) => {
    const server = new WebSocketCore({ role: "server", compression });
    // RSV1, FIN, binary; a 64-bit length; the key of zeros that changes nothing.
    const head = new Uint8Array(14);
    head.set([0xc2, 0xff]);
    new DataView(head.buffer).setBigUint64(2, BigInt(payload.length));
    server.receive(payload.length < 65_536 ? shortHead(payload.length) : head);
    server.receive(payload);
    assertThrows(() => server.nextEvent(), Error);
    const output = server.takeOutput()!;
    assertEquals(output[0], 0x88);
    code = output[2]! << 8 | output[3]!;
  });
  return code;
}

/** The same head with a length of 16 bits. */
function shortHead(length: number): Uint8Array {
  return Uint8Array.of(0xc2, 0xfe, length >> 8, length & 0xff, 0, 0, 0, 0);
}

/** Bytes as blocks of RFC 1951 section 3.2.4, none of them the last. */
function storedBlock(bytes: Uint8Array): Uint8Array {
  const { length } = bytes;
  const head = [0, length & 0xff, length >> 8, ~length & 0xff, (~length >> 8) & 0xff];
  return concat([Uint8Array.from(head), bytes]);
}

/** A message of 258 bytes, copied from so far back: one block of fixed codes and the empty one. */
function matchAt(distance: number): Uint8Array {
  const bits: number[] = [0, 1, 0];
  const push = (value: number, count: number, isCode: boolean): void => {
    for (let index = 0; index < count; index++) {
      bits.push((value >> (isCode ? count - 1 - index : index)) & 1);
    }
  };
  // Length 258 is code 285, which is 11000101 by the fixed codes.
  push(0b11000101, 8, true);
  // The codes of distances of a power of 2: the last of the lower half.
  const power = Math.log2(distance);
  push(2 * power - 1, 5, true);
  push(2 ** (power - 2) - 1, power - 2, false);
  // The end of the block; the head of the empty one.
  push(0, 7, true);
  push(0, 3, false);
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  for (const [index, bit] of bits.entries()) bytes[index >> 3]! |= bit << (index & 7);
  return bytes;
}

Deno.test("DeflateEngine refers to the messages before only where it may", () => {
  const engine = engines["with contexts"];
  const sizes = (parameters: DeflateParameters): number[] => {
    const found: number[] = [];
    withPeers(engine, parameters, ({ deflater }) => {
      const message = proseOf(500);
      found.push(deflate(deflater, message).length, deflate(deflater, message).length);
    });
    return found;
  };
  const [first, second] = sizes(PLAIN);
  assert(second! * 10 < first!);
  const [firstAlone, secondAlone] = sizes(NO_TAKEOVER);
  assertEquals([firstAlone, secondAlone], [first, first]);
});

Deno.test("DeflateEngine hands output on in pieces of at most 64 KiB, and stops when told to", () => {
  const engine = engines["with contexts"];
  const bomb = zlib.deflateRawSync(new Uint8Array(32 * 1024 * 1024), {
    finishFlush: zlib.constants.Z_SYNC_FLUSH,
  });
  withPeers(engine, PLAIN, ({ inflater }) => {
    let total = 0;
    const count = (piece: Uint8Array): void => {
      assert(piece.length <= 64 * 1024);
      total += piece.length;
      if (total > 1024 * 1024) throw new RangeError("enough");
    };
    assertThrows(() => inflater.inflate(bomb, true, count), RangeError);
    assert(total <= 1024 * 1024 + 64 * 1024);
  });
});

Deno.test("DeflateEngine by documented means inflates no more than maxMessageBytes", () => {
  const engine = engines["by documented means"];
  const wire = (length: number): Uint8Array => {
    const finishFlush = zlib.constants.Z_SYNC_FLUSH;
    return zlib.deflateRawSync(new Uint8Array(length), { finishFlush }).subarray(0, -4);
  };
  for (const parameters of [PLAIN, NO_TAKEOVER]) {
    withPeers(engine, parameters, ({ inflater }) => {
      for (const length of [999, 1_000, 1, 1_000]) {
        assertEquals(inflate(inflater, wire(length)).length, length);
      }
      for (const length of [1_001, 50_000_000]) {
        const error = assertThrows(() => inflate(inflater, wire(length)), LimitExceededError);
        assertEquals([error.limit, error.max], ["maxMessageBytes", 1_000]);
      }
    }, { maxMessageBytes: 1_000 });
  }
  for (const maxMessageBytes of [0, Infinity]) {
    withPeers(engine, PLAIN, ({ inflater }) => {
      assertEquals(inflate(inflater, wire(2_000_000)).length, 2_000_000);
    }, { maxMessageBytes });
  }
});

Deno.test("DeflateEngine shares so many contexts that compress among all connections", async () => {
  const engine = await DeflateEngine.load({ maxDeflateContexts: 2 });
  const peers = Array.from({ length: 3 }, () => engine.createCompression("server", PLAIN));
  const clients = peers.map(() => engine.createCompression("client", PLAIN));
  const message = proseOf(500);
  const send = (index: number): number => {
    const wire = deflate(peers[index]!.deflater, message);
    assertEquals(inflate(clients[index]!.inflater, wire), message);
    return wire.length;
  };
  assertEquals(engine.deflateContextCount, 0);
  const fresh = send(0);
  assert(send(0) < fresh / 10);
  assertEquals(engine.deflateContextCount, 1);
  assertEquals(send(1), fresh);
  assertEquals(engine.deflateContextCount, 2);
  assert(send(0) < fresh / 10);
  // The third takes that of the second, which has been silent for longer than the first.
  assertEquals(send(2), fresh);
  assertEquals(engine.deflateContextCount, 2);
  assert(send(0) < fresh / 10);
  assertEquals(send(1), fresh);
  assertEquals(engine.deflateContextCount, 2);
  for (const { deflater, inflater } of [...peers, ...clients]) {
    deflater.close();
    inflater.close();
  }
  engine.close();
  assertEquals(engine.deflateContextCount, 0);
});

Deno.test("DeflateEngine shares any number of contexts where it is not bound", async () => {
  for (const maxDeflateContexts of [0, Infinity]) {
    const engine = await DeflateEngine.load({ maxDeflateContexts });
    const peers = Array.from({ length: 300 }, () => engine.createCompression("server", PLAIN));
    for (const { deflater } of peers) deflater.deflate(HELLO, true);
    assertEquals(engine.deflateContextCount, 300);
    for (const { deflater } of peers) deflater.close();
    engine.close();
  }
});

Deno.test("DeflateEngine needs one context for all who compress without takeover", async () => {
  const engine = await DeflateEngine.load();
  const peers = Array.from({ length: 20 }, () => engine.createCompression("server", NO_TAKEOVER));
  for (const { deflater } of peers) deflater.deflate(LONG, true);
  assertEquals(engine.deflateContextCount, 1);
  for (const { deflater } of peers) deflater.deflate(LONG, false);
  assertEquals(engine.deflateContextCount, 20);
  for (const { deflater } of peers) deflater.close();
  assert(engine.deflateContextCount <= 4);
  engine.close();
  assertEquals(engine.deflateContextCount, 0);
});

Deno.test("DeflateEngine has thresholds by takeover of who compresses", () => {
  const engine = engines["with contexts"];
  const threshold = (role: "client" | "server", parameters = PLAIN, options = {}): number =>
    engine.createCompression(role, parameters, options).thresholdBytes;
  const serverAlone = { ...PLAIN, serverNoContextTakeover: true };
  assertEquals([threshold("server"), threshold("client")], [128, 128]);
  assertEquals([threshold("server", serverAlone), threshold("client", serverAlone)], [1024, 128]);
  assertEquals(threshold("server", PLAIN, { thresholdBytes: 0 }), 0);
});

Deno.test("DeflateEngine compresses as hard as it is told", () => {
  const message = proseOf(50_000);
  const size = (options: DeflateOptions): number => {
    let length = 0;
    withPeers(engines["with contexts"], PLAIN, ({ deflater }) => {
      length = deflate(deflater, message).length;
    }, options);
    return length;
  };
  assert(size({ level: 0 }) > message.length);
  assert(size({ level: 9 }) < size({ level: 1 }));
  for (let memLevel = 1; memLevel <= 9; memLevel++) assert(size({ memLevel }) < message.length / 2);
});

Deno.test("DeflateEngine throws on options out of range", async () => {
  for (const value of [-1, 1.5, NaN]) {
    const error = await DeflateEngine.load({ maxDeflateContexts: value }).catch((error) => error);
    assert(error instanceof RangeError);
  }
  const bad: readonly DeflateOptions[] = [
    ...[-1, 10, 1.5, NaN].map((level) => ({ level })),
    ...[0, 10, 1.5, NaN].map((memLevel) => ({ memLevel })),
    ...[-1, 1.5, NaN, Infinity].map((thresholdBytes) => ({ thresholdBytes })),
    ...[-1, 1.5, NaN].map((maxMessageBytes) => ({ maxMessageBytes })),
  ];
  for (const engine of Object.values(engines)) {
    for (const options of bad) {
      assertThrows(() => engine.createCompression("server", PLAIN, options), RangeError);
    }
    for (const bits of [7, 16, 8.5, NaN]) {
      for (const name of ["serverMaxWindowBits", "clientMaxWindowBits"]) {
        const parameters = { ...PLAIN, [name]: bits };
        assertThrows(() => engine.createCompression("server", parameters), RangeError);
        assertThrows(() => engine.createCompression("client", parameters), RangeError);
      }
    }
  }
});

Deno.test("loadDeflateEngine() always gives the same engine", async () => {
  const options: DeflateEngineOptions = {};
  assertStrictEquals(await loadDeflateEngine(), await loadDeflateEngine());
  assert(await DeflateEngine.load(options) !== await loadDeflateEngine());
});
