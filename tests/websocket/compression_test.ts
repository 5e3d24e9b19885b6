import { assert, assertEquals, assertThrows } from "@std/assert";
import { LimitExceededError } from "../../nbio/errors.ts";
import { SeededRandom } from "../../nbio/testing_random.ts";
import { randomSplit } from "../../nbio/testing_split.ts";
import type { WebSocketCompression } from "../../websocket/compression.ts";
import { WebSocketCore } from "../../websocket/connection.ts";
import { DeflateEngine } from "../../websocket/deflate_engine.ts";
import { frame, join, KEY, KEY_NUMBER } from "../_support/websocket_frames.ts";

// The contract of compression.ts, held by the engine there is: cores of both roles with it.

const PARAMETERS = [
  { name: "takeover", noTakeover: false, serverBits: 15, clientBits: 15 },
  { name: "no takeover", noTakeover: true, serverBits: 15, clientBits: 15 },
  { name: "small windows", noTakeover: false, serverBits: 9, clientBits: 10 },
  { name: "the smallest window", noTakeover: false, serverBits: 8, clientBits: 8 },
];

interface Pair {
  readonly client: WebSocketCore;
  readonly server: WebSocketCore;
}

function createPair(
  engine: DeflateEngine,
  { noTakeover, serverBits, clientBits }: typeof PARAMETERS[number],
  maxMessageBytes = 1 << 20,
): Pair {
  const compression = (role: "client" | "server"): WebSocketCompression => ({
    ...engine.createCompression(role, {
      serverNoContextTakeover: noTakeover,
      clientNoContextTakeover: noTakeover,
      serverMaxWindowBits: serverBits,
      clientMaxWindowBits: clientBits,
    }, { maxMessageBytes }),
    thresholdBytes: 0,
  });
  return {
    client: new WebSocketCore({
      role: "client",
      randomMaskKey: () => KEY_NUMBER,
      compression: compression("client"),
      maxMessageBytes,
    }),
    server: new WebSocketCore({
      role: "server",
      compression: compression("server"),
      maxMessageBytes,
    }),
  };
}

function createMessage(random: SeededRandom): string | Uint8Array<ArrayBuffer> {
  const length = random.length(random.chance(0.1) ? 100_000 : 2_000);
  if (random.chance(0.3)) return random.bytes(random.chance(0.1) ? 0 : length);
  return Array.from({ length: random.int(100) }, () => random.pick(["tick ", "é", "😀", "0.5,"]))
    .join("");
}

/** Sends, cuts and delivers; gives what came out at the other end. */
function exchange(from: WebSocketCore, to: WebSocketCore, random: SeededRandom): unknown[] {
  const received: unknown[] = [];
  for (let output; (output = from.takeOutput()) !== undefined;) {
    for (const chunk of randomSplit(output, { seed: random, maxChunkBytes: 5_000 })) {
      to.receive(chunk);
      for (let event; (event = to.nextEvent()) !== undefined;) {
        if (event.type === "close") return received;
        if (event.type === "text" || event.type === "binary") received.push(event.data);
      }
    }
  }
  return received;
}

for (const useDocumentedOnly of [false, true]) {
  const how = useDocumentedOnly ? "by documented means only" : "by its fastest means";

  for (const parameters of PARAMETERS) {
    Deno.test(`cores exchange compressed messages ${how}, with ${parameters.name}`, async () => {
      const engine = await DeflateEngine.load({ useDocumentedOnly });
      const random = new SeededRandom(3);
      const { client, server } = createPair(engine, parameters);
      for (let round = 0; round < 40; round++) {
        const [from, to] = random.chance(0.5) ? [client, server] : [server, client];
        const message = createMessage(random);
        if (random.chance(0.3)) {
          const cut = random.int(message.length + 1);
          from.sendFragment(message.slice(0, cut), false);
          from.sendPing();
          from.sendFragment(message.slice(cut), true);
        } else if (typeof message === "string") from.sendText(message);
        else from.sendBinary(message);
        assertEquals(exchange(from, to, random), [message]);
        exchange(to, from, random);
      }
      client.close();
      exchange(client, server, random);
      exchange(server, client, random);
      assertEquals([client.closure?.clean, server.closure?.clean], [true, true]);
      engine.close();
    });
  }

  Deno.test(`a core ends a bomb with 1009 ${how}, and holds little`, async () => {
    const engine = await DeflateEngine.load({ useDocumentedOnly });
    const sender = createPair(engine, PARAMETERS[1]!, 0).client;
    sender.sendBinary(new Uint8Array(64 << 20));
    const wire: Uint8Array[] = [];
    for (let output; (output = sender.takeOutput()) !== undefined;) wire.push(output.slice());
    sender.abort(new Error("done"));
    const { client, server } = createPair(engine, PARAMETERS[1]!);
    const error = assertThrows(() => {
      for (const chunk of randomSplit(join(...wire), { maxChunkBytes: 60_000 })) {
        server.receive(chunk);
        server.nextEvent();
        assert(server.heldBytes < 4 << 20);
      }
    }, LimitExceededError);
    assertEquals([error.limit, server.closure?.code], ["maxMessageBytes", 1009]);
    client.abort(new Error("done"));
    engine.close();
  });

  Deno.test(`a core ends what is no DEFLATE with 1007 ${how}`, async () => {
    const engine = await DeflateEngine.load({ useDocumentedOnly });
    const { client, server } = createPair(engine, PARAMETERS[0]!);
    // Block type 3 is reserved.
    server.receive(frame({ opcode: 2, payload: new Uint8Array([0x07, 0]), reserved: 4, key: KEY }));
    assertThrows(() => server.nextEvent());
    assertEquals(server.closure?.code, 1007);
    client.abort(new Error("done"));
    engine.close();
  });
}
